"""Files are whole or not there, and what cannot be written is said in one sentence."""

import pytest

from designs import DesignError
from dse.files import output_folder, whole


def test_whole_file(tmp_path):
    with whole(tmp_path / "x.txt") as partial:
        partial.write_text("new")
        assert not (tmp_path / "x.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["x.txt"]


def test_what_fails_leaves_the_old_file(tmp_path):
    (tmp_path / "x.txt").write_text("old")
    with pytest.raises(KeyError), whole(tmp_path / "x.txt") as partial:
        partial.write_text("ne")
        raise KeyError
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_folder_is_made(tmp_path):
    assert output_folder(tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize(
    ("name", "reason"), [("file", "File exists"), ("file/below", "Not a directory")]
)
def test_folder_that_cannot_be_written(tmp_path, monkeypatch, name, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(DesignError) as caught:
        output_folder(tmp_path.joinpath(name).relative_to(tmp_path))
    assert str(caught.value) == f"-o {name}: folder must be writable, and it is not ({reason})"
