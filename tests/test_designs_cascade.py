"""The language of cascades: what ships reads back, what is wrong is told in one sentence."""

import re
from dataclasses import FrozenInstanceError, replace
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from random_cascades import cascades

from designs import DesignError
from designs.cascade import (
    At,
    Cascade,
    Extents,
    Filter,
    Index,
    Iteration,
    Reduction,
    dump,
    einsum,
    load,
    shipped,
)
from designs.rules import RuleError

FOLDER = Path(__file__).parent.parent / "designs" / "cascades"

GOOD = """\
passes: {m: 1}
splits: {m: [m1, m0]}
inputs: {Q: [e, p], K: [e, m]}
iterate:
  m1: {start: {RM: -inf}, stop: M1}
einsums:
  - einsum: S[m1,m0,p] = Q[e,p] * K[e,m1,m0]
    where: [m <= p]
  - einsum: LM[m1,p] = S[m1,m0,p]
    reduce: {m0: max}
  - einsum: RM[m1+1,p] = max(RM[m1,p], LM[m1,p])
  - einsum: Y[p] = RM[M1,p]
"""


def loaded(tmp_path, text):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    return load(str(path))


@pytest.mark.parametrize("name", shipped())
def test_what_ships_is_written_as_dump_writes_it(name, tmp_path):
    cascade = load(name)
    text = (FOLDER / f"{name}.yaml").read_text()
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert comments and text == "\n".join(comments) + "\n" + dump(cascade)
    assert cascade.source and cascade.passes and cascade.name == name


def test_the_taxonomy_ships():
    assert shipped() == (
        *("c1", "c2", "c3", "linear_attention", "one_pass", "split_kv", "three_pass", "two_pass"),
        "unified_max",
    )


@given(cascades())
def test_any_cascade_is_read_back_from_its_text(tmp_path_factory, cascade):
    path = tmp_path_factory.mktemp("cascade") / f"{cascade.name}.yaml"
    path.write_text(dump(cascade))
    assert load(str(path)) == cascade


def test_every_key_is_read_back(tmp_path):
    text = (
        "source: 'made up: here'\npasses: {k: 1, j: 2}\nsplits: {j: [j2, j1, j0]}\n"
        "aliases: {i: k}\ninputs: {A: [k], J: [j], X: []}\n"
        "iterate:\n  j2: {start: {R: 0.5}, stop: 3}\n"
        "einsums:\n  - einsum: P[i] = A[k] * X\n    where: [k <= i, k > i-4, k >= 1]\n"
        "    merge: [left]\n  - einsum: R[j2+1] = R[j2] + J[j2,j1,j0]\n"
        "    reduce: {j0: max}\n"
    )
    cascade = loaded(tmp_path, text)
    assert dump(cascade) == text
    assert cascade.iterations == (Iteration(rank="j2", start=(("R", 0.5),), stop=3),)
    assert cascade.einsums[0].filters[1] == Filter(rank="k", relation=">", other="i", offset=-4)
    assert cascade.einsums[1].reductions == (
        Reduction(rank="j1"), Reduction(rank="j0", operator="max"),
    )  # fmt: skip
    assert cascade.families == {"k": ("k",), "j": ("j2", "j1", "j0")}
    assert cascade.result == "R"


def test_an_einsum_by_hand():
    one = einsum("SLN[m1,m0,p] = exp(BQK[m1,m0,p] - RM[m1+1,p])")
    assert (one.function, one.operators, one.merges) == ("exp", ("sub",), ("intersection",))
    assert one.operands[1].indices == (Index(rank="m1", at=At.NEXT), Index(rank="p"))
    assert one.ranks == ("m1", "m0", "p") and one.reductions == ()
    two = einsum("AV[f,p] = RNV[f,M1,p] / RD[M1,p]")
    assert two.ranks == ("f", "p") and two.operands[0].all_ranks == ("f", "m1", "p")
    three = einsum("Y[p] = A[k,p]*B[k] /C[p]", {"k": "max"})
    assert str(three) == "Y[p] = A[k,p] * B[k] / C[p]"
    assert three.operators == ("mul", "div")


