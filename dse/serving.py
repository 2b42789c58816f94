"""What `hwgen serve` is asked for, and the figures of what came of it."""

import math
from argparse import Namespace
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archmodels.npu_pim.admission import longest_served
from archmodels.npu_pim.append import cheapest_tokens
from archmodels.npu_pim.logic import logic_energy
from archmodels.npu_pim.serving import Serving, check_policy, percentile
from archmodels.technology import Technology
from designs import DesignError
from designs.document import not_among
from designs.loader import overridden
from designs.npu_pim import (
    Interleave,
    Limits,
    Llm,
    NpuPimDevice,
    Packing,
    Request,
    ServingPolicy,
    Split,
    blocked,
    corrected,
    llms,
    published,
    read_requests,
)
from designs.npu_pim.device import LINK_BYTES_PER_S
from designs.npu_pim.gemv import HeadsFit
from designs.npu_pim.lengths import DATASETS
from designs.rules import RuleError, check_rules

NEUPIMS, CORRECTED, BLOCKED = SYSTEMS = ("neupims", "corrected", "blocked")
"""neupims: as published. The other two with sums over devices and new keys and values charged;
corrected: distances that dot products need; blocked: one row buffer, which does one or the other.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Devices, a model on them, how it is served, and its requests."""

    system: str
    device: NpuPimDevice
    model: Llm
    policy: ServingPolicy
    requests: tuple[Request, ...]


def asked(args: Namespace) -> Asked:
    """All that a command line asks for. Raises DesignError."""
    device, model = _device(args), _model(args)
    try:
        check_rules(HeadsFit.RULES, HeadsFit(channel=device.channel, heads=model.shard))
    except RuleError as error:
        raise DesignError(f"{args.model}: {error}") from error
    policy = _policy(args, device, model)
    try:
        most = longest_served(device, model, policy)
    except ValueError as error:
        raise DesignError(f"{args.model}: {error}") from error
    if most < 1:
        raise DesignError(
            f"{args.model}: devices must be more than {model.devices}, for weights leave no room "
            f"for a token, not {model.devices}"
        )
    return Asked(
        system=args.system,
        device=device,
        model=model,
        policy=policy,
        requests=_requests(args, Limits(length=most, channels=device.channels)),
    )


def _device(args: Namespace) -> NpuPimDevice:
    base = blocked() if args.system == BLOCKED else published()
    if args.system == CORRECTED:
        base = corrected(base)
    if args.system != NEUPIMS:
        base = replace(base, link_bytes_per_s=LINK_BYTES_PER_S)
    return overridden(base, args.overrides)


def _model(args: Namespace) -> Llm:
    known = llms()
    if args.model not in known:
        raise DesignError(not_among("MODEL", args.model, known))
    model = known[args.model]
    for option, field in (("tp", "tensor_parallel"), ("pp", "pipeline_parallel")):
        if getattr(args, option) is not None:
            try:
                model = replace(model, **{field: getattr(args, option)})
            except ValueError as error:
                raise DesignError(f"--{option} {getattr(args, option)}: {error}") from error
    return model


def _policy(args: Namespace, device: NpuPimDevice, model: Llm) -> ServingPolicy:
    append = args.append
    if append is None:
        is_charged = args.system != NEUPIMS
        append = cheapest_tokens(device.channel, model.shard) if is_charged else 0
    interleave = args.interleave or ("never" if args.system == BLOCKED else "adaptive")
    try:
        policy = ServingPolicy(
            batch=args.batch,
            packing=Packing[args.packing.upper()],
            split=Split[args.split.upper()],
            interleave=Interleave[interleave.upper()],
            append_tokens=append,
            prefill_tokens=args.prefill,
            queue=args.queue,
        )
        check_policy(device, policy)
    except ValueError as error:
        raise DesignError(
            f"--{str(error).partition(' ')[0].removesuffix('_tokens')}: {error}"
        ) from error
    return policy


