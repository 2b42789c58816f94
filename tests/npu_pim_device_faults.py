"""Faults planted in programs of a device, each at the point that shows it."""

from dataclasses import replace

from designs.npu_pim.instructions import Feed, Load, Store
from designs.npu_pim.params import SLOTS
from designs.npu_pim.vector import DeviceSource, Register
from designs.vector import Divide, Pass, Place


def changed(program, unit, change):
    """The program with other instructions of the units whose names begin so."""
    return {
        name: [change(one) for one in own] if name.startswith(unit) else own
        for name, own in program.items()
    }


def without(unit, other, concerns):
    """Instructions of a unit, of those that it `concerns`, do not wait for another unit."""

    def change(one):
        if not concerns(one.operation):
            return one
        kept = {name: count for name, count in one.waits.items() if not name.startswith(other)}
        return replace(one, waits=kept)

    return lambda params, program: changed(program, unit, change)


def operations(unit, kind, change):
    """Operations of a kind are others."""

    def altered(one):
        if not isinstance(one.operation, kind):
            return one
        return replace(one, operation=replace(one.operation, **change(one.operation)))

    return lambda params, program: changed(program, unit, altered)


def gains_swapped(params, program):
    """What the sums of values count is written to the other request's slot."""
    first = params.constant_words
    slot = params.max_heads

    def change(one):
        operation = one.operation
        if not isinstance(operation, Pass) or operation.x != int(Register.GAIN):
            return one
        to = operation.to
        if not isinstance(to, Place) or to.word < first:
            return one
        number = (to.word - first) // slot
        other = first + (number ^ 1) % (SLOTS * params.channels) * slot + (to.word - first) % slot
        return replace(one, operation=replace(operation, to=Place(to.bank, other)))

    return changed(program, "vector", change)


def softmax_has_one_more(params, program):
    """Every softmax takes a logit more than there are tokens: one of the zeros behind them."""
    found, length = [], None
    for one in program["vector"]:
        operation = one.operation
        if isinstance(operation, Pass):
            if operation.register == Register.SHIFT and isinstance(operation.stream, DeviceSource):
                length = operation.length
            if operation.length == length:
                operation = replace(operation, length=length + 1)
        elif isinstance(operation, Divide) and operation.register == Register.GAIN:
            length = None
        found.append(replace(one, operation=operation))
    return {**program, "vector": found}


FAULTS = {
    "sums of values do not wait for their weights": (
        "neupims",
        without("pim", "store", lambda one: True),
    ),
    "a panel does not wait for the job before the last": (
        "neupims",
        without("load", "array", lambda one: isinstance(one, Load)),
    ),
    "the array does not wait for its weights": (
        "neupims",
        without("array", "load", lambda one: True),
    ),
    "keys and values come before the new ones are written": (
        "npu_only",
        without("load", "store", lambda one: True),
    ),
    "a value goes to the byte beside": (
        "neupims",
        operations("store", Store, lambda one: {"byte": one.byte ^ 1} if one.spread else {}),
    ),
    "a read has its number as its word": (
        "neupims",
        operations("load", Load, lambda one: {"to": 0}),
    ),
    "gains of two requests are swapped": ("neupims", gains_swapped),
    "results are transposed": (
        "neupims",
        operations("pim", Feed, lambda one: {"to_stride": 1}),
    ),
    "a softmax has one logit more": ("neupims", softmax_has_one_more),
}
"""Fault to the point that shows it, and what it makes of (params, program)."""
