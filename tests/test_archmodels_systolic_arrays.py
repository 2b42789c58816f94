"""The model of the classic arrays and their elements, by hand at small points."""

import itertools

import pytest

import archmodels
from archmodels.counts import FLIP_FLOPS, Kind, adder_count, flip_flop_bits, multiplier_count
from archmodels.systolic import counts
from archmodels.technology import load, names
from designs import Dataflow, Gemm, SystolicParams
from designs.digits import Encoded, Encoding, PartialProductStyle
from designs.systolic import Element, EncoderPlace, Reduction, ResolvePlace

OS, WS = Dataflow.OS, Dataflow.WS
TREE = Reduction.TREE
OPT1 = Element.OPT1


@pytest.mark.parametrize(
    ("params", "took"),
    [
        # one tile: K steps, from the first element to the last, the input register, 4 rows drained
        ({}, 16 + (3 + 2) + 1 + 4),
        ({"broadcast": True}, 16 + 0 + 1 + 4),
        ({"depth": 4}, 4 + (3 + 2) + 1 + 4 + 4),  # a step for each lane
        ({"depth": 4, "broadcast": True}, 4 + 0 + 1 + 4 + 4),
        ({"depth": 5, "reduction": TREE}, 4 + (3 + 2) + 1 + 4),
        ({"depth": 5, "reduction": TREE, "mac_stages": 2}, 4 + (3 + 2) + 1 + 4 + 2),
        ({"element": Element.FUSED}, 16 + (3 + 2) + 1 + 4),
        ({"element": OPT1}, 16 + (3 + 2) + 1 + 4 + 1),  # the register above a column
        ({"element": OPT1, "resolve": ResolvePlace.OUTPUT}, 16 + (3 + 2) + 1 + 4),
        ({"element": OPT1, "resolve": ResolvePlace.ELEMENT}, 16 + (3 + 2) + 1 + 4 + 1),
        (
            {"element": OPT1, "resolve": ResolvePlace.ELEMENT, "double_buffer": False},
            16 + (3 + 2) + 1 + 4,
        ),
    ],
)
def test_cycles_of_a_tile_that_stays(params, took):
    params = SystolicParams(rows=4, cols=3, **params)
    assert counts(params, Gemm(m=4, k=16, n=3)).cycles == took
    # a second tile follows as soon as the rows of the first are on their way
    steps = -(-16 // params.depth)
    interval = max(steps, 4) if params.double_buffer else took
    assert counts(params, Gemm(m=8, k=16, n=3)).cycles == took + interval


@pytest.mark.parametrize(
    ("params", "took"),
    [
        # one tile: 4 steps of weights, 6 rows, to the last element, input register, sum and output
        ({}, 4 + 6 + (3 + 2) + 3),
        ({"broadcast": True}, 4 + 6 + 3 + 3),  # sums still climb
        ({"reduction": TREE}, 4 + 6 + 2 + 3),
        ({"reduction": TREE, "broadcast": True}, 4 + 6 + 0 + 3),
        ({"element": OPT1}, 4 + 6 + (3 + 2) + 3 + 1),
        ({"element": OPT1, "resolve": ResolvePlace.OUTPUT}, 4 + 6 + (3 + 2) + 3),
        (
            {"element": OPT1, "resolve": ResolvePlace.ELEMENT, "reduction": TREE},
            4 + 6 + 2 + 3,
        ),
    ],
)
def test_cycles_of_a_tile_of_weights(params, took):
    params = SystolicParams(rows=4, cols=3, dataflow=WS, **params)
    assert counts(params, Gemm(m=6, k=4, n=3)).cycles == took


def registers(**params):
    """Flip-flop bits by key, those that there are."""
    items = counts(SystolicParams(**params), Gemm(m=1, k=1, n=1)).inventory
    bits = {key: item.count * item.bits for key, item in items.items() if item.kind in FLIP_FLOPS}
    return {key: count for key, count in bits.items() if count}


def test_registers_of_carry_save_elements():
    """32-bit sums are 63 bits as pairs, for nothing carries into column 0."""
    plain = registers(rows=2, cols=2)
    assert (plain["pe.accumulator"], plain["pe.result"]) == (4 * 32, 4 * 32)
    pairs = registers(rows=2, cols=2, element=OPT1)
    assert (pairs["pe.accumulator"], pairs["pe.result"]) == (4 * 63, 4 * 63)
    assert pairs["resolve.sum"] == 2 * 32 and pairs["deskew.line"] == 1 * 32
    blocks = registers(rows=2, cols=2, element=OPT1, carry_block_bits=8)
    assert blocks["pe.accumulator"] == 4 * (32 + 3)
    resolved = registers(rows=2, cols=2, element=OPT1, resolve=ResolvePlace.ELEMENT)
    assert resolved["pe.result"] == 4 * 32 and "resolve.sum" not in resolved
    late = registers(rows=2, cols=2, element=OPT1, resolve=ResolvePlace.OUTPUT)
    assert late["deskew.line"] == 1 * 63 and "resolve.sum" not in late


def test_registers_of_broadcast_and_lanes():
    alone = registers(rows=2, cols=2, broadcast=True)
    assert not {"pe.a", "pe.w", "pe.control", "deskew.line"} & set(alone)
    assert (alone["a_skew.line"], alone["w_skew.line"]) == (2 * 8, 2 * 8)
    cube = registers(rows=2, cols=2, depth=3)
    # sums of 1, 2, 3 products: 16, 17, 17 bits; lane y enters y steps later
    assert cube["pe.partial"] == 4 * (16 + 17 + 17)
    assert cube["a_skew.line"] == (3 * (1 + 2) + 2 * (0 + 1 + 2)) * 8
    tree = registers(rows=2, cols=2, depth=3, reduction=TREE)
    assert "pe.partial" not in tree and tree["a_skew.line"] == 3 * (1 + 2) * 8
    unit = registers(rows=4, cols=2, dataflow=WS, reduction=TREE)
    assert unit["pe.a"] == 4 * 8 and unit["pe.control"] == 2
    assert unit["pe.accumulator"] == 2 * 18  # one sum of four products for each column


def test_digits_travel_from_the_edge():
    """int8 in modified Booth digits: 12 bits, for each of four digits can be 1, 2 and negative."""
    in_place = registers(rows=3, cols=3, element=OPT1)
    travelling = registers(rows=3, cols=3, element=OPT1, encoder=EncoderPlace.EDGE)
    assert travelling["pe.a"] * 8 == in_place["pe.a"] * 12
    assert travelling["a_skew.line"] * 8 == in_place["a_skew.line"] * 12
    assert travelling["pe.w"] == in_place["pe.w"]
    edge = counts(
        SystolicParams(rows=3, cols=5, element=OPT1, encoder=EncoderPlace.EDGE, encoded=Encoded.W),
        Gemm(m=1, k=1, n=1),
    )
    assert edge.inventory["edge.booth_recoder"].count == 5
    assert edge.inventory["pe.booth_recoder"].count == 0


def test_adders_and_multipliers():
    def operators(**params):
        counted = counts(SystolicParams(rows=4, cols=3, **params), Gemm(m=1, k=1, n=1))
        of_grid = sum(
            item.count
            for key, item in counted.inventory.items()
            if item.kind == Kind.ADDER and key.startswith("pe.")
        )
        assert adder_count(counted) >= of_grid
        return multiplier_count(counted), of_grid

    assert operators() == (12, 12)
    assert operators(depth=5) == operators(depth=5, reduction=TREE) == (60, 60)
    assert operators(dataflow=WS) == operators(dataflow=WS, reduction=TREE) == (12, 9)
    assert operators(element=Element.FUSED) == (0, 12)
    assert operators(element=OPT1) == (0, 0)
    assert operators(element=OPT1, carry_block_bits=16) == (0, 24)


def kinds(counted, key):
    return [stage.kind for stage in counted.paths[key] if stage.bits]


def of_element(**params):
    return counts(SystolicParams(rows=2, cols=2, **params), Gemm(m=1, k=1, n=1))


def test_a_carry_save_path_does_not_depend_on_the_width_of_the_sum():
    for place, first in ((EncoderPlace.ELEMENT, [Kind.BOOTH_RECODER]), (EncoderPlace.EDGE, [])):
        narrow = of_element(element=OPT1, encoder=place, max_k=16)
        wide = of_element(element=OPT1, encoder=place)
        path = kinds(wide, "pe.compress")
        assert path == kinds(narrow, "pe.compress")
        assert path[1 : 2 + len(first)] == [*first, Kind.PARTIAL_PRODUCT]
        assert Kind.ADDER not in path and Kind.COMPRESSOR_3_2 in path
        assert not kinds(wide, "pe.multiply")
    assert Kind.BOOTH_RECODER in kinds(wide, "edge.encode")
    assert Kind.ADDER in kinds(of_element(element=Element.FUSED), "pe.compress")
    assert Kind.ADDER in kinds(of_element(element=OPT1, carry_block_bits=4), "pe.compress")
    assert Kind.CARRY in kinds(wide, "resolve.add")


def test_broadcast_costs_fan_out():
    params = SystolicParams(rows=2, cols=40, broadcast=True)
    (stage,) = [
        stage
        for stage in counts(params, Gemm(m=1, k=1, n=1)).paths["pe.multiply"]
        if stage.kind == Kind.FANOUT
    ]
    assert stage.bits == 40


def test_activity_of_digits():
    params = SystolicParams(rows=2, cols=3, depth=4, element=OPT1, encoder=EncoderPlace.EDGE)
    events = counts(params, Gemm(m=2, k=9, n=3)).activity
    steps = 3  # of 4 terms each
    assert events["a.transfers"].count == events["array.steps"].count == steps
    assert events["mac.slots"].count == steps * 2 * 3 * 4
    assert events["mac.useful"].count == 2 * 9 * 3
    assert events["digits.rows"].count == steps * 2 * 3 * 4 * 4
    assert events["edge.booth_recoder.encodings"].count == steps * 2 * 4
    assert events["resolve.additions"].count == 2 * 3


@pytest.mark.parametrize("rows", [2, 1024])
@pytest.mark.parametrize("element", [Element.FUSED, OPT1, Element.OPT2])
@pytest.mark.parametrize("reduction", Reduction)
def test_the_longest_columns_count(rows, element, reduction):
    if element == Element.OPT2 and reduction == Reduction.CHAIN:
        return
    params = SystolicParams(rows=rows, cols=2, dataflow=WS, reduction=reduction, element=element)
    counted = counts(params, Gemm(m=8, k=rows, n=2))
    products = counted.inventory["pe.partial_product"]
    assert (products.count, products.bits) == (rows * 2 * 4, 9)
    adders = counted.inventory["pe.compressor"]
    # four rows of 9 bits and their hot ones become a pair or one word, or are added to one
    assert 20 * rows <= adders.bits <= (4 * 10 + 40) * rows
    assert flip_flop_bits(counted) > 0


def elements():
    """An engine for each element, encoding, style and dataflow."""
    axes = (Element, Encoding, PartialProductStyle, Dataflow)
    for element, encoding, style, dataflow in itertools.product(*axes):
        if element != Element.MAC:
            yield SystolicParams(
                rows=4,
                cols=3,
                depth=4 if dataflow == OS else 1,
                dataflow=dataflow,
                reduction=TREE,
                element=element,
                encoding=encoding,
                partial_product=style,
            )


@pytest.mark.parametrize("name", names())
def test_every_technology_prices_every_element(name):
    technology = load(name)
    for params in elements():
        cost = archmodels.estimate(params, Gemm(m=4, k=16, n=3), technology)
        for key in ("pe.partial_product", "pe.compressor"):
            assert cost.area_breakdown_um2[key] > 0
        for key in ("digits.rows", "digits.full_additions"):
            assert cost.energy_breakdown_pj[key] > 0
