"""The cache: where it is, and files in it that are whole or not there."""

from pathlib import Path

import pytest

from hwgen.cache import CacheError, default_cache_dir, digest, replacing


def test_the_default_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HWGEN_CACHE", raising=False)
    assert default_cache_dir() == Path("/h/.cache/hwgen")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert default_cache_dir() == Path("/x/hwgen")
    monkeypatch.setenv("HWGEN_CACHE", "/c")
    assert default_cache_dir() == Path("/c")


def test_a_file_takes_its_place_at_once(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    with replacing(path) as partial:
        partial.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new" and [*path.parent.iterdir()] == [path]


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "file") as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match=r"file must be a writable folder: "):
        with replacing(tmp_path / "file" / "entry"):
            pass


def test_a_digest_keeps_texts_apart() -> None:
    assert len({digest(texts) for texts in (["ab", "c"], ["a", "bc"], ["abc"])}) == 3
