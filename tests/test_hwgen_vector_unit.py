"""The vector unit against plain numpy float32, bit for bit; its cycles against a formula."""

import itertools
import random

import numpy as np
import pytest
from vector_passes import Machine, bits, elements_of, instruction, reset_midway, run

from designs.vector import Function, Reduction
from hwgen.emit import verilog
from hwgen.netlist import count, flattened_count
from hwgen.vector.interface import (
    Addend,
    Factor,
    Kind,
    Source,
    Target,
    VectorUnitParams,
)
from hwgen.vector.unit import VectorUnit

LANES = (1, 2, 4)
BANK_WORDS = 16
CONSTANTS = {"one": 1.0, "negative_zero": -0.0, "magic": 1.5 * 2**23, "minus_one": -1.0}
REGISTERS = 3
SCALARS = {name: REGISTERS + index for index, name in enumerate(CONSTANTS)}
SPECIAL = np.float32(
    [0, -0.0, 1, -1, 2**-149, -(2**-127), 2**-126, 1e38, -1e38, 0.5, 1.5, -2.5, 127, 3e-5]
)
BIG = bits(np.float32(2**23))


def params(lanes):
    constants = tuple(int(bits(value)) for value in CONSTANTS.values())
    return VectorUnitParams(
        lanes=lanes, bank_words=BANK_WORDS, registers=REGISTERS, constants=constants
    )


def copied(z_at, length, **more):
    """What comes in on `i` goes into memory as it is."""
    return instruction(
        x=Source.STREAM,
        p_scalar=SCALARS["one"],
        q_scalar=SCALARS["negative_zero"],
        target=Target.MEMORY,
        z_at=z_at,
        last=length - 1,
        **more,
    )


def shown(x_at, length):
    """What is in memory leaves as it is."""
    return copied((0, 0), length) | instruction(x=Source.MEMORY, x_at=x_at, target=Target.STREAM)


def shown_scalar(index):
    """A register leaves; its -0 becomes +0."""
    return instruction(
        x=Source.SCALAR,
        x_scalar=index,
        p_scalar=SCALARS["one"],
        q_scalar=SCALARS["negative_zero"],
        target=Target.STREAM,
        last=0,
    )


def values(rng, length):
    """Numbers of many magnitudes."""
    return np.float32(rng.standard_normal(length) * 2.0 ** rng.integers(-9, 9, length))


