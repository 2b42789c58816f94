"""Results of floats, bit for bit and step by step."""

import numpy as np
from bit_parallel import BitParallel
from float_cases import pairs

from designs.attention import AttentionParams, Element
from designs.floats import FP32
from hwgen.attention.float_output import FloatOutput
from hwgen.emit import verilog
from hwgen.netlist import count, flattened_count
from sim.golden import floats as golden

PARAMS = AttentionParams(element=Element.FP16)


def test_products():
    """The reciprocal is that of the half that is said with the numerator in its register."""
    numerator, reciprocal = pairs(FP32, 40_000)
    rng = np.random.default_rng(1)
    half, moves = rng.integers(2, size=(2, len(numerator)))
    wrong = rng.integers(1 << 31, size=len(numerator))
    stimuli = {"advance": 1, "numerator": numerator, "reciprocals": 0, "scale_half": 1 - half}
    cycles = BitParallel(FloatOutput(PARAMS)).cycles(stimuli)
    next(cycles)
    # A step without advance changes nothing.
    stimuli |= {"advance": 0, "numerator": wrong}
    next(cycles)
    pair = np.where(half, wrong, reciprocal) + (np.where(half, reciprocal, wrong) << 32)
    stimuli |= {"advance": 1, "reciprocals": pair, "scale_half": half}
    next(cycles)
    expected = golden.multiply(FP32, numerator, reciprocal)
    stimuli |= {"advance": moves, "scale_half": 1 - half}
    assert (next(cycles)["value"] == expected).all()
    assert (next(cycles)["value"] == expected)[moves == 0].all()


def test_every_register_is_used():
    text = verilog(FloatOutput(PARAMS), "dut")
    assert count(text, "dut").flip_flop_bits == 2 * 32
    assert flattened_count(text, "dut").flip_flop_bits == 2 * 32
