"""What ships: the families with their machines, the kinds of workload, and which fits which."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeAlias

from designs.attention import Attention, AttentionFit, AttentionParams
from designs.attention.unfused import UnfusedFit, UnfusedParams
from designs.bitnet import BitnetBlock, least_block
from designs.booth_flex import BoothFlexFit, BoothFlexParams
from designs.digit_serial import DigitSerialFit, DigitSerialParams
from designs.laconic import LaconicFit, LaconicParams
from designs.lut_ternary import LutTernaryFit, LutTernaryParams
from designs.npu_pim import (
    GptLayer,
    GptLayerFit,
    NpuPimParams,
    PimAttention,
    PimAttentionFit,
    PimChannel,
)
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
    | AttentionParams
    | UnfusedParams
    | PimChannel
    | NpuPimParams
)
"""Params of any machine."""

Workload: TypeAlias = Gemm | BitnetBlock | Attention | PimAttention | GptLayer
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
    "attention": {"attention": AttentionParams, "unfused": UnfusedParams},
    "npu_pim": {"channel": PimChannel, "device": NpuPimParams},
}
"""Family and machine to params type; the first machine of a family is its default."""

WORKLOADS: dict[str, type[Workload]] = {
    "gemm": Gemm,
    "bitnet_block": BitnetBlock,
    "attention": Attention,
    "pim_attention": PimAttention,
    "gpt_layer": GptLayer,
}
"""Key of a workload in a file to its type."""

LEAST_WORK: dict[type[Workload], Callable[[Any], Workload]] = {
    Gemm: lambda params: Gemm(m=1, k=1, n=1),
    BitnetBlock: lambda params: least_block(2 * params.vector_lanes),
    Attention: lambda params: Attention(
        heads=params.group, queries=1, keys=params.side, e=params.e, f=params.f
    ),
    PimAttention: lambda params: PimAttention(keys=1, head_dim=params.row_elements),
    GptLayer: lambda params: GptLayer(
        requests=params.channels * params.halves,
        keys=1,
        head_dim=params.head_step,
        ffn=params.column_step,
    ),
}
"""Type of a workload to one that any machine for such workloads, of these params, can run."""

FITS: dict[type[Params], type[Any]] = {
    SystolicParams: SystolicFit,
    DigitSerialParams: DigitSerialFit,
    LaconicParams: LaconicFit,
    LutTernaryParams: LutTernaryFit,
    BoothFlexParams: BoothFlexFit,
    VitaLlmParams: VitaLlmFit,
    AttentionParams: AttentionFit,
    UnfusedParams: UnfusedFit,
    PimChannel: PimAttentionFit,
    NpuPimParams: GptLayerFit,
}
"""Params type to its pair with a workload, whose RULES say which problems it can be given."""


def kind_of(params: Params) -> type[Params]:
    """The params type of one params object, or of the points of a Grid."""
    kind: type[Params] = getattr(params, "kind", type(params))
    return kind


def fit(params: Params, workload: Workload) -> Any:
    """The pair of one params object (or a Grid of them) and a workload, not yet checked."""
    return FITS[kind_of(params)](params=params, workload=workload)


def workload_type(kind: type[Params]) -> type[Workload]:
    """What kind of workloads a machine runs."""
    kinds: dict[str, Any] = {item.name: item.type for item in fields(FITS[kind])}
    found: type[Workload] = kinds["workload"]
    return found


def least_work(params: Params) -> Workload:
    """A small workload, to ask for what does not depend on the work."""
    return LEAST_WORK[workload_type(kind_of(params))](params)


def workload_key(kind: type[Workload]) -> str:
    """What files call workloads of a type."""
    return next(key for key, known in WORKLOADS.items() if known is kind)


def check_kind(kind: type[Params], workload: Workload) -> None:
    """Raise RuleError, without a key, where a machine runs no workloads of this kind."""
    wanted, given = workload_type(kind), type(workload)
    if given is not wanted:
        raise RuleError(
            "",
            f"workload must be of kind {workload_key(wanted)} on this machine, "
            f"not {workload_key(given)}",
        )


def check_fit(params: Params, workload: Workload) -> None:
    """Raise RuleError where the design cannot run a workload.

    Its key is a field of the workload, or empty where the design runs no workloads of this kind.
    """
    check_kind(kind_of(params), workload)
    pair = fit(params, workload)
    check_rules(type(pair).RULES, pair)
