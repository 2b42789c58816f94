"""Arithmetic and validation that read the same on one design point and on a grid of points.

Formulas over params use plain operators and the helpers below. Given ints they return ints; given
int64 arrays they return arrays, element by element. Both are exact below 2**62.
"""

import enum
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Int: TypeAlias = int | Ints
Flag: TypeAlias = bool | NDArray[np.bool_]
Real: TypeAlias = float | NDArray[np.float64]

E = TypeVar("E", bound=enum.IntEnum)
P = TypeVar("P")


@overload
def where(condition: bool, yes: int, no: int) -> int: ...
@overload
def where(condition: Flag, yes: Int, no: Int) -> Int: ...
def where(condition: Flag, yes: Int, no: Int) -> Int:
    """`yes` where the condition holds, else `no`. Both are evaluated."""
    if isinstance(condition, np.ndarray):
        return np.where(condition, yes, no)
    return yes if condition else no


@overload
def maximum(a: int, b: int) -> int: ...
@overload
def maximum(a: Int, b: Int) -> Int: ...
def maximum(a: Int, b: Int) -> Int:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.maximum(a, b)
    return max(a, b)


@overload
def minimum(a: int, b: int) -> int: ...
@overload
def minimum(a: Int, b: Int) -> Int: ...
def minimum(a: Int, b: Int) -> Int:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.minimum(a, b)
    return min(a, b)


