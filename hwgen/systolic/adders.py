"""How products are formed and added to sums, for each kind of element.

Each kind is a class of the same shape, see `Adder`. Elements move sums and do not look inside.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any, Protocol

from amaranth.hdl import Module, Signal, Value

from designs.systolic import Element
from hwgen.systolic.arithmetic import ArithmeticParams, Sum
from hwgen.systolic.compress import Compress, CompressByWeight

Products = Sequence[tuple[Any, Any]]
"""Activation and weight of each lane."""
Sums = Sequence[tuple[Sum, Any]]
"""What a sum is made of, and its bits."""
Register = Callable[[Module, Value, str], Signal]
"""A value one step later, under a name."""


class Adder(Protocol):
    """What an element adds with."""

    def __init__(self, params: ArithmeticParams, register: Register) -> None: ...

    def total(
        self,
        m: Module,
        products: Products,
        sums: Sums,
        into: Sum,
        name: str = "",
        owing: int = 0,
    ) -> Any:
        """The sum of a * w over `products` and of `sums`, made `into` a sum.

        Adds to `m` what it takes, under names that begin with `name`. `owing`: how many products
        the exact pairs in `sums` hold, whose excess is taken off unless the total is exact as well.
        """
        ...


def named(*parts: str) -> str:
    """A name from the parts that are not empty."""
    return "_".join(filter(None, parts))


def balanced(terms: Sequence[Value]) -> Value:
    """The sum of terms, by a balanced tree of adders."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return balanced(terms[:half]) + balanced(terms[half:])


class Multiply:
    """Multipliers, then adders: first over all products, then to the sums.

    With `stages` >= 1 a register follows each multiplier.
    """

    def __init__(self, params: ArithmeticParams, register: Register) -> None:
        self.params, self.register = params, register

    def total(
        self,
        m: Module,
        products: Products,
        sums: Sums,
        into: Sum,
        name: str = "",
        owing: int = 0,
    ) -> Any:
        total = Signal(into.layout, name=named(name, "total"))
        terms = [
            self.product(m, named(name, "product", f"{lane}" if lane else ""), *pair)
            for lane, pair in enumerate(products)
        ]
        addends = [value for _, value in sums] + ([balanced(terms)] if terms else [])
        m.d.comb += total.eq(reduce(add, addends))
        return total

    def product(self, m: Module, name: str, a: Value, w: Value) -> Value:
        """a * w, registered with `stages` >= 1."""
        product = Signal(self.params.product, name=name)
        m.d.comb += product.eq(a * w)
        return self.register(m, product, f"{name}_q") if self.params.stages else product


ADDERS: dict[Element, type[Adder]] = {
    Element.MAC: Multiply,
    Element.FUSED: Compress,
    Element.OPT1: Compress,
    Element.OPT2: CompressByWeight,
}
"""Kind of element to what it adds with."""
