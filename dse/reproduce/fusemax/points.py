"""The model at the paper's points: five configurations, four encoders, six lengths."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archmodels import fusemax as model
from archmodels.fusemax import Accounting, Activity, Energy, Timing
from designs.attention import Attention
from designs.fusemax import BATCH, Configuration, Encoder, FuseMaxParams, encoders, published
from designs.grid import Grid
from dse.reproduce.fusemax.published import LENGTHS

Reals = NDArray[np.float64]


@cache
def shapes() -> dict[str, Encoder]:
    """The encoders, by name."""
    return encoders()


@cache
def work() -> Any:
    """Attention of each encoder at each length, encoders one after the other."""
    found = [one.attention(length) for one in shapes().values() for length in LENGTHS]
    names = ("batch", "heads", "kv_heads", "queries", "keys", "e", "f")
    columns = {name: [getattr(point, name) for point in found] for name in names}
    return Grid(Attention, columns, len(found))


def priced(configuration: Configuration) -> FuseMaxParams:
    """The machine whose prices the authors take: FLAT's, and so its buffer, for +Cascade too."""
    is_flat = configuration == Configuration.CASCADE
    return published(Configuration.FLAT if is_flat else configuration)


@cache
def attention(configuration: Configuration) -> Timing:
    """All points, encoders one after the other."""
    return model.timing(published(configuration), work())


@cache
def _activity(configuration: Configuration) -> Activity:
    return model.activity(published(configuration), work())


@cache
def attention_energy(configuration: Configuration, counted: Accounting) -> Energy:
    """As `attention`."""
    return model.energy(priced(configuration), _activity(configuration), model.prices(), counted)


@cache
def layer_s(configuration: Configuration) -> Reals:
    """Latency of a whole layer: attention, then the linear layers."""
    linear = [_linear(configuration, one).latency_s for one in shapes().values()]
    return np.asarray(attention(configuration).latency_s) + np.concatenate(linear)


@cache
def layer_pj(configuration: Configuration, counted: Accounting) -> Reals:
    """Energy of a whole layer."""
    machine, linear = _linear_machine(configuration), []
    for one in shapes().values():
        done = model.linear_activity(machine, rows(), [*one.linears.values()])
        linear.append(model.energy(machine, done, model.prices(), counted).total_pj)
    return np.asarray(attention_energy(configuration, counted).total_pj) + np.concatenate(linear)


def rows() -> NDArray[np.int64]:
    """Rows of activations at each length."""
    return BATCH * np.array(LENGTHS, dtype=np.int64)


def _linear(configuration: Configuration, one: Encoder) -> Timing:
    return model.linear_timing(_linear_machine(configuration), rows(), [*one.linears.values()])


def _linear_machine(configuration: Configuration) -> FuseMaxParams:
    """Linear layers run on FLAT's machine, or on FuseMax's."""
    on_flat = configuration <= Configuration.CASCADE
    return published(Configuration.FLAT if on_flat else Configuration.BINDING)


def by_length(values: Any) -> Reals:
    """A row for each encoder, a column for each length."""
    return np.asarray(values, dtype=np.float64).reshape(len(shapes()), len(LENGTHS))


def arithmetic(ratios: Reals) -> float:
    """Mean of ratios, which depends on which of the two is called one."""
    return float(np.mean(ratios))


def geometric(ratios: Reals) -> float:
    """Mean of ratios that does not."""
    return float(np.exp(np.mean(np.log(ratios))))


def length_name(length: int) -> str:
    """As the paper writes it."""
    return "1M" if length == LENGTHS[-1] else f"{length >> 10}K"


def names() -> Sequence[str]:
    """The encoders as the paper writes them."""
    return ("BERT", "TrXL", "T5", "XLM")
