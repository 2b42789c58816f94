"""Steps: how long what enters a systolic array takes to get where."""

from dataclasses import dataclass

from designs.systolic import Dataflow, Reduction, ResolvePlace, SystolicParams


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """Of an array, in steps of one clock edge with `advance` high each.

    row, col: from a row to the one above, from a column to the one on its right; 0 where operands
    reach all of them at once. lane: from a lane of an element to the next; 0 but where their sums
    climb inside it. element: from an element's operands to the sum that they are in. add: from
    there to the word that is the result, where the element adds the words of its sum up. column:
    the same above a column.
    """

    row: int
    col: int
    lane: int
    element: int
    add: int
    column: int
    rows: int
    cols: int

    @classmethod
    def of(cls, params: SystolicParams) -> "Steps":
        """Those of the array that `params` describes."""
        p = params
        is_os = p.dataflow == Dataflow.OS
        climbs_inside = is_os and p.has_sum_chain
        adds_up = is_os and p.double_buffer and p.resolve == ResolvePlace.ELEMENT
        return cls(
            row=int(p.reduction == Reduction.CHAIN or is_os) * int(not (is_os and p.broadcast)),
            col=int(not p.broadcast),
            lane=int(climbs_inside),
            element=p.mac_stages + (p.depth if climbs_inside else 0),
            add=int(adds_up),
            column=int(p.is_carry_save and p.resolve == ResolvePlace.COLUMN),
            rows=p.grid_rows,
            cols=p.cols,
        )

    @property
    def spread(self) -> int:
        """From the element that operands reach first, at the bottom of column 0, to the last."""
        return (self.rows - 1) * self.row + (self.cols - 1) * self.col
