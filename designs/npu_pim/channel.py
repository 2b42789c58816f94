"""One channel of memory whose banks compute: its banks, its row buffers and its commands."""

import enum
from dataclasses import dataclass
from typing import ClassVar

from designs.elements import Element
from designs.npu_pim.timing import DramTiming
from designs.rules import Rule, boolean, check, choice, clog2, integer, maximum, nested, where

SUM_BITS = 32
"""Width of the sum of a bank: int32 where elements are int8, else float32."""


class RowBuffers(enum.IntEnum):
    """Row buffers of a bank.

    single: one, for accesses and for dot products, and a channel does either (Newton). dual: one
    for each, and a channel does both (NeuPIMs).
    """

    SINGLE = 0
    DUAL = 1


class Fidelity(enum.IntEnum):
    """Which distances hold behind a composite GEMV.

    as_published: those of the authors' simulator, which lets a row be closed, the vector be
    overwritten and the result come back before the dot products are done. corrected: those that
    the dot products need; and rows that are opened for them count in the window of four.
    """

    AS_PUBLISHED = 0
    CORRECTED = 1


class Precharge(enum.IntEnum):
    """What one command closes of the rows that dot products had: those of a bank, or all."""

    BANK = 0
    CHANNEL = 1


class Slack(enum.IntEnum):
    """What a controller takes a tile or a vector to need before the next refresh.

    published: the authors' estimate, which leaves more time than there has to be. exact: until its
    last command at the latest. postponed: nothing; a refresh that comes due waits for what has
    begun. JEDEC's standards of HBM and DDR4 allow that eight refreshes are owed; here it is one.
    """

    PUBLISHED = 0
    EXACT = 1
    POSTPONED = 2


