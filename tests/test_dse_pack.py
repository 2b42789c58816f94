"""`hwgen pack`: a file has the transfers that a bench plays, and the weights when decoded."""

import json
import re

import numpy as np
import pytest

from designs import load
from designs.lut_ternary import LutTernaryParams
from designs.ternary import (
    WeightFormat,
    decode_bytes,
    decode_codes,
    decode_keys,
    encode_bytes,
)
from sim.bench_lut_ternary import plan
from sim.golden import bitlinear
from sim.packing import unpacked

POINTS = {
    "key": "mu: 2, tables: 3",
    "code2": "mu: 1, tables: 4, weight_format: code2",
    "byte5": "mu: 3, tables: 2, weight_format: byte5",
    "offset": "mu: 1, tables: 7, weight_format: byte5, build: offset",
    "key_table": "mu: 2, tables: 4, stationary: table, build_share: 2, acc_blocks: 2",
    "code2_table": "mu: 2, tables: 2, stationary: table, weight_format: code2, acc_blocks: 3",
    "byte5_table": "mu: 3, tables: 1, stationary: table, weight_format: byte5, acc_blocks: 2",
}
K, N = 11, 7
"""Whole steps of no point, and columns past the edge: tiles are of two."""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, params in POINTS.items():
        text = f"family: lut_ternary\nparams: {{ports: 2, rows: 2, max_k: 40, {params}}}\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def drawn(k=K, n=N):
    return np.random.default_rng(1).integers(-1, 2, (k, n))


def words_of(path):
    """The words of a file, as $readmemh takes them, and its comments."""
    lines = path.read_text().splitlines()
    comments = [line for line in lines if line.startswith("//")]
    assert lines[: len(comments)] == comments
    assert all(re.fullmatch("[0-9a-f]+", line) for line in lines[len(comments) :])
    return [int(line, 16) for line in lines[len(comments) :]], comments


