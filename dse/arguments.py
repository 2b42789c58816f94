"""What several commands are told in the same words: shared options, and types of their values."""

import argparse
import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from dse.engines import SEED_MAX
from dse.space import DEFAULT_TECHNOLOGY
from dse.text import Outcome

Command: TypeAlias = Callable[[argparse.Namespace], Outcome]
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def command(
    commands: Commands,
    name: str,
    run: Command,
    text: str,
    examples: Sequence[str],
) -> argparse.ArgumentParser:
    """A new command, which runs `run`; `text` says what it is, `examples` follow its options."""
    lines = "\n".join(f"  {example}" for example in examples)
    made = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=f"examples:\n{lines}" if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--json", action="store_true", help="print one JSON object")
    made.set_defaults(command=run)
    return made


def node(text: str) -> int:
    """A node in nm."""
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        raise argparse.ArgumentTypeError(f"must be a number of nanometres, not {text}")
    return int(text)


def seed(text: str) -> int:
    """A seed that operands and Verilator take."""
    if not re.fullmatch(r"[0-9]{1,10}", text) or not 1 <= int(text) <= SEED_MAX:
        raise argparse.ArgumentTypeError(f"must be between 1 and {SEED_MAX}, not {text}")
    return int(text)


def size(text: str) -> int:
    """A size of a matrix."""
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text):
        raise argparse.ArgumentTypeError(f"must be an integer above 0, not {text}")
    return int(text)


def count(text: str) -> int:
    """A number of things, of which there may be none."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"must be an integer, at least 0, not {text}")
    return int(text)


def shape(text: str) -> tuple[int, int]:
    """The two sizes of a matrix of weights."""
    if not re.fullmatch(r"[1-9][0-9]{0,9},[1-9][0-9]{0,9}", text):
        raise argparse.ArgumentTypeError(f"must be K,N, two integers above 0, not {text}")
    k, n = text.split(",")
    return int(k), int(n)


def period(text: str) -> float:
    """A period of a clock."""
    return _above_zero(text, " of picoseconds")


def seconds(text: str) -> float:
    """A time limit."""
    return _above_zero(text, " of seconds")


def rate(text: str) -> float:
    """What comes in a second."""
    return _above_zero(text, "")


def bandwidth(text: str) -> float:
    """What a memory gives."""
    return _above_zero(text, "")


def frequency(text: str) -> float:
    """A clock frequency."""
    return _above_zero(text, " of megahertz")


def _above_zero(text: str, unit: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,3})?", text) or not float(text) > 0:
        raise argparse.ArgumentTypeError(
            f"must be a number{unit} above 0, with at most 3 decimals, not {text}"
        )
    return float(text)


def design(command: argparse.ArgumentParser) -> None:
    command.add_argument("design", metavar="DESIGN", help="shipped design or YAML file")
    command.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE",
        help="override one of the design's params; may be given again",
    )  # fmt: skip


def workload(command: argparse.ArgumentParser) -> None:
    choice = command.add_mutually_exclusive_group()
    choice.add_argument(
        "--workload", metavar="W",
        help="only this workload of the design, or another in the words of a file, "
        "'KIND: {SIZE: N, ...}'",
    )  # fmt: skip
    choice.add_argument("--gemm", metavar="M,K,N", help="a GEMM of these sizes instead")


def technology(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--tech", "--technology", dest="technology", default=DEFAULT_TECHNOLOGY, metavar="T",
        help="prices: a technology that ships (default: %(default)s)",
    )  # fmt: skip


def memory(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dram", metavar="D", help="external memory: energy and time of the port traffic"
    )
    command.add_argument(
        "--bandwidth-gbps", dest="bandwidth", type=bandwidth, metavar="B",
        help="its bandwidth in 10^9 bytes per second (default: one channel's or stack's peak)",
    )  # fmt: skip
    command.add_argument(
        "--on-chip",
        metavar="P,P",
        help="data ports that an on-chip buffer is behind, and not the external memory",
    )
    command.add_argument(
        "--sram-bits-per-cycle", dest="sram_bits", type=bandwidth, metavar="S",
        help="what that buffer gives in a cycle (default: what the ports take)",
    )  # fmt: skip
    command.add_argument(
        "--clock-mhz", dest="clock", type=frequency, metavar="F",
        help="clock of a core that could run as fast or faster (default: as fast as it can)",
    )  # fmt: skip


def liberty(command: argparse.ArgumentParser, required: bool = False) -> None:
    command.add_argument(
        "--liberty", action="extend", nargs="+", default=[], required=required, metavar="FILE",
        help="cell library, gzipped or not, in one file or several",
    )  # fmt: skip


def output(command: argparse.ArgumentParser, text: str) -> None:
    command.add_argument("-o", "--output", required=True, metavar="DIR", help=text)