def test_cascades_are_frozen():
    with pytest.raises(FrozenInstanceError):
        load("c1").name = "c2"


def test_spaces_around_operators_make_no_difference():
    assert einsum("X[a]=Y[a]+Z[a]") == einsum("X[a]  =  Y[a] + Z[a]")
    assert einsum("X[a] = max( Y[a,b] ,Z[b] )") == einsum("X[a] = max(Y[a,b], Z[b])")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("{m: 1}", "{n: 1}", "x.yaml:1: passes: family must be one of e, p, m, not 'n'"),
        ("{m: 1}", "{m: 0}", "x.yaml:1: passes.m: m must be an integer of at least 1, not 0"),
        ("[m1, m0]", "[m1]", "x.yaml:2: splits: m must be split into two ranks or more"),
        ("[m1, m0]", "[m1, p]", "x.yaml:2: splits: rank must be declared once, and p is again"),
        ("splits: {m", "splits: {n", "x.yaml:2: splits: family must be one of e, p, m, not 'n'"),
        ("[e, m]}", "[e, M]}", "x.yaml:3: inputs.K[1]: K[1] must be a name of the form "),
        ("Q: [e, p]", "Q: [p, p]",
         "x.yaml:3: inputs: Q must have each family once, not p, p"),
        ("{Q:", "{q:", "x.yaml:3: inputs.q: access must be of the form K[e,m1+1,M0] or Y, not 'q'"),
        ("{RM: -inf}", "{RM: low}",
         "x.yaml:5: iterate.m1.start.RM: RM must be a number or -inf, not 'low'"),
        ("start: {RM: -inf}, ", "",
         "x.yaml:5: iterate.m1.start: start must be given, as in {RM: -inf, RD: 0}"),
        ("stop: M1", "stop: M0",
         "x.yaml:5: iterate.m1.stop: stop must be M1 or an integer of at least 1, not 'M0'"),
        ("  m1: {start: {RM: -inf}, stop: M1", "  m0: {start: {RM: -inf}",
         "x.yaml:4: iterate: rank must be one of e, p, m1, not 'm0'"),
        ("{RM: -inf}", "{RM: -inf, RN: 0}",
         "x.yaml:4: iterate: start must be one of S, LM, RM, Y, not 'RN'"),
        ("  - einsum: Y[p]", "  - einsum: LM[p]",
         "x.yaml:12: einsums[3]: tensor must be made once, and LM is again"),
        ("Q[e,p] *", "R[e,p] *",
         "x.yaml:7: einsums[0]: tensor must be one of S, LM, RM, Y, Q, K, not 'R'"),
        ("Q[e,p] *", "Q[p,e] *",
         "x.yaml:7: einsums[0]: Q must have the ranks e,p, not as in Q[p,e]"),
        ("K[e,m1,m0]", "K[e,m]",
         "x.yaml:7: einsums[0]: rank of K[e,m] must be one of e, p, m1, m0, not 'm'"),
        ("S[m1,m0,p] = Q[e,p] *", "S[m1,m0,p] =",
         "x.yaml:7: einsums[0]: rank p of S[m1,m0,p] must be one of an operand's"),
        ("Q[e,p] * K", "Q[e,p] * Q[e,p] - K",
         ("x.yaml:7: einsums[0].einsum: einsum must not mix sums with products, as "
          "'Q[e,p] * Q[e,p] - K[e,m1,m0]' does")),
        ("Q[e,p] * K[e,m1,m0]", "sin(Q[e,p])",
         ("x.yaml:7: einsums[0].einsum: function must be one of exp, relu, elu_plus_one, max, "
          "not 'sin'")),
        ("max(RM[m1,p], LM[m1,p])", "max(RM[m1,p])",
         "x.yaml:11: einsums[2].einsum: max must have two operands or more, not 'max(RM[m1,p])'"),
        ("Q[e,p] * K", "Q[e,e] * K",
         "x.yaml:7: einsums[0].einsum: access must have each rank once, not 'Q[e,e]'"),
        ("Q[e,p] * K", "Q[e,p+2] * K",
         "x.yaml:7: einsums[0].einsum: index must be m1, m1+1 or M1 (the end of m1), not 'p+2'"),
        ("S[m1,m0,p] = Q", "S[m1,m0,p] : Q",
         "x.yaml:7: text must be YAML: mapping values are not allowed here"),
        ("S[m1,m0,p] = Q[e,p] * K[e,m1,m0]", "S",
         ("x.yaml:7: einsums[0].einsum: einsum must be OUTPUT = EXPRESSION, as in "
          "BQK[m1,m0,p] = Q[e,p] * K[e,m1,m0], not 'S'")),
        ("{m0: max}", "{p: max}",
         "x.yaml:10: einsums[1].reduce: reduce must name ranks that LM[m1,p] lacks (m0), not p"),
        ("{m0: max}", "{m0: min}",
         "x.yaml:10: einsums[1].reduce: m0 must be one of add, max, not 'min'"),
        ("[m <= p]", "[m << p]",
         ("x.yaml:8: einsums[0].where: where must be as in m <= p, m > p-64 or k >= 1, "
          "not 'm << p'")),
        ("[m <= p]", "[f <= p]",
         "x.yaml:7: einsums[0]: where must compare ranks of the Einsum (m1, m0, p, e), not f"),
        ("[m <= p]", "m <= p", "x.yaml:8: einsums[0].where: where must be a list, not 'm <= p'"),
        ("    where: [m <= p]", "    merge: [both]",
         ("x.yaml:8: einsums[0].merge: merge must be one of intersection, union, left, right, "
          "not 'both'")),
        ("    where: [m <= p]", "    merge: [left, left]",
         "x.yaml:8: einsums[0].merge: merge must have one item per operator, 1, not 2"),
        ("RM[m1+1,p] = max", "RM[m1,p] = max",
         "x.yaml:11: einsums[2]: RM must have output at m1+1, not no step"),
        ("LM[m1,p] = S", "LM[m1+1,p] = S",
         "x.yaml:9: einsums[1]: LM must have no output at a step without a start, not m1+1"),
        ("LM[m1,p])", "LM[m1+1,p])",
         "x.yaml:11: einsums[2]: LM must be iterated over m1 to be read at m1+1"),
        ("Y[p] = RM[M1,p]", "Y[P] = RM[M1,p]",
         "x.yaml:12: einsums[3]: output must not be at the end of a rank, as Y[P] is"),
        ("  - einsum: Y[p] = RM[M1,p]", "  - where: [m <= p]",
         "x.yaml:12: einsums[3].einsum: einsum must be given, as in Y = A[k] * B[k]"),
        ("einsums:", "einsum:", "x.yaml:6: einsum: key must be one of source, passes, splits, "),
        ("inputs: {Q: [e, p], K: [e, m]}\n", "", "x.yaml:1: inputs: inputs must be given"),
    ],
)  # fmt: skip
def test_errors(tmp_path, monkeypatch, old, new, sentence):
    monkeypatch.chdir(tmp_path)
    assert loaded(tmp_path, GOOD).result == "Y"
    assert old in GOOD
    Path("x.yaml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(DesignError) as caught:
        load("x.yaml")
    assert str(caught.value).startswith(sentence) and "\n" not in str(caught.value)


def test_other_errors():
    with pytest.raises(DesignError, match="CASCADE must be the path of a YAML file or one of c1,"):
        load("three_passes")
    with pytest.raises(RuleError, match="einsums must hold at least one Einsum"):
        Cascade(name="x", inputs=(("A", ("k",)),), einsums=())
    with pytest.raises(RuleError, match="inputs must have at least one rank"):
        Cascade(name="x", inputs=(("A", ()),), einsums=(einsum("Y = A"),))
    with pytest.raises(RuleError, match="i must be k, not 'm'"):
        replace(load("c1"), aliases=(("i", "m"),))
    prefixed = (einsum("X[i] = A[k] * B[i]"), load("c1").einsums[0])
    with pytest.raises(RuleError, match="where must have k <= i in an Einsum that walks both, and"):
        replace(load("c1"), aliases=(("i", "k"),), einsums=prefixed)
    start = ((("R", 0.0),), (("T", 0.0),))
    with pytest.raises(RuleError, match="einsum must walk one iterative rank, not k and j"):
        Cascade(
            name="x",
            inputs=(("A", ("k",)), ("B", ("j",))),
            iterations=(
                Iteration(rank="k", start=start[0]),
                Iteration(rank="j", start=start[1]),
            ),
            einsums=(
                einsum("R[k+1] = R[k] + A[k]"),
                einsum("T[j+1] = T[j] + B[j]"),
                einsum("S[k,j] = R[k] * T[j]"),
            ),
        )
    twice = Iteration(rank="m", start=(("GM", 0.0),))
    with pytest.raises(RuleError, match="GM must have output at m"):
        replace(load("three_pass"), iterations=(twice,))


@pytest.mark.parametrize("where", ["k <= i", "k < i", "k <= i-2", "k > i", "i >= k", "k <= i+1"])
def test_a_prefix_is_what_is_not_past_the_other(where):
    einsums = (einsum("Y[i] = A[k] * B[k]", where=[where]),)
    legal = where in ("k <= i", "k < i", "k <= i-2")
    try:
        cascade = replace(load("c1"), aliases=(("i", "k"),), einsums=einsums, passes=())
        assert legal and cascade.own("i") == "k" and cascade.family_of("i") == "k"
    except RuleError:
        assert not legal


class TestExtents:
    def test_ragged_tiles_are_rounded_up(self):
        found = Extents(cascade=load("one_pass"), sizes={"e": 2, "f": 3, "p": 4, "m": 9, "m0": 4})
        assert [found.of(name) for name in ("m", "m1", "m0", "p")] == [9, 3, 4, 4]
        assert found.stride("m1") == 4 and found.stride("m0") == 1

    def test_a_stop_ends_the_family(self):
        cascade = load("one_pass")
        (one,) = cascade.iterations
        cascade = replace(cascade, iterations=(replace(one, stop=2),))
        sizes = {"e": 2, "f": 3, "p": 4, "m": 9, "m0": 4}
        found = Extents(cascade=cascade, sizes=sizes)
        assert (found.of("m1"), found.of("m")) == (2, 8)
        short = Extents(cascade=cascade, sizes={**sizes, "m": 7})
        assert (short.of("m1"), short.of("m")) == (2, 7)

    @pytest.mark.parametrize(
        ("sizes", "sentence"),
        [
            ({}, "e must have a size (needed: e, p, m, m0, f)"),
            ({"m1": 3}, "size must be one of e, p, m, m0, f, not 'm1' (did you mean m?)"),
            ({"e": 0}, "e must be at least 1, not 0"),
        ],
    )
    def test_errors(self, sizes, sentence):
        with pytest.raises(RuleError) as caught:
            Extents(cascade=load("one_pass"), sizes=sizes)
        assert str(caught.value) == sentence


def test_the_example_of_the_page_loads(tmp_path):
    page = (FOLDER.parent.parent / "docs" / "cascades.md").read_text()
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    cascade = loaded(tmp_path, text)
    assert cascade.aliases == (("i", "p"),) and cascade.iterations[0].rank == "m1"


def test_minus_infinity_is_read_as_a_number():
    assert dict(load("one_pass").iterations[0].start)["RM"] == -inf
