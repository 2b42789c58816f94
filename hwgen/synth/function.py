"""Boolean functions as Liberty writes them: `!A` or `A'`, `A * B` or `A B`, `A + B`, `A ^ B`."""

import functools
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

Expression: TypeAlias = "str | tuple[Any, ...]"
"""A name, "0", "1", or an operator "~ & | ^" and its operands."""

TOKEN = re.compile(r"\s*([A-Za-z_][\w\[\].]*|[01]|[!'&*|+^()])")
LEVELS = (("|", ("|", "+")), ("&", ("&", "*")), ("^", ("^",)))
"""Operators that bind ever closer, each with its spellings."""


class FunctionError(ValueError):
    """The text is no function; the message is the end of a sentence about it."""


@functools.cache
def parse(text: str) -> Expression:
    """The expression of a function. Raises `FunctionError`."""
    tokens = TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text) or not tokens:
        raise FunctionError(f"function must be of names and operators, not {text!r}")
    rest = [*reversed(tokens)]
    try:
        expression = _level(rest, 0)
    except IndexError:
        rest = [""]
    if rest:
        raise FunctionError(f"function must be whole, not {text!r}")
    return expression


def _level(rest: list[str], level: int) -> Expression:
    if level == len(LEVELS):
        return _atom(rest)
    operator, spellings = LEVELS[level]
    operands = [_level(rest, level + 1)]
    while rest and (rest[-1] in spellings or operator == "&" and _starts(rest[-1])):
        if rest[-1] in spellings:
            rest.pop()
        operands.append(_level(rest, level + 1))
    return operands[0] if len(operands) == 1 else (operator, *operands)


def _starts(token: str) -> bool:
    """Whether an operand begins here: two beside each other are an `and`."""
    return token in ("!", "(") or token[0].isalnum() or token[0] == "_"


def _atom(rest: list[str]) -> Expression:
    token = rest.pop()
    if token == "!":
        return ("~", _atom(rest))
    if token == "(":
        expression = _level(rest, 0)
        if rest.pop() != ")":
            raise IndexError
    elif _starts(token):
        expression = token
    else:
        raise IndexError
    while rest and rest[-1] == "'":
        rest.pop()
        expression = ("~", expression)
    return expression


def names(expression: Expression) -> frozenset[str]:
    """The names in an expression."""
    if isinstance(expression, str):
        return frozenset() if expression in "01" else frozenset((expression,))
    return frozenset().union(*map(names, expression[1:]))


def evaluate(expression: Expression, values: Mapping[str, Any], ones: Any = 1) -> Any:
    """The value of an expression, bit by bit.

    values: of each name, ints or arrays of ints. ones: the value that has every bit set, which says
    how wide values are: 1, or an unsigned integer type of numpy for as many lanes.
    """
    if isinstance(expression, str):
        if expression in "01":
            return ones if expression == "1" else ones ^ ones
        return values[expression]
    operator, *operands = expression
    result = evaluate(operands[0], values, ones)
    if operator == "~":
        return result ^ ones
    for operand in operands[1:]:
        other = evaluate(operand, values, ones)
        if operator == "&":
            result = result & other
        elif operator == "|":
            result = result | other
        else:
            result = result ^ other
    return result
