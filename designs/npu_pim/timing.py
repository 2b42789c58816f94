"""Timing parameters of a DRAM whose banks compute, in cycles of its command clock.

Names are those of the JEDEC standards without the t: `rcd_rd_cycles` is tRCDRD. Default values are
an HBM2 of 8 Gb at 1 ns, as NeuPIMs (Heo et al., ASPLOS 2024) is evaluated with: file
`HBM2_8Gb_x128_dualpim.ini` of github.com/casys-kaist/NeuPIMs. `designs.npu_pim.distances` has what
follows from them for each pair of commands.
"""

from dataclasses import dataclass
from typing import ClassVar

from designs.rules import Rule, check, integer, maximum

_MAX = 2**16

_UNIT = "cycles"


@dataclass(frozen=True, kw_only=True, slots=True)
class DramTiming:
    """What the standards call the AC timing of a channel, and the latency of its adder trees."""

    RULES: ClassVar[tuple[Rule["DramTiming"], ...]]

    burst_cycles: int = integer(default=2, low=1, high=_MAX, doc="data bus, one access", unit=_UNIT)
    rl_cycles: int = integer(default=14, low=1, high=_MAX, doc="RD to its data", unit=_UNIT)
    wl_cycles: int = integer(default=4, low=1, high=_MAX, doc="WR to its data", unit=_UNIT)
    rcd_rd_cycles: int = integer(
        default=14, low=2, high=_MAX, doc="row opened to column read", unit=_UNIT
    )
    rcd_wr_cycles: int = integer(
        default=14, low=2, high=_MAX, doc="row opened to column written", unit=_UNIT
    )
    rp_cycles: int = integer(default=14, low=1, high=_MAX, doc="row closed", unit=_UNIT)
    ras_cycles: int = integer(default=34, low=1, high=_MAX, doc="row open at least", unit=_UNIT)
    rc_cycles: int = integer(
        default=48, low=1, high=_MAX, doc="row opened to next row opened", unit=_UNIT
    )
    rfc_cycles: int = integer(default=260, low=1, high=_MAX, doc="refresh of a rank", unit=_UNIT)
    refi_cycles: int = integer(
        default=3900, low=1, high=_MAX, doc="refresh of a rank to its next", unit=_UNIT
    )
    rrd_s_cycles: int = integer(
        default=4, low=1, high=_MAX, doc="rows opened in two bank groups", unit=_UNIT
    )
    rrd_l_cycles: int = integer(
        default=6, low=1, high=_MAX, doc="rows opened in one bank group", unit=_UNIT
    )
    faw_cycles: int = integer(
        default=30, low=1, high=_MAX, doc="window of four rows opened in a rank", unit=_UNIT
    )
    ccd_s_cycles: int = integer(
        default=1, low=1, high=_MAX, doc="columns of two bank groups", unit=_UNIT
    )
    ccd_l_cycles: int = integer(
        default=2, low=1, high=_MAX, doc="columns of one bank group", unit=_UNIT
    )
    wtr_s_cycles: int = integer(
        default=6, low=0, high=_MAX, doc="data written to RD, two bank groups", unit=_UNIT
    )
    wtr_l_cycles: int = integer(
        default=8, low=0, high=_MAX, doc="data written to RD, one bank group", unit=_UNIT
    )
    wr_cycles: int = integer(
        default=16, low=0, high=_MAX, doc="data written to row closed", unit=_UNIT
    )
    rtp_cycles: int = integer(
        default=5, low=1, high=_MAX, doc="column read to row closed", unit=_UNIT
    )
    rtrs_cycles: int = integer(
        default=2, low=0, high=_MAX, doc="data bus, from one driver to another", unit=_UNIT
    )
    tree_steps: int = integer(
        default=6,
        low=1,
        high=64,
        doc="steps of a composite GEMV that fill its adder trees",
        unit="steps",
    )
    tree_cycles: int = integer(
        default=6, low=1, high=_MAX, doc="first COMP of a sum to READRES", unit=_UNIT
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def column_s_cycles(self) -> int:
        """Between columns of two bank groups: a burst fills the bus."""
        return maximum(self.burst_cycles, self.ccd_s_cycles)

    @property
    def column_l_cycles(self) -> int:
        """Between columns of one bank group, and between steps of a dot product."""
        return maximum(self.burst_cycles, self.ccd_l_cycles)

    @property
    def read_cycles(self) -> int:
        """RD to the end of its data."""
        return self.rl_cycles + self.burst_cycles

    @property
    def write_cycles(self) -> int:
        """WR to the end of its data."""
        return self.wl_cycles + self.burst_cycles

    @property
    def turn_cycles(self) -> int:
        """RD to a WR whose data come after the bus was turned round."""
        return maximum(self.read_cycles + self.rtrs_cycles - self.wl_cycles, self.burst_cycles)

    @property
    def gwrite_step_cycles(self) -> int:
        """Of GWRITE, for as much of the row as a step of a dot product takes."""
        return self.ccd_s_cycles + self.ccd_l_cycles


DramTiming.RULES = (
    Rule(
        key="rc_cycles",
        holds=lambda p: p.rc_cycles >= p.ras_cycles + p.rp_cycles,
        sentence="rc_cycles must be at least ras_cycles + rp_cycles = {p.ras_cycles} + "
        "{p.rp_cycles}, not {p.rc_cycles}",
    ),
    Rule(
        key="ras_cycles",
        holds=lambda p: p.ras_cycles >= p.rcd_rd_cycles,
        sentence="ras_cycles must be at least rcd_rd_cycles = {p.rcd_rd_cycles}, for a row is open "
        "when it is read, not {p.ras_cycles}",
    ),
    Rule(
        key="ras_cycles",
        holds=lambda p: p.ras_cycles >= p.rcd_wr_cycles,
        sentence="ras_cycles must be at least rcd_wr_cycles = {p.rcd_wr_cycles}, for a row is open "
        "when it is written, not {p.ras_cycles}",
    ),
    Rule(
        key="rrd_l_cycles",
        holds=lambda p: p.rrd_l_cycles >= p.rrd_s_cycles,
        sentence="rrd_l_cycles must be at least rrd_s_cycles = {p.rrd_s_cycles}, "
        "not {p.rrd_l_cycles}",
    ),
    Rule(
        key="ccd_l_cycles",
        holds=lambda p: p.ccd_l_cycles >= p.ccd_s_cycles,
        sentence="ccd_l_cycles must be at least ccd_s_cycles = {p.ccd_s_cycles}, "
        "not {p.ccd_l_cycles}",
    ),
    Rule(
        key="wtr_l_cycles",
        holds=lambda p: p.wtr_l_cycles >= p.wtr_s_cycles,
        sentence="wtr_l_cycles must be at least wtr_s_cycles = {p.wtr_s_cycles}, "
        "not {p.wtr_l_cycles}",
    ),
    Rule(
        key="faw_cycles",
        holds=lambda p: p.faw_cycles >= p.rrd_s_cycles,
        sentence="faw_cycles must be at least rrd_s_cycles = {p.rrd_s_cycles}, not {p.faw_cycles}",
    ),
    Rule(
        key="rl_cycles",
        holds=lambda p: p.rl_cycles >= p.wl_cycles,
        sentence="rl_cycles must be at least wl_cycles = {p.wl_cycles}, not {p.rl_cycles}",
    ),
    Rule(
        key="refi_cycles",
        holds=lambda p: p.refi_cycles > p.rfc_cycles + p.rc_cycles,
        sentence="refi_cycles must be more than rfc_cycles + rc_cycles = {p.rfc_cycles} + "
        "{p.rc_cycles}, for rows are opened between two refreshes, not {p.refi_cycles}",
    ),
)
