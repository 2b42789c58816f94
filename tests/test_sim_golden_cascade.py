"""Any cascade on real tensors: attention is attention, and what is not there is left out."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_cascades import cascades

from designs.cascade import Cascade, Iteration, einsum, load
from designs.cascade.rewrite import keep_only
from sim.golden.cascade import execute, softmax_attention

SOFTMAX = ("three_pass", "two_pass", "one_pass", "split_kv", "unified_max")
NEAR = 1e-12


def tensors(seed=0, e=6, f=4, p=9, m=13):
    rng = np.random.default_rng(seed)
    return {
        "Q": rng.normal(size=(e, p)), "K": rng.normal(size=(e, m)), "V": rng.normal(size=(f, m)),
        "C": np.array(1.5),
    }  # fmt: skip


def attended(cascade, given, tile=4):
    tiles = {rank: tile for _, ranks in cascade.splits for rank in ranks[1:]}
    inputs = {name: given[name] for name, _ in cascade.inputs}
    return execute(cascade, inputs, tiles)["AV"]


def scores_of(cascade):
    return cascade.einsums[0].output.tensor


class TestAttention:
    @pytest.mark.parametrize("name", SOFTMAX)
    @settings(max_examples=20)
    @given(tile=st.integers(1, 15), m=st.integers(1, 15), p=st.integers(1, 5))
    def test_every_cascade_is_softmax_attention(self, name, tile, m, p):
        given = tensors(tile, p=p, m=m)
        expected = softmax_attention(given["Q"], given["K"], given["V"])
        np.testing.assert_allclose(attended(load(name), given, tile), expected, atol=NEAR)

    @pytest.mark.parametrize("name", SOFTMAX)
    @pytest.mark.parametrize("tile", [1, 3, 4, 13, 20])
    @pytest.mark.parametrize(
        ("where", "allowed"),
        [
            (("m <= p",), lambda m, p: m <= p),
            (("m <= p+4",), lambda m, p: m <= p + 4),
            (("m < p",), lambda m, p: m < p),  # the first query sees no key
            (("m <= p", "m > p-3"), lambda m, p: (m <= p) & (m > p - 3)),
            (("m >= 5",), lambda m, p: m >= 5),  # a whole tile is masked, the first of all
            (("m > p+2",), lambda m, p: m > p + 2),
        ],
    )
    def test_masks(self, name, tile, where, allowed):
        cascade, given = load(name), tensors()
        mask = np.broadcast_to(allowed(*np.indices((13, 9))), (13, 9))
        expected = softmax_attention(given["Q"], given["K"], given["V"], mask)
        found = attended(keep_only(cascade, scores_of(cascade), *where), given, tile)
        np.testing.assert_allclose(found, expected, atol=NEAR)

    def test_a_query_without_a_key_gets_zeros(self):
        given = tensors()
        masked = keep_only(load("one_pass"), "BQK", "m < p")
        assert not attended(masked, given)[:, 0].any()

    @pytest.mark.parametrize("name", SOFTMAX[:-1])
    def test_large_scores_do_not_overflow(self, name):
        given = tensors()
        given["Q"] *= 1000
        found = attended(load(name), given)
        expected = softmax_attention(given["Q"], given["K"], given["V"])
        np.testing.assert_allclose(found, expected, atol=1e-9)

    def test_one_constant_for_all_maxima_overflows(self):
        given = tensors()
        given["Q"] *= 1000
        with pytest.raises(ValueError, match=r"SN\[m,p\] must not overflow, and exp\(\d+.*\) does"):
            attended(load("unified_max"), given)

    def test_one_constant_for_all_maxima_underflows(self):
        """Every query then looks as if it saw no key, as the YAML file warns."""
        given = tensors()
        given["C"] = np.array(1000.0)
        assert not attended(load("unified_max"), given).any()

    def test_the_scale_is_no_shift(self):
        """Scores times a factor are another attention: 1 / sqrt(e) cannot be left out."""
        given = tensors()
        scaled = {**given, "Q": given["Q"] / np.sqrt(6)}
        one = load("one_pass")
        assert np.abs(attended(one, given) - attended(one, scaled)).max() > 0.01

    def test_linear_attention(self):
        given = tensors()
        q, k = (np.where(x > 0, x + 1, np.exp(x)) for x in (given["Q"], given["K"]))
        weights = k.T @ q
        expected = given["V"] @ (weights / weights.sum(axis=0))
        np.testing.assert_allclose(attended(load("linear_attention"), given), expected, atol=NEAR)

    def test_causal_linear_attention_is_a_prefix(self):
        linear = load("linear_attention")
        prefix = replace(
            linear,
            inputs=tuple((name, families[:1] + ("m",)) for name, families in linear.inputs),
            aliases=(("i", "m"),),
            einsums=(
                einsum("KV[e,f,i] = K[e,m] * V[f,m]", where=["m <= i"]),
                einsum("NV[f,m] = Q[e,m] * KV[e,f,m]"),
            ),
        )
        given = tensors(p=13)
        found = execute(prefix, {name: given[name] for name in "QKV"})["NV"]
        q, k, v = given["Q"], given["K"], given["V"]
        causal = np.triu(k.T @ q)  # keys by queries
        np.testing.assert_allclose(found, v @ causal, atol=NEAR)


class TestReference:
    def test_by_hand(self):
        """One query, two keys of scores 0 and log 3: weights 1/4 and 3/4."""
        q, k, v = np.array([[1.0]]), np.array([[0.0, np.log(3)]]), np.array([[4.0, 8.0]])
        assert softmax_attention(q, k, v) == pytest.approx(np.array([[7.0]]))
        mask = np.array([[True], [False]])
        assert softmax_attention(q, k, v, mask) == pytest.approx(np.array([[4.0]]))


class TestPedagogical:
    @settings(max_examples=30)
    @given(st.lists(st.tuples(st.floats(0.1, 2), st.floats(0.1, 2)), min_size=1, max_size=8))
    def test_all_three_compute_the_same(self, pairs):
        a, b = np.array(pairs).T
        expected = (a @ b) * a.sum()
        for name in ("c1", "c2", "c3"):
            assert execute(load(name), {"A": a, "B": b})["Z"] == pytest.approx(expected), name

    def test_the_first_step_of_the_iteration_has_nothing_to_correct(self):
        found = execute(load("c3"), {"A": np.array([2.0, 3.0]), "B": np.array([5.0, 7.0])})
        assert found["RY"].tolist() == [0, 10, 31]
        assert found["C"].tolist() == [0, 3.1]  # none at k = 0
        assert found["RZ"].tolist() == pytest.approx([0, 20, 20 * 3.1 + 31 * 3])

    def test_without_its_filter_the_first_step_is_undefined(self):
        cascade = load("c3")
        einsums = [replace(one, filters=()) for one in cascade.einsums]
        with pytest.raises(ValueError) as caught:
            execute(replace(cascade, einsums=tuple(einsums)), {"A": np.ones(2), "B": np.ones(2)})
        assert str(caught.value) == "C[k] must not divide by 0, and a divisor of it is 0"

    def test_a_sum_that_is_zero_later_is_refused(self):
        with pytest.raises(ValueError, match="must not divide by 0"):
            execute(load("c3"), {"A": np.ones(3), "B": np.array([1.0, -1.0, 1.0])})
        a, b = np.ones(2), np.array([1.0, -1.0])  # the last sum divides nothing
        assert execute(load("c3"), {"A": a, "B": b})["Z"] == 0


class TestExecution:
    @settings(max_examples=60)
    @given(cascade=cascades(), order=st.randoms())
    def test_against_loops(self, cascade, order):
        """Point by point, by the definition; whatever the order of the file."""
        mixed = [*cascade.einsums]
        order.shuffle(mixed)
        sizes = {"k": 3, "j": 2}
        rng = np.random.default_rng(0)
        inputs = {
            name: rng.normal(size=[sizes[one] for one in families])
            for name, families in cascade.inputs
        }
        found = execute(replace(cascade, einsums=tuple(mixed)), inputs)
        expected = by_loops(cascade, inputs, sizes)
        for tensor, values in found.items():
            np.testing.assert_allclose(values, expected[tensor], atol=1e-9)

    @pytest.mark.parametrize(
        ("merge", "expected"),
        [
            ("intersection", [0, 0, 7, 0]),
            ("union", [1, 2, 7, 5]),
            ("left", [1, 2, 7, 0]),
            ("right", [0, 0, 7, 5]),
        ],
    )
    def test_merges(self, merge, expected):
        """X is there below 3 and Y from 2 on; what is missing is the operator's identity."""
        cascade = one_input(
            einsum("X[k] = A[k]", where=["k < 3"]),
            einsum("Y[k] = B[k]", where=["k >= 2"]),
            einsum("Z[k] = X[k] + Y[k]", merge=[merge]),
        )
        found = execute(cascade, {"A": np.array([1.0, 2, 3, 4]), "B": np.array([2.0, 3, 4, 5])})
        assert found["Z"].tolist() == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("X * Y", [1, 2]), ("X / Y", [1, 2]), ("X + Y", [1, 2]), ("X - Y", [1, 2]),
            ("max(X, Y)", [1, 2]), ("Y * X", [1, 2]), ("Y - X", [-1, -2]), ("Y / X", [1, 0.5]),
        ],
    )  # fmt: skip
    def test_what_is_missing_changes_nothing(self, text, expected):
        def walked(match):
            return f"{match[0]}[k]"

        cascade = one_input(
            einsum("X[k] = A[k]"),
            einsum("Y[k] = B[k]", where=["k > 9"]),
            einsum(f"Z[k] = {re.sub('[XY]', walked, text)}", merge=["union"]),
        )
        found = execute(cascade, {"A": np.array([1.0, 2]), "B": np.array([7.0, 8])})
        assert found["Z"].tolist() == expected

    def test_folds_are_done_last_to_first(self):
        a = np.array([[1.0, 2], [5, 3]])
        for reduce, expected in (({"k": "max"}, 8), ({"j": "max"}, 7), ({}, 11)):
            one = einsum("Y = A[k,j]", reduce)
            cascade = Cascade(name="x", inputs=(("A", ("k", "j")),), einsums=(one,))
            assert execute(cascade, {"A": a})["Y"] == expected

    def test_a_maximum_is_of_what_is_there(self):
        cascade = one_input(einsum("Y = A[k]", {"k": "max"}, ["k >= 1"]))
        assert execute(cascade, {"A": np.array([-1.0, -3, -2]), "B": np.ones(3)})["Y"] == -2

    def test_what_is_not_there_divides_nothing(self):
        cascade = one_input(einsum("X[k] = A[k]", where=["k >= 1"]), einsum("Y[k] = X[k] / B[k]"))
        found = execute(cascade, {"A": np.array([1.0, 6]), "B": np.array([0.0, 2])})
        assert found["Y"].tolist() == [0, 3]

    def test_points_past_the_end_are_not_made_of_others(self):
        """Five in tiles of two: the last tile's second place is no point, whoever brings it."""
        cascade = Cascade(
            name="x",
            inputs=(("A", ("k",)),),
            splits=(("k", ("k1", "k0")),),
            einsums=(
                einsum("S[k1] = A[k1,k0]"),
                einsum("T[k0] = A[k1,k0]"),
                einsum("Y = S[k1] * T[k0]"),
            ),
        )
        found = execute(cascade, {"A": np.ones(5)}, {"k0": 2})
        assert found["S"].tolist() == [2, 2, 1] and found["T"].tolist() == [3, 2]
        assert found["Y"] == 2 * (3 + 2) + 2 * (3 + 2) + 1 * 3

    def test_functions(self):
        a = np.array([-1.0, 0, 2])
        for name, expected in (
            ("exp", np.exp(a)),
            ("relu", [0, 0, 2]),
            ("elu_plus_one", [np.exp(-1), 1, 3]),
        ):
            cascade = one_input(einsum(f"Y[k] = {name}(A[k])"))
            np.testing.assert_allclose(execute(cascade, {"A": a, "B": a})["Y"], expected)

    def test_from_minus_infinity_everything_is_minus_infinity(self):
        cascade = one_input(einsum("Y[k] = exp(A[k] - B[k])"))
        a = np.array([-np.inf, -np.inf, 0.0])
        assert execute(cascade, {"A": a, "B": a})["Y"].tolist() == [0, 0, 1]

    def test_nothing_over_nothing_is_nothing(self):
        cascade = one_input(einsum("Y[k] = A[k] / B[k]"))
        found = execute(cascade, {"A": np.array([0.0, 3]), "B": np.array([0.0, 2])})
        assert found["Y"].tolist() == [0, 1.5]

    def test_an_iteration_starts_and_stops_where_it_says(self):
        cascade = one_input(
            einsum("R[k+1] = R[k] + A[k]"),
            einsum("Z = R[K]"),
            einsum("S = R[k]"),
            iterations=(Iteration(rank="k", start=(("R", 100.0),), stop=3),),
        )
        found = execute(cascade, {"A": np.arange(1.0, 6), "B": np.ones(5)})
        assert found["R"].tolist() == [100, 101, 103, 106]
        assert found["Z"] == 106 and found["S"] == 100 + 101 + 103

    def test_a_stop_leaves_keys_out(self):
        cascade, given = load("one_pass"), tensors()
        (iteration,) = cascade.iterations
        found = attended(replace(cascade, iterations=(replace(iteration, stop=2),)), given, 4)
        expected = softmax_attention(given["Q"], given["K"][:, :8], given["V"][:, :8])
        np.testing.assert_allclose(found, expected, atol=NEAR)

    def test_two_walks_one_after_the_other(self):
        """The second iteration's tensors read where the first one ended."""
        cascade = one_input(
            einsum("N[k] = A[k] / R[K]"),
            einsum("R[k+1] = R[k] + A[k]"),
            einsum("T[k+1] = T[k] + N[k]"),
            iterations=(Iteration(rank="k", start=(("R", 0.0), ("T", 0.0))),),
        )
        found = execute(cascade, {"A": np.array([1.0, 3]), "B": np.ones(2)})
        assert found["T"].tolist() == [0, 0.25, 1]

    @pytest.mark.parametrize(
        ("inputs", "sentence"),
        [
            ({"A": np.ones(3)}, "B must be given, with the axes (k)"),
            ({"A": np.ones(3), "B": np.ones(4)}, "B must have the axes (k=3), not the shape (4,)"),
            ({"A": np.ones((3, 1))}, "A must have the axes (k), not the shape (3, 1)"),
        ],
    )
    def test_inputs_that_do_not_fit(self, inputs, sentence):
        with pytest.raises(ValueError) as caught:
            execute(load("c1"), inputs)
        assert str(caught.value) == sentence

    def test_tiles_that_are_missing(self):
        given = tensors()
        with pytest.raises(ValueError, match="m0 must have a size"):
            execute(load("one_pass"), {name: given[name] for name in "QKV"})

    def test_a_cycle(self):
        cascade = one_input(einsum("X[k] = A[k] * Z[k]"), einsum("Z[k] = X[k]"))
        with pytest.raises(ValueError) as caught:
            execute(cascade, {"A": np.ones(2), "B": np.ones(2)})
        assert str(caught.value) == "einsums must have no cycle, and X, Z wait for each other"


