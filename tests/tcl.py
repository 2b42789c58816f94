"""Runs Tcl and returns the commands that it called, none of which need to exist."""

import shutil
import subprocess
from pathlib import Path

import pytest

PRELUDE = """\
set calls {{}}
proc unknown {{args}} {{ lappend ::calls [join $args \\x1f]; return [lindex $args end] }}
set argv {{{argv}}}
set argc [llength $argv]
{variables}
source {{{script}}}
set result [join $calls \\x1e]
"""


def calls(script: Path, argv: str = "", env: dict[str, str] | None = None) -> list[list[str]]:
    """Commands with their arguments, in order; a command's value is its last argument.

    Uses the interpreter in Python, else `tclsh`; skips the test where there is neither.
    """
    variables = "\n".join(f"set env({name}) {{{value}}}" for name, value in (env or {}).items())
    text = PRELUDE.format(argv=argv, variables=variables, script=script)
    found = _evaluate(text)
    return [call.split("\x1f") for call in found.split("\x1e")]


def _evaluate(text: str) -> str:
    try:
        import tkinter
    except ImportError:
        if not shutil.which("tclsh"):
            pytest.skip("no Tcl: neither Python's tkinter nor tclsh")
        return subprocess.run(
            ["tclsh"], input=f"{text}puts -nonewline $result\n", capture_output=True, text=True,
            check=True,
        ).stdout  # fmt: skip
    interpreter = tkinter.Tcl()
    interpreter.eval(text)
    return str(interpreter.getvar("result"))
