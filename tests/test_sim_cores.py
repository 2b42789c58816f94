"""What the benches of all machines share."""

import pytest

from designs import SystolicParams
from designs.digit_serial import DigitSerialParams
from designs.digits import Encoded
from designs.laconic import LaconicParams
from hwgen.digit_serial import interface as digit_serial
from hwgen.laconic import interface as laconic
from hwgen.systolic import interface as systolic
from sim.cores import activity, ports
from sim.streams import Interface, Plan, Port, SimResult

MACHINES = {
    "systolic": (systolic, SystolicParams(rows=3, cols=5, a_bits=4, w_bits=7), 12, 35),
    "laconic": (laconic, LaconicParams(rows=2, cols=3, lanes=4, a_bits=4, w_bits=6), 32, 72),
    "digit_serial": (
        digit_serial,
        DigitSerialParams(rows=2, cols=3, lanes=4, a_bits=5, w_bits=3, encoded=Encoded.W),
        60,
        24,
    ),
}
"""Interface, params, bits of a transfer of a (values times width) and of w."""


@pytest.mark.parametrize("machine", MACHINES)
def test_ports_are_the_streams_of_the_core(machine):
    interface, params, a_bits, w_bits = MACHINES[machine]
    job_bits = params.m_bits + params.k_bits + params.n_bits
    assert ports(interface.streams(params)) == (
        Port(name="job", payload_bits=job_bits, is_input=True, is_data=False),
        Port(name="a", payload_bits=a_bits, is_input=True),
        Port(name="w", payload_bits=w_bits, is_input=True),
        Port(name="o", payload_bits=params.cols * params.acc_bits + 1, is_input=False),
    )


def test_what_configures_a_core_is_no_data():
    members = laconic.streams(LaconicParams())
    assert [port.name for port in ports(members, ["w", "o"]) if port.is_data] == ["job", "a"]


def test_activity_is_the_events_and_the_transfers_of_each_data_port():
    sent = Plan(
        interface=Interface(
            ports=(
                Port(name="job", payload_bits=1, is_input=True, is_data=False),
                Port(name="x", payload_bits=1, is_input=True),
                Port(name="o", payload_bits=1, is_input=False),
            )
        ),
        transfers={"job": [1], "x": [1, 0, 1]},
        expected={"o": 2},
    )
    result = SimResult(
        cycles=5,
        simulated_cycles=9,
        payloads={"o": [0, 1]},
        transfer_cycles={"o": [4, 5]},
        activity={"mac_useful": 7, "tiles": 1, "a_b_c": 2},
    )
    assert activity(None, result, sent) == {
        "mac.useful": 7,
        "tiles": 1,
        "a.b_c": 2,
        "x.transfers": 3,
        "o.transfers": 2,
    }
