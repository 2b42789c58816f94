"""Microbenchmarks of products digit by digit: encoders of radix 4, and a row of partial products.

A digit is one, two and negative, all low where it is zero.
"""

from dse.calibrate.primitives import Circuit, module


def booth_recoder(bits: int, _: int) -> Circuit:
    """The modified Booth code of a signed word."""
    return _encoder(
        "booth_recoder",
        bits,
        f"wire [{2 * digit_count(bits)}:0] w = {{{{2{{a[{bits - 1}]}}}}, a, 1'b0}};",
        "wire below = w[2 * i], low = w[2 * i + 1], high = w[2 * i + 2];",
        "assign one[i] = low ^ below;",
        "assign two[i] = (high ^ low) & ~one[i];",
        "assign negative[i] = high & ~(low & below);",
    )


def ent_encoder(bits: int, _: int) -> Circuit:
    """EN-T of a signed word.

    The one that its complement lacks of its magnitude comes in where the carries of digits do.
    """
    count = digit_count(bits)
    return _encoder(
        "ent_encoder",
        bits,
        f"wire sign = a[{bits - 1}];\n"
        f"  wire [{2 * count - 1}:0] m = {{sign, a}} ^ {{{2 * count}{{sign}}}};\n"
        f"  wire [{count}:0] c;\n  assign c[0] = sign;",
        "wire low = m[2 * i], high = m[2 * i + 1];",
        "assign c[i + 1] = high & (low | c[i]);",
        "assign one[i] = low ^ c[i];",
        "assign two[i] = (high ^ low) & ~one[i];",
        "assign negative[i] = one[i] & (high ^ sign) | two[i] & sign;",
    )


def naf_encoder(bits: int, _: int) -> Circuit:
    """The non-adjacent form of a signed word, two digits of it in one of radix 4."""
    count = digit_count(bits)
    return _encoder(
        "naf_encoder",
        bits,
        f"wire [{2 * count}:0] w = {{{{2{{a[{bits - 1}]}}}}, a}}, c;\n  assign c[0] = 1'b0;",
        "assign one[i] = w[2 * i] ^ c[2 * i];",
        "assign c[2 * i + 1] = w[2 * i] & c[2 * i] | one[i] & w[2 * i + 1];",
        "assign two[i] = w[2 * i + 1] ^ c[2 * i + 1];",
        "assign c[2 * i + 2] = w[2 * i + 1] & c[2 * i + 1] | two[i] & w[2 * i + 2];",
        "assign negative[i] = one[i] & w[2 * i + 1] | two[i] & w[2 * i + 2];",
    )


def digit_count(bits: int) -> int:
    """Digits of radix 4 of a signed word."""
    return (bits + 1) // 2


def _encoder(name: str, bits: int, head: str, *digit: str) -> Circuit:
    """A signed word as digits; `digit` are the statements of digit i."""
    lines = "\n    ".join(digit)
    count = digit_count(bits)
    body = (
        f"{head}\n  genvar i;\n  generate for (i = 0; i < {count}; i = i + 1) begin : digit\n"
        f"    {lines}\n  end endgenerate"
    )
    outputs = {"one": count, "two": count, "negative": count}
    return module(f"{name}_{bits}", {"a": bits}, outputs, body)


def partial_product(bits: int, _: int) -> Circuit:
    """A signed word of one bit less times a digit; a negative row lacks 1, its hot one."""
    inputs = {"one": 1, "two": 1, "negative": 1, "b": bits - 1}
    return module(f"partial_product_{bits}", inputs, {"y": bits}, _row(bits))


def recoded_product(bits: int) -> Circuit:
    """As `partial_product`, its digit recoded from the three bits of a modified Booth code."""
    body = (
        "wire one = a[1] ^ a[0];\n"
        "  wire two = (a[2] ^ a[1]) & ~one;\n"
        f"  wire negative = a[2] & ~(a[1] & a[0]);\n  {_row(bits)}"
    )
    return module(f"recoded_product_{bits}", {"a": 3, "b": bits - 1}, {"y": bits}, body)


def _row(bits: int) -> str:
    once, twice = f"{{b[{bits - 2}], b}}", "{b, 1'b0}"
    return (
        f"assign y = ({{{bits}{{one}}}} & {once} | {{{bits}{{two}}}} & {twice})"
        f" ^ {{{bits}{{negative}}}};"
    )
