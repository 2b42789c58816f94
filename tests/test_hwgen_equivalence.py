"""The hierarchical emission against Amaranth's own of the same component: proven equivalent.

Registers of the two are paired by name; the proof is one induction step for all of them: where they
agree, undefined bits included, they agree after the next clock edge, and so do the outputs before
it. Nothing is abstracted: memories become registers, multipliers stay.
"""

import functools
import re

import pytest
from amaranth.back import verilog as amaranth_verilog
from formal_cores import CORES

from hwgen import SystolicCore, yosys
from hwgen.emit import verilog

# A register is known by all its names in the module that has it, the one memory of a module as
# `memory`. Other names go: in a parent a net may be called after a port of either child.
FLAT = """
hierarchy -check -top core
attrmap -remove init
proc
memory_collect
setparam -set MEMID "\\memory" t:$mem_v2
memory_map
opt_clean
setattr -set is_register 1 t:$dff %co1:+[Q] w:* %i %a
flatten -noscopeinfo
rename -hide w:* a:is_register %d i:* %d o:* %d
opt_clean
rename core {name}
design -stash {name}
"""

# The selection names what is left unproven, which may be a register that has no pair.
PROVE = """
design -copy-from plain plain
design -copy-from ours ours
equiv_make plain ours both
hierarchy -top both
equiv_induct -undef -seq 1
equiv_remove
select -assert-none t:$equiv %ci:+[A] w:* %i
equiv_status -assert
"""


@functools.cache
def ours(name):
    return verilog(SystolicCore(CORES[name]), "core")


@functools.cache
def plain(name):
    """Amaranth's Verilog; a dot in a name, which has to be escaped, becomes an underscore."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMARANTH_USE_YOSYS", "builtin")
        text = amaranth_verilog.convert(
            SystolicCore(CORES[name]), name="core", emit_src=False, strip_internal_attrs=True
        )
    return re.sub(r"\\\w\S+", lambda name: name[0].replace(".", "_"), text)


def prove_equivalent(plain_text, our_text):
    yosys.run(
        f"{yosys.read_verilog(plain_text)}{FLAT.format(name='plain')}"
        f"{yosys.read_verilog(our_text)}{FLAT.format(name='ours')}{PROVE}"
    )


@pytest.mark.spread(3)
@pytest.mark.parametrize("name", CORES)
def test_emission_is_equivalent_to_amaranths(name):
    prove_equivalent(plain(name), ours(name))


PLANTED = {
    "a dropped sign": ("$signed(west__a)", "$unsigned(west__a)"),
    "a wrong operator": (") + $signed(", ") - $signed("),
    "a missing stall": ("if (advance)", "if (1)"),
    "a missing reset": ("if (rst)", "if (0)"),
    "an operand of the wrong neighbour": (".west__a(pe_0_east__a)", ".west__a(west__a)"),
}


@pytest.mark.spread(4)
@pytest.mark.parametrize("fault", PLANTED)
@pytest.mark.parametrize("name", ["os_double", "ws_single"])
def test_planted_difference_is_found(name, fault):
    right, wrong = PLANTED[fault]
    assert right in ours(name)
    with pytest.raises(yosys.YosysError, match="Assertion failed"):
        prove_equivalent(plain(name), ours(name).replace(right, wrong, 1))
