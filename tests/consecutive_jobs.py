"""Jobs that follow each other through one core."""

from itertools import islice

from sim.pysim import simulate
from sim.streams import Pause, Plan, SimResult

PORTS = ("job", "a", "w")


def outcomes(core, plans, stalled=False):
    """What a core gives for each plan, where all come at once; `stalled`: any stream may pause."""
    together = Plan(
        interface=plans[0].interface,
        transfers={port: [word for one in plans for word in one.transfers[port]] for port in PORTS},
        expected={"o": sum(one.expected["o"] for one in plans)},
        pauses={port: Pause(probability=0.4, seed=1) for port in (*PORTS, "o") if stalled},
    )
    words = iter(simulate(core, together).payloads["o"])
    return [outcome(list(islice(words, one.expected["o"]))) for one in plans]


def outcome(words):
    """A simulation of which only the results are known."""
    return SimResult(
        cycles=0, simulated_cycles=0, payloads={"o": words}, transfer_cycles={}, activity={}
    )
