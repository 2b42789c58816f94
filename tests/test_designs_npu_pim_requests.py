"""Requests from files: what is read, and the sentence for each thing that is wrong."""

from pathlib import Path

import pytest

from designs.document import DesignError
from designs.npu_pim import Limits, Request, read_requests

LIMITS = Limits(length=2048, channels=4)
HEADER = "trace.csv:1: header must be seq_len and any of ch_idx, output_len, arrival_s, once each"


def read(tmp_path: Path, text: str) -> tuple[Request, ...]:
    path = tmp_path / "trace.csv"
    path.write_text(text, encoding="utf-8")
    return read_requests(path, "trace.csv", LIMITS)


def test_requests_with_and_without_channels(tmp_path: Path) -> None:
    assert read(tmp_path, "seq_len,ch_idx\n7,3\n2048,0\n\n") == (
        Request(length=7, channel=3),
        Request(length=2048, channel=0),
    )
    assert read(tmp_path, "seq_len\n1\n") == (Request(length=1),)
    assert read(tmp_path, "ch_idx,seq_len\n2,9\n") == (Request(length=9, channel=2),)


def test_requests_that_arrive(tmp_path: Path) -> None:
    first, second = read(tmp_path, "arrival_s,seq_len,output_len\n0.5,7,1\n 1e1 ,2000,49\n")
    assert first == Request(length=7, arrival_s=0.5) and first.most_tokens == 7
    assert second == Request(length=2000, output=49, arrival_s=10.0)
    assert second.most_tokens == LIMITS.length


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("seq_len\n5\n2.5\n", "trace.csv:3: seq_len: seq_len must be an integer, not '2.5'"),
        ("seq_len\nlong\n", "trace.csv:2: seq_len: seq_len must be an integer, not 'long'"),
        ("seq_len,ch_idx\n,1\n", "trace.csv:2: seq_len: seq_len must be an integer, not missing"),
        ("seq_len,ch_idx\n5\n", "trace.csv:2: ch_idx: ch_idx must be an integer, not missing"),
        ("seq_len\n-4\n", "trace.csv:2: seq_len: seq_len must be between 1 and 2048, .*, not -4"),
        ("seq_len\n0\n", "trace.csv:2: seq_len: seq_len must be between 1 and 2048, .*, not 0"),
        (
            "seq_len\n2049\n",
            "trace.csv:2: seq_len: seq_len must be between 1 and 2048, .*, not 2049",
        ),
        ("seq_len,ch_idx\n5,4\n", "trace.csv:2: ch_idx: ch_idx must be between 0 and 3, .*, not 4"),
        (
            "seq_len,ch_idx\n5,-1\n",
            "trace.csv:2: ch_idx: ch_idx must be between 0 and 3, .*, not -1",
        ),
        ("seq_len\n5,1\n", "trace.csv:2: row must have at most 1 cells, not 2"),
        ("length\n5\n", f"{HEADER}, not 'length'"),
        ("", f"{HEADER}, not ''"),
        ("seq_len,seq_len\n5,5\n", f"{HEADER}, not 'seq_len,seq_len'"),
        (
            "seq_len,output_len\n5,0\n",
            "trace.csv:2: output_len: output_len must be between 1 and 2044, .*, not 0",
        ),
        (
            "seq_len,output_len\n2000,50\n",
            "trace.csv:2: output_len: output_len must be between 1 and 49, .*, not 50",
        ),
        ("seq_len,output_len\n5,\n", "trace.csv:2: output_len: .* an integer, not missing"),
        (
            "seq_len,arrival_s\n5,soon\n",
            "trace.csv:2: arrival_s: arrival_s must be a number, not 'soon'",
        ),
        ("seq_len,arrival_s\n5,\n", "trace.csv:2: arrival_s: .* be a number, not missing"),
        ("seq_len,arrival_s\n5,-1\n", "trace.csv:2: arrival_s: .* at least 0 and finite, not -1"),
        ("seq_len,arrival_s\n5,inf\n", "trace.csv:2: arrival_s: .* 0 and finite, not inf"),
        ("seq_len,arrival_s\n5,nan\n", "trace.csv:2: arrival_s: .* 0 and finite, not nan"),
        ("seq_len\n", "trace.csv: file must have at least 1 request, not 0"),
    ],
)
def test_what_is_wrong_is_said_once(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(DesignError, match=f"^{sentence}") as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match="none.csv: file must exist and be UTF-8 text"):
        read_requests(tmp_path / "none.csv", "none.csv", LIMITS)
    path = tmp_path / "latin.csv"
    path.write_bytes(b"seq_len\n\xff\n")
    with pytest.raises(DesignError, match="latin.csv: file must exist and be UTF-8 text"):
        read_requests(path, "latin.csv", LIMITS)