def decoded(params: LutTernaryParams, words: list[int], k: int, n: int):
    """The weights (k, n) of transfers, as docs/lut_ternary.md says what these are."""
    bits = {WeightFormat.CODE2: 2, WeightFormat.BYTE5: 8}.get(params.weight_format, params.key_bits)
    fields = params.column_bits // bits
    lanes = unpacked(words, params.ports * fields, bits, False)
    n_tiles, k_steps = -(-n // params.ports), -(-k // params.step_k)
    block = params.acc_words or 1
    order = [
        (tile, step)
        for start in range(0, n_tiles, block)
        for step in range(k_steps)
        for tile in range(start, min(start + block, n_tiles))
    ]
    assert len(order) == len(words)
    weights = np.full((k_steps * params.step_k, n_tiles * params.ports), 9)
    for (tile, step), lane in zip(order, lanes, strict=True):
        columns = lane.reshape(params.ports, fields).T
        if params.weight_format == WeightFormat.CODE2:
            trits = decode_codes(columns)
        elif params.weight_format == WeightFormat.BYTE5:
            trits = decode_bytes(columns)
        else:
            trits = decode_keys(columns, params.mu)
        rows = slice(step * params.step_k, (step + 1) * params.step_k)
        cols = slice(tile * params.ports, (tile + 1) * params.ports)
        weights[rows, cols] = trits[: params.step_k]
        assert not trits[params.step_k :].any()
    assert not weights[k:].any() and not weights[:, n:].any()
    return weights[:k, :n]


@pytest.mark.parametrize(("k", "n"), [(1, 1), (K, N), (40, 4)])
@pytest.mark.parametrize("name", POINTS)
def test_the_file_is_what_a_bench_plays_and_holds_the_weights(run, folder, name, k, n):
    np.save("w.npy", drawn(k, n).astype(np.int8))
    status, output, errors = run("pack", f"{name}.yaml", "w.npy", "-o", "w.hex", "--json")
    assert status == 0 and errors == "" and output.count("\n") == 1
    params = load(f"{name}.yaml").params
    words, _ = words_of(folder / "w.hex")
    played = plan(params, np.ones((5, k), dtype=np.int64), drawn(k, n)).transfers["w"]
    assert played == 3 * words  # three tiles of two rows
    assert decoded(params, words, k, n).tolist() == drawn(k, n).tolist()
    width = params.ports * params.column_bits
    assert json.loads(output) == {
        "file": "w.hex",
        "transfers": len(words),
        "transfer_bits": width,
        "weight_bits_per_weight": pytest.approx(len(words) * width / (k * n)),
        "zeros_fraction": pytest.approx(np.count_nonzero(drawn(k, n) == 0) / (k * n)),
    }
    digits = {len(line) for line in (folder / "w.hex").read_text().splitlines()[4:]}
    assert digits == {-(-width // 4)}


def test_a_file_worked_out_by_hand(run, folder):
    # Codes 00, 01 and 11 of 0, 1 and -1: four k from the low bits on, then the next column.
    np.save("w.npy", np.array([[1, 0, -1], [0, -1, 1], [-1, 1, 0], [1, 0, 0], [-1, -1, 1]]))
    status, output, _ = run("pack", "code2.yaml", "w.npy", "-o", "w.hex")
    text = (folder / "w.hex").read_text()
    assert status == 0 and output == "4 transfers of 16 bits, 4.267 bits per weight\nw.hex\n"
    assert text == (
        "// Weights for port w of code2, in order, for one tile of rows\n"
        "// shape (k, n): (5, 3)\n"
        "// format: code2, mu 1, tables 4, ports 2, stationary output\n"
        "// 4 transfers of 16 bits, 4.267 bits per weight\n"
        "1c71\n0303\n0007\n0001\n"
    )
    run("pack", "key_table.yaml", "w.npy", "-o", "w.hex")
    assert words_of(folder / "w.hex")[1][2] == (
        "// format: key, mu 2, tables 4, ports 2, stationary table, acc_blocks 2"
    )


@pytest.mark.parametrize(("n", "options"), [(8, ()), (N, ("--outputs", str(N)))])
def test_a_checkpoint(run, folder, n, options):
    np.save("w.npy", drawn(n=n))
    np.save("packed.npy", bitlinear.pack(drawn(n=n).T.astype(np.int8)))
    assert run("pack", "key.yaml", "w.npy", "-o", "w.hex")[0] == 0
    given = ("packed.npy", "--form", "checkpoint", *options)
    assert run("pack", "key.yaml", *given, "-o", "packed.hex")[0] == 0
    assert (folder / "packed.hex").read_text() == (folder / "w.hex").read_text()


@pytest.mark.parametrize("k", [K, 10])
def test_bytes_of_five(run, folder, k):
    np.save("w.npy", drawn(k))
    (folder / "w.bin").write_bytes(encode_bytes(drawn(k)).T.astype(np.uint8).tobytes())
    assert run("pack", "key.yaml", "w.npy", "-o", "w.hex")[0] == 0
    given = ("w.bin", "--form", "byte5", "--shape", f"{k},{N}")
    assert run("pack", "key.yaml", *given, "-o", "bytes.hex")[0] == 0
    assert (folder / "bytes.hex").read_text() == (folder / "w.hex").read_text()


def test_params_are_overridden(run, folder):
    np.save("w.npy", drawn())
    assert run("pack", "key.yaml", "w.npy", "--set", "ports=4", "-o", "new/w.hex")[0] == 0
    params = load("key.yaml", ["ports=4"]).params
    assert decoded(params, words_of(folder / "new/w.hex")[0], K, N).tolist() == drawn().tolist()


def wrong(place, value, shape=(3, 5), kind=np.int64):
    """Zeros but for one value."""
    matrix = np.zeros(shape, dtype=kind)
    matrix[place] = value
    return matrix


CHECKPOINT = ("--form", "checkpoint")
BYTES = ("--form", "byte5", "--shape", "6,3")
ZEROS = encode_bytes(np.zeros((6, 3), dtype=np.int64)).T.astype(np.uint8).ravel()
REFUSED = [
    (wrong((2, 4), 2), (), "w: weights must be -1, 0 or 1, not 2 in row 2 of column 4"),
    (wrong((0, 1), -(2**63)), (),
     "w: weights must be -1, 0 or 1, not -9223372036854775808 in row 0 of column 1"),
    (np.zeros(3, dtype=np.int8), (), "w: weights must be a matrix, not of shape (3,)"),
    (np.zeros((1, 2, 3), dtype=np.int8), CHECKPOINT,
     "w: weights must be a matrix, not of shape (1, 2, 3)"),
    (np.zeros((3, 2)), (),
     "w: weights must be a tensor of integers, at least one, not float64 (3, 2)"),
    (np.zeros((0, 2), dtype=np.int8), (),
     "w: weights must be a tensor of integers, at least one, not int8 (0, 2)"),
    (b"none", (), "w: weights must be a tensor as numpy saves it, and w is none"),
    (wrong((0, 0), 0, (41, 2)), (), "w: k must be at most max_k = 40, not 41"),
    (wrong((0, 0), 0, (1, 1 << 20)), (),
     "w: n must be between 1 and 1048575, not 1048576"),
    (wrong((2, 1), 3 << 4, kind=np.uint8), CHECKPOINT,
     "w: packed weights must be codes of 0, 1 or 2, not 3 in row 2 at bit 4"),
    (wrong((2, 1), 256), CHECKPOINT,
     "w: packed weights must be bytes, 0 to 255, not 256 in row 2 of column 1"),
    (wrong((0, 0), 0), (*CHECKPOINT, "--outputs", "8"),
     "w: packed weights of 8 outputs must have 2 rows of bytes, not 3"),
    (ZEROS[:5].tobytes(), BYTES,
     "w: weights of shape 6,3 must be 6 bytes, 2 per column, not 5"),
    (b"", BYTES, "w: weights of shape 6,3 must be 6 bytes, 2 per column, not 0"),
    (bytes([*ZEROS[:4], 138, *ZEROS[5:]]), BYTES,
     "w: bytes must be those of five trits, not 138 in row 0 of column 2"),
    (bytes([*ZEROS[:3], 255, *ZEROS[4:]]), BYTES,
     "w: trits past k = 6 must be 0, not 1 in row 6 of column 1"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "options", "sentence"), REFUSED)
def test_wrong_weights(run, folder, content, options, sentence):
    with (folder / "w").open("wb") as file:
        file.write(content) if isinstance(content, bytes) else np.save(file, content)
    before = sorted(folder.iterdir())
    status, output, errors = run("pack", "key.yaml", "w", *options, "-o", "w.hex")
    assert (status, output, errors) == (2, "", f"hwgen: {sentence}\n")
    assert sorted(folder.iterdir()) == before


USAGE = [
    (("tile4", "w.npy"), "hwgen: tile4: machine must be lut_ternary, not systolic"),
    (("booth_flex16", "w.npy"),
     "hwgen: booth_flex16: machine must be lut_ternary, not booth_flex"),
    (("key.yaml", "none.npy"),
     "hwgen: none.npy: file must be usable, and it is not (No such file or directory)"),
    (("key.yaml", "none.bin", *BYTES),
     "hwgen: none.bin: file must be usable, and it is not (No such file or directory)"),
    (("key.yaml", "w.npy", "--form", "code"),
     "hwgen pack: argument --form: invalid choice: 'code' (choose from"),
    (("key.yaml", "w.npy", "--form", "byte5"),
     "hwgen: --shape must be given with --form byte5, and it is not"),
    (("key.yaml", "w.npy", "--shape", "1,2"),
     "hwgen: --shape must be left out with --form trits"),
    (("key.yaml", "w.npy", *BYTES, "--outputs", "3"),
     "hwgen: --outputs must be left out with --form byte5"),
    (("key.yaml", "w.npy", "--shape", "3"),
     "hwgen pack: --shape must be K,N, two integers above 0, not 3"),
    (("key.yaml", "w.npy", "--shape", "0,3"),
     "hwgen pack: --shape must be K,N, two integers above 0, not 0,3"),
    (("key.yaml", "w.npy", "--outputs", "0"),
     "hwgen pack: --outputs must be an integer above 0, not 0"),
    (("key.yaml", "w.npy", "-o", "w.npy"),
     "hwgen: -o must be another file than WEIGHTS, not w.npy"),
    (("key.yaml", "w.npy", "-o", "."), "hwgen: -o must be a file, not the folder ."),
    (("key.yaml", "w.npy", "-o", "key.yaml/w.hex"),
     "hwgen: -o key.yaml: folder must be writable, and it is not (File exists)"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), USAGE)
def test_wrong_use(run, folder, arguments, sentence):
    np.save("w.npy", drawn())
    before = {path: path.read_bytes() for path in folder.iterdir()}
    status, output, errors = run("pack", "-o", "w.hex", *arguments)
    assert status == 2 and output == "" and errors.count("\n") == 1
    assert errors.startswith(sentence)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_without_a_file_to_write(run):
    assert run("pack", "tile4", "w.npy")[2] == (
        "hwgen pack: the following arguments are required: -o/--output\n"
    )
