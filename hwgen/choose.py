"""One of many: words, and bits of a word."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Mux, Value

from designs.rules import clog2


def choose(words: Sequence[Value], index: Value) -> Value:
    """`words[index]`, by a tree of two-way muxes."""
    if len(words) == 1:
        return words[0]
    level = clog2(len(words)) - 1
    low, high = words[: 1 << level], words[1 << level :]
    return Mux(index[level], choose(high, index), choose(low, index))


def gated(words: Sequence[Value], enables: Sequence[Value]) -> Value:
    """The word whose enable is high, 0 where none is; no two are."""
    total: Value = Const(0, 1)
    for word, enable in zip(words, enables, strict=True):
        total |= word & enable.replicate(len(word))
    return total


def lowest(word: Value) -> tuple[Value, Value]:
    """The lowest high bit of a word alone, and the word without it."""
    below = Cat(word[:index].any() for index in range(len(word)))
    return word & ~below, word & below


def place(one_hot: Value) -> Value:
    """The number of the bit that is high; 0 where none is."""
    bits = len(one_hot)
    return Cat(
        Cat(one_hot[index] for index in range(bits) if index >> digit & 1).any()
        for digit in range(clog2(bits))
    )
