"""The core: an array, a vector unit and channels whose banks compute."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import connect, flipped

from designs.npu_pim.device_rules import CODE_BITS
from designs.npu_pim.instructions import units
from designs.npu_pim.params import NpuPimParams
from hwgen.buffers import Codes, CodesParams, Sums, SumsParams
from hwgen.component import Component, probed
from hwgen.npu_pim.array_unit import ArrayUnit
from hwgen.npu_pim.device_channel import DeviceChannel
from hwgen.npu_pim.device_interface import array_params, streams
from hwgen.npu_pim.device_vector import DeviceVector
from hwgen.npu_pim.interface import command_layout
from hwgen.scheduler import Scheduler, SchedulerParams


class NpuPimCore(Component):
    """A token of each request through layers of a transformer, as the programs of its units say.

    ARRAY multiplies codes with weights that LOAD of each channel brings, VECTOR makes codes of
    sums, STORE writes new keys and values and the vectors that PIM multiplies with what the banks
    hold. `designs.npu_pim.device_program` has the instructions of a layer, `sim.golden.npu_pim`
    what comes of them. Instructions stay on their streams until they are done, see `Scheduler`;
    that one unit waits for another is said by them and by nothing else.

    Members, all streams. In: <unit>_program, instructions of each unit; rows_<channel>, what rows
    of banks hold before the first instruction; x, the residual; c, the host's constants. Out: o,
    the residual.

    Stalls: where x, c or o waits, the pass of VECTOR waits that wants it, and those that wait for
    that.

    Events: bus_<channel>, the command bus, whole; starts, dones: a bit per unit; array_*, vector_*:
    those of these units.
    """

    params: NpuPimParams

    def __init__(self, params: NpuPimParams) -> None:
        super().__init__(params, streams(params))
        buses = [f"bus_{number}" for number in range(params.channels)]
        self.events = {bus: Signal(command_layout(params.channel), name=bus) for bus in buses}
        self.events |= {name: Signal(len(units(params)), name=name) for name in ("starts", "dones")}

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.array = array = ArrayUnit(array_params(p))
        m.submodules.vector = vector = DeviceVector(p)
        channels = [DeviceChannel(p) for _ in range(p.channels)]
        for number, channel in enumerate(channels):
            m.submodules[f"channel_{number}"] = channel
            connect(m, flipped(getattr(self, f"rows_{number}")), channel.rows)
        for name in ("x", "c", "o"):
            connect(m, flipped(getattr(self, name)), getattr(vector, name))
        self.schedule(m, array, vector, channels)
        self.sums(m, array, vector)
        self.codes(m, array, vector)
        for number, channel in enumerate(channels):
            self.join(m, number, channel, array, vector)
        for name, unit in (("array", array), ("vector", vector)):
            self.events |= {f"{name}_{event}": signal for event, signal in unit.events.items()}
        if probed(platform):
            for number, channel in enumerate(channels):
                m.d.comb += self.events[f"bus_{number}"].eq(channel.events["bus"])
        return m

    def schedule(
        self, m: Module, array: ArrayUnit, vector: DeviceVector, channels: list[DeviceChannel]
    ) -> None:
        """The instructions at hand, and when they start."""
        names = units(self.params)
        m.submodules.scheduler = scheduler = Scheduler(SchedulerParams(units=names))
        parts: dict[str, tuple[Component, str]] = {"array": (array, ""), "vector": (vector, "")}
        for name in names[len(parts) :]:
            kind, number = name.split("_")
            parts[name] = channels[int(number)], f"{kind}_"
        for index, name in enumerate(names):
            part, prefix = parts[name]
            program = getattr(self, f"{name}_program")
            done = getattr(part, f"{prefix}done")
            m.d.comb += [
                scheduler.valid[index].eq(program.valid),
                scheduler.waits[index].eq(program.payload.waits),
                scheduler.last[index].eq(program.payload.last),
                scheduler.done[index].eq(done),
                program.ready.eq(done),
                getattr(part, f"{prefix}start").eq(scheduler.start[index]),
                getattr(part, f"{prefix}instruction").eq(program.payload.operation),
            ]
        m.d.comb += [
            self.events["starts"].eq(scheduler.start),
            self.events["dones"].eq(scheduler.done),
        ]

    def sums(self, m: Module, array: ArrayUnit, vector: DeviceVector) -> None:
        """The memory of the sums of the array."""
        p = self.params
        m.submodules.sum_memory = sums = Sums(
            SumsParams(
                words=p.sum_words,
                ports=p.array.cols,
                sum_bits=p.array.acc_bits,
                lanes=p.vector_lanes,
            )
        )
        m.d.comb += [
            sums.write_enable.eq(array.write),
            sums.write_address.eq(array.address),
            sums.write_data.eq(array.sums),
            sums.start.eq(vector.sums_start),
            sums.address.eq(vector.instruction.address),
            sums.take.eq(vector.sums_take),
            vector.sums.eq(sums.sums),
        ]

    def codes(self, m: Module, array: ArrayUnit, vector: DeviceVector) -> None:
        """The memory of the codes for the array."""
        p = self.params
        m.submodules.code_memory = codes = Codes(
            CodesParams(words=p.code_words, size=p.array.rows, bits=CODE_BITS, lanes=p.vector_lanes)
        )
        m.d.comb += [
            codes.start.eq(vector.codes_start),
            codes.address.eq(vector.instruction.out_address),
            codes.write.eq(vector.codes_write),
            codes.data.eq(vector.codes),
            codes.read_enable.eq(array.codes_enable),
            codes.read_address.eq(array.codes_address),
            array.codes_data.eq(codes.read_data),
        ]

    def join(
        self,
        m: Module,
        number: int,
        channel: DeviceChannel,
        array: ArrayUnit,
        vector: DeviceVector,
    ) -> None:
        """A channel's memories, to those who read and write them."""
        m.d.comb += [
            channel.weights_enable.eq(array.weights_enable[number]),
            channel.weights_address.eq(array.weights_address),
            array.weights_data[number].eq(channel.weights_data),
            channel.codes_start.eq(vector.store_start[number]),
            channel.codes_address.eq(vector.instruction.out_address),
            channel.codes_write.eq(vector.store_write[number]),
            channel.codes_data.eq(vector.codes),
        ]
        if not self.params.on_array:
            m.d.comb += [
                channel.results_start.eq(vector.results_start[number]),
                channel.results_address.eq(vector.instruction.address),
                channel.results_take.eq(vector.results_take[number]),
                vector.results[number].eq(channel.results_data),
            ]
