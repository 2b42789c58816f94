"""The VitaLLM engine: five units, their scheduler, and the memories between them."""

from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib.wiring import connect, flipped

from designs.vitallm import SURVIVOR_SLOTS, VitaLlmParams
from designs.vitallm.instructions import Unit
from hwgen.buffers import Codes, CodesParams, Scratchpad, ScratchpadParams, Sums, SumsParams
from hwgen.component import Component
from hwgen.scheduler import Scheduler, SchedulerParams
from hwgen.vitallm.booth import Booth
from hwgen.vitallm.fetch import Fetch
from hwgen.vitallm.interface import CODE_BITS, lop_params, streams
from hwgen.vitallm.lop import LopUnit
from hwgen.vitallm.lop_score import LeadingOne
from hwgen.vitallm.survivors import EverySurvivor
from hwgen.vitallm.tint import Tint
from hwgen.vitallm.vector import Vector


class VitaLlmCore(Component):
    """One token through blocks of a BitNet model, as the instructions on the five programs say.

    `designs.vitallm.program.program` has the instructions of a block, `sim.golden.vitallm` what
    comes of them. Instructions stay on their streams until they are done, see `Scheduler`; data is
    taken and given in the order of the instructions.

    Members, all streams. In: <unit>_program, instructions of each unit; x, the residual; c, the
    host's constants; w and wb, weights of TINT and of BOOTH; lo, leading-one codes of cached keys;
    kv and kv_scales, what was requested. Out: kv_request, tokens whose keys and values are wanted,
    of which the last is always the one that kv_new has just given; kv_new, codes of its key and
    value for each head of these, and their leading-one codes; kv_new_scales, their scales; o, the
    residual. Without `lop` there are no leading-one codes.

    Stalls: where a stream waits, the instruction waits that wants it, and those that wait for that.
    """

    params: VitaLlmParams

    def __init__(self, params: VitaLlmParams) -> None:
        super().__init__(params, streams(params))

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.tint = tint = Tint(p)
        m.submodules.booth = booth = Booth(p)
        m.submodules.vector = vector = Vector(p)
        m.submodules.lop = lop = (LopUnit if p.lop else EverySurvivor)(lop_params(p))
        m.submodules.fetch = fetch = Fetch(p)
        units = {
            Unit.TINT: tint,
            Unit.BOOTH: booth,
            Unit.VECTOR: vector,
            Unit.LOP: lop,
            Unit.FETCH: fetch,
        }
        self.schedule(m, units)
        for unit, names in (
            (tint, ("w",)),
            (booth, ("wb",)),
            (vector, ("x", "c", "kv_scales", "kv_new_scales", "o")),
            (lop, ("lo", "kv_request") if p.lop else ("kv_request",)),
            (fetch, ("kv",)),
        ):
            for name in names:
                connect(m, flipped(getattr(self, name)), getattr(unit, name))
        self.sums(m, "tint", tint, vector)
        self.sums(m, "booth", booth, vector)
        self.codes(m, tint, booth, vector)
        self.survivors(m, booth, fetch)
        m.d.comb += [
            self.kv_new.valid.eq(vector.kv_new.valid),
            self.kv_new.payload.codes.eq(vector.kv_new.payload),
            vector.kv_new.ready.eq(self.kv_new.ready),
        ]
        if p.lop:
            self.queries(m, lop, vector)
            self.levels(m, vector)
        for unit in (tint, booth, vector):
            kind = type(unit).__name__.lower()
            self.events |= {f"{kind}_{name}": event for name, event in unit.events.items()}
        return m

    def schedule(self, m: Module, units: dict[Unit, Any]) -> None:
        """The instructions at hand, and when they start."""
        names = tuple(unit.name.lower() for unit in Unit)
        m.submodules.scheduler = scheduler = Scheduler(SchedulerParams(units=names))
        for unit, component in units.items():
            program = getattr(self, f"{unit.name.lower()}_program")
            m.d.comb += [
                scheduler.valid[unit].eq(program.valid),
                scheduler.waits[unit].eq(program.payload.waits),
                scheduler.last[unit].eq(program.payload.last),
                scheduler.done[unit].eq(component.done),
                program.ready.eq(component.done),
                component.start.eq(scheduler.start[unit]),
                component.instruction.eq(program.payload.operation),
            ]

    def sums(self, m: Module, name: str, unit: Tint | Booth, vector: Vector) -> None:
        """The memory of the sums of a core."""
        p = self.params
        words, ports = {
            "tint": (p.tint_sum_words, p.tint.ports),
            "booth": (p.booth_sum_words, p.booth.cols),
        }[name]
        sum_bits = len(unit.sums) // ports
        sums = Sums(SumsParams(words=words, ports=ports, sum_bits=sum_bits, lanes=p.vector_lanes))
        m.submodules[f"{name}_sums"] = sums
        m.d.comb += [
            sums.write_enable.eq(unit.write),
            sums.write_address.eq(unit.address),
            sums.write_data.eq(unit.sums),
            sums.start.eq(getattr(vector, f"{name}_start")),
            sums.address.eq(vector.instruction.address),
            sums.take.eq(getattr(vector, f"{name}_take")),
            getattr(vector, f"{name}_sums").eq(sums.sums),
        ]

    def codes(self, m: Module, tint: Tint, booth: Booth, vector: Vector) -> None:
        """The codes of linear layers, a copy for each core, and of queries and weights."""
        p = self.params
        lanes, slot = p.vector_lanes, vector.instruction.slot
        memories: list[Codes] = []
        for name, unit, port, words, size in (
            ("tint_codes", tint, "codes", p.tint_code_words, p.tint.step_k),
            ("booth_codes", booth, "codes", p.booth_code_words, p.booth.a_lanes),
            ("attention_codes", booth, "attention", p.attention_words, p.booth.elements),
        ):
            memory = Codes(CodesParams(words=words, size=size, bits=CODE_BITS, lanes=lanes))
            m.submodules[name] = memory
            memories.append(memory)
            m.d.comb += [
                memory.data.eq(vector.codes),
                memory.read_enable.eq(getattr(unit, f"{port}_enable")),
                memory.read_address.eq(getattr(unit, f"{port}_address")),
                getattr(unit, f"{port}_data").eq(memory.read_data),
            ]
        *linear, attention = memories
        for memory in linear:
            m.d.comb += [
                memory.start.eq(vector.linear_start),
                memory.write.eq(vector.linear_write),
            ]
        m.d.comb += [
            attention.start.eq(vector.query_start | vector.weight_start),
            attention.write.eq(vector.query_write | vector.weight_write),
            attention.address.eq(p.query_slots * p.query_words),
        ]
        for index in range(p.query_slots):
            with m.If(vector.query_start & (slot == index)):
                m.d.comb += attention.address.eq(index * p.query_words)

    def survivors(self, m: Module, booth: Booth, fetch: Fetch) -> None:
        """The memories of keys and values."""
        p, places = self.params, self.params.booth.elements * self.params.booth.cols
        key_bits = p.booth.elements * CODE_BITS
        for name, words, fields in (
            ("keys", p.key_words, (key_bits,) * p.booth.cols),
            ("values", p.value_words, (CODE_BITS,) * places),
        ):
            params = ScratchpadParams(
                words=SURVIVOR_SLOTS * words, bits=places * CODE_BITS, fields=fields
            )
            m.submodules[name] = memory = Scratchpad(params)
            m.d.comb += [
                memory.write_enable.eq(getattr(fetch, f"{name}_enable")),
                memory.write_address.eq(getattr(fetch, f"{name}_address")),
                memory.write_data.eq(getattr(fetch, f"{name}_data")),
                memory.read_enable.eq(getattr(booth, f"{name}_enable")),
                memory.read_address.eq(getattr(booth, f"{name}_address")),
                getattr(booth, f"{name}_data").eq(memory.read_data),
            ]

    def levels(self, m: Module, vector: Vector) -> None:
        """What later selections will know of the new key."""
        for lane in range(self.params.vector_lanes):
            m.submodules[f"encoder_{lane}"] = encoder = LeadingOne(lop_params(self.params))
            m.d.comb += [
                encoder.x.eq(vector.kv_new.payload[lane]),
                self.kv_new.payload.levels[lane].eq(encoder.code),
            ]

    def queries(self, m: Module, lop: LopUnit, vector: Vector) -> None:
        """Queries go to the predictor too."""
        p, slot = self.params, vector.instruction.slot
        at = Signal.like(lop.query_address, reset_less=True)
        with m.If(vector.query_start):
            for index in range(p.query_slots):
                with m.If(slot == index):
                    m.d.sync += at.eq(index * p.lop_query_size // p.vector_lanes)
        with m.Elif(vector.query_write):
            m.d.sync += at.eq(at + 1)
        m.d.comb += [
            lop.query_write.eq(vector.query_write),
            lop.query_address.eq(at),
            Value.cast(lop.query_data).eq(vector.codes),
        ]
