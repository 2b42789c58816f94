"""That a module's Verilog is the gates that the other lemmas are about."""

import re

from hwgen import yosys
from hwgen.prove.lemmas import DisprovedError
from hwgen.prove.survey import Module

EQUIVALENT = """
proc
rename {name} converted
{verilog}
proc
rename {name} written
equiv_make converted written equivalent
cd equivalent
opt_clean
equiv_struct
equiv_simple
equiv_induct
equiv_status -assert
"""


def emission(module: Module, verilog: str) -> str:
    """The module's Verilog does what its gates do, register by register and instance by instance.

    Raises DisprovedError with what Yosys says.
    """
    (own,) = re.findall(rf"^module {module.name} .*?^endmodule$", verilog, re.DOTALL | re.MULTILINE)
    script = EQUIVALENT.format(name=module.name, verilog=yosys.read_verilog(own))
    try:
        yosys.run(f"read_rtlil <<rtlil\n{module.rtlil}\nrtlil\n{script}")
    except yosys.YosysError as error:
        raise DisprovedError(str(error)) from error
    return "the Verilog is these gates"
