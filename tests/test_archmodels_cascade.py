"""Passes, live elements and operations of cascades: counted by hand, by trial, and by force."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_cascades import cascades, sweeps

from archmodels.cascade import (
    Edge,
    analyse,
    edges,
    held,
    live_elements,
    live_symbol,
    operations,
    ordered,
    points,
    tile_held,
    tile_passes,
    total_operations,
)
from designs.cascade import REWRITES, Cascade, Extents, Iteration, einsum, load, shipped
from designs.cascade.parse import rank_filter
from designs.cascade.rewrite import keep_only, split
from designs.rules import RuleError

ATTENTION = {"e": 4, "f": 3, "p": 5, "m": 10}
PASSES = {
    "c1": 2, "c2": 1, "c3": 1, "three_pass": 3, "two_pass": 2, "one_pass": 1, "split_kv": 1,
    "unified_max": 1, "linear_attention": 1,
}  # fmt: skip
"""The FuseMax paper's counts, and the taxonomy's."""


def made(*texts, inputs=(("A", ("k",)),), **others):
    return Cascade(name="x", inputs=inputs, einsums=tuple(map(einsum, texts)), **others)


def sizes_of(cascade, **given):
    return Extents(cascade=cascade, sizes={**ATTENTION, **given})


class TestPasses:
    @pytest.mark.parametrize("name", shipped())
    def test_what_ships_has_the_passes_that_it_states(self, name):
        cascade = load(name)
        for family, passes in cascade.passes:
            assert analyse(cascade, family).count == passes == PASSES[name]

    @pytest.mark.parametrize("name", shipped())
    def test_walking_again_and_again_takes_as_many(self, name):
        cascade = load(name)
        for family in cascade.families:
            if analyse(cascade, family).count:
                assert sweeps(cascade, family) == analyse(cascade, family).count, family

    @pytest.mark.parametrize("family", ["k", "j"])
    @given(cascade=cascades())
    def test_any_cascade_by_trial(self, family, cascade):
        if family in cascade.families:
            assert sweeps(cascade, family) == analyse(cascade, family).count

    @settings(max_examples=30)
    @given(cascade=cascades())
    def test_any_split_cascade_by_trial(self, cascade):
        after = split(cascade, "k")
        assert sweeps(after, "k") == analyse(after, "k").count

    @pytest.mark.parametrize("name", ["three_pass", "two_pass"])
    def test_rewritten_cascades_by_trial(self, name):
        cascade = load(name)
        for rewrite in ("defer-division", "iterative-max"):
            cascade = REWRITES[rewrite](cascade, "m")
            assert sweeps(cascade, "m") == analyse(cascade, "m").count

    def test_labels_of_three_passes(self):
        found = analyse(load("three_pass"), "m")
        told = {tensor: str(label) for tensor, label in found.labels.items()}
        assert told == {
            "Q": "stream 0", "K": "stream 0", "V": "stream 0", "QK": "stream 1", "GM": "post 1",
            "SN": "stream 2", "SD": "post 2", "A": "stream 3", "AV": "post 3",
        }  # fmt: skip
        assert found.numbers == {"QK": 1, "GM": 1, "SN": 2, "SD": 2, "A": 3, "AV": 3}

    def test_tiles_alone_are_no_pass(self):
        """What PLM and SD do of two_pass takes a walk over the tiles, and none over the fibre."""
        found = analyse(load("two_pass"), "m")
        assert (found.levels["PLM"], found.levels["SD"], found.levels["A"]) == (2, 2, 3)
        assert "PLM" not in found.numbers and found.numbers["A"] == 2

    def test_over_another_rank(self):
        """Queries are walked once, whatever happens to keys."""
        for name in ("three_pass", "two_pass", "one_pass", "split_kv"):
            assert analyse(load(name), "p").count == 1

    def test_a_prefix_streams_and_a_whole_sum_does_not(self):
        inputs = (("A", ("k",)), ("B", ("k",)))
        prefix = replace(
            made("Y[k] = A[k]", "Z[k] = Y[k] * B[k]", inputs=inputs),
            aliases=(("i", "k"),),
            einsums=(einsum("Y[i] = A[k]", where=["k <= i"]), einsum("Z[k] = Y[k] * B[k]")),
        )
        whole = made("Y = A[k]", "Z[k] = Y * B[k]", inputs=inputs)
        assert analyse(prefix, "k").count == sweeps_of_prefix() == 1
        assert analyse(whole, "k").count == 2

    def test_what_is_carried_is_of_the_pass_of_what_it_is_carried_to(self):
        """R starts in pass 2, for D needs all of A; P reads R of the step before."""
        cascade = made(
            "T = A[k]", "P[k] = R[k] * A[k]", "D[k] = A[k] * T", "R[k+1] = P[k] + D[k]",
            iterations=(Iteration(rank="k", start=(("R", 0.0),)),),
        )  # fmt: skip
        found = analyse(cascade, "k")
        assert found.levels == {"T": 1, "D": 2, "P": 2, "R": 2}
        assert found.count == sweeps(cascade, "k") == 2

    def test_the_end_of_an_iteration_is_after_its_walk(self):
        cascade = made(
            "R[k+1] = R[k] + A[k]", "Z[k] = A[k] / R[K]",
            iterations=(Iteration(rank="k", start=(("R", 0.0),)),),
        )  # fmt: skip
        assert analyse(cascade, "k").count == sweeps(cascade, "k") == 2

    def test_a_rank_that_is_none(self):
        with pytest.raises(RuleError, match="rank must be k, not 'm'"):
            analyse(load("c1"), "m")


def sweeps_of_prefix():
    """The trial does not know filters; along a prefix, what is written at i is read at i."""
    return sweeps(made("Y[k] = A[k]", "Z[k] = Y[k] * A[k]"), "k")


class TestTiles:
    def test_a_tile_of_scores_is_gone_over_twice(self):
        """Its maximum comes before its exponentials: an N x N tile is held (section 1.3)."""
        for name in ("one_pass", "two_pass", "split_kv"):
            cascade = load(name)
            assert tile_passes(cascade, "m")[1].count == 2
            assert [one.tensor for one in tile_held(cascade, "m")[1]] == ["BQK"]
            assert live_elements(tile_held(cascade, "m")[1], sizes_of(cascade, m0=4)) == 4

    def test_what_earlier_passes_made_is_there(self):
        assert tile_passes(load("two_pass"), "m")[2].count == 1

    def test_the_step_before_is_there_before_the_tile(self):
        """Against the maximum of the tiles before, exponentials do not wait for their own tile."""
        cascade = load("one_pass")
        lagging = einsum("SLN[m1,m0,p] = exp(BQK[m1,m0,p] - RM[m1,p])")
        einsums = [lagging if one.output == lagging.output else one for one in cascade.einsums]
        found = tile_passes(replace(cascade, einsums=tuple(einsums)), "m")
        assert found[1].count == 1

    def test_a_rank_that_is_not_split_has_none(self):
        assert tile_passes(load("three_pass"), "m") == {} == tile_held(load("three_pass"), "m")


class TestFootprint:
    @pytest.mark.parametrize(
        ("name", "symbol", "tensors", "elements"),
        [
            ("c1", "K", ["A"], 7),
            ("c2", "1", [], 0),
            ("c3", "1", [], 0),
            ("three_pass", "M", ["QK", "SN"], 10),
            ("two_pass", "M + 2 M1", ["LM", "SLN", "PLM", "SLD"], 10 + 2 * 3),
            ("split_kv", "3 M1", ["LM", "SLD", "SLNV"], 3 * 3),
            ("one_pass", "1", [], 0),
        ],
    )
    def test_by_hand(self, name, symbol, tensors, elements):
        cascade = load(name)
        family = cascade.passes[0][0]
        sizes = {"k": 7} if family == "k" else {**ATTENTION}
        if cascade.splits:
            sizes["m0"] = 4  # 10 keys are 3 tiles
        found = held(cascade, family)
        assert live_symbol(found, cascade) == symbol
        assert sorted(one.tensor for one in found) == sorted(tensors)
        assert live_elements(found, Extents(cascade=cascade, sizes=sizes)) == elements

    def test_a_fibre_is_not_live_all_the_time(self):
        """QK dies when SN is made: between any two passes there is one fibre, and not two."""
        found = held(load("three_pass"), "m")
        assert [(one.tensor, one.first, one.last) for one in found] == [
            ("QK", 1, 2), ("SN", 2, 3),
        ]  # fmt: skip

    def test_arrays(self):
        cascade = load("split_kv")
        m, m0 = np.array([1, 10, 4096]), np.array([4, 4, 256])
        found = live_elements(held(cascade, "m"), sizes_of(cascade, m=m, m0=m0))
        assert found.tolist() == [3, 9, 48]


class TestGraph:
    def test_edges(self):
        found = edges(load("c3"))
        assert Edge(tensor="RY", reader="RY", is_carried=True) in found
        assert Edge(tensor="RY", reader="C", is_carried=True) in found
        assert Edge(tensor="RY", reader="C", is_carried=False) in found
        assert Edge(tensor="RZ", reader="Z", is_carried=False) in found
        assert Edge(tensor="A", reader="D", is_carried=False) in found

    @given(cascades())
    def test_each_einsum_comes_after_what_it_needs(self, cascade):
        done = {name for name, _ in cascade.inputs}
        for one in ordered(cascade):
            assert {operand.tensor for operand in one.operands} <= done
            done.add(one.output.tensor)
        assert len(ordered(cascade)) == len(cascade.einsums)

    @given(cascades(), st.randoms())
    def test_the_order_of_the_file_makes_no_difference(self, cascade, random):
        mixed = [*cascade.einsums]
        random.shuffle(mixed)
        other = replace(cascade, einsums=tuple(mixed))
        for family in cascade.families:
            before, after = analyse(cascade, family), analyse(other, family)
            assert (before.levels, before.labels) == (after.levels, after.labels)
            assert {*held(cascade, family)} == {*held(other, family)}

    def test_cycles_are_refused(self):
        cascade = made("X[k] = A[k] * Z[k]", "Y[k] = X[k]", "Z[k] = Y[k]", "W[k] = Z[k]")
        with pytest.raises(RuleError) as caught:
            analyse(cascade, "k")
        assert str(caught.value) == "einsums must have no cycle, not one through X, Y, Z"

    def test_a_step_that_needs_all_steps_is_refused(self):
        cascade = made(
            "G = R[k] * A[k]", "R[k+1] = R[k] + G",
            iterations=(Iteration(rank="k", start=(("R", 0.0),)),),
        )  # fmt: skip
        with pytest.raises(RuleError, match="einsums must have no cycle, not one through G, R"):
            analyse(cascade, "k")
        around = made(
            "P[k] = R[k] * A[k]", "G = P[k]", "R[k+1] = G + A[k]",
            iterations=(Iteration(rank="k", start=(("R", 0.0),)),),
        )  # fmt: skip
        with pytest.raises(RuleError) as caught:
            analyse(around, "k")
        assert str(caught.value) == (
            "G must have the rank k, for R needs it in the next step and it needs R"
        )


class TestOperations:
    def test_one_pass_by_hand(self):
        """Section 1.2's unit operations per point, of 10 keys in 3 tiles of 4."""
        cascade = load("one_pass")
        found = operations(cascade, sizes_of(cascade, m0=4))
        tiles, queries = 3, 5
        assert found == {
            "BQK": {"mul": 10 * 5 * 4, "add": 10 * 5 * 4},
            "LM": {"max": 10 * 5},
            "RM": {"max": tiles * queries},
            "SLN": {"sub": 10 * 5, "exp": 10 * 5},
            "SLD": {"add": 10 * 5},
            "SLNV": {"mul": 3 * 10 * 5, "add": 3 * 10 * 5},
            "PRM": {"sub": tiles * queries, "exp": tiles * queries},
            "SPD": {"mul": tiles * queries},
            "RD": {"add": tiles * queries},
            "SPNV": {"mul": 3 * tiles * queries},
            "RNV": {"add": 3 * tiles * queries},
            "AV": {"div": 3 * queries},
        }
        total = total_operations(cascade, sizes_of(cascade, m0=4))
        assert total["exp"] == 10 * 5 + tiles * queries and total["div"] == 15
        assert all(isinstance(count, int) for count in total.values())

    def test_factored_out_is_one_multiplication(self):
        counts = {
            name: total_operations(load(name), Extents(cascade=load(name), sizes={"k": 9}))
            for name in ("c1", "c2")
        }
        assert counts == {"c1": {"mul": 18, "add": 18}, "c2": {"mul": 10, "add": 18}}

    def test_causal_scores_are_half_and_a_diagonal(self):
        cascade = keep_only(load("three_pass"), "QK", "m <= p")
        found = operations(cascade, sizes_of(cascade, m=5))
        assert found["QK"]["mul"] == 15 * 4 and found["SN"]["exp"] == found["A"]["div"] == 15
        assert found["GM"]["max"] == 15 and found["AV"]["mul"] == 3 * 15

    def test_folds_of_two_kinds(self):
        cascade = made("Y = A[k,j]", inputs=(("A", ("k", "j")),))
        (one,) = cascade.einsums
        for reduce, counts in (
            ({"k": "max"}, {"add": 35, "max": 5}),
            ({"j": "max"}, {"max": 35, "add": 5}),
            ({}, {"add": 35}),
        ):
            mixed = replace(cascade, einsums=(einsum(str(one), reduce),))
            assert total_operations(mixed, Extents(cascade=mixed, sizes={"k": 5, "j": 7})) == counts

    @pytest.mark.parametrize(("merge", "kept"), [("intersection", 4), ("left", 6), ("right", 7)])
    def test_merges(self, merge, kept):
        """Of 9 points one operand has k >= 3 and the other k < 7."""
        cascade = replace(
            made("X[k] = A[k]"),
            einsums=(
                einsum("X[k] = A[k]", where=["k >= 3"]),
                einsum("Y[k] = A[k]", where=["k < 7"]),
                einsum("Z[k] = X[k] * Y[k]", merge=[merge]),
            ),
        )
        assert total_operations(cascade, Extents(cascade=cascade, sizes={"k": 9})) == {"mul": kept}

    @pytest.mark.parametrize(
        ("one", "other", "kept"),
        [
            (["k >= 3"], ["k >= 3", "k < 7"], 6),  # one holds the other
            (["k >= 3"], ["k < 7"], 9),
            (["k >= 7"], ["k < 3"], 5),
            (["k >= 7"], [], 9),
        ],
    )
    def test_unions(self, one, other, kept):
        cascade = made("X[k] = A[k]")
        einsums = [einsum("X[k] = A[k]", where=one), einsum("Y[k] = A[k]", where=other)]
        cascade = replace(cascade, einsums=(*einsums, einsum("Z[k] = X[k] + Y[k]")))
        extents = Extents(cascade=cascade, sizes={"k": 9})
        assert total_operations(cascade, extents) == {"add": kept}

    @given(
        sizes=st.fixed_dictionaries({rank: st.integers(1, 5) for rank in "kj"}),
        sets=st.lists(
            st.lists(st.sampled_from(("k <= j", "k > j-2", "j < 3", "k >= 1")), max_size=2),
            min_size=2,
            max_size=4,
        ),
        merges=st.lists(st.sampled_from(("union", "intersection", "left", "right")), min_size=3),
    )
    def test_sets_of_points_by_force(self, sizes, sets, merges):
        """Z of X0 + X1 + ..., of which each is there or not by filters of its own."""
        names = [f"X{number}" for number in range(len(sets))]
        one = einsum(
            "Z[k,j] = " + " + ".join(f"{name}[k,j]" for name in names),
            merge=merges[: len(sets) - 1],
        )
        cascade = replace(
            made("Y = A[k,j]", inputs=(("A", ("k", "j")),)),
            einsums=(
                *(einsum(f"{x}[k,j] = A[k,j]", where=w) for x, w in zip(names, sets, strict=True)),
                one,
            ),
        )
        kept = 0
        for k, j in product(range(sizes["k"]), range(sizes["j"])):
            there, *others = (all(eval(text, {}, {"k": k, "j": j}) for text in w) for w in sets)
            for merge, other in zip(one.merges, others, strict=True):
                there = {
                    "union": there or other,
                    "intersection": there and other,
                    "left": there,
                    "right": other,
                }[merge]
            kept += there
        found = operations(cascade, Extents(cascade=cascade, sizes=sizes))
        assert found["Z"] == {"add": kept * len(others)}

    def test_arrays_are_the_scalars_element_by_element(self):
        rng = np.random.default_rng(4)
        for name in ("one_pass", "two_pass", "split_kv"):
            cascade = keep_only(load(name), "BQK", "m <= p+1", "m > p-9")
            names = ("e", "f", "p", "m", "m0")
            grid = {one: rng.integers(1, 40, size=20) for one in names}
            found = total_operations(cascade, Extents(cascade=cascade, sizes=grid))
            for place in range(20):
                sizes = {one: int(values[place]) for one, values in grid.items()}
                one = total_operations(cascade, Extents(cascade=cascade, sizes=sizes))
                assert one == {kind: counts[place] for kind, counts in found.items()}

    @given(
        k=st.integers(1, 9),
        j=st.integers(1, 9),
        where=st.lists(
            st.builds(
                "{} {} {}".format,
                st.sampled_from(("k", "j")),
                st.sampled_from(("<=", "<", ">=", ">", "==")),
                st.sampled_from(("k", "j", "k-3", "j+2", "j-11", "k+12")),
            ),
            max_size=3,
        ),
    )
    def test_points_by_force(self, k, j, where):
        filters = [rank_filter(one) for one in where]
        filters = [one for one in filters if one.rank != one.other]
        cascade = made("Y = A[k,j]", inputs=(("A", ("k", "j")),))
        found = points(cascade, Extents(cascade=cascade, sizes={"k": k, "j": j}), "kj", filters)
        texts = [str(one) for one in filters]
        places = product(range(k), range(j))
        assert found == sum(
            all(eval(text, {}, {"k": a, "j": b}) for text in texts) for a, b in places
        )

    @pytest.mark.parametrize(
        ("where", "kept"),
        [
            (["k <= j", "j <= k+2"], 5 + 4 + 3),  # the diagonal, and two beside it
            (["k <= j", "j >= k+2"], 3 + 2 + 1),
            (["k <= j+1", "j < k"], 4),
        ],
    )
    def test_a_pair_that_is_compared_both_ways(self, where, kept):
        cascade = made("Y = A[k,j]", inputs=(("A", ("k", "j")),))
        extents = Extents(cascade=cascade, sizes={"k": 5, "j": 5})
        assert points(cascade, extents, "kj", map(rank_filter, where)) == kept

    @given(k=st.integers(1, 9), bound=st.integers(-3, 12), relation=st.sampled_from(("<=", ">")))
    def test_bounds_by_force(self, k, bound, relation):
        cascade = made("Y = A[k]")
        extents = Extents(cascade=cascade, sizes={"k": k})
        found = points(cascade, extents, ["k"], [rank_filter(f"k {relation} {bound}")])
        assert found == sum((a <= bound) == (relation == "<=") for a in range(k))

    RANKS = ("k", "j", "i", "h")

    @given(
        sizes=st.tuples(*(st.integers(1, 6),) * 4),
        where=st.lists(
            st.builds(
                "{} {} {}{:+d}".format,
                st.sampled_from(RANKS),
                st.sampled_from(("<=", "<", ">=", ">", "==")),
                st.sampled_from(("k", "j", "i", "h", "0")),
                st.integers(-4, 4),
            ),
            max_size=5,
        ),
    )
    @settings(max_examples=300)
    def test_chains_and_trees_by_force(self, sizes, where):
        """Any filters, unless they compare ranks in a ring."""
        where = [one.replace(" 0+", " ").replace(" 0-", " -") for one in where]
        filters = [rank_filter(one) for one in where]
        cascade = made("Y = A[k,j,i,h]", inputs=(("A", self.RANKS),))
        extents = Extents(cascade=cascade, sizes=dict(zip(self.RANKS, sizes, strict=True)))
        try:
            found = points(cascade, extents, self.RANKS, filters)
        except RuleError as error:
            assert "in a ring" in str(error)
            assert len({frozenset(one.names) for one in filters if len({*one.names}) > 1}) >= 3
            return
        assert found == sum(
            all(eval(text, {}, dict(zip(self.RANKS, at, strict=True))) for text in where)
            for at in product(*map(range, sizes))
        )

    @given(
        sizes=st.fixed_dictionaries(
            {"m": st.integers(1, 40), "m1": st.integers(1, 3), "m0": st.integers(1, 4)}
            | {"p": st.integers(1, 6)}
        ),
        where=st.lists(
            st.builds(
                "{} {} {}".format,
                st.sampled_from(("m2", "m1", "m0")),
                st.sampled_from(("<=", ">", "==")),
                st.sampled_from(("p", "p-1", "1", "2", "3")),
            ),
            max_size=3,
        ),
    )
    def test_ranks_of_a_family_by_force(self, sizes, where):
        """The last tiles are ragged, at both levels."""
        cascade = made(
            "Y = A[m2,m1,m0,p]",
            inputs=(("A", ("m", "p")),),
            splits=(("m", ("m2", "m1", "m0")),),
        )
        extents = Extents(cascade=cascade, sizes=sizes)
        ranks = ("m2", "m1", "m0", "p")
        found = points(cascade, extents, ranks, map(rank_filter, where))
        expected = 0
        for m, p in product(range(sizes["m"]), range(sizes["p"])):
            m1 = m // sizes["m0"]
            at = {"m2": m1 // sizes["m1"], "m1": m1 % sizes["m1"], "m0": m % sizes["m0"], "p": p}
            expected += all(eval(text, {}, at) for text in where)
        assert found == expected

    @pytest.mark.parametrize("size", [7, 2**15, 2**18])
    def test_long_chains_are_exact(self, size):
        """k <= j <= i <= h: combinations of four with repetition, the last beyond 64 bits."""
        cascade = made("Y = A[k,j,i,h]", inputs=(("A", self.RANKS),))
        extents = Extents(cascade=cascade, sizes=dict.fromkeys(self.RANKS, size))
        filters = [*map(rank_filter, ("k <= j", "i >= j", "i <= h"))]
        assert points(cascade, extents, self.RANKS, filters) == math.comb(size + 3, 4)

    def test_chains_of_arrays_are_the_scalars_element_by_element(self):
        cascade = made("Y = A[k,j,i]", inputs=(("A", ("k", "j", "i")),))
        filters = [*map(rank_filter, ("k <= j+1", "j > i-3", "k >= 2"))]
        rng = np.random.default_rng(5)
        grid = {rank: rng.integers(1, 12, size=20) for rank in "kji"}
        found = points(cascade, Extents(cascade=cascade, sizes=grid), "kji", filters)
        for place in range(20):
            sizes = {rank: int(values[place]) for rank, values in grid.items()}
            extents = Extents(cascade=cascade, sizes=sizes)
            assert points(cascade, extents, "kji", filters) == found[place]

    @pytest.mark.parametrize(
        ("where", "sentence"),
        [
            (
                ["m0 <= p", "p <= e", "e <= m0"],
                "where must not compare ranks in a ring, to be counted, as it does e, m0, p",
            ),
            (
                ["m <= p", "m1 >= 1"],
                "where must compare a family or its ranks, to be counted, not m beside m1",
            ),
        ],
    )
    def test_filters_that_are_not_counted(self, where, sentence):
        cascade = made(
            "Y = A[m1,m0,p,e]", inputs=(("A", ("m", "p", "e")),), splits=(("m", ("m1", "m0")),)
        )
        cascade = replace(cascade, einsums=(einsum("Y = A[m1,m0,p,e]", where=where),))
        extents = Extents(cascade=cascade, sizes={"m": 4, "m0": 2, "p": 2, "e": 2})
        with pytest.raises(RuleError) as caught:
            operations(cascade, extents)
        assert str(caught.value) == sentence

    def test_what_is_not_walked_is_not_compared(self):
        cascade = made("Y = A[k,j]", inputs=(("A", ("k", "j")),))
        extents = Extents(cascade=cascade, sizes={"k": 4, "j": 3})
        with pytest.raises(RuleError) as caught:
            points(cascade, extents, ["k"], [rank_filter("k <= j")])
        assert str(caught.value) == "where must compare what is walked, to be counted, not j"
