"""What the engine has VECTOR do, pass by pass, against the golden of the whole: bit for bit."""

import numpy as np
import pytest
from vector_passes import bits, elements_of, numbers, run

from designs.booth_flex import BoothFlexParams
from designs.lut_ternary import LutTernaryParams
from designs.ternary import WeightFormat
from designs.vector import Pass, Reduction
from designs.vector_passes import Formula
from designs.vitallm import VitaLlmParams
from designs.vitallm.instructions import Instruction, Unit
from designs.vitallm.passes import EnginePasses
from designs.vitallm.vector import Input, Output, Port, Register, Stream
from hwgen.vitallm.encoding import program_words
from hwgen.vitallm.interface import operation_layouts, program_layout, vector_params
from sim.golden.vector import exp2, total
from sim.golden.vitallm.functions import quantise, relu2, silu

RESULT = Port(Output.RESULT)
INV127 = np.float32(1 / 127)


def engine(lanes):
    return VitaLlmParams(
        tint=LutTernaryParams(mu=1, tables=4, ports=4, weight_format=WeightFormat.CODE2, max_k=64),
        booth=BoothFlexParams(elements=4, cols=4, max_k=64),
        vector_lanes=lanes,
        max_hidden=32,
        max_inner=64,
        max_head_dim=24,
        max_kept=16,
        block=24,
    )


def words(params, passes):
    """The operations as words of the vector unit."""
    instructions = [Instruction(operation=one, waits={}) for one in passes.write.operations]
    layout = program_layout(operation_layouts(params)[Unit.VECTOR])
    program = program_words(params, {Unit.VECTOR: instructions})["vector_program"]
    return [layout.from_bits(word).operation.operation.as_bits() for word in program]


def played(passes, inputs):
    """What leaves, vector by vector; `inputs`: what each stream or constant brings, in order."""
    params = passes.params
    brought = {source: iter(arrays) for source, arrays in inputs.items()}
    program, lengths = [], []
    for word, one in zip(words(params, passes), passes.write.operations, strict=True):
        taken = ()
        if isinstance(one, Pass):
            if one.stream is not None:
                array = next(brought[one.stream.constants[0] or one.stream.input])
                is_float = array.dtype == np.float32
                taken = bits(array) if is_float else array.astype(np.int32).view(np.uint32)
                assert len(taken) == one.length
            if isinstance(one.to, Port):
                lengths.append(one.length)
        program.append((word, np.asarray(taken, np.uint32)))
    left, vectors = run(vector_params(params), program).words, []
    for length in lengths:
        count = -(-length // params.vector_lanes)
        vectors.append(elements_of(left[:count], params.vector_lanes)[:length])
        left = left[count:]
    return vectors


def codes(patterns):
    """The low eight bits of results."""
    return patterns.astype(np.uint8).view(np.int8)


def f32(array):
    return np.asarray(array, dtype=np.float32)


@pytest.mark.spread(2)
@pytest.mark.parametrize("lanes", [1, 2, 4])
@pytest.mark.parametrize(("gate", "golden"), [("silu", silu), ("squared_relu", relu2)])
def test_gates(lanes, gate, golden):
    g = f32([0, -0.0, 1, -1, 3.3, -7.5, 88, -88, 300, -300, 0.01, -1e-6, 20.5])
    passes = EnginePasses(engine(lanes))
    passes.write.run(len(g), Formula(Stream(Input.RESIDUAL)), to=passes.places.temporary(1, 0))
    getattr(passes, gate)(len(g))
    passes.write.run(len(g), Formula(passes.places.temporary(0, 0)), to=RESULT)
    (found,) = played(passes, {Input.RESIDUAL: [g]})
    np.testing.assert_array_equal(found, bits(golden(g)))


@pytest.mark.spread(1)
@pytest.mark.parametrize("lanes", [1, 2, 4])
@pytest.mark.parametrize("kept", [1, 7])
def test_softmax(lanes, kept):
    rng = np.random.default_rng(kept)
    scores = rng.integers(-200_000, 200_000, kept)
    key_scales, value_scales = f32(rng.uniform(1e-3, 3e-3, (2, kept)))
    query_scale = f32(rng.uniform(1e-3, 3e-3, 1))
    passes, scale = EnginePasses(engine(lanes)), Register.QUERY_SCALE
    passes.write.run(1, Formula(Stream(Input.RESIDUAL)), reduce=(Reduction.MAX, scale))
    passes.softmax(Stream(Input.BOOTH_SUMS), scale, kept, Port(Output.WEIGHT_CODES))
    passes.write.run(1, Formula(Register.GAIN), to=RESULT)
    inputs = {
        Input.RESIDUAL: [query_scale],
        Input.SCALES: [key_scales, value_scales],
        Input.BOOTH_SUMS: [scores],
    }
    weights, gain = played(passes, inputs)
    s = f32(scores) * key_scales * query_scale
    e = exp2(np.maximum((s - s.max()) * f32(np.log2(np.e)), f32(-125)))
    expected, greatest = quantise(e * value_scales)
    np.testing.assert_array_equal(codes(weights), expected)
    assert numbers(gain)[0] == greatest * INV127 / total(e, np.ones_like(e), lanes)
    exact = np.exp(scores * key_scales.astype(float) * query_scale - s.max()) * value_scales
    assert np.abs(expected - 127 * exact / exact.max()).max() < 0.51


@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_heads_are_rotated_and_quantised(lanes):
    rng, dim, half = np.random.default_rng(lanes), 24, 12
    sums = rng.integers(-9000, 9000, dim)
    angle = rng.uniform(0, 2 * np.pi, half)
    cos, sin = f32(np.cos(angle)), f32(np.sin(angle))
    passes = EnginePasses(engine(lanes))
    rotated = passes.rotate(Stream(Input.TINT_SUMS), dim)
    passes.write.run(dim, Formula(rotated), to=RESULT)
    passes.quantise(Register.HEAD_PEAK, [(rotated, dim, RESULT)])
    constants = {"cos": [cos, cos], "sin": [sin], "minus_sin": [-sin]}
    found, quantised = played(passes, {Input.TINT_SUMS: [sums]} | constants)
    u0, u1 = np.split(f32(sums), 2)
    expected = np.concatenate([u1 * -sin + u0 * cos, u0 * sin + u1 * cos])
    np.testing.assert_array_equal(found, bits(expected))
    np.testing.assert_array_equal(codes(quantised), quantise(expected)[0])


@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_root_mean_square(lanes):
    rng, length = np.random.default_rng(9), 13
    x, inverse, epsilon = f32(rng.normal(0, 3, length)), f32([1 / length]), f32([1e-5])
    passes = EnginePasses(engine(lanes))
    place = passes.places.temporary(0, 0)
    passes.write.run(
        length, Formula(Stream(Input.RESIDUAL)), to=place, reduce=(Reduction.ABSMAX, Register.PEAK)
    )
    for register in (Register.INVERSE_FFN, Register.EPSILON):
        passes.write.run(1, Formula(Stream(Input.RESIDUAL)), reduce=(Reduction.MAX, register))
    passes.squares(place, length, first=True)
    passes.squares(place, length, first=False)
    passes.root_mean_square(Register.INVERSE_FFN)
    passes.write.run(1, Formula(Register.ROOT), to=RESULT)
    (found,) = played(passes, {Input.RESIDUAL: [x, inverse, epsilon]})
    once = total(x, x, lanes)
    mean = (once + once) * inverse[0] + epsilon[0]
    assert numbers(found)[0] == np.abs(x).max() / np.sqrt(mean)
