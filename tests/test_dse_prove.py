"""`hwgen prove`: a table, one JSON object, and status 1 for what does not hold."""

import json

from hwgen.arith import compressor
from hwgen.arith.columns import Adder


def test_table_says_what_is_proven(run, tmp_path):
    design = tmp_path / "one.yaml"
    design.write_text("family: systolic\nparams: {rows: 1, cols: 1, element: opt1, max_k: 16}\n")
    status, text, _ = run("prove", str(design))
    assert status == 0
    for lemma in ("encoder", "partial product", "adders", "tree", "running sum", "locality"):
        assert f"  {lemma}  " in text
    assert "DISPROVED" not in text
    status, text, _ = run("prove", str(design), "--json")
    content = json.loads(text)
    assert content["lemmas_hold"] and content["lemma_count"] == len(content["lemmas"])
    assert set(content["lemmas"][0]) == {
        *("lemma", "module", "part", "method", "seconds", "holds", "claim"),
    }


def test_a_disproved_lemma_is_a_failed_check(run, tmp_path, monkeypatch):
    design = tmp_path / "one.yaml"
    design.write_text("family: systolic\nparams: {rows: 1, cols: 1, element: opt1, max_k: 16}\n")
    original = compressor.add_node

    def faulty(m, node, words):
        original(m, node, words)
        if node.adder is Adder.FULL:
            words[f"sum_{node.name}"] = words[f"carry_{node.name}"]

    monkeypatch.setattr(compressor, "add_node", faulty)
    status, text, error = run("prove", str(design))
    assert status == 1
    assert "DISPROVED" in text
    assert error.startswith("hwgen: one_") or "must be" in error


def test_a_design_without_carry_save_has_nothing_to_prove(run):
    status, text, _ = run("prove", "tile4")
    assert status == 0
    assert text == "tile4: nothing to prove, it has no carry-save arithmetic\n"
