"""`hwgen pack`: trained weights as the transfers on which a ternary core takes them."""

from argparse import Namespace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from designs import DesignError, Gemm
from designs.families import check_fit
from designs.lut_ternary import LutTernaryParams, Stationary
from designs.rules import Ints, ceil_div
from designs.ternary import TRITS_PER_BYTE, decode_bytes, encode_bytes
from designs.values import read_tensor
from dse import arguments
from dse.arguments import Commands
from dse.files import output_folder, whole
from dse.request import design_of
from dse.text import Outcome

TRITS, CHECKPOINT, BYTE5 = FORMS = ("trits", "checkpoint", "byte5")
"""What `--form` may say: trits (k, n), bytes of codes (n / 4, k), or bytes of five trits."""

FORM_OPTIONS = {"outputs": CHECKPOINT, "shape": BYTE5}
"""The one form with which each of these options is given."""


def add(commands: Commands) -> None:
    """Add pack to the command line."""
    packing = arguments.command(
        commands, "pack", run, "trained ternary weights as transfers for $readmemh",
        ["hwgen pack tint16 weights.npy -o w.hex",
         "hwgen pack tint16 up_proj.npy --form checkpoint -o w.hex",
         "hwgen pack tint16 weights.bin --form byte5 --shape 3200,8640 -o w.hex",
         "DESIGN is one of machine lut_ternary; docs/lut_ternary.md says what the forms are"],
    )  # fmt: skip
    arguments.design(packing)
    packing.add_argument("weights", metavar="WEIGHTS", help="a .npy file, or a raw one of bytes")
    packing.add_argument("--form", choices=FORMS, default=TRITS,
                         help="trits (k, n) of -1, 0 and 1, a BitNet checkpoint's bytes, or five "
                         "trits in a byte (default: %(default)s)")  # fmt: skip
    packing.add_argument("--outputs", type=arguments.size, metavar="N",
                         help="outputs of a checkpoint's matrix (default: 4 per row)")  # fmt: skip
    packing.add_argument("--shape", type=arguments.shape, metavar="K,N",
                         help="shape of the weights in a file of bytes (byte5)")  # fmt: skip
    packing.add_argument("-o", "--output", required=True, metavar="FILE", help="transfers, in hex")


