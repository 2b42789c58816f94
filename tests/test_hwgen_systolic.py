"""Beyond one GEMM: jobs that follow each other, resets in mid-job, and timing of single parts."""

import itertools

import numpy as np
import pytest
from amaranth.hdl import Cat, ResetInserter, Signal, Value
from amaranth.sim import Simulator
from dense_grid import AT_EDGE, AT_OUTPUT, IN_ELEMENT, OPT1, OPT2, SINGLE, TREE, WS
from hypothesis import given, settings
from hypothesis import strategies as st

from designs import Dataflow, Gemm, SystolicParams
from hwgen import SystolicCore
from sim.bench_systolic import operands, plan, results
from sim.golden.systolic import gemm
from sim.pysim import simulate
from sim.streams import Pause, Plan, SimResult

ARRAYS = {
    "os": {"mac_stages": 1},
    "os_single": {"mac_stages": 1, **SINGLE},
    "ws": {"dataflow": WS, "mac_stages": 1},
    "ws_single": {"dataflow": WS, "mac_stages": 1, **SINGLE},
    "matrix": {"broadcast": True, **OPT1 | IN_ELEMENT},
    "cube": {"depth": 2, **OPT1},
    "cube_tree_single": {"depth": 3, **TREE | OPT2 | SINGLE},
    "ws_pairs": {"dataflow": WS, **OPT1 | AT_OUTPUT},
    "tree": {"dataflow": WS, **TREE | OPT2 | AT_EDGE},
}
"""Arrays that jobs follow each other through, and that are reset."""

JOBS = (Gemm(m=3, k=5, n=4), Gemm(m=1, k=1, n=1), Gemm(m=7, k=2, n=3), Gemm(m=2, k=9, n=5))


def small(dataflow=Dataflow.OS, **params):
    ws = {"acc_rows": 4} if dataflow == Dataflow.WS else {}
    return SystolicParams(
        **({"rows": 2, "cols": 3, "dataflow": dataflow, "max_k": 9} | ws | params)
    )


def following(params, plans, pauses):
    """Several jobs as one plan, all offered from the start."""
    return Plan(
        interface=plans[0].interface,
        transfers={
            port: [word for one in plans for word in one.transfers[port]]
            for port in ("job", "a", "w")
        },
        expected={"o": sum(one.expected["o"] for one in plans)},
        pauses=pauses,
    )


@pytest.mark.spread(6)
@pytest.mark.parametrize("stalled", [False, True])
@pytest.mark.parametrize("array", ARRAYS)
def test_jobs_follow_each_other(array, stalled):
    params = small(**ARRAYS[array])
    pairs = [operands(params, job, seed) for seed, job in enumerate(JOBS)]
    plans = [plan(params, *pair) for pair in pairs]
    pauses = {port: Pause(probability=0.4, seed=1) for port in ("job", "a", "w", "o") if stalled}
    words = simulate(SystolicCore(params), following(params, plans, pauses)).payloads["o"]
    for job, pair, one in zip(JOBS, pairs, plans, strict=True):
        own, words = words[: one.expected["o"]], words[one.expected["o"] :]
        result = SimResult(
            cycles=0, simulated_cycles=0, payloads={"o": own}, transfer_cycles={}, activity={}
        )
        assert np.array_equal(results(params, job, result), gemm(params, *pair))
    assert not words


@pytest.mark.spread(2)
@pytest.mark.parametrize("array", ARRAYS)
def test_a_reset_in_mid_job_leaves_nothing_behind(array):
    params = small(**ARRAYS[array])
    job = Gemm(m=4, k=6, n=5)
    inputs = operands(params, job, seed=3)
    sent = plan(params, *inputs)
    undisturbed = simulate(SystolicCore(params), sent).payloads["o"]
    core, reset = SystolicCore(params), Signal()
    streams = {name: getattr(core, name) for name in ("job", "a", "w")}
    taken = Cat(*(port.ready & port.valid for port in streams.values()))
    output = Value.cast(core.o.payload).as_unsigned()

    async def received(ctx, steps):
        """What comes out in so many steps, after which there is a reset."""
        position, words = dict.fromkeys(streams, 0), []
        for _ in range(steps):
            for name, port in streams.items():
                offered = sent.transfers[name]
                ctx.set(port.valid, position[name] < len(offered))
                word = offered[min(position[name], len(offered) - 1)]
                ctx.set(Value.cast(port.payload), word)
            _, _, flags, valid, word = await ctx.tick().sample(taken, core.o.valid, output)
            for index, name in enumerate(streams):
                position[name] += flags >> index & 1
            words += [word] if valid else []
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        return words

    async def testbench(ctx):
        ctx.set(core.o.ready, 1)
        for steps in range(1, 40, 3):
            await received(ctx, steps)
            assert await received(ctx, 200) == undisturbed

    simulator = Simulator(ResetInserter(reset)(core))
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(Dataflow),
    st.tuples(*[st.integers(1, 4)] * 2),
    st.booleans(),
    st.integers(0, 2),
    st.tuples(*[st.integers(1, 9)] * 3),
    st.integers(0, 2**31),
)
def test_any_shape_and_values(dataflow, size, double_buffer, mac_stages, shape, seed):
    rows, cols = size
    params = small(
        dataflow, rows=rows, cols=cols, double_buffer=double_buffer, mac_stages=mac_stages
    )
    m, k, n = shape
    job = Gemm(m=m, k=k, n=n)
    inputs = operands(params, job, seed)
    pauses = {port: Pause(probability=0.3, seed=seed) for port in ("a", "w", "o")}
    result = simulate(SystolicCore(params), plan(params, *inputs, pauses=pauses))
    assert np.array_equal(results(params, job, result), gemm(params, *inputs))


def test_tiles_follow_without_a_bubble():
    """os: K >= rows cycles per tile; ws: M >= rows cycles per tile: one more tile, K or M more."""
    for dataflow, sizes in itertools.product(Dataflow, [(2, 3), (3, 2)]):
        rows, cols = sizes
        deep = {"acc_rows": 8} if dataflow == Dataflow.WS else {}
        params = small(dataflow, rows=rows, cols=cols, max_k=64, **deep)
        for per_tile in (rows, rows + 2):
            cycles = []
            for tiles in (3, 4):
                is_os = dataflow == Dataflow.OS
                job = (
                    Gemm(m=rows, k=per_tile, n=tiles * cols)
                    if is_os
                    else Gemm(m=per_tile, k=tiles * rows, n=cols)
                )
                inputs = operands(params, job, seed=0)
                cycles.append(simulate(SystolicCore(params), plan(params, *inputs)).cycles)
            assert cycles[1] - cycles[0] == per_tile
