"""What the model of attention engines reads, and what many counts share."""

from dataclasses import dataclass
from typing import Protocol

from designs.attention import Binding, Division, Element, ExpMethod
from designs.rules import Flag, Int, ceil_div, maximum, where

SHIFT_BITS = 5


class Shape(Protocol):
    """The attributes of `AttentionParams` that counts follow from."""

    @property
    def side(self) -> Int: ...
    @property
    def e(self) -> Int: ...
    @property
    def f(self) -> Int: ...
    @property
    def element(self) -> Int: ...
    @property
    def exp_method(self) -> Int: ...
    @property
    def exp_segments(self) -> Int: ...
    @property
    def exp_degree(self) -> Int: ...
    @property
    def exp_stages(self) -> Int: ...
    @property
    def fma_lanes(self) -> Flag: ...
    @property
    def lane_stages(self) -> Int: ...
    @property
    def columns_per_lane(self) -> Int: ...
    @property
    def query_tiles(self) -> Int: ...
    @property
    def numerator_lanes(self) -> Int: ...
    @property
    def binding(self) -> Int: ...
    @property
    def idle_slot(self) -> Flag: ...
    @property
    def masking(self) -> Int: ...
    @property
    def group(self) -> Int: ...
    @property
    def kv_tiles(self) -> Int: ...
    @property
    def return_registers(self) -> Int: ...
    @property
    def max_keys(self) -> Int: ...
    @property
    def result_tiles(self) -> Int: ...
    @property
    def division(self) -> Int: ...
    @property
    def splits(self) -> Int: ...
    @property
    def split_columns(self) -> Int: ...
    @property
    def port_beats(self) -> Int: ...
    @property
    def query_values(self) -> Int: ...
    @property
    def key_values(self) -> Int: ...
    @property
    def divide_cycles(self) -> Int: ...
    @property
    def element_bits(self) -> Int: ...
    @property
    def west_bits(self) -> Int: ...
    @property
    def score_bits(self) -> Int: ...
    @property
    def psum_bits(self) -> Int: ...
    @property
    def weight_scale(self) -> Int: ...
    @property
    def link_bits(self) -> Int: ...
    @property
    def denominator_bits(self) -> Int: ...
    @property
    def numerator_bits(self) -> Int: ...
    @property
    def out_bits(self) -> Int: ...
    @property
    def mac_slots_per_cycle(self) -> Int: ...


class Problem(Protocol):
    """The attributes of `Attention`."""

    @property
    def batch(self) -> Int: ...
    @property
    def kv_heads(self) -> Int: ...
    @property
    def share(self) -> Int: ...
    @property
    def queries(self) -> Int: ...
    @property
    def keys(self) -> Int: ...
    @property
    def e(self) -> Int: ...
    @property
    def f(self) -> Int: ...
    @property
    def pattern(self) -> Int: ...
    @property
    def window(self) -> Int: ...
    @property
    def block(self) -> Int: ...
    @property
    def sink_blocks(self) -> Int: ...
    @property
    def blocks_before(self) -> Int: ...
    @property
    def mac_count(self) -> Int: ...


def is_float(params: Shape) -> Int:
    """1 where elements are floating-point numbers, else 0."""
    return where(params.element == Element.INT8, 0, 1)


def shift_bits(params: Shape) -> Int:
    """Width of the shift of scores to exponents, which floats do without."""
    return SHIFT_BITS * (1 - is_float(params))


def divides(params: Shape) -> Int:
    """1 where lanes divide, else 0."""
    return where(params.division == Division.EXPOSED, 1, 0)


def products_kept(params: Shape) -> Int:
    """1 where a lane has a register between its multiplier and its adder, else 0."""
    return where(params.fma_lanes, params.lane_stages - 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """How the slots of an epoch are taken.

    overlapped: 1 where tiles overlap, else 0. exp: slots from score to weight. masks: slots that
    hide keys. columns: of a lane, which takes one after the other. pitch: slots of a lane for a
    product with a value. maximum, total, weigh: slot of the maximum, of the sum of weights, and of
    the first product with a value, in the epoch in which each happens. cycles: of an epoch. lag:
    epochs that a maximum is on its way. tail: slots more in the epoch of a query tile's last
    products, where lanes divide.
    """

    overlapped: Int
    exp: Int
    masks: Int
    columns: Int
    pitch: Int
    maximum: Int
    total: Int
    weigh: Int
    cycles: Int
    lag: Int
    tail: Int

    @classmethod
    def of(cls, params: Shape) -> "Epoch":
        """The epoch of an engine.

        Overlapping: the products with values and with keys come first, at best one in each slot.
        Else: the scores, the maximum and its way, the weights, and the products with values.

        At least a reciprocal, and what lanes that share numerators take from reading one to reading
        it again: a cycle ahead of the first, a cycle for each column, and more where a sum follows.

        A division waits for its reciprocal, and for its numerator to be written, then there is one
        in each slot; the last product comes a slot later.
        """
        p = params
        overlapped = where(p.binding == Binding.INTERLEAVED, 1, 0)
        exp = where(p.exp_method == ExpMethod.PWL, p.exp_stages, p.exp_degree + 2)
        columns = p.columns_per_lane
        pitch = where(p.fma_lanes, columns, 2)
        products = where(overlapped == 1, maximum(p.e + p.f, pitch * p.f), p.e)
        top = products + p.masking
        way = p.side + p.return_registers
        # A lane makes the factors of all its columns, as soon as it has nothing else to do.
        free = overlapped * (top - pitch * p.f)
        factors = columns + maximum(columns * exp - free, 0)
        total = top + maximum(where(overlapped == 1, 1, way) + exp, factors)
        weigh = where(overlapped == 1, 0, total + pitch + where(p.idle_slot, 1, 0))
        end = total + pitch + where(p.idle_slot, 1, 0)
        needed = where(overlapped == 1, end, weigh + pitch * p.f)
        skew: Int = (p.numerator_lanes - 1) * columns
        cycles = maximum(maximum(needed, p.divide_cycles), skew + 2 + products_kept(p))
        written: Int = (pitch - 1) * p.f + p.lane_stages + skew + 1
        numerator: Int = weigh + written
        reciprocal: Int = total + pitch + p.lane_stages - 2 + p.divide_cycles - overlapped * cycles
        waited = maximum(maximum(numerator, reciprocal) - cycles, 0)
        return cls(
            overlapped=overlapped,
            exp=exp,
            masks=p.masking,
            columns=columns,
            pitch=pitch,
            maximum=top,
            total=total,
            weigh=weigh,
            cycles=cycles,
            lag=overlapped * ceil_div(way - 1, cycles),
            tail=divides(p) * (waited + p.f + 1),
        )

    @property
    def array_busy(self) -> Int:
        """Slots of an epoch in which elements do something, but for the products."""
        return self.masks + 1 + self.exp + 1

    @property
    def lanes_busy(self) -> Int:
        """The same of lanes, which also add a denominator up."""
        return self.columns * (1 + self.exp) + self.pitch
