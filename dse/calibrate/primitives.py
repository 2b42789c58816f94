"""Microbenchmarks: each primitive by widths, as a small module in the context that designs use.

Registers share one enable or reset over the word; a narrower operand of an adder is sign-extended,
as a product is; a counter adds or subtracts a constant; a table has random contents from a fixed
seed.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Circuit:
    """A module of Verilog, called `name`."""

    name: str
    verilog: str


def module(name: str, inputs: Mapping[str, int], outputs: Mapping[str, int], body: str) -> Circuit:
    """A circuit from the widths of its ports and its statements; a clocked one has an input clk."""
    ports = [f"input [{width - 1}:0] {port}" for port, width in inputs.items() if port != "clk"]
    ports += ["input clk"] if "clk" in inputs else []
    kind = "output reg" if "clk" in inputs else "output"
    ports += [f"{kind} [{width - 1}:0] {port}" for port, width in outputs.items()]
    head = ",\n  ".join(ports)
    return Circuit(name, f"module {name} (\n  {head}\n);\n  {body}\nendmodule\n")


def register(bits: int, *, enable: bool = False, reset: bool = False) -> Circuit:
    """A word of flip-flops, all with the same enable and the same synchronous reset."""
    inputs = {"clk": 1} | ({"e": 1} if enable else {}) | ({"r": 1} if reset else {}) | {"d": bits}
    write = "if (e) q <= d;" if enable else "q <= d;"
    write = f"if (r) q <= {bits}'d0; else {write}" if reset else write
    name = "register" + ("_enable" if enable else "") + ("_reset" if reset else "")
    return module(f"{name}_{bits}", inputs, {"q": bits}, f"always @(posedge clk) {write}")


def adder(bits: int, carried: int) -> Circuit:
    """An adder; with `carried`, an unsigned one whose second operand has so many bits less."""
    if carried:
        body = f"assign y = a + {{{carried}'d0, b}};"
        return module(
            f"adder_{bits}_{carried}", {"a": bits, "b": bits - carried}, {"y": bits}, body
        )
    body = "assign y = $signed(a) + $signed(b);"
    return module(f"adder_{bits}", {"a": bits, "b": _narrow(bits)}, {"y": bits}, body)


def adder_register(bits: int) -> Circuit:
    """An adder, and a register with enable that takes its result."""
    inputs = {"clk": 1, "e": 1, "a": bits, "b": _narrow(bits)}
    body = "always @(posedge clk) if (e) q <= $signed(a) + $signed(b);"
    return module(f"adder_register_{bits}", inputs, {"q": bits}, body)


def _narrow(bits: int) -> int:
    return max(2, (2 * bits + 2) // 3)


def subtractor(bits: int, _: int) -> Circuit:
    return module(f"subtractor_{bits}", {"a": bits, "b": bits}, {"y": bits}, "assign y = a - b;")


def counter(sign: str, bits: int) -> tuple[Circuit, ...]:
    """A constant added or subtracted: one, and an odd number of half as many bits."""
    name = {"+": "incrementer", "-": "decrementer"}[sign]
    odd = random.Random(bits).randrange(2 ** (bits // 2)) | 1
    return tuple(
        module(f"{name}_{bits}_by_{step}", {"a": bits}, {"y": bits}, f"assign y = a {sign} {step};")
        for step in sorted({1, odd})
    )


def multiplier(
    a_bits: int, b_bits: int, *, a_signed: bool = True, b_signed: bool = True
) -> Circuit:
    """A product of all its bits; an unsigned operand beside a signed one has a zero before it."""
    is_signed = a_signed or b_signed
    words = {
        "a": "a" if not is_signed else "$signed(a)" if a_signed else "$signed({1'b0, a})",
        "b": "b" if not is_signed else "$signed(b)" if b_signed else "$signed({1'b0, b})",
    }
    name = "".join("s" if signed else "u" for signed in (a_signed, b_signed))
    return module(
        f"multiplier_{name}_{a_bits}_{b_bits}",
        {"a": a_bits, "b": b_bits},
        {"y": a_bits + b_bits},
        f"assign y = {words['a']} * {words['b']};",
    )


def multiply_add(bits: int, sum_bits: int) -> Circuit:
    """An adder behind a multiplier of two signed operands."""
    body = "assign y = $signed(c) + $signed(a) * $signed(b);"
    inputs = {"a": bits, "b": bits, "c": sum_bits}
    return module(f"multiply_add_{bits}_{sum_bits}", inputs, {"y": sum_bits}, body)


def accumulate(bits: int, sum_bits: int) -> Circuit:
    """A multiplier, an adder, and a register with enable whose sum starts again on `first`."""
    body = (
        "always @(posedge clk)\n    if (e) q <= $signed(first ? "
        f"{sum_bits}'sd0 : $signed(q)) + $signed(a) * $signed(b);"
    )
    inputs = {"clk": 1, "e": 1, "first": 1, "a": bits, "b": bits}
    return module(f"accumulate_{bits}_{sum_bits}", inputs, {"q": sum_bits}, body)


def result(bits: int, _: int = 0) -> Circuit:
    """A register with two sources, each with an enable of its own below a common one."""
    body = "always @(posedge clk) if (e) begin if (l) q <= a; else if (s) q <= b; end"
    inputs = {"clk": 1, "e": 1, "l": 1, "s": 1, "a": bits, "b": bits}
    return module(f"result_{bits}", inputs, {"q": bits}, body)


def mux(bits: int, other: int) -> Circuit:
    """A tree of two-way multiplexers, each level steered by a bit of the selection."""
    select = other.bit_length()

    def tree(low: int, high: int, level: int) -> str:
        if low == high:
            return f"w{low}"
        middle = low + 2**level
        if middle > high:
            return tree(low, high, level - 1)
        lower, upper = tree(low, middle - 1, level - 1), tree(middle, high, level - 1)
        return f"(s[{level}] ? {upper} : {lower})"

    words = {f"w{way}": bits for way in range(other + 1)}
    body = f"assign y = {tree(0, other, select - 1)};"
    return module(f"mux_{bits}_{other + 1}", {"s": select} | words, {"y": bits}, body)


def gate(bits: int, _: int) -> Circuit:
    inputs = {"s": 1, "a": bits}
    return module(f"gate_{bits}", inputs, {"y": bits}, f"assign y = a & {{{bits}{{s}}}};")


def xor(bits: int, _: int) -> Circuit:
    return module(f"xor_{bits}", {"a": bits, "b": bits}, {"y": bits}, "assign y = a ^ b;")


def comparator(bits: int, _: int) -> Circuit:
    return module(f"comparator_{bits}", {"a": bits, "b": bits}, {"y": 1}, "assign y = a == b;")


def reduction(bits: int, _: int) -> Circuit:
    return module(f"reduction_{bits}", {"a": bits}, {"y": 1}, "assign y = |a;")


def half_adder(bits: int, _: int) -> Circuit:
    body = "assign s = a ^ b;\n  assign k = a & b;"
    return module(f"half_adder_{bits}", dict.fromkeys("ab", bits), {"s": bits, "k": bits}, body)


TREE_WORDS, TREE_ROWS, TREE_LEVELS = 13, 11, 5
"""A tree of full adders: words that it adds, rows of full adders in it, and on its longest way."""


def compressor_tree(bits: int, _: int = 0) -> Circuit:
    """Many words to two by rows of full adders, the words that are there first added first.

    What carries out of the top comes in at the bottom, so that all columns are alike.
    """
    waiting = [f"w{word}" for word in range(TREE_WORDS)]
    lines = []
    for row in range(TREE_ROWS):
        a, b, c, *waiting = waiting
        lines += [
            f"wire [{bits - 1}:0] s{row} = {a} ^ {b} ^ {c};",
            f"wire [{bits - 1}:0] m{row} = {a} & {b} | {a} & {c} | {b} & {c};",
            f"wire [{bits - 1}:0] k{row} = {{m{row}, m{row}}} >> {bits - 1};",
        ]
        waiting += [f"s{row}", f"k{row}"]
    lines += [f"assign {port} = {word};" for port, word in zip("sk", waiting, strict=True)]
    words = {f"w{word}": bits for word in range(TREE_WORDS)}
    return module(f"compressor_tree_{bits}", words, {"s": bits, "k": bits}, "\n  ".join(lines))


def compressor_4_2(bits: int, _: int) -> Circuit:
    """Two rows of full adders; the carries of the first go to the next column of the second."""
    body = (
        f"wire [{bits - 1}:0] t = a ^ b ^ c;\n"
        f"  wire [{bits}:0] h = {{a & b | a & c | b & c, 1'b0}};\n"
        f"  wire [{bits - 1}:0] g = h[{bits - 1}:0];\n"
        "  assign s = t ^ d ^ g;\n  assign k = t & d | t & g | d & g;\n"
        f"  assign o = h[{bits}];"
    )
    inputs = dict.fromkeys("abcd", bits)
    return module(f"compressor_4_2_{bits}", inputs, {"s": bits, "k": bits, "o": 1}, body)


def table(bits: int, words: int) -> Circuit:
    """A table of constants as a case statement, read without a clock."""
    contents = random.Random(f"{bits}x{words}")
    select = (words - 1).bit_length()
    cases = [f"      {word}: y = {bits}'d{contents.randrange(2**bits)};" for word in range(words)]
    lines = "\n".join(cases)
    body = f"always @* case (a)\n{lines}\n      default: y = {bits}'d0;\n    endcase"
    made = module(f"table_{bits}_{words}", {"a": select}, {"y": bits}, body)
    return Circuit(made.name, made.verilog.replace("output [", "output reg ["))
