"""Units that work side by side, each through a list of instructions, and wait for each other."""

COUNT_BITS = 16
"""Width of the number of instructions of a unit that are done."""
