"""The result stream of digit-serial engines, proven as that of systolic ones is."""

import pytest
import test_hwgen_streams_formal as formal

from designs.digit_serial import DigitSerialParams
from designs.digits import Encoded
from hwgen import DigitSerialCore, yosys
from hwgen.emit import verilog

LEAST = {"cols": 2, "lanes": 1, "group": 1, "a_bits": 2, "w_bits": 3}
CORES = {
    "one_row": DigitSerialParams(rows=1, max_k=2, double_buffer=False, **LEAST),
    "ring": DigitSerialParams(rows=2, max_k=8, skip_groups=1, row_banks=2, **LEAST),
    "shared_adder": DigitSerialParams(
        rows=2, max_k=4, resolve_adders=1, encoded=Encoded.W, **LEAST
    ),
}
"""Name to params: small enough to prove things of."""

PROOFS = (formal.prove_no_path, formal.prove_kept)
FAULTS = [
    ("valid needs ready", formal.prove_no_path),
    ("valid drops", formal.prove_kept),
    ("payload moves", formal.prove_kept),
]


@pytest.fixture(autouse=True)
def cores(monkeypatch):
    """The proofs take their cores from here."""
    texts = {}

    def core(name, module="core"):
        if (name, module) not in texts:
            texts[name, module] = verilog(DigitSerialCore(CORES[name]), module)
        return texts[name, module]

    monkeypatch.setattr(formal, "core", core)
    formal.ports.cache_clear()
    yield core
    formal.ports.cache_clear()


@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("name", CORES)
def test_result_stream(name, proof, cores):
    proof(name, cores(name))


@pytest.mark.parametrize(("fault", "proof"), FAULTS)
def test_planted_fault_is_found(fault, proof):
    with pytest.raises(yosys.YosysError, match="Assertion failed|proof did fail"):
        proof("ring", formal.faulty_core("ring", fault))
