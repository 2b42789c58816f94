"""Any commands for elements of attention engines, and what must come of them."""

import numpy as np
from bit_parallel import BitParallel

from designs.attention.schedule import PeOp
from hwgen.attention.interface import pe_command


def drawn_ops(params, due, rng):
    """Commands that mean something where each of many elements has come, and accumulators.

    `due`: exponential steps until an element has its weight.
    """
    count = len(due)
    ops = [PeOp.IDLE, PeOp.SCORE, PeOp.SCORE, PeOp.MAXIMUM, PeOp.SUBTRACT]
    ops += [PeOp.UPPER, PeOp.LOWER][: params.mask_slots]
    op = rng.choice(ops, count)
    ready = due == 0
    op = np.where(ready & (rng.random(count) < 0.4), rng.choice([PeOp.WEIGH, PeOp.SUM], count), op)
    following = PeOp.EXP_1 + params.exp_slots - 1 - due
    op = np.where(~ready & (rng.random(count) < 0.7), following, op)
    return op, rng.integers(0, params.accumulators, count)


def assert_executes_any_commands(component, steps, drawn, step_count):
    """An element, many times over, is what `steps` says in each step, and hands on what came.

    `drawn` of steps and a generator gives op, acc, fresh, west and north. All ops come about.
    """
    params, has_east = component.params.engine, component.params.has_east
    command, reach = pe_command(params), 1 << params.link_bits
    rng, stimuli = np.random.default_rng(1), {}
    cycles = BitParallel(component).cycles(stimuli)
    expected, seen = None, set()
    for _ in range(step_count):
        op, acc, fresh, west, north = drawn(steps, rng)
        told = op | fresh.astype(int) << command["fresh"].offset
        if params.accumulators > 1:
            told |= acc << command["acc"].offset
        stimuli |= {"command": told, "west": west, "north": north % reach}
        found = next(cycles)
        if expected is not None:
            assert (found["south"] == expected["south"]).all()
            for name in ("west", "command"):
                assert (f"{name}_out" in found) == has_east
                assert not has_east or (found[f"{name}_out"] == expected[name]).all()
        south = steps.step(op, acc, fresh, west, north) % reach
        expected = {"south": south, "west": west, "command": told}
        seen |= set(op.tolist())
    unused = [PeOp.UPPER, PeOp.LOWER][params.mask_slots :]
    assert seen == {op for op in PeOp if op < PeOp.SUBTRACT + params.exp_slots} - set(unused)
