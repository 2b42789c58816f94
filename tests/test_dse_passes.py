"""`hwgen passes`: the table, the JSON object, the picture, and a sentence for what is wrong."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from archmodels.cascade import analyse
from designs.cascade import dump, load, shipped
from dse.commands.passes import REWRITINGS

SIZES = "m=10,m0=4,p=5,e=4,f=3"
PNG = b"\x89PNG\r\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def content(run, *arguments):
    status, output, errors = run("passes", *arguments, "--json")
    assert (status, errors) == (0, "") and output.count("\n") == 1
    return json.loads(output)


class TestTable:
    @pytest.mark.parametrize("name", shipped())
    def test_what_ships(self, run, name):
        status, output, errors = run("passes", name)
        cascade = load(name)
        ((family, passes),) = cascade.passes
        assert (status, errors) == (0, "")
        plural = "pass" if passes == 1 else "passes"
        assert output.startswith(f"{name}: {passes} {plural} over {family}")
        assert cascade.source in output
        for one in cascade.einsums:
            assert f"  {one}  " in output

    def test_rows(self, run):
        _, output, _ = run("passes", "two_pass")
        rows = {line.split("=")[0].split()[-1]: line for line in output.splitlines() if "=" in line}
        assert rows["BQK[m1,m0,p]"].startswith("  1   ") and "stream 1" in rows["BQK[m1,m0,p]"]
        assert rows["GM[p]"].startswith("  1, by tile") and "max m1" in rows["GM[p]"]
        assert rows["PLM[m1,p]"].startswith("  after 1, by tile")
        assert rows["AV[f,p]"].startswith("  2   ") and rows["AV[f,p]"].endswith("F P M: mul, add")
        assert "at least M + 2 M1 elements: LM, SLN, PLM, SLD" in output
        assert "  tile, pass 1  2 passes over it, at least M0 elements: BQK" in output

    def test_before_and_after(self, run):
        _, output, _ = run("passes", "linear_attention")
        assert "\n  before   FQ[e,p]" in output and "\n  after 1  AV[f,p]" in output
        assert "live  nothing that grows with it" in output

    def test_with_sizes(self, run):
        _, output, _ = run("passes", "one_pass", "--sizes", SIZES)
        assert "200 mul, 200 add" in output and "at least M0 = 4 elements: BQK" in output

    def test_folds_of_two_kinds_are_both_told(self, run):
        Path("two.yaml").write_text(
            "passes: {k: 1}\ninputs: {A: [k, j]}\neinsums:\n"
            "  - einsum: X = A[k,j]\n    reduce: {k: max}\n"
        )
        assert "  max k, add j  post 1  K J: max, add\n" in run("passes", "two.yaml")[1]

    def test_another_rank(self, run):
        _, output, _ = run("passes", "three_pass", "--rank", "p")
        assert output.startswith("three_pass: 1 pass over p\n")

    @pytest.mark.parametrize("place", [0, 1])
    def test_what_the_page_shows(self, run, place):
        page = (Path(__file__).parent.parent / "docs" / "cascades.md").read_text()
        shown = [block for block in page.split("```") if block.startswith("\n$ hwgen passes ")]
        command, *lines = shown[place].strip().splitlines()
        assert len(shown) == 2 and lines
        _, output, _ = run(*command.split()[2:])
        assert output.splitlines()[: len(lines)] == lines


class TestJson:
    def test_keys(self, run):
        found = content(run, "one_pass", "--sizes", SIZES)
        assert found["passes"] == found["expected_passes"] == 1
        assert (found["rank"], found["ranks"]) == ("m", ["m1", "m0"])
        assert found["einsums"][0] == {
            "einsum": "BQK[m1,m0,p] = Q[e,p] * K[e,m1,m0]",
            "tensor": "BQK",
            "pass": 1,
            "label": "stream 1",
            "operations": {"mul": 200, "add": 200},
        }
        assert found["operations"]["exp"] == 50 + 15
        assert found["live"] == {"live_symbol": "1", "live_elements": 0, "live_tensors": []}
        assert found["tiles"] == [
            {"pass": 1, "passes": 2, "live_symbol": "M0", "live_elements": 4,
             "live_tensors": ["BQK"]}
        ]  # fmt: skip
        assert found["files"] == []

    def test_without_sizes_nothing_is_counted(self, run):
        found = content(run, "split_kv")
        assert found["operations"] is None and found["einsums"][0]["operations"] is None
        assert found["live"]["live_symbol"] == "3 M1" and found["live"]["live_elements"] is None

    def test_rewrites_are_done_in_order(self, run):
        chain = ("split", "defer-division", "iterative-max")
        options = [word for name in chain for word in ("--rewrite", name)]
        found = content(run, "three_pass", *options)
        assert found["passes"] == 1 and found["expected_passes"] is None
        assert found["rewrites"] == [*chain] and found["ranks"] == ["m1", "m0"]
        assert content(run, "three_pass", *options[:4])["passes"] == 2
        assert {*chain} == {*REWRITINGS}


class TestPicture:
    @pytest.mark.parametrize("name", ["c3", "two_pass"])
    def test_png_and_svg_are_the_same_on_every_run(self, run, folder, name):
        for kind in ("png", "svg"):
            paths = [Path(f"{place}/x.{kind}") for place in ("a", "b")]
            for path in paths:
                found = content(run, name, "--plot", str(path))
                assert found["files"] == [str(path)]
            assert paths[0].read_bytes() == paths[1].read_bytes()
        assert paths[0].with_suffix(".png").read_bytes().startswith(PNG)
        ElementTree.fromstring(paths[0].read_text())

    def test_boxes_tell_the_einsums_and_bands_the_passes(self, run, monkeypatch):
        import matplotlib

        monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
        run("passes", "two_pass", "--plot", "x.svg")
        text = Path("x.svg").read_text()
        for one in load("two_pass").outputs.values():
            assert str(one.output) in text
        for band in ("pass 1", "after pass 1, by tile", "pass 2"):
            assert f">{band}<" in text

    def test_no_box_is_on_another(self):
        from archmodels.cascade import edges
        from dse.cascade_plot import _layout

        for name in shipped():
            cascade = load(name)
            found = analyse(cascade, cascade.passes[0][0])
            layout = _layout(cascade, found, edges(cascade))
            spots = [layout.spot(one) for column in layout.columns for one in column]
            assert len(spots) == len({*spots})
            for edge in edges(cascade):
                if not edge.is_carried:
                    assert layout.spot(edge.tensor)[0] < layout.spot(edge.reader)[0]


class TestErrors:
    def refused(self, run, *arguments):
        status, output, errors = run("passes", *arguments)
        assert status == 2 and output == "" and errors.count("\n") == 1
        return errors.strip()

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (
                ["one_passs"],
                "hwgen: CASCADE must be the path of a YAML file or one of c1, c2, c3, ",
            ),
            (["c1", "--rank", "m"], "hwgen: --rank must be k, not 'm'"),
            (
                ["three_pass", "--rewrite", "iterative-max"],
                "hwgen: --rewrite iterative-max: SN must go into sums over m, not into A",
            ),
            (
                ["three_pass", "--rewrite", "iterate"],
                "hwgen passes: argument --rewrite: invalid choice: 'iterate'",
            ),
            (
                ["c1", "--sizes", "k"],
                "hwgen: --sizes must be RANK=SIZE,... with each rank once and sizes above 0, not k",
            ),
            (["c1", "--sizes", "k=3,k=3"], "hwgen: --sizes must be RANK=SIZE,... with each rank"),
            (["c1", "--sizes", "k=0"], "hwgen: --sizes must be RANK=SIZE,... with each rank"),
            (
                ["one_pass", "--sizes", "m=4"],
                "hwgen: --sizes: e must have a size (needed: e, p, m, m0, f)",
            ),
            (["c1", "--sizes", "j=4"], "hwgen: --sizes: size must be k, not 'j'"),
            (
                ["c1", "--plot", "x.pdf"],
                "hwgen: --plot must be a file that ends in .png or .svg, not x.pdf",
            ),
        ],
    )
    def test_sentences(self, run, arguments, sentence):
        assert self.refused(run, *arguments).startswith(sentence)

    def test_a_file_with_a_cycle(self, run):
        Path("round.yaml").write_text(
            "passes: {k: 1}\ninputs: {A: [k]}\neinsums:\n"
            "  - einsum: X[k] = A[k] * Y[k]\n  - einsum: Y[k] = X[k]\n"
        )
        assert self.refused(run, "round.yaml") == (
            "hwgen: round.yaml: einsums must have no cycle, not one through X, Y"
        )

    def test_a_filter_that_cannot_be_counted(self, run):
        Path("odd.yaml").write_text(
            "passes: {k: 1}\ninputs: {A: [k, j, i]}\neinsums:\n"
            "  - einsum: X = A[k,j,i]\n    where: [k <= j, k <= i, j <= i]\n"
        )
        sentence = self.refused(run, "odd.yaml", "--sizes", "k=2,j=2,i=2", "--plot", "odd.png")
        assert sentence.startswith("hwgen: odd.yaml: where must not compare ranks in a ring")
        assert not Path("odd.png").exists()

    def test_a_file_that_states_no_passes(self, run):
        Path("mine.yaml").write_text("inputs: {A: [k], B: [j]}\neinsums:\n  - einsum: X = A[k]\n")
        assert self.refused(run, "mine.yaml") == (
            "hwgen: --rank must be given, one of k, j, for mine states no passes"
        )
        assert run("passes", "mine.yaml", "--rank", "k")[0] == 0

    def test_a_count_that_is_not_the_stated_one_is_a_failed_check(self, run):
        text = dump(load("three_pass")).replace("passes: {m: 3}", "passes: {m: 2}")
        Path("mine.yaml").write_text(text)
        status, output, errors = run("passes", "mine.yaml")
        assert status == 1 and output.startswith("mine: 3 passes over m\n")
        assert errors == "hwgen: passes of mine must be 2, as it states, not 3\n"
