"""Area that is added to the memory's die: the second row buffer, and what the paper leaves out."""

from archmodels.npu_pim.area import area, area_prices
from dse.reproduce.neupims.points import PUBLISHED
from dse.reproduce.neupims.published import AREA_OVER_DRAM, PAPER
from dse.reproduce.row import Row

SECTION = "Area added to the memory's die"

DUAL = "the paper's own number, taken as a price: CACTI's row buffers, doubled"
LATCH = "at most, if rows of two subarrays are open at once, as SALP has it, and buffers are not"
UNITS = (
    "16 multipliers, adders and a sum for each of 32 banks of 32 MB, on a die of 92 mm2 for 1 GB: "
    "the paper leaves them out, and Newton needs them as well"
)
CIRCUIT = "the same from an open circuit, in ASAP7, ten times as large"
WHOLE = "row buffers and units; vector buffer, controller and wires left out"


def rows() -> list[Row]:
    """Part by part."""
    found = area(PUBLISHED.channel, area_prices())
    return [
        Row(section=SECTION, what="second row buffers", ours=found.row_buffers,
            paper=AREA_OVER_DRAM, source=PAPER, reason=DUAL),
        Row(section=SECTION, what="latches of subarrays instead", ours=found.subarray_latches,
            reason=LATCH),
        Row(section=SECTION, what="units that multiply", ours=found.mac_units, reason=UNITS),
        Row(section=SECTION, what="units that multiply, other source", ours=found.mac_circuits,
            reason=CIRCUIT),
        Row(section=SECTION, what="all of it", ours=found.total, reason=WHOLE),
    ]  # fmt: skip
