"""What VECTOR of an NPU on memory that computes takes in, gives out and keeps as scalars."""

import enum
from dataclasses import dataclass

from designs.vector import EXPONENTIAL_NAMES, Sink, Source


class Input(enum.IntEnum):
    """What the input is: a stream of the device, sums of the array, or results of a channel."""

    X = 0
    C = 1
    SUMS = 2
    RESULTS = 3


class Output(enum.IntEnum):
    """What the output is: a stream of the device, codes for the array, or for a channel's STORE.

    Codes are the low eight bits of results.
    """

    RESULT = 0
    CODES = 1
    STORE = 2


class Register(enum.IntEnum):
    """Scalars that instructions write.

    F_*: what a sum is multiplied with before it is rounded to a code or added to the residual.
    INV_DOWN: one over the step of the codes that the last linear layer takes.
    """

    MINUS_INVERSE_HIDDEN = 0
    INVERSE_HIDDEN = 1
    EPSILON = 2
    F_Q = 3
    F_K = 4
    F_V = 5
    F_LOGIT = 6
    F_ATTEND = 7
    F_PROJ = 8
    F_UP = 9
    INV_DOWN = 10
    F_DOWN = 11
    MEAN = 12
    VAR = 13
    ROOT = 14
    SCALE = 15
    SHIFT = 16
    TOTAL = 17
    GAIN = 18


LOADED = tuple(Register)[: Register.F_DOWN + 1]
"""Registers that come on the stream of constants, by the names that they have here."""

DEVICE_CONSTANTS = (
    "negative_zero",
    "one",
    "minus_one",
    "two",
    "greatest_code",
    "minus_greatest_code",
    "low",
    "high",
    "magic",
    "minus_magic",
    "seed",
    "gelu_1",
    "gelu_3",
    *EXPONENTIAL_NAMES,
)
"""Of `designs.vector.CONSTANTS` those that this machine has: scalars behind the registers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """Which numbers pass: of a request the residual, or the output, from element `first` on.

    name, layer: on the stream of constants a scalar or a vector of a layer, instead of a request.
    """

    name: str = ""
    layer: int = 0
    request: int = 0
    first: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceSource(Source):
    """The input of a pass.

    channel: of results. address: the word of sums or of results from which it goes on.
    """

    input: Input
    channel: int = 0
    address: int = 0
    label: Label = Label()

    @property
    def is_integer(self) -> bool:
        return self.input >= Input.SUMS


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceSink(Sink):
    """The output of a pass.

    channel: of a STORE. begins: codes go to the words from `address` on; else they go on behind
    those of the pass before that wrote there.
    """

    output: Output
    channel: int = 0
    begins: bool = True
    address: int = 0
    label: Label = Label()
