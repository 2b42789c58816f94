"""A channel in which host and dot products meet at a row, and channels that break a rule."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from amaranth.hdl import Signal
from npu_pim_grid import POINTS

from designs.npu_pim.distances import Command, distances
from designs.npu_pim.program import PimKind, PimTransaction, program
from hwgen.npu_pim import PimChannelCore, waits
from hwgen.npu_pim.interface import host_layout, pim_layout
from hwgen.npu_pim.tile_unit import TileUnit
from sim import bench_npu_pim
from sim.golden.npu_pim import channel, contents, products
from sim.npu_pim_monitor import violations
from sim.outputs import difference
from sim.packing import unpacked
from sim.pysim import Simulation, simulate
from sim.streams import Pause, SimulationError

PARAMS, WORK = POINTS["two_banks"]
WORD = 0x0123456789ABCDEF
WRITTEN = WORD.to_bytes(8, "little")
"""What the host writes: as much as an access has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Late(Pause):
    """Nothing before so many cycles."""

    cycles: int = 0

    def pattern(self, port: str) -> Callable[[], bool]:
        left = iter(range(self.cycles))
        return lambda: next(left, None) is not None


@pytest.fixture(scope="module")
def simulation():
    return Simulation(PimChannelCore(PARAMS))


def meeting(late):
    """A plan in which the host writes into the row of a tile and reads it back, and what it writes.

    late: pauses. The row is multiplied three times with a vector.
    """
    _, inputs = bench_npu_pim.operands(PARAMS, WORK, 5)
    sent = bench_npu_pim.plan(PARAMS, WORK, inputs, pauses=late)
    vector, tile = program(PARAMS, WORK).pim[:2]
    assert (vector.kind, tile.kind) == (PimKind.VECTOR, PimKind.TILE)
    layout, pim = host_layout(PARAMS), [vector, tile, tile, tile]
    host = [{"write": 1, "data": WORD}, {"write": 0, "tag": 1}]
    place = {"bank": 1, "row": tile.row, "column": 0}
    transfers = {
        "host": [layout.const(place | one).as_bits() for one in host],
        "pim": [bits(one) for one in pim],
    }
    expected = {"read": 1, "result": 3 * tile.results}
    return replace(sent, transfers={**sent.transfers, **transfers}, expected=expected), inputs, pim


def bits(one: PimTransaction):
    fields = {name: getattr(one, name) for name in ("kind", "bank", "row")}
    counts = {"steps": one.steps - 1, "results": one.results - 1}
    return pim_layout(PARAMS).const(fields | counts).as_bits()


@pytest.mark.parametrize(
    ("port", "cycles", "new_count"),
    [("pim", 60, 3), ("host", 0, 3), ("host", 12, 3), ("host", 18, 0), ("host", 75, 0)],
)
def test_a_row_is_written_before_a_tile_or_after_it(simulation, port, cycles, new_count):
    """Each of three tiles finds the row as it was, or else as it is written."""
    sent, inputs, pim = meeting({port: Late(cycles=cycles)})
    result = simulation.play(sent)
    assert violations(PARAMS, bench_npu_pim.watched(PARAMS, result)) == []
    rows = contents(PARAMS, WORK, inputs)
    written = rows.copy()
    written[pim[1].row, 1, : len(WRITTEN)] = list(WRITTEN)
    old, new = (products(PARAMS, one, pim[:2]).tolist() for one in (rows, written))
    assert old != new
    found = unpacked(result.payloads["result"], PARAMS.banks, 8 * PARAMS.result_bytes, True)
    tiles = found.reshape(3, len(old), PARAMS.banks).tolist()
    assert tiles == [old] * (3 - new_count) + [new] * new_count
    assert result.payloads["read"] == [WORD << PARAMS.tag_bits | 1]


def without(*pairs):
    """Distances from which those between these commands are missing."""

    def found(channel):
        return tuple(row for row in distances(channel) if (row.before, row.after) not in pairs)

    return found


def too_early(channel):
    """A row is closed as soon behind a composite GEMV as the authors' simulator does."""
    for row in distances(channel):
        is_hole = (row.before, row.after) == (Command.GEMV, Command.PIM_PRE)
        yield replace(row, cycles=channel.timing.rtp_cycles, per_step=0) if is_hole else row


def is_caught(params, work, sentence):
    """The monitor says so; and whether, without it, what comes out is wrong as well."""
    inputs = bench_npu_pim.operands(params, work, 1)
    result = simulate(PimChannelCore(params), bench_npu_pim.plan(params, *inputs))
    with pytest.raises(SimulationError, match=sentence):
        bench_npu_pim.results(params, work, result)
    unwatched = bench_npu_pim.results(params, work, replace(result, traces={}))
    return difference(unwatched, channel(params, *inputs)) != ""


def test_a_row_that_is_closed_before_its_last_step_is_caught_and_breaks_data(monkeypatch):
    monkeypatch.setattr(waits, "distances", lambda channel: tuple(too_early(channel)))
    work = replace(WORK, keys=16, accesses=0)
    assert is_caught(PARAMS, work, "pim_pre of bank 0 is 5 behind gemv of bank 0, not 9")


def test_a_refresh_that_does_not_wait_is_caught(monkeypatch):
    """For rows to be closed: PRE and PIM_PRE to REF."""
    missing = ((Command.PIM_PRE, Command.REF), (Command.PRE, Command.REF))
    monkeypatch.setattr(waits, "distances", without(*missing))
    params = replace(PARAMS, timing=replace(PARAMS.timing, refi_cycles=100))
    is_caught(params, WORK, "ref of bank 0 is . behind p.*re of bank ., not 4")


def test_a_tile_that_does_not_close_its_row_in_the_other_buffer_is_caught(monkeypatch):
    elaborate = TileUnit.elaborate

    def deaf(self, platform):
        self.row_open = Signal(self.params.banks)
        return elaborate(self, platform)

    monkeypatch.setattr(TileUnit, "elaborate", deaf)
    is_caught(PARAMS, replace(WORK, accesses=60), "g_act .* in its other row buffer as well")
