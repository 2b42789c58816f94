"""What happens in an engine during one workload, and which primitives work each time."""

from collections.abc import Mapping

from archmodels.attention.combiners import is_split, staged_words
from archmodels.attention.floats import FUSED_PARTS
from archmodels.attention.lanes import DIVIDE_STEPS
from archmodels.attention.shape import Epoch, Problem, Shape, divides
from archmodels.attention.tiles import Tiles
from archmodels.counts import Event, Item, Kind, Operation
from archmodels.items import use_events
from designs.attention import ExpMethod
from designs.rules import Int, maximum, minimum, where


def activity(
    params: Shape, workload: Problem, epoch: Epoch, tiles: Tiles, items: Mapping[str, Item]
) -> Mapping[str, Event]:
    """Events by key; `items` is the inventory of `params`.

    What computes is never cut off from what passes by: in every slot in which elements or lanes are
    busy, all of their multipliers, adders and links move. Of the control only the clock is charged,
    which `counts` adds.
    """
    p, products = params, epoch_products(params)
    return {
        "mac.slots": Event(count=tiles.kept * products * p.mac_slots_per_cycle),
        "mac.useful": Event(count=workload.mac_count),
        "q.transfers": Event(count=tiles.queries * p.e * p.port_beats),
        "k.transfers": Event(count=tiles.loads * p.e * p.port_beats),
        "v.transfers": Event(count=tiles.loads * p.f * p.port_beats),
        "o.transfers": Event(count=tiles.queries * p.f),
        "tiles": Event(count=tiles.kept),
        "array.busy": Event(count=tiles.kept * (products + epoch.array_busy)),
        "lanes.busy": Event(count=lanes_busy(p, epoch, tiles)),
        **_memories(p, tiles, items),
        **_uses(p, epoch, tiles, items),
    }


def epoch_products(params: Shape) -> Int:
    """Slots of an epoch in which elements multiply keys or values."""
    return params.e + params.f


def lanes_busy(params: Shape, epoch: Epoch, tiles: Tiles) -> Int:
    """Slots in which lanes do something."""
    p = params
    once: Int = tiles.kept * (epoch.pitch * p.f + epoch.lanes_busy)
    return once + divisions(p, tiles)


def divisions(params: Shape, tiles: Tiles) -> Int:
    """Slots in which lanes divide."""
    return divides(params) * tiles.queries * params.f


