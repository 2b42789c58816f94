"""Where the time of one layer goes: arrays, channels, and the bus between them."""

from collections.abc import Iterator
from dataclasses import dataclass

from archmodels.npu_pim import attention, halves, in_turn, interleaved
from archmodels.npu_pim.npu import linear_bytes, linear_cycles
from archmodels.npu_pim.packing import Placement
from archmodels.npu_pim.stages import qkv_cycles, rates, rest_cycles, vector_work
from designs.npu_pim import Linear, Llm, NpuPimDevice
from dse.reproduce.neupims.points import count

LINEAR, VECTOR, LOGIT, ATTEND = "linear layers", "vector work", "logits", "sums of values"


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """Work from a cycle to another. unit: -1 for the arrays, else a channel. bus: share used."""

    unit: int
    kind: str
    name: str
    start: float
    end: float
    bus: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """One layer. marks: cycles at which its stages begin or end."""

    segments: tuple[Segment, ...]
    marks: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Clock:
    """Time of work that goes on at `speed` for `together` cycles, and then at 1."""

    start: float
    speed: float = 1.0
    together: float = 0.0

    def at(self, done: float) -> float:
        slow = self.speed * self.together
        return self.start + (done / self.speed if done <= slow else self.together + done - slow)


def turned(device: NpuPimDevice, model: Llm, channels: Placement) -> Timeline:
    """Of a batch whose stages follow each other."""
    stages, tokens = in_turn(device, model, channels), count(channels)
    first, second = stages.a, stages.a + stages.b
    found = [
        *_arrays(device, model, _qkv(model), tokens, _Clock(start=0.0)),
        *_channels(device, model, channels, _Clock(start=first)),
        *_arrays(device, model, _rest(model), tokens, _Clock(start=second)),
    ]
    return Timeline(segments=tuple(found), marks=(0.0, first, second, stages.layer_cycles))


def mixed(device: NpuPimDevice, model: Llm, channels: Placement) -> Timeline:
    """Of a batch whose halves are interleaved, in the steady state: stages C and D."""
    parts = halves(channels)
    stages, found = interleaved(device, model, *parts), []
    for start, own, beside in ((0.0, parts[0], parts[1]), (stages.c, parts[1], parts[0])):
        work, tokens = attention(device, model.shard, beside), count(own)
        speed = rates(device, work)
        linear = float(rest_cycles(device, model, tokens)) + float(
            qkv_cycles(device, model, tokens)
        )
        computing = work.cycles / speed.channels
        streaming = linear / speed.arrays
        arrays = _Clock(start=start, speed=speed.arrays, together=computing)
        channel = _Clock(start=start, speed=speed.channels, together=streaming)
        found += [
            *_arrays(device, model, [*_rest(model), *_qkv(model)], tokens, arrays),
            *_channels(device, model, beside, channel),
        ]
    return Timeline(segments=tuple(found), marks=(0.0, stages.c, stages.c + stages.d))


_Operation = tuple[str, Linear | str]
"""Name, and the layer or the kind of vector work."""


def _qkv(model: Llm) -> list[_Operation]:
    return [("norm", "norm"), ("QKV", model.qkv)]


def _rest(model: Llm) -> list[_Operation]:
    return [
        ("projection", model.projection),
        ("sum", "residual"),
        ("norm", "norm"),
        ("up", model.up),
        ("GELU", "inner"),
        ("down", model.down),
        ("sum", "residual"),
    ]


def _arrays(
    device: NpuPimDevice, model: Llm, own: list[_Operation], tokens: int, clock: _Clock
) -> Iterator[Segment]:
    vectors, done = vector_work(device, model, tokens), 0.0
    for name, what in own:
        if isinstance(what, Linear):
            kind, cycles = LINEAR, float(linear_cycles(device, what, tokens))
            moved = int(linear_bytes(device, what, tokens))
            bus = moved / (cycles * device.peak_bytes_per_cycle)
        else:
            kind, cycles = VECTOR, float(getattr(vectors, what))
            bus = float(vectors.moves)
        start, end = clock.at(done), clock.at(done + cycles)
        yield Segment(
            unit=-1, kind=kind, name=name, start=start, end=end, bus=bus * cycles / (end - start)
        )
        done += cycles


def _channels(
    device: NpuPimDevice, model: Llm, channels: Placement, clock: _Clock
) -> Iterator[Segment]:
    """Sums of values begin when the last channel has its logits."""
    logits = attention(device, model.shard, channels).logit.cycles
    for place, lengths in enumerate(channels):
        own = attention(device, model.shard, [lengths])
        for kind, start, cycles in (
            (LOGIT, 0.0, own.logit.cycles),
            (ATTEND, float(logits), own.attend.cycles),
        ):
            yield Segment(unit=place, kind=kind, name=kind, start=clock.at(start),
                          end=clock.at(start + cycles))  # fmt: skip
