"""Products per lane and cycle of the bit-slice baselines, by the spread of int8 operands."""

import numpy as np

from archmodels.bit_slice import compare
from benchmarks.tables import Row, Table, publish
from designs.operands import Distribution, Operand

BITS = 8
SAMPLE_COUNT = 2**18
SEED = 2026
DEVIATIONS = (10, 20, 25, 30, 40)


def run() -> None:
    """Compare the baselines on the same operands and publish the table."""
    caption = (
        "Products per lane and cycle, by the standard deviation of both operands. A lane is one "
        "product of two terms or slices, or one addition, per cycle."
    )
    publish("bit_slice", [Table(caption=caption, rows=[_row(sigma) for sigma in DEVIATIONS])])


def _row(sigma: int) -> Row:
    random = np.random.default_rng(SEED)
    operand = Operand(distribution=Distribution.NORMAL, std=sigma / 2 ** (BITS - 1))
    a, w = (operand.draw(random, (SAMPLE_COUNT,), BITS, True) for _ in range(2))
    found = compare(a, w, BITS)
    return {"deviation": sigma} | {name: one.macs_per_lane_cycle for name, one in found.items()}


if __name__ == "__main__":
    run()