def _memories(params: Shape, tiles: Tiles, items: Mapping[str, Item]) -> dict[str, Event]:
    """Words read and written; a query's first tile reads no state, its last one leaves none."""
    p, side = params, params.side
    going_on = tiles.kept - tiles.queries
    numerators: Int = going_on * p.f + divisions(p, tiles)
    accesses = {
        "q_bank": (tiles.kept * p.e, tiles.queries * p.e),
        "k_bank": (tiles.kept * p.e, tiles.loads * p.e),
        "v_bank": (tiles.kept * p.f, tiles.loads * p.f),
        "lanes.maximum": (going_on, tiles.kept),
        "lanes.gain": (going_on, tiles.kept),
        "lanes.denominator": (going_on, going_on),
        "staging": (tiles.queries * staged_words(p), tiles.queries * staged_words(p)),
    }
    shared = {"lanes.numerator": (numerators, numerators)}
    return {
        **memory_events(items, side, accesses),
        **memory_events(items, side // p.numerator_lanes, shared),
    }


def memory_events(
    items: Mapping[str, Item], count: Int, accesses: Mapping[str, tuple[Int, Int]]
) -> dict[str, Event]:
    """`<memory>.reads`, `.writes` of `count` equal memories each, of (reads, writes) of one."""
    events: dict[str, Event] = {}
    for place, (reads, writes) in accesses.items():
        memory, word = items[f"{place}.memory"], items[f"{place}.word"]
        # Without a memory, a word is read for nothing; it is written as a register.
        is_memory = where(memory.count > 0, 1, 0)
        access = Operation(
            kind=Kind.MEMORY, bits=memory.bits * is_memory, other_bits=memory.other_bits
        )
        register = Operation(kind=Kind.MEMORY_READ_REGISTER, bits=memory.bits * is_memory)
        held = Operation(kind=word.kind, bits=word.bits * (1 - is_memory))
        events[f"{place}.reads"] = Event(count=count * reads, operations=(access, register))
        events[f"{place}.writes"] = Event(count=count * writes, operations=(access, held))
    return events


def _uses(params: Shape, epoch: Epoch, tiles: Tiles, items: Mapping[str, Item]) -> dict[str, Event]:
    """`<part>.uses`: how often parts of the datapath work; of several registers one at a time."""
    x = epoch
    often = {**_array(params, x, tiles), **_lanes(params, x, tiles)}
    one_of = {"array.scores": x.lag + 1, "return.ring": maximum(x.lag, 1)}
    return use_events(items, often, one_of)


def _array(params: Shape, epoch: Epoch, tiles: Tiles) -> dict[str, Int]:
    """Part of the array or its edges to how often each works."""
    p, x, kept = params, epoch, tiles.kept
    always = kept * (epoch_products(p) + x.array_busy)
    moving = (
        *(f"array.{part}" for part in ("south", "west", "command", "multiplier", "adder")),
        *(f"array.{part}" for part in ("difference", "operands", "addend", "passing")),
        *("west.command", "west.operand", "west.choice"),
        *("north.source", "north.operand", "north.choice"),
        *(f"array.fma.{part}" for part in FUSED_PARTS),
        "array.float_difference",
    )
    return {
        **dict.fromkeys(moving, always),
        "array.scores": kept * (p.e + x.masks),
        "array.bound": kept * x.masks,
        "north.bound": kept * x.masks,
        "return.delay": kept * x.cycles,
        "return.ring": kept,
        **weight_uses("array.weight", p, x, kept),
        **float_weight_uses("array", p, kept),
    }


def _lanes(params: Shape, epoch: Epoch, tiles: Tiles) -> dict[str, Int]:
    """Part of the lanes or the output to how often each works."""
    p, x, kept = params, epoch, tiles.kept
    always, results = lanes_busy(p, x, tiles), tiles.queries * p.f
    columns = kept * x.columns  # of all tiles, those of a lane
    going_on: Int = kept - tiles.queries
    moving = ("op", "command", "operands", "multiplier", "adder", "product", "sum", "step")
    adding = ("adding", "added")
    floats = ("float_multiplier", "float_adder", "float_product")
    output = ("ratio", "value", "shift", "multiplier", "round", "numerator", "float_value")
    combined = p.splits * is_split(p) * tiles.queries
    return {
        **_combiners(p, x, combined),
        **dict.fromkeys((f"lanes.{part}" for part in (*moving, *adding, *floats)), always),
        **dict.fromkeys((f"lanes.fma.{part}" for part in FUSED_PARTS), always),
        **dict.fromkeys(("lanes.difference", "lanes.greater"), columns),
        **dict.fromkeys(("lanes.north", "lanes.factor"), always),
        "lanes.aside": kept,
        "lanes.numerator.skew": x.columns * going_on * p.f,
        "lanes.numerator.align": always,
        **weight_uses("lanes.weight", p, x, columns),
        **float_weight_uses("lanes", p, columns),
        **dict.fromkeys((f"outputs.{part}" for part in (*output, "float_multiplier")), results),
        **dict.fromkeys(
            (f"divisions.{part}" for part in ("address", "shift", "dividend")), results
        ),
        "reciprocals.denominator": 2 * tiles.queries,
        "reciprocals.normal": tiles.queries,
        **dict.fromkeys(
            (f"reciprocals.{part}" for part in ("rest", "next", "remainder")),
            tiles.queries * DIVIDE_STEPS,
        ),
        **dict.fromkeys(
            (f"reciprocals.float_{part}" for part in ("divider", "rest", "next")),
            tiles.queries * p.divide_cycles,
        ),
    }


def _combiners(params: Shape, epoch: Epoch, states: Int) -> dict[str, Int]:
    """Part of the combiners to how often each works, for so many states of queries."""
    compared, added = states * (1 + epoch.exp), states * (1 + params.f)
    products = ("multiplier", "adder", "product", "operands", "total")
    floats = ("float_multiplier", "float_product", "float_operands")
    return {
        "combiners.word": compared + added,
        "combiners.maximum": states,
        "combiners.difference": 2 * states,
        "combiners.weights": states + added,
        "combiners.entering": states + added,
        "combiners.float_adder": 2 * states + added,
        **dict.fromkeys((f"combiners.{part}" for part in (*products, *floats)), added),
        "combiners.step": states * exp_steps(params),
        **weight_uses("combiners.weight", params, epoch, states),
        **float_weight_uses("combiners", params, states),
    }


def weight_uses(place: str, params: Shape, epoch: Epoch, kept: Int) -> dict[str, Int]:
    """Parts of a unit for weights: a weight for each tile."""
    steps = exp_steps(params)
    times: dict[str, Int] = {
        "value": epoch.exp,
        "shift": minimum(epoch.exp, 2),
        "constants": steps,
        **dict.fromkeys(("exponent", "fraction", "round", "second_shift"), 1),
    }
    return {f"{place}.{part}": kept * count for part, count in times.items()}


def float_weight_uses(place: str, params: Shape, kept: Int) -> dict[str, Int]:
    """The same of engines for floats, whose weights have a multiplier and an adder of their own."""
    once = ("x_round", "x_distance", "x_shift", "weight_exponent")
    steps = ("step_multiplier", "step_adder")
    return {
        **{f"{place}.{part}": kept for part in once},
        **{f"{place}.{part}": kept * exp_steps(params) for part in steps},
    }


def exp_steps(params: Shape) -> Int:
    """Slots of a weight that multiply."""
    return where(params.exp_method == ExpMethod.PWL, 1, params.exp_degree)
