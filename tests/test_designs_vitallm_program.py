"""Programs of VitaLLM engines: no data hazards, operands in their places, all the work done."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vitallm_grid import POINTS, block, engine, tint

from designs.bitnet import GateFunction
from designs.booth_flex import BoothFlexParams
from designs.rules import ceil_div
from designs.vector import Pass, Place, SquareRoot
from designs.vitallm.instructions import Fetch, Linear, Multiply, Product, Select, Unit
from designs.vitallm.program import program
from designs.vitallm.vector import Input, Output, Port, Stream

CODES = (Output.LINEAR_CODES, Output.MORE_LINEAR_CODES)


def clocks(work):
    """Per instruction, (unit, index): how many of each unit are surely done before it starts."""
    known = {}

    def clock(unit, index):
        if (unit, index) not in known:
            latest = dict.fromkeys(Unit, 0)
            before = [(unit, index - 1)] if index else []
            waits = work[unit][index].waits.items()
            before += [(other, count - 1) for other, count in waits if count]
            for other, last in before:
                for one, count in clock(other, last).items():
                    latest[one] = max(latest[one], count)
                latest[other] = max(latest[other], last + 1)
            known[unit, index] = latest
        return known[unit, index]

    for unit, instructions in work.items():
        for index in range(len(instructions)):
            clock(unit, index)
    return known


def accesses(params, work):
    """Per memory region: the groups of instructions that write it, and those that read it."""
    writes, reads = defaultdict(list), defaultdict(list)
    for unit, index, one in (
        (unit, index, item.operation)
        for unit, instructions in work.items()
        for index, item in enumerate(instructions)
    ):
        here = (unit, index)
        match one:
            case Linear():
                writes["tint sums", one.address].append([here])
                reads["linear codes"].append([here])
            case Multiply():
                writes["booth sums", one.address].append([here])
                if one.product == Product.LINEAR:
                    reads["linear codes"].append([here])
                elif one.product == Product.SCORES:
                    reads["query", one.codes // params.query_words].append([here])
                    reads["keys", one.operands].append([here])
                else:
                    reads["weights"].append([here])
                    reads["values", one.operands].append([here])
            case Fetch():
                writes["keys", one.keys].append([here])
                writes["values", one.values].append([here])
            case Select():
                reads["query of lop", one.query].append([here])
            case Pass():
                if one.stream is not None and one.stream.is_integer:
                    name = {Input.TINT_SUMS: "tint sums", Input.BOOTH_SUMS: "booth sums"}
                    reads[name[one.stream.input], one.stream.address].append([here])
                if isinstance(one.to, Port) and one.to.output == Output.LINEAR_CODES:
                    writes["linear codes"].append([here])
                elif isinstance(one.to, Port) and one.to.output == Output.MORE_LINEAR_CODES:
                    writes["linear codes"][-1].append(here)
                elif isinstance(one.to, Port) and one.to.output == Output.QUERY_CODES:
                    writes["query", one.to.slot].append([here])
                    writes["query of lop", one.to.slot].append([here])
                elif isinstance(one.to, Port) and one.to.output == Output.WEIGHT_CODES:
                    writes["weights"].append([here])
    return writes, reads


def linear_phases(work, reads):
    """The readers of linear codes by what they are the codes of."""
    phases = defaultdict(list)
    for ((unit, index),) in reads:
        name = work[unit][index].operation.weights[0]
        phases[
            "wqkv" if name in ("wq", "wk", "wv") else "wgu" if name in ("wg", "wu") else name
        ] += [(unit, index)]
    return [phases[name] for name in ("wqkv", "wo", "wgu", "wd")]


@pytest.mark.parametrize("name", POINTS)
def test_who_reads_waits_for_who_writes_and_the_other_way_round(name):
    """However long each instruction takes: write and read of a region take turns."""
    params, workload = POINTS[name]
    work = program(params, workload)
    clock = clocks(work)
    writes, reads = accesses(params, work)
    reads["linear codes"] = linear_phases(work, reads["linear codes"])
    assert writes.keys() == reads.keys() - ({"query of lop"} if not params.lop else set())
    for region, written in writes.items():
        read = reads[region]
        assert len(written) == len(read), region
        for turn, (writers, readers) in enumerate(zip(written, read, strict=True)):
            for unit, index in readers:
                for writer, last in writers:
                    assert clock[unit, index][writer] > last, (region, turn, "read too early")
            if turn + 1 < len(written):
                for writer, index in written[turn + 1]:
                    for unit, last in readers:
                        assert clock[writer, index][unit] > last, (
                            region,
                            turn,
                            "written too early",
                        )


@pytest.mark.parametrize("name", POINTS)
def test_operands_have_places_of_their_own(name):
    """No pass reads two places of a bank, and every vector lies inside of its bank."""
    params, workload = POINTS[name]
    for instruction in program(params, workload)[Unit.VECTOR]:
        one = instruction.operation
        if not isinstance(one, Pass):
            continue
        words = ceil_div(one.length, params.vector_lanes)
        places = {item for item in (one.x, one.p, one.q) if isinstance(item, Place)}
        assert len({place.bank for place in places}) == len(places)
        assert sum(isinstance(item, Stream) for item in (one.x, one.p)) <= 1
        for place in (*places, *([one.to] if isinstance(one.to, Place) else [])):
            assert 0 <= place.word and place.word + words <= params.bank_words


@settings(max_examples=50, deadline=None)
@given(
    heads=st.integers(1, 5),
    group=st.integers(1, 3),
    half=st.integers(1, 6),
    words=st.integers(1, 30),
    inner=st.integers(1, 60),
    context=st.integers(0, 40),
    lag=st.integers(0, 4),
    helps=st.booleans(),
    size=st.integers(1, 12),
)
def test_all_products_are_there_once(heads, group, half, words, inner, context, lag, helps, size):
    workload = block(
        hidden=2 * words,
        ffn=2 * inner,
        heads=heads * group,
        kv_heads=heads,
        head_dim=4 * half,
        context=context,
        keep=6,
        recent=2,
        activation=GateFunction.RELU2,
    )
    params = engine(
        tint=tint(max_k=360),
        booth=BoothFlexParams(elements=2, cols=2, max_k=360),
        head_lag=lag,
        booth_helps=helps,
        block=2 * size,
        max_head_dim=24,
        max_kv_heads=5,
        max_inner=360,
    )
    work = program(params, workload)
    done = [item.operation for unit in (Unit.TINT, Unit.BOOTH) for item in work[unit]]
    assert sum(one.k * one.n for one in done) == workload.mac_count
    assert len(work[Unit.FETCH]) == len(work[Unit.LOP]) == workload.heads
    clocks(work)  # no instruction waits for one behind it
    helped = [one for one in done if isinstance(one, Multiply) and one.product == Product.LINEAR]
    assert helps or not helped


@pytest.mark.parametrize("on_path", [False, True])
@pytest.mark.parametrize("name", POINTS)
def test_no_linear_layer_waits_for_a_norm_unless_it_is_on_the_path(name, on_path):
    """Of the four inputs of linear layers: which of the four roots is surely taken before?"""
    params, workload = POINTS[name]
    work = program(replace(params, norm_on_path=on_path), workload)
    clock = clocks(work)
    roots = [
        index
        for index, item in enumerate(work[Unit.VECTOR])
        if isinstance(item.operation, SquareRoot)
    ]
    linears = [item.operation.weights[0] for item in work[Unit.TINT]]
    firsts = [linears.index(layer) for layer in ("wk", "wo", "wg", "wd")]
    for root, first in zip(roots, firsts, strict=True):
        assert (clock[Unit.TINT, first][Unit.VECTOR] > root) == on_path


def test_switches_change_the_order_alone():
    """With the norm on the path, VECTOR does the same in another order."""
    params, workload = POINTS["chooses"]
    plain, on_path = (
        [repr(item.operation) for item in program(one, workload)[Unit.VECTOR]]
        for one in (params, replace(params, norm_on_path=True))
    )
    assert plain != on_path
    assert sorted(plain) == sorted(on_path)
