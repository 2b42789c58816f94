"""How busy array and lanes are: figures 6 and 7, and one array that does all of it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from archmodels import fusemax as model
from archmodels.fusemax import ARTIFACT
from archmodels.fusemax.one_pass import binding_epoch_cycles
from archmodels.fusemax.shapes import buffer_need_bytes, least_query_tiles, tiles
from archmodels.fusemax.single_array import utilisation
from designs.fusemax import Configuration, published
from dse.reproduce.fusemax import points
from dse.reproduce.fusemax.published import LENGTHS, NAMES, ONE_ARRAY_UTILISATION
from dse.reproduce.row import Row, at_least, at_most

FIGURE_6A = "Figure 6a: use of the lanes"
FIGURE_6B = "Figure 6b: use of the array"
FIGURE_7 = "Figure 7: use of the array by Einsum, BERT at 64K"
NEEDS = "What FuseMax needs of buffer and memory"
ONE_ARRAY = "One systolic array that does all of FlashAttention"

EQUAL = "the artifact's of BERT and T5 to the last digits of a float64, at every length"
EXPONENTIALS = (
    "products, exponentials, maxima and sums all count as use; of products alone see the last table"
)
TILE = "tiles of keys and values, and P1 query tiles: whatever the length"
KEEPS_UP = "P1 from which on a tile of keys and values comes no slower than it is used"
REFETCHED = (
    "the DRAM's, of the whole with 16 MiB: keys and values are read for fewer queries at once"
)
FSA = "products of both Einsums over what the array could do: 2 N of 5 N + 10 cycles for a tile"
USEFUL = "products of both Einsums alone, at 1M tokens; the rest is exponentials, sums and maxima"

SHOWN = (0, 3, 5)
"""Of the lengths: 1K, 64K and 1M."""

WIDTHS = {"E = 64": 0, "E = 128": 3}
"""Width of a head, and the first encoder that has it: use depends on nothing else of a model."""

FIGURE_7_LENGTH = 3
NEED_MAX_KIB = 512
ONE_ARRAY_SIDES = (16, 64, 128, 256)


def rows() -> list[Row]:
    """Figure by figure."""
    return [*_figure_6(), *_figure_7(), *_needs(), *_one_array()]


def _figure_6() -> Sequence[Row]:
    return [
        Row(
            section=section, ours=float(points.by_length(values)[encoder, place]),
            what=f"{name}, {width}, {points.length_name(LENGTHS[place])}",
            reason=EQUAL if section == FIGURE_6A else f"{EQUAL}; {EXPONENTIALS}",
        )
        for section, key in ((FIGURE_6A, "lane"), (FIGURE_6B, "array"))
        for one, name in NAMES.items()
        for values in (getattr(points.attention(one), f"{key}_utilisation"),)
        for width, encoder in WIDTHS.items()
        for place in SHOWN
    ]  # fmt: skip


def _figure_7() -> Sequence[Row]:
    return [
        Row(
            section=FIGURE_7, what=f"{name}, {einsum}", reason=EQUAL,
            ours=float(points.by_length(share)[0, FIGURE_7_LENGTH]),
        )
        for one, name in NAMES.items()
        if one != Configuration.UNFUSED
        for einsum, share in points.attention(one).array_shares.items()
    ]  # fmt: skip


def _needs() -> Sequence[Row]:
    found = []
    machine, longest = published(Configuration.BINDING), LENGTHS[-1]
    for width, place in WIDTHS.items():
        work = [*points.shapes().values()][place].attention(longest)
        epoch = binding_epoch_cycles(machine, work) // tiles(machine, work)
        least = int(np.asarray(least_query_tiles(machine, work, epoch)))
        need = buffer_need_bytes(machine, work, least)
        found += [
            Row(section=NEEDS, what=f"resident query tiles, {width}", ours=float(least),
                reason=KEEPS_UP, limit=at_most(2)),
            Row(section=NEEDS, what=f"buffer for them, {width}", unit="KiB", reason=TILE,
                ours=float(np.asarray(need)) / 1024, limit=at_most(NEED_MAX_KIB)),
        ]  # fmt: skip
    return [*found, _small_buffer()]


def _small_buffer() -> Row:
    """What a buffer of NEED_MAX_KIB costs, at the point where it costs most."""
    machine = published(Configuration.BINDING)
    small = replace(machine, buffer_bytes=NEED_MAX_KIB * 1024)
    done = model.energy(machine, model.activity(small, points.work()), model.prices(), ARTIFACT)
    whole = points.attention_energy(Configuration.BINDING, ARTIFACT)
    added = points.by_length((done.dram_pj - whole.dram_pj) / whole.total_pj)
    return Row(section=NEEDS, what=f"energy that {NEED_MAX_KIB} KiB add, at most", reason=REFETCHED,
               ours=float(added.max()), limit=at_most(0.01))  # fmt: skip


def _one_array() -> Sequence[Row]:
    found = [
        Row(
            section=ONE_ARRAY, what=f"{side} x {side}", ours=float(utilisation(side)), reason=FSA,
            limit=at_most(ONE_ARRAY_UTILISATION) if side <= 128 else None,
        )
        for side in ONE_ARRAY_SIDES
    ]  # fmt: skip
    shares = points.attention(Configuration.BINDING).array_shares
    products = points.by_length(np.asarray(shares["QK"]) + np.asarray(shares["SLNV"]))
    return [
        *found,
        *(
            Row(section=ONE_ARRAY, what=f"FuseMax, 256 x 256 and 256 lanes, {width}", reason=USEFUL,
                ours=float(products[place, -1]), limit=at_least(0.92))
            for width, place in WIDTHS.items()
        ),
    ]  # fmt: skip
