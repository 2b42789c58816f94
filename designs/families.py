"""What ships: the families with their machines, the kinds of workload, and which fits which."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeAlias

from designs.bitnet import BitnetBlock, least_block
from designs.booth_flex import BoothFlexFit, BoothFlexParams
from designs.digit_serial import DigitSerialFit, DigitSerialParams
from designs.laconic import LaconicFit, LaconicParams
from designs.lut_ternary import LutTernaryFit, LutTernaryParams
from designs.rules import RuleError, check_rules
from designs.systolic import SystolicFit, SystolicParams
from designs.vitallm import VitaLlmFit, VitaLlmParams
from designs.workload import Gemm

Params: TypeAlias = (
    SystolicParams
    | DigitSerialParams
    | LaconicParams
    | LutTernaryParams
    | BoothFlexParams
    | VitaLlmParams
)
"""Params of any machine."""

Workload: TypeAlias = Gemm | BitnetBlock
"""A workload of any kind."""

FAMILIES: dict[str, dict[str, type[Params]]] = {
    "systolic": {
        "systolic": SystolicParams,
        "digit_serial": DigitSerialParams,
        "laconic": LaconicParams,
    },
    "lut_ternary": {
        "lut_ternary": LutTernaryParams,
        "booth_flex": BoothFlexParams,
        "vitallm": VitaLlmParams,
    },
}
"""Family and machine to params type; the first machine of a family is its default."""

WORKLOADS: dict[str, type[Workload]] = {"gemm": Gemm, "bitnet_block": BitnetBlock}
"""Key of a workload in a file to its type."""

LEAST_WORK: dict[type[Workload], Callable[[Any], Workload]] = {
    Gemm: lambda params: Gemm(m=1, k=1, n=1),
    BitnetBlock: lambda params: least_block(2 * params.vector_lanes),
}
"""Type of a workload to one that any machine for such workloads, of these params, can run."""

FITS: dict[type[Params], type[Any]] = {
    SystolicParams: SystolicFit,
    DigitSerialParams: DigitSerialFit,
    LaconicParams: LaconicFit,
    LutTernaryParams: LutTernaryFit,
    BoothFlexParams: BoothFlexFit,
    VitaLlmParams: VitaLlmFit,
}
"""Params type to its pair with a workload, whose RULES say which problems it can be given."""


def kind_of(params: Params) -> type[Params]:
    """The params type of one params object, or of the points of a Grid."""
    kind: type[Params] = getattr(params, "kind", type(params))
    return kind


def fit(params: Params, workload: Workload) -> Any:
    """The pair of one params object (or a Grid of them) and a workload, not yet checked."""
    return FITS[kind_of(params)](params=params, workload=workload)


def workload_type(params: Params) -> type[Workload]:
    """What kind of workloads a machine runs."""
    kinds: dict[str, Any] = {item.name: item.type for item in fields(FITS[kind_of(params)])}
    found: type[Workload] = kinds["workload"]
    return found


def least_work(params: Params) -> Workload:
    """A small workload, to ask for what does not depend on the work."""
    return LEAST_WORK[workload_type(params)](params)


def check_fit(params: Params, workload: Workload) -> None:
    """Raise RuleError where the design cannot run a workload.

    Its key is a field of the workload, or empty where the design runs no workloads of this kind.
    """
    wanted = workload_type(params)
    if not isinstance(workload, wanted):
        names = {kind: name for name, kind in WORKLOADS.items()}
        raise RuleError(
            "",
            f"workload must be a {names[wanted]} on this machine, not a {names[type(workload)]}",
        )
    pair = fit(params, workload)
    check_rules(type(pair).RULES, pair)