def check(machine_params, program, pauses=None):
    """RTL == numpy: what leaves, and without pauses when; returns what the unit did."""
    machine = Machine(machine_params)
    program = [(fields, np.asarray(taken, np.uint32)) for fields, taken in program]
    leaving = [machine.execute(fields, taken) for fields, taken in program]
    seen = run(machine_params, program, pauses)
    lanes, words, lasts = machine_params.lanes, iter(seen.words), []
    for number, z in enumerate(leaving):
        if z is not None:
            count = -(-len(z) // lanes)
            found = elements_of([next(words) for _ in range(count)], lanes)
            np.testing.assert_array_equal(found[: len(z)], bits(z), f"instruction {number}")
            assert not found[len(z) :].any(), "+0 behind the last element"
            lasts += [0] * (count - 1) + [1]
    assert next(words, None) is None
    assert seen.lasts == lasts
    return seen


@pytest.mark.spread(1)
@pytest.mark.parametrize("lanes", LANES)
def test_every_function_of_memory_and_stream(lanes):
    """x and y from different banks; p and q from everywhere; special values among the others."""
    p, rng, length = params(lanes), np.random.default_rng(lanes), 7 * lanes + lanes // 2
    x = np.concatenate([SPECIAL, values(rng, 99)])[:length]
    y = np.concatenate([values(rng, 99), SPECIAL])[-length:]
    program = [(copied((0, 0), length), bits(x)), (copied((1, 0), length), bits(y))]
    for function in (Function.ADD, Function.MAX, Function.MIN, Function.SEED):
        for factor in Factor:
            for addend in Addend:
                fields = instruction(
                    x_at=(0, 0),
                    y_at=(1, 0),
                    p=factor,
                    q=addend,
                    function=function,
                    target=Target.STREAM,
                    last=length - 1,
                    p_scalar=SCALARS["minus_one"],
                    q_scalar=SCALARS["magic"],
                )
                taken = bits(values(rng, length)) if factor == Factor.STREAM else ()
                program.append((fields, taken))
    check(p, program)


@pytest.mark.parametrize("lanes", LANES)
def test_scale_adds_to_the_exponent(lanes):
    p, rng, length = params(lanes), np.random.default_rng(5), 5
    mantissas = np.float32(rng.uniform(0.7, 1.42, length))
    places = np.float32(1.5 * 2**23 + rng.integers(-125, 127, length))
    program = [
        (copied((1, 1), length), bits(places)),
        (
            instruction(
                x=Source.STREAM,
                p_scalar=SCALARS["one"],
                q=Addend.Y,
                y_at=(1, 1),
                function=Function.SCALE,
                target=Target.STREAM,
                last=length - 1,
            ),
            bits(mantissas),
        ),
    ]
    check(p, program)
    machine = Machine(p)
    machine.execute(*program[0])
    exact = np.ldexp(mantissas, (places - np.float32(1.5 * 2**23)).astype(int))
    np.testing.assert_array_equal(machine.execute(*program[1]), exact)


@pytest.mark.spread(1)
@pytest.mark.parametrize("lanes", LANES)
def test_reductions_in_the_stated_order(lanes):
    """Beside what is stored; one after the other, so that each starts anew; of negatives too."""
    p, rng = params(lanes), np.random.default_rng(8)
    program = []
    reductions = (Reduction.SUM, Reduction.MAX, Reduction.ABSMAX)
    for reduction, length in itertools.product(reductions, (11, 5, 3, 2, 1)):
        x = values(rng, length) - np.float32(600)
        program += [
            (copied((0, 1), length, reduction=reduction, z_scalar=1), bits(x)),
            (shown_scalar(1), ()),
            (shown((0, 1), length), ()),
        ]
    seen = check(p, program)
    expected = [
        p.pass_cycles(fields["last"] + 1, reduces="reduction" in fields) for fields, _ in program
    ]
    assert np.diff(seen.taken).tolist() == expected[:-1]
    assert [done - taken + 1 for done, taken in zip(seen.done, seen.taken, strict=True)] == expected


@pytest.mark.parametrize("lanes", LANES)
def test_integers_become_float32(lanes):
    """Exact below 2**24, else to the nearest, ties to even; also times a vector."""
    p, length = params(lanes), 7
    integers = np.array([0, 1, -1, 2**24 + 1, -(2**24) - 3, 2**31 - 1, -(2**31)], np.int32)
    program = [
        (copied((0, 0), length, integer=1), integers.view(np.uint32)),
        (shown((0, 0), length), ()),
        (
            instruction(
                x_at=(0, 0),
                p=Factor.STREAM,
                integer=1,
                q_scalar=SCALARS["one"],
                target=Target.STREAM,
                last=length - 1,
            ),
            integers[::-1].copy().view(np.uint32),
        ),
    ]
    check(p, program)


@pytest.mark.parametrize("lanes", LANES)
def test_magic_makes_codes(lanes):
    """The low eight bits of x * s + magic are rint(x * s)."""
    p, length = params(lanes), 9
    x = np.float32([0.5, 1.5, -0.5, -2.5, 126.5, -127, 127, 63.4999, -0.0])
    fields = copied((0, 0), length) | {"q_scalar": SCALARS["magic"], "target": Target.STREAM}
    program = [(fields, bits(x))]
    check(p, program)
    codes = bits(Machine(p).execute(*program[0])).astype(np.uint8).view(np.int8)
    np.testing.assert_array_equal(codes, np.rint(x))


@pytest.mark.parametrize("lanes", LANES)
def test_quotients_and_roots(lanes):
    p, rng = params(lanes), np.random.default_rng(2)
    program = []
    for x, y in zip(np.abs(values(rng, 4)), values(rng, 4), strict=True):
        program += [
            (copied((0, 0), 1, reduction=Reduction.SUM, z_scalar=0), bits([x])),
            (copied((0, 0), 1, reduction=Reduction.MAX, z_scalar=1), bits([y])),
            (instruction(kind=Kind.DIVIDE, x_scalar=0, p_scalar=1, z_scalar=2), ()),
            (instruction(kind=Kind.SQUARE_ROOT, x_scalar=0, z_scalar=0), ()),
            (shown_scalar(2), ()),
            (shown_scalar(0), ()),
        ]
    seen = check(p, program)
    gaps = np.diff(seen.taken)
    assert set(gaps[2::6]) == {p.divide_cycles}
    assert set(gaps[3::6]) == {p.square_root_cycles}


@pytest.mark.parametrize("lanes", LANES)
def test_a_word_per_cycle_from_stream_to_stream(lanes):
    p, length = params(lanes), 4 * lanes - 1
    fields = copied((0, 0), length) | {"target": Target.STREAM}
    x = bits(values(np.random.default_rng(6), length))
    seen = check(p, [(fields, x), (fields, x)])
    count = len(seen.words) // 2
    steps = [start + word for start in seen.taken for word in range(count)]
    assert seen.in_cycles == [step + 1 for step in steps]
    assert seen.out_cycles == [step + 4 for step in steps]


def random_program(p, rng):
    """Passes of every kind over vectors that overlap, and what they leave behind."""

    def choose(values):
        return int(rng.choice(values))

    program = [
        (copied((bank, 0), BANK_WORDS * p.lanes), bits(values(rng, BANK_WORDS * p.lanes)))
        for bank in (0, 1)
    ]
    for _ in range(12):
        length, bank = int(rng.integers(1, 3 * p.lanes + 1)), int(rng.integers(2))
        fields = instruction(
            x=choose(Source),
            p=choose(Factor),
            q=choose(Addend),
            function=choose([Function.ADD, Function.MAX, Function.MIN]),
            reduction=choose(Reduction),
            target=choose(Target),
            x_at=(bank, int(rng.integers(5))),
            y_at=(1 - bank, int(rng.integers(5))),
            z_at=(int(rng.integers(2)), int(rng.integers(5))),
            last=length - 1,
            x_scalar=SCALARS["one"],
            p_scalar=SCALARS["minus_one"],
            q_scalar=SCALARS["magic"],
            z_scalar=int(rng.integers(REGISTERS)),
        )
        if fields["target"] == Target.MEMORY and Source.MEMORY == fields["x"]:
            fields["z_at"] = fields["x_at"]
        streamed = Source.STREAM == fields["x"] or Factor.STREAM == fields["p"]
        program.append((fields, bits(values(rng, length)) if streamed else ()))
    program += [(shown((bank, 0), BANK_WORDS * p.lanes), ()) for bank in (0, 1)]
    return program


@pytest.mark.parametrize("stalled", [False, True])
@pytest.mark.parametrize("lanes", LANES)
def test_any_program(lanes, stalled):
    p, draw = params(lanes), random.Random(lanes)
    program = random_program(p, np.random.default_rng(10 + lanes))
    seen = check(p, program, (lambda: draw.random() < 0.4) if stalled else None)
    passed = [-(-(fields["last"] + 1) // lanes) for fields, _ in program]
    reads = [
        (fields["x"] == Source.MEMORY)
        + (fields.get("p") == Factor.Y or fields.get("q") == Addend.Y)
        for fields, _ in program
    ]
    stores = [fields["target"] == Target.MEMORY for fields, _ in program]
    assert seen.events == {
        "words_passed": sum(passed),
        "words_read": int(np.dot(passed, reads)),
        "words_written": int(np.dot(passed, stores)),
    }
    if not stalled:
        expected = [
            p.pass_cycles(fields["last"] + 1, reduces=fields.get("reduction", 0) != Reduction.NONE)
            for fields, _ in program
        ]
        assert np.diff(seen.taken).tolist() == expected[:-1]


def test_a_reset_in_mid_instruction_leaves_nothing_behind():
    p, rng = params(1), np.random.default_rng(3)
    x = values(rng, 5)
    program = [(copied((0, 1), 5, reduction=Reduction.SUM), bits(x)), (shown((0, 1), 5), ())]
    program += [(shown_scalar(0), ())]
    undisturbed = run(p, program).words
    for cycles in (1, 3, 5, 8, 11, 15, 19):
        assert reset_midway(p, program, cycles) == undisturbed


@pytest.mark.spread(1)
@pytest.mark.parametrize("lanes", [1, 2])
def test_no_register_is_idle(lanes):
    text = verilog(VectorUnit(params(lanes)), "unit")
    assert flattened_count(text, "unit").flip_flop_bits == count(text, "unit").flip_flop_bits