def run(args: Namespace) -> Outcome:
    """Write the transfers of WEIGHTS on the port `w` of the design to the file `-o`."""
    design = design_of(args)
    params = design.params
    if not isinstance(params, LutTernaryParams):
        raise DesignError(f"{args.design}: machine must be lut_ternary, not {design.machine}")
    weights = _weights(args)
    words = _transfers(args.weights, params, weights)
    path = _output(args)
    width = params.ports * params.column_bits
    bits_per_weight = len(words) * width / weights.size
    figures = f"{len(words)} transfers of {width} bits, {bits_per_weight:.4g} bits per weight"
    lines = [
        f"// Weights for port w of {design.name}, in order, for one tile of rows",
        f"// shape (k, n): {weights.shape}",
        f"// format: {_format(params)}",
        f"// {figures}",
        *(f"{word:0{ceil_div(width, 4)}x}" for word in words),
    ]
    with whole(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    content: dict[str, object] = {
        "file": str(path),
        "transfers": len(words),
        "transfer_bits": width,
        "weight_bits_per_weight": bits_per_weight,
        "zeros_fraction": float(np.mean(weights == 0)),
    }
    return Outcome(content=content, text=f"{figures}\n{path}")


def _transfers(source: str, params: LutTernaryParams, weights: Ints) -> list[int]:
    """What a bench plays on `w` for a single row; every tile of rows takes the same again.

    Raises DesignError for a shape that the core cannot take.
    """
    from sim.benches import BENCHES

    k, n = weights.shape
    try:
        check_fit(params, Gemm(m=1, k=k, n=n))
    except ValueError as error:
        raise DesignError(f"{source}: {error}") from error
    plan = BENCHES[LutTernaryParams].plan(params, np.zeros((1, k), dtype=np.int64), weights)
    words: list[int] = plan.transfers["w"]
    return words


def _format(params: LutTernaryParams) -> str:
    """All params that say what is in a transfer, and in which order transfers go."""
    p = params
    text = f"{p.weight_format.name.lower()}, mu {p.mu}, tables {p.tables}, ports {p.ports}"
    if p.stationary == Stationary.TABLE:
        return f"{text}, stationary table, acc_blocks {p.acc_blocks}"
    return f"{text}, stationary output"


def _output(args: Namespace) -> Path:
    """The file to write."""
    path = Path(args.output)
    if path.is_dir():
        raise DesignError(f"-o must be a file, not the folder {path}")
    if path.exists() and path.samefile(args.weights):
        raise DesignError(f"-o must be another file than WEIGHTS, not {path}")
    output_folder(path.parent)
    return path


def _weights(args: Namespace) -> Ints:
    """The trits (k, n) of the file WEIGHTS. Raises DesignError for a file that is not as --form
    says.
    """
    for option, form in FORM_OPTIONS.items():
        if getattr(args, option) is not None and args.form != form:
            raise DesignError(f"--{option} must be left out with --form {args.form}")
    if args.form == BYTE5:
        if args.shape is None:
            raise DesignError(f"--shape must be given with --form {BYTE5}, and it is not")
        return _of_bytes(args.weights, args.shape)
    matrix = _matrix(args.weights)
    if args.form == CHECKPOINT:
        return _of_checkpoint(args.weights, matrix, args.outputs)
    legal = (matrix >= -1) & (matrix <= 1)
    _check_all(legal, matrix, f"{args.weights}: weights must be -1, 0 or 1")
    return matrix


def _matrix(source: str) -> Ints:
    try:
        matrix = read_tensor(Path(source))
    except ValueError as error:
        raise DesignError(f"{source}: weights must be {error}") from error
    if matrix.ndim != 2:
        raise DesignError(f"{source}: weights must be a matrix, not of shape {matrix.shape}")
    return matrix


def _of_checkpoint(source: str, matrix: Ints, outputs: int | None) -> Ints:
    """The trits of bytes of four codes, whose outputs are ceil(n / 4) apart."""
    from sim.golden.bitlinear import CODES_PER_BYTE, unpack

    octets = matrix.astype(np.uint8)
    _check_all(octets == matrix, matrix, f"{source}: packed weights must be bytes, 0 to 255")
    try:
        trits = unpack(octets, outputs or CODES_PER_BYTE * len(octets))
    except ValueError as error:
        raise DesignError(f"{source}: {error}") from error
    return trits.T.astype(np.int64)


def _of_bytes(source: str, shape: tuple[int, int]) -> Ints:
    """The trits of bytes of five, the bytes of each column one after the other."""
    k, n = shape
    column = ceil_div(k, TRITS_PER_BYTE)
    octets = np.frombuffer(Path(source).read_bytes(), dtype=np.uint8).astype(np.int64)
    if len(octets) != column * n:
        raise DesignError(
            f"{source}: weights of shape {k},{n} must be {column * n} bytes, {column} per column, "
            f"not {len(octets)}"
        )
    rows = octets.reshape(n, column).T
    every = encode_bytes(np.indices((3,) * TRITS_PER_BYTE).reshape(TRITS_PER_BYTE, -1) - 1)
    _check_all(np.isin(rows, every), rows, f"{source}: bytes must be those of five trits")
    trits = decode_bytes(rows)
    past = np.where(np.arange(len(trits))[:, None] < k, 0, trits)
    _check_all(past == 0, past, f"{source}: trits past k = {k} must be 0")
    return trits[:k]


def _check_all(legal: NDArray[np.bool_], values: Ints, rule: str) -> None:
    """Raise DesignError at the first value of a matrix, row by row, that is not legal."""
    if not legal.all():
        row, column = np.argwhere(~legal)[0]
        raise DesignError(f"{rule}, not {values[row, column]} in row {row} of column {column}")
