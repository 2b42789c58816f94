"""Programs of devices as transfers: what is told is what was meant, in every field."""

from dataclasses import fields, replace

import pytest
from npu_pim_device_grid import POINTS

from designs.npu_pim.device_program import device_program
from designs.npu_pim.instructions import Feed, Instruction, Job, Load, Store, units
from designs.npu_pim.vector import DeviceSink, DeviceSource, Input, Output
from designs.vector import Divide, Function, Pass, Reduction, SquareRoot
from hwgen.npu_pim.device_encoding import program_words
from hwgen.npu_pim.device_interface import operation_layouts
from hwgen.scheduler import scheduled_layout
from hwgen.vector.interface import Addend, Factor, Kind, Source, Target

LESS_ONE = {"columns", "count", "tiles", "steps", "results"}
"""Counts that are told less one."""

STRIDES = {"codes_stride", "weights_stride", "sums_stride", "to_stride"}
"""Added to addresses, as wide as these: one that wraps is never added."""


def meant(told, one, params):
    """Whether an operation of ARRAY, LOAD, STORE or PIM is told as it is."""
    for item in fields(one):
        value = getattr(one, item.name)
        if item.name == "stride":
            assert told.stride + 1 == value if params.channel.strides else value == one.steps
        elif item.name in STRIDES:
            bits = told.shape()[item.name].width
            assert told[item.name] == value % (1 << bits), item.name
        elif item.name != "striped" or (params.on_array and params.channels > 1):
            assert told[item.name] + (item.name in LESS_ONE) == value, item.name


def scalar(told, name, number):
    assert told.operation[f"{name}_scalar"] == number


def placed(told, name, place):
    assert (told.operation[name].bank, told.operation[name].word) == (place.bank, place.word)


def pass_meant(told, one):
    """The same of a pass: its operands, its results, where they come from and go."""
    how = told.operation
    assert (how.kind, how.last) == (Kind.PASS, one.length - 1)
    assert (how.function, how.reduction) == (one.function, one.reduction)
    if one.reduction != Reduction.NONE:
        assert how.z_scalar == one.register
    memory = {"x": Source.MEMORY, "p": Factor.Y, "q": Addend.Y}
    of_stream = {"x": Source.STREAM, "p": Factor.STREAM}
    of_scalar = {"x": Source.SCALAR, "p": Factor.SCALAR, "q": Addend.SCALAR}
    for name in "xpq":
        operand = getattr(one, name)
        if isinstance(operand, DeviceSource):
            assert how[name] == of_stream[name]
            assert (told.input, told.address) == (operand.input, operand.address)
            assert how.integer == (operand.input in (Input.SUMS, Input.RESULTS))
            assert operand.input != Input.RESULTS or told.channel == operand.channel
        elif isinstance(operand, int):
            assert how[name] == of_scalar[name]
            scalar(told, name, operand)
        elif name == "p" and operand == one.x:
            assert how.p == Factor.X
        else:
            assert how[name] == memory[name]
            placed(told, "x_at" if name == "x" else "y_at", operand)
    if isinstance(one.to, DeviceSink):
        sink = one.to
        assert how.target == Target.STREAM
        assert (told.output, told.out_address) == (sink.output, sink.address)
        assert told.begins == sink.begins or sink.output == Output.RESULT
        assert sink.output != Output.STORE or told.channel == sink.channel
    else:
        assert how.target == (Target.NOWHERE if one.to is None else Target.MEMORY)
        if one.to is not None:
            placed(told, "z_at", one.to)


def operation_meant(told, one, params):
    if isinstance(one, Job | Load | Store | Feed):
        meant(told, one, params)
    elif isinstance(one, Pass):
        pass_meant(told, one)
    else:
        is_root = isinstance(one, SquareRoot)
        assert told.operation.kind == (Kind.SQUARE_ROOT if is_root else Kind.DIVIDE)
        scalar(told, "x", one.x)
        scalar(told, "z", one.register)
        if isinstance(one, Divide):
            scalar(told, "p", one.p)


def decoded(params, program):
    """What each unit is told, as fields of its layout: unit, number of the instruction, fields."""
    layouts, words = operation_layouts(params), program_words(params, program)
    for unit in program:
        layout = scheduled_layout(len(program), layouts[unit])
        for index, word in enumerate(words[f"{unit}_program"]):
            yield unit, index, layout.from_bits(word)


@pytest.mark.spread(2)
@pytest.mark.parametrize("name", POINTS)
def test_programs_are_told_as_they_are(name):
    params, workload = POINTS[name]
    program, names = device_program(params, workload), units(params)
    for unit, index, told in decoded(params, program):
        one = program[unit][index]
        waits = [one.waits.get(other, 0) for other in names]
        assert [told.waits[number] for number in range(len(names))] == waits
        assert told.last == (index == len(program[unit]) - 1)
        operation_meant(told.operation, one.operation, params)


PASS = Pass(
    length=1,
    x=DeviceSource(input=Input.RESULTS, channel=1),
    p=0,
    q=0,
    to=DeviceSink(output=Output.STORE, channel=0),
    function=Function.ADD,
    reduction=Reduction.NONE,
    register=0,
)


def test_a_pass_has_one_channel():
    params, _ = POINTS["neupims"]
    program = {unit: [] for unit in units(params)}
    program["vector"] = [Instruction(operation=PASS, waits={})]
    with pytest.raises(ValueError, match="channel of a pass must be that of its results, 1, not 0"):
        program_words(params, program)
    same = replace(PASS, x=replace(PASS.x, channel=0))
    program["vector"] = [Instruction(operation=same, waits={})]
    assert program_words(params, program)
