"""What ships: the families with their machines, the kinds of workload, and which fits which."""

from typing import Any, TypeAlias

from designs.digit_serial import DigitSerialFit, DigitSerialParams
from designs.laconic import LaconicFit, LaconicParams
from designs.rules import check_rules
from designs.systolic import SystolicFit, SystolicParams
from designs.workload import Gemm

Params: TypeAlias = SystolicParams | DigitSerialParams | LaconicParams
"""Params of any machine."""

Workload: TypeAlias = Gemm
"""A workload of any kind."""

FAMILIES: dict[str, dict[str, type[Params]]] = {
    "systolic": {
        "systolic": SystolicParams,
        "digit_serial": DigitSerialParams,
        "laconic": LaconicParams,
    }
}
"""Family and machine to params type; the first machine of a family is its default."""

WORKLOADS: dict[str, type[Workload]] = {"gemm": Gemm}
"""Key of a workload in a file to its type."""

FITS: dict[type[Params], type[Any]] = {
    SystolicParams: SystolicFit,
    DigitSerialParams: DigitSerialFit,
    LaconicParams: LaconicFit,
}
"""Params type to its pair with a workload, whose RULES say which problems it can be given."""


def kind_of(params: Params) -> type[Params]:
    """The params type of one params object, or of the points of a Grid."""
    kind: type[Params] = getattr(params, "kind", type(params))
    return kind


def fit(params: Params, workload: Workload) -> Any:
    """The pair of one params object (or a Grid of them) and a workload, not yet checked."""
    return FITS[kind_of(params)](params=params, workload=workload)


def check_fit(params: Params, workload: Workload) -> None:
    """Raise RuleError, whose key is a field of the workload, where the design cannot run it."""
    pair = fit(params, workload)
    check_rules(type(pair).RULES, pair)
