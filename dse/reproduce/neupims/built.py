"""The machines as circuits: a layer of a small GPT in the cycles that their Verilog takes.

`archmodels.npu_pim.core` has the cycles; tests hold them equal to the circuit's, instruction by
instruction.
"""

from dataclasses import replace

from archmodels.npu_pim.core import Run, run
from designs import Dataflow, SystolicParams
from designs.npu_pim import (
    Element,
    GptLayer,
    NpuPimParams,
    Order,
    PimChannel,
    RowBuffers,
    Site,
)
from dse.reproduce.row import Row

SECTION = "The machines as circuits: one layer, exact cycles"

WORK = GptLayer(requests=16, keys=256, heads=2, kv_heads=2, head_dim=64, ffn=128)
MEMORY = PimChannel(
    element=Element.INT8,
    mask=True,
    tag_bits=10,
    ranks=1,
    bank_groups=4,
    banks_per_group=4,
    rows=8192,
    row_bytes=256,
    access_bytes=64,
    lanes=16,
)
NEUPIMS = NpuPimParams(
    channels=1,
    channel=MEMORY,
    array=SystolicParams(rows=8, cols=8, dataflow=Dataflow.WS, acc_rows=16, max_k=256),
    vector_lanes=8,
    panel_bytes=32768,
    max_hidden=128,
    max_kv_width=128,
    max_inner=128,
    max_heads=2,
    max_head_dim=64,
    max_keys=256,
    max_requests=16,
)
MACHINES = {
    "NPU only": replace(NEUPIMS, attention=Site.ARRAY),
    "NPU+PIM": replace(
        NEUPIMS, channel=replace(MEMORY, row_buffers=RowBuffers.SINGLE, composite=False)
    ),
    "NeuPIMs": NEUPIMS,
}
"""The same array, vector unit, memories and banks; who attends, and the row buffers, differ."""

ONE, STAGES, TOKENS = "one batch", "two sub-batches, in stages", "two sub-batches, by tokens"
TOGETHER = f"{TOKENS}, values of two heads in a row"
VARIANTS = {ONE: (1, Order.TOKENS), STAGES: (2, Order.STAGES), TOKENS: (2, Order.TOKENS)}
"""Sub-batches, and what instructions wait for."""

SMALL = (
    "16 requests of 256 tokens, hidden 128, one channel of 16 banks of 256-byte rows, an 8x8 array "
    "of int8; instructions wait for what they need, in stages also for all of the stage before"
)
SHOWN = (ONE, TOKENS)

RATIO = (
    "two sub-batches by tokens, over the other machine where that is faster, in one batch or two"
)
PAPER = "two sub-batches by tokens; the paper's NPU+PIM has one batch"
ALONE = "over NPU+PIM, one batch in both"
SHARED = "beyond the paper: a row that is opened for a new value takes that of the other head too"
BESIDE = "two sub-batches by tokens over one batch"


def ran(machine: str, variant: str) -> Run:
    """What a machine does in a layer."""
    halves, order = VARIANTS[variant]
    return run(replace(MACHINES[machine], halves=halves, order=order), WORK)


def cycles(machine: str, variant: str) -> int:
    """From its first operand to its last output."""
    return ran(machine, variant).cycles


def shared() -> int:
    """Cycles of NeuPIMs, by tokens, where values of its two heads are in the same rows."""
    channel = replace(MEMORY, strides=True)
    params = replace(NEUPIMS, channel=channel, max_value_heads=WORK.heads)
    return run(params, replace(WORK, value_heads=WORK.heads)).cycles


def rows() -> list[Row]:
    """Cycles of all, and what each step brings."""
    shown = [(ONE, name) for name in MACHINES] + [(TOKENS, name) for name in MACHINES]
    found = [
        Row(section=SECTION, what=variant, machine=machine, ours=cycles(machine, variant),
            unit="cycles", reason=SMALL)
        for variant, machine in [*shown, (STAGES, "NeuPIMs")]
    ]  # fmt: skip
    found.append(
        Row(section=SECTION, what=TOGETHER, machine="NeuPIMs", ours=shared(), unit="cycles",
            reason=SHARED)
    )  # fmt: skip
    own, alone = cycles("NeuPIMs", TOKENS), cycles("NPU+PIM", ONE)
    gains = [
        ("over NPU only", "NeuPIMs", min(cycles("NPU only", one) for one in SHOWN) / own, RATIO),
        ("over NPU+PIM", "NeuPIMs", min(cycles("NPU+PIM", one) for one in SHOWN) / own, RATIO),
        ("over NPU+PIM of one batch", "NeuPIMs", alone / own, PAPER),
        ("a second row buffer alone", "NeuPIMs", alone / cycles("NeuPIMs", ONE), ALONE),
        *(
            ("sub-batches alone", name, cycles(name, ONE) / cycles(name, TOKENS), BESIDE)
            for name in MACHINES
        ),
    ]
    return found + [
        Row(section=SECTION, what=what, machine=machine, ours=value, reason=reason)
        for what, machine, value, reason in gains
    ]