def _requests(args: Namespace, limits: Limits) -> tuple[Request, ...]:
    if args.trace is not None:
        return read_requests(Path(args.trace), args.trace, limits)
    data = DATASETS[args.dataset]()
    data = replace(data, longest=min(data.longest, limits.length))
    per_s = math.inf if args.rate is None else args.rate
    return data.arriving(args.requests, per_s, args.seed)


def figures(want: Asked, found: Serving, prices: Technology) -> dict[str, object]:
    """What came of it, as `--json` says it: times of all requests that were served."""
    device, model = want.device, want.model
    clock, seconds = device.clock_hz, found.work.cycles / device.clock_hz
    answers = [one for one in found.answers if one is not None]
    waits = np.array([one.entered - one.request.arrival_s * clock for one in answers])
    batches = sum(one.tokens * one.cycles for one in found.iterations)
    busy = sum(one.cycles for one in found.iterations)
    prefilled = want.policy.prefill_tokens > 0
    firsts = np.array([one.first - one.request.arrival_s * clock for one in answers])
    lasts = np.array([one.last - one.request.arrival_s * clock for one in answers])
    return {
        "devices": model.devices,
        "requests": len(found.answers),
        "refused": found.refused,
        "waiting_most": max(one.waiting for one in found.iterations),
        "tokens": found.tokens,
        "prompt_tokens": sum(one.prompt_tokens for one in found.iterations),
        "iterations": len(found.iterations),
        "interleaved_iterations": sum(one.is_interleaved for one in found.iterations),
        "seconds": seconds,
        "tokens_per_s": found.tokens / seconds,
        "batch_mean": batches / busy,
        "batch_most": max(one.tokens for one in found.iterations),
        **_milliseconds("between_tokens", found.between_tokens, clock),
        **_milliseconds("first_token", firsts if prefilled else firsts[:0], clock),
        **_milliseconds("wait", waits, clock),
        **_milliseconds("latency", lasts, clock),
        "utilisation": _utilisation(device, found),
        **_energies(want, found, prices),
    }


def _milliseconds(name: str, cycles: NDArray[np.float64], clock_hz: int) -> dict[str, object]:
    """Mean, median and 99th percentile; None where there is nothing to tell."""
    per_ms = clock_hz / 1000
    told = {
        "mean": float(cycles.mean()) if cycles.size else 0.0,
        "p50": percentile(cycles, 50),
        "p99": percentile(cycles, 99),
    }
    return {
        f"{name}_{key}_ms": value / per_ms if cycles.size else None for key, value in told.items()
    }


def _utilisation(device: NpuPimDevice, found: Serving) -> dict[str, float]:
    """Parts of the whole time, from the first arrival to the last token."""
    work, channel = found.work, device.channel
    macs = channel.macs_per_step * device.channels / channel.timing.column_l_cycles
    return {
        "array_busy": work.array_busy_cycles / work.cycles,
        "array_macs": work.array_macs / (device.peak_macs * work.cycles),
        "channel_busy": work.channel_cycles / work.cycles,
        "bank_macs": work.bank_macs / (macs * work.cycles),
        "bus": work.accesses * channel.access_bytes / (device.peak_bytes_per_cycle * work.cycles),
    }


def _energies(want: Asked, found: Serving, prices: Technology) -> dict[str, object]:
    """Of all devices, for a token that is answered."""
    work, logic = found.work, logic_energy(want.device, prices)
    per_token = want.model.devices / found.tokens
    parts: dict[str, float] = {
        "access": work.access_pj,
        "dot_product": work.dot_product_pj,
        "refresh": work.refresh_pj,
        "idle": work.idle_pj,
        "interface": work.accesses * logic.interface_pj,
        "array_macs": work.array_macs * logic.array_mac_pj,
        "bank_macs": work.bank_macs * logic.bank_mac_pj,
    }
    return {
        "technology": prices.name,
        "memory_energy_pj_per_token": work.memory_pj * per_token,
        "device_energy_pj_per_token": sum(parts.values()) * per_token,
        "energy_pj_per_token": {name: value * per_token for name, value in parts.items()},
    }
