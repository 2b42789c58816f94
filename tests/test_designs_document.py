"""YAML documents: the sentence for every text that is none, and how values are spelt."""

from pathlib import Path

import pytest

from designs.document import DesignError, read, written


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(text: str | bytes) -> str:
    """The sentence for a file x.yaml of this text, which must be in the current folder."""
    Path("x.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DesignError) as caught:
        read(Path("x.yaml"), "x.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "null"),
        ("4", "'4'"),
        (4.5, "4.5"),
        ({"a": [False, {}], "b": None}, "{a: [false, {}], b: null}"),
    ],
)
def test_values_are_spelt_as_in_yaml(value, text):
    assert written(value) == text


def test_missing_file(folder):
    with pytest.raises(DesignError) as caught:
        read(Path("no/such.yaml"), "no/such.yaml")
    assert str(caught.value) == "no/such.yaml: file must exist, and there is none of this name"


def test_folder_instead_of_a_file(folder):
    (folder / "x.yaml").mkdir()
    with pytest.raises(DesignError) as caught:
        read(Path("x.yaml"), "x.yaml")
    assert str(caught.value) == ("x.yaml: file must be readable, and it is not (Is a directory)")


def test_syntax_error(folder):
    assert refusal("family: systolic\nparams: {rows: 4\n") == (
        "x.yaml:3: text must be YAML: expected ',' or '}', but got '<stream end>'"
    )


def test_tab_as_indentation(folder):
    assert refusal("family: systolic\nparams:\n\trows: 4\n") == (
        "x.yaml:3: text must be YAML: found character '\\t' that cannot start any token"
    )


def test_two_documents(folder):
    assert refusal("family: systolic\n---\nfamily: systolic\n") == (
        "x.yaml:2: text must be YAML: but found another document"
    )


def test_control_character(folder):
    assert refusal("family: systolic\nparams: {}\x00\n") == (
        "x.yaml:2: text must be YAML: special characters are not allowed"
    )


def test_not_utf8(folder):
    assert refusal(b"family: \xff\n") == "x.yaml: file must be UTF-8 text, and it is not"


def test_nested_without_end(folder):
    assert refusal("[" * 5000) == "x.yaml:1: text must be nested at most 32 levels deep"


def test_alias(folder):
    assert refusal("family: systolic\nparams: &p {rows: 3}\nworkloads: *p\n") == (
        "x.yaml:3: workloads: workloads must be written out, not an alias"
    )


def test_alias_of_what_holds_it(folder):
    assert refusal("family: systolic\nparams: &p {rows: *p}\n") == (
        "x.yaml:2: params.rows: rows must be written out, not an alias"
    )


def test_tag(folder):
    assert refusal("family: systolic\nparams: {rows: !!python/name:os.system 4}\n") == (
        "x.yaml:2: params.rows: rows must have no tag, not tag:yaml.org,2002:python/name:os.system"
    )


def test_duplicate_key(folder):
    assert refusal("family: systolic\nparams:\n  rows: 4\n  cols: 4\n  rows: 8\n") == (
        "x.yaml:5: params.rows: rows must be given once, not again (see line 3)"
    )


@pytest.mark.parametrize(("key", "shown"), [("4", "4"), ("[1]", "a collection")])
def test_key_that_is_no_name(folder, key, shown):
    assert refusal(f"family: systolic\nparams:\n  {key}: 4\n") == (
        f"x.yaml:3: params.?: key must be a name, not {shown}"
    )
