"""The products of decode attention in one sum each, and the results of a channel put together."""

from dataclasses import dataclass

import numpy as np

from designs.elements import FLOAT_FORMATS
from designs.npu_pim import PimAttention, PimChannel
from designs.npu_pim.program import program
from designs.rules import Ints
from sim.golden import floats
from sim.golden.floats import Reals
from sim.golden.npu_pim.inputs import Inputs


@dataclass(frozen=True, kw_only=True, slots=True)
class Products:
    """Of all requests: logits (requests, heads, keys), zero behind a request's length, and sums of
    weighted values (requests, heads, head_dim). float64, which holds those of int8 exactly."""

    logits: Reals
    sums: Reals


def reference(channel: PimChannel, workload: PimAttention, inputs: Inputs) -> Products:
    """What the mathematics say, in float64."""
    w = workload
    seen = np.arange(w.keys) < np.array(w.lengths)[:, None]
    q, k, v, weights = (_reals(channel, inputs[name]) for name in ("q", "k", "v", "weights"))
    keys, values = (np.repeat(one, w.shape.group, axis=2) for one in (k, v))
    logits = np.einsum("rhd,rthd->rht", q, keys) * seen[:, None]
    sums = np.einsum("rht,rthd->rhd", weights * seen[:, None], values)
    return Products(logits=logits, sums=sums)


def assembled(channel: PimChannel, workload: PimAttention, results: Ints) -> Products:
    """The same from a channel's results (results, banks); parts of a sum are added in float64."""
    w, reals = workload, iter(_reals(channel, results))
    logits = np.zeros((w.requests, w.heads, w.keys))
    sums = np.zeros((w.requests, w.heads, w.head_dim))
    given = program(channel, w)
    for vector in given.vectors:
        length = given.caches[vector.request].length
        for tile in range(vector.product.tiles):
            for head in vector.heads:
                found = next(reals)
                first = tile * channel.banks
                if vector.page is None:
                    part = logits[vector.request, head, first : min(first + len(found), length)]
                else:
                    part = sums[vector.request, head, first : first + len(found)]
                part += found[: len(part)]
    return Products(logits=logits, sums=sums)


def _reals(channel: PimChannel, values: Ints) -> Reals:
    if channel.element in FLOAT_FORMATS:
        return floats.decode(FLOAT_FORMATS[channel.element], values)
    return values.astype(np.float64)
