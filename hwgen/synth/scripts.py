"""What Yosys and ABC do to one module."""

DESIGN = "module.il"
RESULT = "module.json"
FLIP_FLOPS = "flip_flops.lib"
CELLS = "cells.scl"
CONSTRAINTS = "constraints.sdc"
NO_CELLS = "none.genlib"
STATISTICS = "stats.txt"
"""ABC's `stime -d` writes it: netlist, inputs, outputs, gates, area, delay in ps."""

NO_CELLS_TEXT = """\
GATE inv 1 O=!a; PIN * INV 1 999 1.0 0.0 1.0 0.0
GATE zero 0 O=CONST0;
GATE one 0 O=CONST1;
"""
"""ABC must be given some library before it reads the real one from its own format."""

# Booth recoding pays from these widths on; below, the plain compressor tree is smaller. Yosys 0.23
# does not have it.
BOOTH = """
booth t:$mul r:A_SIGNED=1 %i r:A_WIDTH>=4 %i r:B_WIDTH>=4 %i
booth t:$mul r:A_SIGNED=0 %i r:A_WIDTH>=12 %i r:B_WIDTH>=12 %i
"""

# The first `alumacc` keeps a multiplier apart from the adder behind it.
TO_GATES = """
read_rtlil {design}
opt_expr
opt_clean
opt -nodffe -nosdff
wreduce
peepopt
opt_clean
{booth}
alumacc t:$mul
alumacc
opt
memory -nomap
memory_map -rom-only
opt_clean
opt -fast -full
opt -full
techmap
opt -fast
"""

TO_CELLS = """
dfflibmap -liberty {flip_flops}
opt -fast
abc -genlib {no_cells} -constr {constraints} -script +{abc}
opt_clean
write_json {result}
"""

# No `dc2`: it would turn prefix adders into ripples.
ABC = (
    "read_scl {cells}; strash; &get -n; &dch -f; &nf; &put; buffer -c; topo; "
    "upsize -D {clock_ps}; dnsize -D {clock_ps}; stime -d"
)

TO_GENERIC = """
dfflegalize -cell $_DFF_P_ x
opt_expr
opt_merge
opt_clean
abc -g cmos -script +strash;&get,-n;&dch,-f;&nf;&put
opt_clean
write_json {result}
"""

READ_CELLS = """
read_verilog module.v
techmap
abc -liberty library.lib -script +strash;&get,-n;&nf;&put;write_scl,{cells}
"""
"""From Liberty to ABC's own format, which is read in a tenth of the time."""

TRANSISTORS = {
    "$_NOT_": 2,
    "$_BUF_": 4,
    "$_NAND_": 4,
    "$_NOR_": 4,
    "$_AND_": 6,
    "$_OR_": 6,
    "$_ANDNOT_": 6,
    "$_ORNOT_": 6,
    "$_MUX_": 12,
    "$_NMUX_": 10,
    "$_AOI3_": 6,
    "$_OAI3_": 6,
    "$_AOI4_": 8,
    "$_OAI4_": 8,
    "$_XOR_": 12,
    "$_XNOR_": 12,
    "$_DFF_P_": 16,
    "$_DFF_N_": 16,
}
"""Transistors of static CMOS gates, as Yosys' `stat -tech cmos` counts them."""


def mapping(*, has_library: bool, has_booth: bool, clock_ps: float) -> str:
    """The script for one module: to library cells, or to generic gates."""
    script = TO_GATES.format(design=DESIGN, booth=BOOTH if has_booth else "")
    if not has_library:
        return script + TO_GENERIC.format(result=RESULT)
    abc = ABC.format(cells=CELLS, clock_ps=f"{clock_ps:g}").replace("; ", ";").replace(" ", ",")
    return script + TO_CELLS.format(
        flip_flops=FLIP_FLOPS,
        no_cells=NO_CELLS,
        constraints=CONSTRAINTS,
        abc=abc,
        result=RESULT,
    )
