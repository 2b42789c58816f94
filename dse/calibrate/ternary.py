"""Microbenchmarks of ternary columns: reads of tables of sums, and adders with a carry."""

from dse.calibrate.primitives import Circuit, module


def table_read(bits: int, entries: int) -> Circuit:
    """A word of a table by a key, whose sign inverts it."""
    return _read("table_read", bits, entries, f"{{{bits}{{k[{entries.bit_length()}]}}}}")


def float_read(bits: int, entries: int) -> Circuit:
    """A word of a table by a key, whose sign inverts the top bit."""
    return _read("float_read", bits, entries, f"{{k[{entries.bit_length()}], {bits - 1}'d0}}")


def _read(name: str, bits: int, entries: int, inverted: str) -> Circuit:
    """The words whose index it is, gated and put together: none, so zero, past the last."""
    index_bits = entries.bit_length()
    index = f"k[{index_bits - 1}:0]"
    words = {f"w{entry}": bits for entry in range(entries)}
    lines = [f"reg [{bits - 1}:0] r;", "always @* begin", f"  r = {bits}'d0;"]
    lines += [f"  r = r | w{entry} & {{{bits}{{{index} == {entry}}}}};" for entry in range(entries)]
    lines += ["end", f"assign y = r ^ {inverted};"]
    return module(f"{name}_{bits}_{entries}", {"k": index_bits + 1} | words, {"y": bits},
                  "\n  ".join(lines))  # fmt: skip


def carry_adder(bits: int, _: int) -> Circuit:
    """The sum of two signed words and a carry, which comes in below them."""
    inputs = {"a": bits - 1, "b": bits - 1, "c": 1}
    return module(f"carry_adder_{bits}", inputs, {"y": bits}, _sum("y", bits, "a", "b", "c"))


def carry_tree(bits: int) -> Circuit:
    """Such a sum of two such sums of a bit less."""
    sums = [f"wire [{bits - 2}:0] {name};" for name in "st"]
    sums += [_sum("s", bits - 1, "a", "b", "c"), _sum("t", bits - 1, "d", "e", "f")]
    inputs = dict.fromkeys("abde", bits - 2) | dict.fromkeys("cfg", 1)
    body = "\n  ".join([*sums, _sum("y", bits, "s", "t", "g")])
    return module(f"carry_tree_{bits}", inputs, {"y": bits}, body)


def _sum(name: str, bits: int, a: str, b: str, carry: str) -> str:
    """A word is the sum of two of a bit less and a carry."""
    low = bits - 2
    return (
        f"wire [{bits}:0] {name}_raised = {{{a}[{low}], {a}, 1'b1}} + {{{b}[{low}], {b}, {carry}}};"
        f"\n  assign {name} = {name}_raised[{bits}:1];"
    )
