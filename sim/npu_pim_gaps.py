"""The minimum distances of a channel's commands, in plain form: the published table, and its holes.

Source: the distances that the simulator of Heo et al., "NeuPIMs", ASPLOS 2024, enforces, with those
that it leaves out: a composite GEMV reads rows and vector up to its last step, and a row is copied
after what was written is there. `designs.npu_pim.distances` has no part in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from designs.npu_pim.channel import PimChannel, Precharge, RowBuffers

ANYWHERE = "BGRC"
"""Two banks are the same (B), of a group (G), of a rank (R), or of two ranks of the channel (C)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A command on the bus, by its name; `bank` is the first of those concerned.

    row: of act and g_act. steps: of gemv.
    """

    cycle: int
    command: str
    bank: int
    row: int = 0
    steps: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """`after` comes at least `cycles` behind `before`, if their banks are `near` each other."""

    before: str
    after: str
    near: str
    cycles: int
    per_step: int = 0


def gaps(channel: PimChannel) -> Iterator[Gap]:
    """The rules of a channel, in the order of the published table."""
    t, single = channel.timing, channel.row_buffers == RowBuffers.SINGLE
    near, far = max(t.burst_cycles, t.ccd_l_cycles), max(t.burst_cycles, t.ccd_s_cycles)
    written, turn = t.wl_cycles + t.burst_cycles, t.rl_cycles + t.burst_cycles + t.rtrs_cycles
    busy = (t.ccd_s_cycles + t.ccd_l_cycles) * (channel.row_bytes // channel.step_bytes)
    close = "pre" if single else "pim_pre"
    rows = [
        ("act", "act", "B", t.rc_cycles),
        ("act", "act", "G", t.rrd_l_cycles),
        ("act", "act", "R", t.rrd_s_cycles),
        ("act", "rd gwrite", "B", t.rcd_rd_cycles),
        ("act", "wr", "B", t.rcd_wr_cycles),
        ("act", "pre", "B", t.ras_cycles),
        ("act", "g_act", "B", t.rc_cycles if single else t.rrd_l_cycles),
        ("act", "g_act", "G", t.rrd_l_cycles),
        ("act", "g_act", "R", t.rrd_s_cycles),
        ("rd", "rd gwrite", "BG", near),
        ("rd", "rd gwrite", "R", far),
        ("rd", "rd gwrite", "C", t.burst_cycles + t.rtrs_cycles),
        ("rd", "wr", ANYWHERE, turn - t.wl_cycles),
        ("rd", "pre", "B", t.rtp_cycles),
        ("rd", "gemv comp", "BG", near if single else 0),
        ("rd", "gemv comp", "RC", far),
        ("wr", "rd", "BG", written + t.wtr_l_cycles),
        ("wr", "rd", "R", written + t.wtr_s_cycles),
        ("wr", "wr", "BG", near),
        ("wr", "wr", "R", far),
        ("wr", "wr", "C", t.burst_cycles),
        ("wr", "pre", "B", written + t.wr_cycles),
        ("wr", "gemv comp", "BG", written + t.wtr_l_cycles if single else 0),
        ("wr", "gemv comp", "RC", written + t.wtr_s_cycles),
        ("wr", "gwrite", "B", written + t.wtr_l_cycles),
        ("pre", "act ref", "B", t.rp_cycles),
        ("g_act", "g_act act", "BGR", t.faw_cycles),
        ("g_act", "g_act", "BG", t.rc_cycles),
        ("g_act", "gemv comp", "B", t.rcd_rd_cycles),
        ("g_act", close, "B", t.ras_cycles),
        ("gemv", "rd", ANYWHERE, t.burst_cycles + t.rtrs_cycles),
        ("gemv", "wr", ANYWHERE, turn - t.wl_cycles),
        ("comp", "comp readres rd gwrite", ANYWHERE, near),
        ("comp readres", "wr", ANYWHERE, turn - t.wl_cycles),
        ("comp readres", close, "B", t.rtp_cycles),
        ("readres", "rd comp", ANYWHERE, near),
        ("readres", "g_act", "B", t.rtp_cycles + t.rp_cycles),
        (close, "g_act ref", "B", t.rp_cycles),
        ("gwrite", "rd wr pre", "B", busy),
        ("gwrite", "gemv comp readres gwrite", ANYWHERE, busy),
        ("gwrite", "rd", "GRC", near),
        ("gwrite", "wr", "GRC", turn - t.wl_cycles),
        ("ref", "act g_act ref", "BGR", t.rfc_cycles),
    ]
    for befores, afters, where, cycles in rows:
        for before in befores.split():
            for after in afters.split():
                yield Gap(before=before, after=after, near=where, cycles=cycles)
    # What the table has wrong: until its last step a composite GEMV reads rows and vector.
    last = t.rtp_cycles - near
    yield Gap(before="gemv", after=close, near="B", cycles=last, per_step=near)


class Places:
    """The banks of a channel, by what commands are about and by how near they are."""

    def __init__(self, channel: PimChannel) -> None:
        self._sizes = {"g_act": channel.banks_per_group, "ref": channel.banks_per_rank}
        self._sizes |= dict.fromkeys(("gemv", "comp", "readres"), channel.banks)
        if channel.precharge == Precharge.CHANNEL:
            self._sizes["pim_pre"] = channel.banks
        self._group, self._rank = channel.banks_per_group, channel.banks_per_rank
        self._near: dict[tuple[range, range], set[str]] = {}

    def concerned(self, seen: Seen) -> range:
        """The banks that a command is about."""
        size = self._sizes.get(seen.command, 1)
        first = seen.bank // size * size
        return range(first, first + size)

    def near(self, banks: range, others: range) -> set[str]:
        """How near any of the banks is to any of the others."""
        if (banks, others) not in self._near:
            found = {self._nearness(one, other) for one in banks for other in others}
            self._near[banks, others] = found
        return self._near[banks, others]

    def _nearness(self, one: int, other: int) -> str:
        if one == other:
            return "B"
        if one // self._group == other // self._group:
            return "G"
        return "R" if one // self._rank == other // self._rank else "C"
