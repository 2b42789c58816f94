"""Rewrites: what comes out is a cascade of the same result, of the passes that it should have."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_cascades import cascades

from archmodels.cascade import analyse, held, live_symbol, total_operations
from designs.cascade import REWRITES, Cascade, Extents, dump, einsum, load
from designs.cascade.rewrite import defer_division, iterate_maximum, keep_only, split
from designs.rules import RuleError
from sim.golden.cascade import execute, softmax_attention

SIZES = {"e": 5, "f": 3, "p": 7, "m": 11}
CHAINS = (
    ("three_pass", (), 3, "M"),
    ("three_pass", ("split",), 3, "M"),
    ("three_pass", ("defer-division",), 2, "M"),
    ("three_pass", ("split", "defer-division"), 2, "M"),
    ("three_pass", ("defer-division", "iterative-max"), 1, "1"),
    ("three_pass", ("split", "defer-division", "iterative-max"), 1, "1"),
    ("three_pass", ("defer-division", "split", "iterative-max"), 1, "1"),
    ("two_pass", (), 2, "M + 2 M1"),
    ("two_pass", ("defer-division",), 1, "3 M1"),
    ("two_pass", ("defer-division", "iterative-max"), 1, "1"),
    ("split_kv", ("iterative-max",), 1, "1"),
    ("unified_max", ("split",), 1, "1"),
    ("linear_attention", ("split",), 1, "1"),
)
"""Cascade, rewrites, passes (section 1 of FuseMax and its taxonomy), live from pass to pass."""


def rewritten(name, rewrites) -> Cascade:
    cascade = load(name)
    for one in rewrites:
        cascade = REWRITES[one](cascade, "m")
    return cascade


def operands(cascade, seed=0, sizes=SIZES):
    rng = np.random.default_rng(seed)
    return {
        name: 2 * rng.normal(size=[sizes[family] for family in families])
        for name, families in cascade.inputs
    }


def tiles_of(cascade, extent):
    return {rank: extent for _, ranks in cascade.splits for rank in ranks[1:]}


@pytest.mark.parametrize(("name", "rewrites", "passes", "live"), CHAINS)
def test_passes_after_rewrites(name, rewrites, passes, live):
    cascade = rewritten(name, rewrites)
    assert analyse(cascade, "m").count == passes
    assert live_symbol(held(cascade, "m"), cascade) == live


@pytest.mark.parametrize(("name", "rewrites", "passes", "live"), CHAINS)
@settings(max_examples=12)
@given(tile=st.integers(1, 12), seed=st.integers(0, 99), shift=st.none() | st.integers(-4, 12))
def test_the_result_stays(name, rewrites, passes, live, tile, seed, shift):
    """Of any tile size, whole or masked; a query without a key stays without one."""
    before, after = load(name), rewritten(name, rewrites)
    inputs = operands(before, seed)
    if shift is not None:
        first = before.einsums[1 if name == "linear_attention" else 0].output.tensor
        if name == "linear_attention":
            where = ["m >= 2"]
        else:
            where = [f"m <= p{-shift:+d}" if shift else "m <= p"]
        before, after = (keep_only(one, first, *where) for one in (before, after))
    expected = execute(before, inputs, tiles_of(before, 4))["AV"]
    found = execute(after, inputs, tiles_of(after, tile))["AV"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_deferral_divides_the_result_and_not_the_weights():
    def divisions(cascade):
        return total_operations(cascade, Extents(cascade=cascade, sizes=SIZES))["div"]

    before = load("three_pass")
    assert divisions(before) == 11 * 7 and divisions(defer_division(before, "m")) == 3 * 7


def test_three_pass_deferred_by_hand():
    assert dump(defer_division(load("three_pass"), "m")).splitlines()[2:] == [
        "einsums:",
        "  - einsum: QK[m,p] = Q[e,p] * K[e,m]",
        "  - einsum: GM[p] = QK[m,p]",
        "    reduce: {m: max}",
        "  - einsum: SN[m,p] = exp(QK[m,p] - GM[p])",
        "  - einsum: SD[p] = SN[m,p]",
        "  - einsum: SNV[f,p] = SN[m,p] * V[f,m]",
        "  - einsum: AV[f,p] = SNV[f,p] / SD[p]",
    ]


def test_three_pass_becomes_the_one_pass_that_ships_but_for_names():
    """Each Einsum of one is an Einsum of the other, once tensors have one name."""
    names = {
        "QK": "BQK", "LGM": "LM", "RGM": "RM", "PGM": "PRM", "SN": "SLN", "LSD": "SLD",
        "PSD": "SPD", "RSD": "RD", "LSNV": "SLNV", "PSNV": "SPNV", "RSNV": "RNV",
    }  # fmt: skip

    def shape(one, named):
        accesses = [
            (named.get(access.tensor, access.tensor), frozenset(map(str, access.indices)))
            for access in (one.output, *one.operands)
        ]
        return accesses[0], frozenset(accesses[1:]), one.operators, one.function, one.reductions

    found = rewritten("three_pass", ("split", "defer-division", "iterative-max"))
    ours = {shape(one, names) for one in found.einsums}
    assert ours == {shape(one, {}) for one in load("one_pass").einsums}
    start = {names[tensor]: value for tensor, value in found.iterations[0].start}
    assert start == dict(load("one_pass").iterations[0].start)


def test_two_pass_deferred_is_split_kv_but_for_names():
    found, ships = defer_division(load("two_pass"), "m"), load("split_kv")
    assert len(found.einsums) == len(ships.einsums)
    sizes = {**SIZES, "m0": 4}
    counts = [total_operations(one, Extents(cascade=one, sizes=sizes)) for one in (found, ships)]
    assert counts[0] == counts[1]


def test_what_others_read_is_kept():
    cascade = load("three_pass")
    more = replace(cascade, einsums=(*cascade.einsums, einsum("B[p] = A[m,p]", {"m": "max"})))
    assert "A" in defer_division(more, "m").outputs
    assert "A" not in defer_division(cascade, "m").outputs


def test_a_sum_that_is_the_result_is_read_at_the_end():
    cascade = load("three_pass")
    alone = replace(cascade, einsums=cascade.einsums[:4], passes=())
    found = iterate_maximum(alone, "m")
    assert found.result == "SD" and str(found.einsums[-1]) == "SD[p] = RSD[M,p]"
    inputs = operands(alone)
    np.testing.assert_allclose(execute(found, inputs)["SD"], execute(alone, inputs)["SD"])


def test_new_names_are_free():
    cascade = load("three_pass")
    taken = replace(cascade, inputs=(*cascade.inputs, ("SNV", ("f",)), ("RGM", ())))
    found = iterate_maximum(defer_division(taken, "m"), "m")
    assert "RGM_2" in found.outputs and "RSNV_2" in found.outputs


@settings(max_examples=40)
@given(cascades(), st.integers(1, 4))
def test_split_changes_neither_passes_nor_result(cascade, tile):
    after = split(cascade, "k")
    assert analyse(after, "k").count == analyse(cascade, "k").count
    sizes = {"k": 5, "j": 3}
    inputs = operands(cascade, 1, sizes)
    found, expected = execute(after, inputs, {"k0": tile}), execute(cascade, inputs)
    for tensor, values in expected.items():
        if "k" not in cascade.outputs[tensor].output.all_ranks:
            np.testing.assert_allclose(found[tensor], values, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "rewrite", "sentence"),
    [
        ("two_pass", "split", "m must be one rank to be split, not m1, m0"),
        ("one_pass", "defer-division", ("one_pass must have a sum over m of what is divided by "
         "something that does not change along m, and it has none")),
        ("linear_attention", "defer-division", "linear_attention must have a sum over m of what"),
        ("one_pass", "iterative-max", "m1 must not be iterated already, and it is"),
        ("unified_max", "iterative-max", "unified_max must have a maximum over all of m, and it"),
        ("three_pass", "iterative-max", ("SN must go into sums over m, not into "
         "A[m,p] = SN[m,p] / SD[p] (rewrite defer-division comes first)")),
        ("two_pass", "iterative-max", "PLM must go into sums over m, not into A[m1,m0,p] = "),
    ],
)  # fmt: skip
def test_refusals(name, rewrite, sentence):
    with pytest.raises(RuleError) as caught:
        REWRITES[rewrite](load(name), "m")
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("rewrite", REWRITES)
def test_a_rank_that_is_none(rewrite):
    with pytest.raises(RuleError, match="rank must be one of e, p, m, f, not 'x'"):
        REWRITES[rewrite](load("three_pass"), "x")


def test_other_refusals():
    cascade = load("three_pass")
    scores, greatest, power, *others = cascade.einsums
    plain = replace(power, function="")
    with pytest.raises(RuleError, match="GM must be read in exp.QK.m,p. - GM.p.., not in SN"):
        iterate_maximum(replace(cascade, einsums=(scores, greatest, plain, *others)), "m")
    with pytest.raises(RuleError, match="GM must be subtracted in an exponent"):
        iterate_maximum(replace(cascade, einsums=(scores, greatest), passes=()), "m")
    whole = einsum("SD = SN[m,p]")  # over queries too, each of which has a past of its own
    causal = einsum("SD[p] = SN[m,p]", where=["m <= p"])
    for total in (whole, causal):
        with pytest.raises(RuleError, match="SN must go into sums over m, not into SD"):
            iterate_maximum(replace(cascade, einsums=(scores, greatest, power, total)), "m")
    squares = einsum("SD[p] = SN[m,p] * SN[m,p]")  # the past would be scaled by a square
    with pytest.raises(RuleError, match="SN must go into sums over m, not into SD"):
        iterate_maximum(replace(cascade, einsums=(scores, greatest, power, squares)), "m")
    late = (einsum("SD[p] = SN[m,p]"), einsum("X[p] = SN[m,p] * SD[p]"))
    with pytest.raises(RuleError, match="sums of SN must not read SD, which is not known before"):
        iterate_maximum(replace(cascade, einsums=(scores, greatest, power, *late)), "m")
    with pytest.raises(RuleError, match="k must have no iteration and no alias to be split"):
        split(load("c3"), "k")
    taken = replace(cascade, inputs=(*cascade.inputs, ("W", ("m0",))))
    with pytest.raises(RuleError, match="m0 must be free for m to be split, and it is not"):
        split(taken, "m")
    with pytest.raises(RuleError, match="tensor must be one of QK, GM, SN, SD, A, AV, not 'S'"):
        keep_only(cascade, "S", "m <= p")
    masked = replace(cascade, einsums=(scores, keep_only(cascade, "GM", "m <= p").einsums[1],
                                       power, *others))  # fmt: skip
    with pytest.raises(RuleError, match="must have a maximum over all of m"):
        iterate_maximum(masked, "m")


def test_a_filtered_sum_is_left_alone():
    """Its divisor cannot leave: the sum is of other points than the product is made at."""
    masked = keep_only(load("three_pass"), "AV", "m <= p")
    with pytest.raises(RuleError, match="must have a sum over m"):
        defer_division(masked, "m")


def quotient(*texts, **reduce):
    """Sums over m1 and m0, at the end, of the product that the texts make."""
    inputs = (("A", ("m", "j")), ("B", ("m",)), ("C", ()))
    einsums = [einsum(text, reduce if "X[" in text[:2] else {}) for text in texts]
    splits = (("m", ("m1", "m0")),)
    return Cascade(name="x", inputs=inputs, splits=splits, einsums=tuple(einsums))


@pytest.mark.parametrize(
    ("cascade", "why"),
    [
        (
            quotient("X[m1,m0] = A[m1,m0,j] / C", "Y = X[m1,m0] * B[m1,m0]", j="max"),
            "a maximum is taken of the quotient",
        ),
        (quotient("X[m1,m0] = B[m1,m0] * C", "Y = X[m1,m0] * B[m1,m0]"), "no divisor"),
        (quotient("X[m1,m0] = B[m1,m0] / B[m1,m0]", "Y = X[m1,m0] * B[m1,m0]"), "it changes"),
        (
            quotient("X[m1,m0] = B[m1,m0] / C", "Y = X[m1,m0] * X[m1,m0]"),
            "a square of it is summed",
        ),
    ],
)
def test_what_cannot_be_deferred(cascade, why):
    with pytest.raises(RuleError, match="x must have a sum over m of what is divided by"):
        defer_division(cascade, "m")


def test_a_divisor_of_each_tile_leaves_the_sum_over_the_tile():
    tile = "S[m1] = B[m1,m0]"
    cascade = quotient(tile, "X[m1,m0] = B[m1,m0] / S[m1]", "Y = X[m1,m0] * B[m1,m0]")
    found = defer_division(cascade, "m")
    assert [str(one) for one in found.einsums] == [
        tile, "BB[m1] = B[m1,m0] * B[m1,m0]", "Y = BB[m1] / S[m1]",
    ]  # fmt: skip
    rng = np.random.default_rng(5)
    inputs = {"A": rng.normal(size=(7, 2)), "B": rng.uniform(1, 2, 7), "C": np.array(2.0)}
    for tiles in (1, 3, 7):
        results = [execute(one, inputs, {"m0": tiles})["Y"] for one in (cascade, found)]
        assert results[0] == pytest.approx(results[1])


@pytest.mark.parametrize("product", ["C / C / B[m1,m0]", "C / B[m1,m0] / C"])
def test_a_sum_of_reciprocals_stays_one(product):
    cascade = quotient(f"X[m1,m0] = {product}", "Y = X[m1,m0]")
    found = defer_division(cascade, "m")
    assert [str(one) for one in found.einsums] == ["CB = C / B[m1,m0]", "Y = CB / C"]
    inputs = {"A": np.ones((7, 2)), "B": np.arange(1.0, 8.0), "C": np.array(3.0)}
    assert execute(found, inputs, {"m0": 2})["Y"] == pytest.approx(sum(1 / inputs["B"]))


def test_rewritten_attention_is_attention():
    cascade = rewritten("three_pass", ("split", "defer-division", "iterative-max"))
    inputs = operands(cascade, 3)
    found = execute(cascade, inputs, {"m0": 3})["AV"]
    expected = softmax_attention(inputs["Q"], inputs["K"], inputs["V"])
    np.testing.assert_allclose(found, expected, atol=1e-12)