def one_input(*einsums, **others) -> Cascade:
    inputs = (("A", ("k",)), ("B", ("k",)))
    return Cascade(name="x", inputs=inputs, einsums=einsums, **others)


def by_loops(cascade, inputs, sizes):
    """Every output of a cascade without filters, point by point."""
    known = {**inputs}
    ops = {"mul": lambda a, b: a * b, "add": lambda a, b: a + b, "sub": lambda a, b: a - b,
           "max": max}  # fmt: skip
    while missing := [one for one in cascade.einsums if one.output.tensor not in known]:
        one = next(x for x in missing if all(o.tensor in known for o in x.operands))
        values = {}
        for place in np.ndindex(*[sizes[rank] for rank in one.ranks]):
            at = dict(zip(one.ranks, place, strict=True))
            read = [known[o.tensor][tuple(at[r] for r in o.ranks)] for o in one.operands]
            total = read[0]
            for operator, value in zip(one.operators, read[1:], strict=True):
                total = ops[operator](total, value)
            values[place] = max(total, 0.0) if one.function == "relu" else total
        ranks = [*one.ranks]
        for item in reversed(one.reductions):
            folded = {}
            for place, value in sorted(values.items()):
                axis = ranks.index(item.rank)
                rest = place[:axis] + place[axis + 1 :]
                old = folded.get(rest)
                folded[rest] = value if old is None else ops[item.operator](old, value)
            ranks.remove(item.rank)
            values = folded
        shape = [sizes[rank] for rank in one.output.ranks]
        known[one.output.tensor] = np.array(
            [values[place] for place in np.ndindex(*shape)]
        ).reshape(shape)
    return known