@overload
def ceil_div(a: int, b: int) -> int: ...
@overload
def ceil_div(a: Int, b: Int) -> Int: ...
def ceil_div(a: Int, b: Int) -> Int:
    """a / b rounded up, for b > 0."""
    quotient: Int = -(-a // b)
    return quotient


@overload
def bit_length(value: int) -> int: ...
@overload
def bit_length(value: Int) -> Int: ...
def bit_length(value: Int) -> Int:
    """Bits of `value` >= 0 in binary: 0 for 0, 3 for 4."""
    if not isinstance(value, np.ndarray):
        return int(value).bit_length()
    high = value >> 32  # frexp is exact on either half, and its exponent is the bit length
    low = value & 0xFFFF_FFFF
    lengths: Ints = np.where(high > 0, 32 + np.frexp(high)[1], np.frexp(low)[1]).astype(np.int64)
    return lengths


@overload
def clog2(value: int) -> int: ...
@overload
def clog2(value: Int) -> Int: ...
def clog2(value: Int) -> Int:
    """Bits that count `value` >= 1 things: 0 for 1, 3 for 8, 4 for 9."""
    return bit_length(value - 1)


def either(condition: Flag, yes: Flag, no: Flag) -> Flag:
    """As `where`, of flags."""
    return (condition & yes) | ((condition ^ True) & no)


def anywhere(condition: Flag) -> bool:
    """Whether it holds at any point: what no point of a grid has needs no counting."""
    return bool(condition.any()) if isinstance(condition, np.ndarray) else condition


def to_real(value: Int) -> Real:
    """Round an exact count to float64, the same way for an int and for an array of ints."""
    return value.astype(np.float64) if isinstance(value, np.ndarray) else float(value)


def where_real(condition: Flag, yes: Real, no: Real) -> Real:
    """As `where`, of expectations."""
    if isinstance(condition, np.ndarray):
        return np.where(condition, yes, no)
    return yes if condition else no


@dataclass(frozen=True, kw_only=True, slots=True)
class Spec:
    """What a field of a params or workload type may hold, and what it means.

    `low` and `high` bound a number, both included; they are None for booleans and choices. `read`
    is there for what comes from a file: design files write its path, and it keeps that as `path`.
    It raises ValueError whose text goes after "<name> must be".
    """

    doc: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    read: Callable[[Path], object] | None = None


def integer(*, low: int, high: int, doc: str, unit: str = "", default: int | None = None) -> int:
    """Declare an integer field of a params dataclass; without a default it must be given."""
    spec = Spec(doc=doc, unit=unit, low=low, high=high)
    if default is not None:
        return field(default=default, metadata={"spec": spec})
    required: int = field(metadata={"spec": spec})
    return required


def number(*, low: float, high: float, doc: str, default: float, unit: str = "") -> float:
    """Declare a field that holds a number, of a params or workload dataclass."""
    return field(default=default, metadata={"spec": Spec(doc=doc, unit=unit, low=low, high=high)})


def measured(*, default: P, read: Callable[[Path], P], doc: str) -> P:
    """Declare a field that holds what `read` finds in a file; design files write its path."""
    return field(default=default, metadata={"spec": Spec(doc=doc, read=read)})


def nested(*, default: P, doc: str) -> P:
    """Declare a field that holds another such dataclass."""
    return field(default=default, metadata={"spec": Spec(doc=doc)})


def boolean(*, default: bool, doc: str) -> bool:
    """Declare a boolean field of a params dataclass."""
    return field(default=default, metadata={"spec": Spec(doc=doc)})


def default_of(item: "Field[Any]", base: Any = MISSING) -> Any:
    """What a field that is left out holds: what it holds in `base`, if there is such an object.

    MISSING where it must be given. So a nested dataclass keeps, of its parent's default for it, all
    that is not said otherwise.
    """
    return item.default if base is MISSING else getattr(base, item.name)


def as_in(kind: type[Any], name: str) -> Any:
    """Declare a field with a default just as another params dataclass does."""
    declared = next(item for item in fields(kind) if item.name == name)
    return field(default=declared.default, metadata=declared.metadata)


def choice(*, default: E, doc: str) -> E:
    """Declare a field that holds a member of an IntEnum; files write its name in lower case."""
    return field(default=default, metadata={"spec": Spec(doc=doc)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule(Generic[P]):
    """A condition over several fields. On a grid it masks the points that break it.

    `sentence` names the broken rule; `{p}` in it stands for the object the rule is about, and
    `key` is the field that the reader should change. `limit` is the params field that a rule on a
    workload compares with, if it is such a rule.
    """

    key: str
    holds: Callable[[P], Flag]
    sentence: str
    limit: str = ""


class RuleError(ValueError):
    """A rule over several fields is broken; `key` and `limit` are those of the `Rule`."""

    def __init__(self, key: str, sentence: str, limit: str = "") -> None:
        super().__init__(sentence)
        self.key = key
        self.limit = limit


def check_value(
    declared: "Field[Any]", value: object, written: Callable[[object], str] = repr
) -> None:
    """Check one value against its field's type and range.

    Raises TypeError for a wrong kind and ValueError for a value out of range; the sentence starts
    with the field's name and spells the value as `written` does.
    """
    name, kind = declared.name, declared.type
    if kind is int or kind is float:
        article = "an integer" if kind is int else "a number"
        legal = int if kind is int else int | float
        if not isinstance(value, legal) or isinstance(value, bool | enum.Enum):
            raise TypeError(f"{name} must be {article}, not {written(value)}")
        spec: Spec = declared.metadata["spec"]
        if (spec.low is not None and not value >= spec.low) or (
            spec.high is not None and not value <= spec.high
        ):
            raise ValueError(f"{name} must be between {spec.low} and {spec.high}, not {value}")
    elif isinstance(kind, type) and not isinstance(value, kind):
        article = "true or false" if kind is bool else f"a {kind.__name__}"
        raise TypeError(f"{name} must be {article}, not {written(value)}")


def check(params: Any) -> None:
    """Check every field of a params object, then the rules of its type (`RULES`).

    Raises TypeError, ValueError, or RuleError (a ValueError) for the first broken rule.
    """
    for declared in fields(params):
        check_value(declared, getattr(params, declared.name))
    check_rules(type(params).RULES, params)


def check_rules(rules: tuple[Rule[P], ...], subject: P) -> None:
    """Raise RuleError with the sentence of the first rule that `subject` breaks."""
    for rule in rules:
        if not rule.holds(subject):
            raise RuleError(rule.key, rule.sentence.format(p=subject), rule.limit)


def kept(rules: tuple[Rule[P], ...], subject: P) -> Flag:
    """Whether `subject` keeps every rule; on a grid, at which points."""
    verdict: Flag = True
    for rule in rules:
        verdict = verdict & rule.holds(subject)
    return verdict


def nested_type(item: "Field[Any]") -> type[Any] | None:
    """The dataclass that nests in a field; None where the field holds a value or has a file."""
    spec: Spec = item.metadata.get("spec", Spec(doc=""))
    kind = item.type if isinstance(item.type, type) and is_dataclass(item.type) else None
    return kind if spec.read is None else None


def leaves(kind: type[Any], prefix: str = "") -> "dict[str, Field[Any]]":
    """Every field of a params or workload type by its path; for a nested one those below it."""
    found: dict[str, Field[Any]] = {}
    for item in fields(kind):
        part = nested_type(item)
        if part is None:
            found[prefix + item.name] = item
        else:
            found |= leaves(part, f"{prefix}{item.name}.")
    return found


def properties(kind: type[Any]) -> dict[str, property]:
    """The properties of a params type: its own, then those that it shares with other types."""
    return {
        name: getattr(kind, name)
        for base in kind.__mro__
        for name, member in vars(base).items()
        if isinstance(member, property)
    }