class Turns(enum.IntEnum):
    """Refreshes of the ranks of a channel.

    staggered: rank after rank, and all banks stop for each. together: all ranks at once, which
    draw their current at once.
    """

    STAGGERED = 0
    TOGETHER = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class PimChannel:
    """Structure of one channel.

    Every bank has `lanes` multipliers behind its row buffer, an adder tree and a sum; all banks
    take the other operand from one vector buffer, as wide as a row. Products and sums are int32
    where elements are int8, else float32, and a result of floats is rounded to their format.
    """

    RULES: ClassVar[tuple[Rule["PimChannel"], ...]]

    ranks: int = integer(default=2, low=1, high=4, doc="ranks", unit="ranks")
    bank_groups: int = integer(default=4, low=1, high=8, doc="of a rank", unit="bank groups")
    banks_per_group: int = integer(default=4, low=1, high=8, doc="of a group", unit="banks")
    rows: int = integer(default=32768, low=2, high=2**20, doc="of a bank", unit="rows")
    row_bytes: int = integer(default=1024, low=2, high=2**16, doc="of a bank", unit="bytes")
    access_bytes: int = integer(default=64, low=1, high=1024, doc="of RD and WR", unit="bytes")
    lanes: int = integer(default=16, low=1, high=512, doc="multipliers of a bank", unit="lanes")
    element: Element = choice(default=Element.FP16, doc="format of a value: int8, fp16 or bf16")
    row_buffers: RowBuffers = choice(
        default=RowBuffers.DUAL, doc="row buffers of a bank: single or dual"
    )
    composite: bool = boolean(
        default=True, doc="one command for all steps of a dot product and its result"
    )
    precharge: Precharge = choice(
        default=Precharge.BANK, doc="rows that one command closes after dot products"
    )
    fidelity: Fidelity = choice(
        default=Fidelity.CORRECTED, doc="distances after a GEMV: as_published or corrected"
    )
    refresh: bool = boolean(default=True, doc="whether rows are refreshed, rank after rank")
    tag_bits: int = integer(
        default=8, low=1, high=32, doc="a number that an access brings back", unit="bits"
    )
    host_queue: int = integer(
        default=4, low=1, high=64, doc="accesses that wait for a bank", unit="accesses"
    )
    pim_queue: int = integer(
        default=8, low=1, high=256, doc="vectors and tiles that wait", unit="transactions"
    )
    timing: DramTiming = nested(default=DramTiming(), doc="timing parameters")
    mask: bool = boolean(
        default=False,
        doc="a write says which of its bytes it writes, as HBM's data mask does (JESD235A), whose "
        "pins ECC would take",
    )
    slack: Slack = choice(
        default=Slack.PUBLISHED, doc="time before a refresh that a vector or a tile has to have"
    )
    turns: Turns = choice(default=Turns.STAGGERED, doc="refreshes: staggered or together")
    strides: bool = boolean(
        default=False, doc="a tile says how far apart the columns of its results begin"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def groups(self) -> int:
        """Bank groups of all ranks."""
        return self.ranks * self.bank_groups

    @property
    def banks_per_rank(self) -> int:
        return self.bank_groups * self.banks_per_group

    @property
    def banks(self) -> int:
        """Of all ranks: bank b is in group b // banks_per_group, in rank b // banks_per_rank."""
        return self.ranks * self.banks_per_rank

    @property
    def capacity_bytes(self) -> int:
        return self.banks * self.rows * self.row_bytes

    @property
    def element_bytes(self) -> int:
        """A value of a row, and of the vector."""
        return where(self.element == Element.INT8, 1, 2)

    @property
    def result_bytes(self) -> int:
        """A dot product: int32 where elements are int8, else in their format."""
        return where(self.element == Element.INT8, SUM_BITS // 8, 2)

    @property
    def accesses(self) -> int:
        """Of a row, by which it is read or written whole."""
        return self.row_bytes // self.access_bytes

    @property
    def write_bits(self) -> int:
        """What a write has: its data and, above them, a bit for each byte if there is a mask."""
        return (8 + self.mask) * self.access_bytes

    @property
    def step_bytes(self) -> int:
        """Of a row, in one step of a dot product."""
        return self.lanes * self.element_bytes

    @property
    def least_read_cycles(self) -> int:
        """From READRES to the end of its data: a product, the adder tree and the sum come first."""
        return maximum(3, clog2(self.lanes) + 6 - self.timing.column_l_cycles)

    @property
    def row_elements(self) -> int:
        """Values of a row, and of the vector buffer."""
        return self.row_bytes // self.element_bytes

    @property
    def row_steps(self) -> int:
        """Steps of a dot product that takes a whole row."""
        return self.row_bytes // self.step_bytes

    @property
    def tile_bytes(self) -> int:
        """A row of every bank."""
        return self.banks * self.row_bytes

    @property
    def tiles(self) -> int:
        """Rows of all banks together that the channel has."""
        return self.rows

    @property
    def macs_per_step(self) -> int:
        """Of all banks."""
        return self.banks * self.lanes

    @property
    def mac_slots_per_cycle(self) -> int:
        """Multipliers; each works once in a step, which takes `column_l_cycles`."""
        return self.macs_per_step

    @property
    def refresh_turns(self) -> int:
        """Times in an interval at which ranks are refreshed: each has its own, or all have one."""
        return where(self.turns == Turns.TOGETHER, 1, self.ranks)

    @property
    def refreshed_ranks(self) -> int:
        """That are refreshed at one of them, one right after the other."""
        return self.ranks // self.refresh_turns

    @property
    def refresh_cycles(self) -> int:
        """From one of them to the next."""
        return self.timing.refi_cycles // self.refresh_turns

    @property
    def reserves(self) -> bool:
        """Whether a vector or a tile begins only if there is time for it before a refresh."""
        return self.refresh & (self.slack != Slack.POSTPONED)

    @property
    def longest_tile_cycles(self) -> int:
        """What a controller reserves at most: for a tile of single steps, all rows to be closed."""
        t = self.timing
        opening = t.faw_cycles * (self.bank_groups - 1) + t.rcd_rd_cycles
        work = t.column_l_cycles * (maximum(self.row_steps, t.tree_steps) + self.row_steps - 1)
        return t.rtp_cycles * self.banks + opening + work

    @property
    def gwrite_cycles(self) -> int:
        """That the copy of a row to the vector buffer takes."""
        return self.timing.gwrite_step_cycles * self.row_steps


PimChannel.RULES = (
    Rule(
        key="row_bytes",
        holds=lambda p: p.row_bytes % p.step_bytes == 0,
        sentence="row_bytes must be a multiple of lanes * element_bytes = {p.step_bytes}, "
        "not {p.row_bytes}",
    ),
    Rule(
        key="row_bytes",
        holds=lambda p: p.row_bytes % p.access_bytes == 0,
        sentence="row_bytes must be a multiple of access_bytes = {p.access_bytes}, "
        "not {p.row_bytes}",
    ),
    Rule(
        key="row_bytes",
        holds=lambda p: p.row_bytes > p.step_bytes,
        sentence="row_bytes must be more than lanes * element_bytes = {p.step_bytes}, "
        "for a row is read in steps, not {p.row_bytes}",
    ),
    Rule(
        key="row_bytes",
        holds=lambda p: p.row_bytes > p.access_bytes,
        sentence="row_bytes must be more than access_bytes = {p.access_bytes}, "
        "for a row has columns, not {p.row_bytes}",
    ),
    Rule(
        key="banks_per_group",
        holds=lambda p: p.banks > 1,
        sentence="banks_per_group must be more than 1 where there is one rank of one bank group, "
        "not {p.banks_per_group}",
    ),
    Rule(
        key="access_bytes",
        holds=lambda p: p.banks * p.result_bytes <= p.access_bytes,
        sentence="access_bytes must be at least {p.banks} banks * {p.result_bytes} bytes of a "
        "result, for results of all banks come in one access, not {p.access_bytes}",
    ),
    Rule(
        key="precharge",
        holds=lambda p: (p.row_buffers == RowBuffers.DUAL) | (p.precharge == Precharge.BANK),
        sentence="precharge must be bank where row_buffers is single, for rows of accesses are in "
        "the buffers that one command would close, not channel",
    ),
    Rule(
        key="timing",
        holds=lambda p: p.timing.read_cycles >= p.least_read_cycles,
        sentence="timing.rl_cycles + burst_cycles must be at least {p.least_read_cycles}, for sums "
        "of {p.lanes} lanes to be there when they are read, not {p.timing.read_cycles}",
    ),
    Rule(
        key="timing",
        holds=lambda p: (
            (p.refresh ^ True)
            | (p.refresh_cycles > p.timing.rfc_cycles + p.timing.rc_cycles + p.longest_tile_cycles)
        ),
        sentence="timing.refi_cycles / {p.refresh_turns} must be more than rfc_cycles + rc_cycles "
        "+ a tile's {p.longest_tile_cycles}, for a tile fits between refreshes, "
        "not {p.refresh_cycles}",
    ),
)

CIRCUIT_RULES: tuple[Rule[PimChannel], ...] = (
    Rule(
        key="fidelity",
        holds=lambda p: p.fidelity == Fidelity.CORRECTED,
        sentence="fidelity must be corrected where a channel computes, for a row is closed when it "
        "has been read, not as_published",
    ),
    Rule(
        key="slack",
        holds=lambda p: p.slack != Slack.EXACT,
        sentence="slack must be published or postponed where a channel computes, for no controller "
        "knows exactly how long a tile takes, not exact",
    ),
)
"""What holds for a channel of which there is a circuit; of the others there are models."""
