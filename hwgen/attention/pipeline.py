"""The pipeline of tiles: what is known of those at work, epoch by epoch."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams
from designs.attention.schedule import Age, Schedule
from designs.rules import clog2
from hwgen.attention.interface import ring_entries, tile_layout
from hwgen.component import Component
from hwgen.ring import following, ring_place

FIELDS = {
    Age.NEW: (
        *("query", "query_release", "upper", "lower", "diagonal"),
        *("state", "first", "kv_done", "shift"),
    ),
    Age.SCORED: ("state", "first", "last", "shift"),
    Age.WEIGHED: ("state", "first", "last", "kv_done"),
}
"""What of a line of the tile table is asked for at each age."""

Stage = dict[str, Any]


def age_layout(params: AttentionParams, age: Age) -> data.StructLayout:
    """What is known of the tile of an age.

    valid: there is one; acc: its accumulator; entry: of its maximum on the way back; half: of the
    staging memory, where it is a last one; others: see `tile_layout`.
    """
    known: dict[str, Any] = {"valid": 1}
    known |= {name: item.shape for name, item in tile_layout(params) if name in FIELDS[age]}
    if age != Age.WEIGHED:
        known["acc"] = clog2(params.accumulators)
    if age == Age.SCORED:
        known["entry"] = clog2(ring_entries(params))
    if age != Age.NEW:
        known["half"] = clog2(params.result_tiles)
    return data.StructLayout(known)


def tile_port(age: Age) -> str:
    """The port that carries what is known of the tile of an age."""
    return f"{age.name.lower()}_tile"


def next_layout() -> data.StructLayout:
    """What the tiles that get older will want.

    result: the one to be scored room for results, end: the last ones of its job; values: the one to
    be weighed its values, values_done: for the last time.
    """
    return data.StructLayout({"result": 1, "end": 1, "values": 1, "values_done": 1})


class Pipeline(Component):
    """Lines of the tile table, each a stage further with every epoch; some stages may be empty.

    Members: line, is_there: the next one, where there is one; start: an epoch begins after this
    cycle, with that line; new_tile, scored_tile, weighed_tile: those of the epoch at work, see
    `age_layout`; coming: of the epoch after it, see `next_layout`; draining: some tile that ends a
    job has yet to become weighed.
    """

    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        self.schedule = Schedule.of(params)
        super().__init__(
            params,
            {
                "line": In(tile_layout(params)),
                "is_there": In(1),
                "start": In(1),
                **{tile_port(age): Out(age_layout(params, age)) for age in Age},
                "coming": Out(next_layout()),
                "draining": Out(1),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m, depth = Module(), {age: self.schedule.delay(age) for age in Age}
        entering: Stage = {name: getattr(self.line, name) for name, _ in tile_layout(self.params)}
        entering["valid"] = self.is_there
        stages = self.stages(m, entering)
        before = [entering, *stages]
        to_be_scored, to_be_weighed = before[depth[Age.SCORED]], before[depth[Age.WEIGHED]]
        m.d.comb += [
            self.coming.result.eq(to_be_scored["valid"] & to_be_scored["last"]),
            self.coming.end.eq(to_be_scored["end"]),
            self.coming.values.eq(to_be_weighed["valid"]),
            self.coming.values_done.eq(to_be_weighed["valid"] & to_be_weighed["kv_done"]),
        ]
        ends = [stage["valid"] & stage["end"] for stage in stages[:-1]]
        m.d.comb += self.draining.eq(Cat(ends).any())
        ages = {age: stages[depth[age]] for age in Age}
        places = self.places(m, ages[Age.SCORED])
        for age, stage in ages.items():
            port = getattr(self, tile_port(age))
            known = stage | places[age]
            m.d.comb += [getattr(port, name).eq(known[name]) for name, _ in port.shape()]
        return m

    def stages(self, m: Module, entering: Stage) -> list[Stage]:
        """The registers of each stage: what someone will still ask for."""
        delay = self.schedule.delay
        until = {
            name: max(delay(age) for age, names in FIELDS.items() if name in names)
            for name in entering
            if name not in ("end", "valid")
        }
        until["valid"] = delay(Age.WEIGHED)
        if self.schedule.lag:
            until["end"] = delay(Age.SCORED)
        before, stages = entering, []
        for number in range(delay(Age.WEIGHED) + 1):
            stage: Stage = {
                name: Signal.like(
                    Value.cast(before[name]),
                    name=f"{name}_{number}",
                    reset_less=name != "valid",
                )
                for name, last in until.items()
                if number <= last
            }
            with m.If(self.start):
                m.d.sync += [register.eq(before[name]) for name, register in stage.items()]
            stages.append(stage)
            before = stage
        return stages

    def places(self, m: Module, scored: Stage) -> dict[Age, Stage]:
        """Where the tile of each age keeps what it has."""
        p = self.params
        acc = Signal(range(p.accumulators))
        oldest = following(m, acc, p.accumulators)
        entry = ring_place(m, "entry", ring_entries(p), self.start & scored["valid"])
        half = Signal(clog2(p.result_tiles))
        with m.If(self.start):
            m.d.sync += acc.eq(oldest)
            with m.If(scored["valid"] & scored["last"]):
                m.d.sync += half.eq(
                    ~half if p.result_tiles == 2 else following(m, half, p.result_tiles)
                )
        weighed_half = half
        if self.schedule.lag:
            weighed_half = Signal.like(half, name="weighed_half", reset_less=True)
            with m.If(self.start):
                m.d.sync += weighed_half.eq(half)
        return {
            Age.NEW: {"acc": acc},
            Age.SCORED: {"acc": oldest, "entry": entry, "half": half},
            Age.WEIGHED: {"half": weighed_half},
        }
