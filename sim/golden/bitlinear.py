"""The linear layer of BitNet: ternary weights, int8 activations, an exact sum, two scales.

The semantics are the reference's (BitLinear and AutoBitLinear of the package transformers), in
float32 and in its order of operations, without the rounding to bfloat16 that a model of that type
does in between. `round` is to the nearest, ties to even.
"""

import enum

import numpy as np
from numpy.typing import NDArray

from designs.ternary import checked_trits

Floats = NDArray[np.float32]
Codes = NDArray[np.int8]

LEAST_SCALE = np.float32(1e-5)
"""What the mean and the maximum of magnitudes are raised to before anything is divided by them."""

LARGEST_CODE = np.float32(127)

CODES_PER_BYTE = 4


class WeightScale(enum.Enum):
    """What a file holds as `weight_scale`, and so what a layer does with it.

    MULTIPLY: gamma, the mean magnitude (AutoBitLinear, the 2B4T model). DIVIDE: 1 / gamma (the
    packed BitLinear).
    """

    MULTIPLY = enum.auto()
    DIVIDE = enum.auto()


def absmean(weights: Floats) -> tuple[Codes, np.float32]:
    """Trits of a float32 tensor, of its shape, and gamma: the mean of its magnitudes.

    A trit is the weight times 1 / gamma, rounded and clipped to -1..1. The mean is taken in float64
    and rounded: in float32 it would depend on the order of the sum. Raises ValueError for weights
    that are not finite.
    """
    _check_finite("weights", weights)
    mean = np.float32(np.abs(weights).mean(dtype=np.float64))
    gamma = max(mean, LEAST_SCALE)
    trits = np.clip(np.rint(weights * (np.float32(1) / gamma)), -1, 1)
    return trits.astype(np.int8), gamma


def absmax(x: Floats, least: np.float32 = LEAST_SCALE) -> tuple[Codes, Floats]:
    """Codes of activations (..., n), of their shape, and the scale (..., 1) of each token.

    The scale is 127 over the greatest magnitude of the token, which counts as `least` where it is
    below; a code is the activation times the scale, rounded. It is never -128. Raises ValueError
    for activations that are not finite.
    """
    _check_finite("x", x)
    greatest = np.abs(x).max(axis=-1, keepdims=True)
    scale = LARGEST_CODE / np.maximum(greatest, least)
    return np.clip(np.rint(x * scale), -128, 127).astype(np.int8), scale


def accumulate(codes: NDArray[np.integer], trits: NDArray[np.integer]) -> NDArray[np.int64]:
    """codes (..., k) times trits (k, n), exactly: (..., n).

    Raises ValueError for shapes that do not match, or weights that are no trits.
    """
    if trits.ndim != 2 or codes.shape[-1:] != trits.shape[:1]:
        raise ValueError(
            f"codes and trits must be of shapes (..., k) and (k, n), not {codes.shape} and "
            f"{trits.shape}"
        )
    return codes.astype(np.int64) @ checked_trits(trits)


def rescale(
    sums: NDArray[np.int64], scale: Floats, weight_scale: np.float32, convention: WeightScale
) -> Floats:
    """The layer's output in float32: sums (..., n), the tokens' scales (..., 1), the weights'.

    DIVIDE: sum / (scale * weight_scale). MULTIPLY: (sum / scale) * weight_scale; the reference
    divides each code before the sum, which is the same in real numbers.
    """
    floats = sums.astype(np.float32)
    if convention == WeightScale.DIVIDE:
        return np.asarray(floats / (scale * weight_scale), dtype=np.float32)
    return np.asarray(floats / scale * weight_scale, dtype=np.float32)


def bitlinear(x: Floats, trits: Codes, weight_scale: np.float32, convention: WeightScale) -> Floats:
    """x (..., k) through a layer of trits (k, n): (..., n), all float32."""
    codes, scale = absmax(x)
    return rescale(accumulate(codes, trits), scale, weight_scale, convention)


def rms_norm(x: Floats, gain: Floats, epsilon: float) -> Floats:
    """x (..., n) over its root mean square, times gain (n,): as the reference, in float32."""
    mean_square = np.mean(np.square(x), axis=-1, keepdims=True, dtype=np.float32)
    normalised = x * (np.float32(1) / np.sqrt(mean_square + np.float32(epsilon)))
    return np.asarray(gain * normalised, dtype=np.float32)


def normalised_codes(x: Floats, gain: Floats, epsilon: float) -> tuple[Codes, Floats]:
    """As `absmax` of `rms_norm`, but the codes do not wait for the root mean square.

    With h = x * gain the code of h / rms is h / rms * 127 / max|h / rms|: the rms cancels, whatever
    it is. It only scales the result, by which time it is known. In real numbers the two are the
    same wherever max|h| is at least 1e-5 rms; below, the least scale of the normalised values would
    need the rms. Here it is taken for the least rms there is, the root of epsilon.

    In float32 the two take at most ten roundings of 2**-24 between them. Where h * 127 / max|h|
    lies within 2**-20 of its own magnitude of a half, they may be neighbours, never more; of
    Gaussian activations about one code in a million is.
    """
    h = x * gain
    codes, scale = absmax(h, LEAST_SCALE * np.sqrt(np.float32(epsilon)))
    mean_square = np.mean(np.square(x), axis=-1, keepdims=True, dtype=np.float32)
    return codes, scale * np.sqrt(mean_square + np.float32(epsilon))


def pack(trits: Codes) -> NDArray[np.uint8]:
    """Trits (n, ...) with the outputs first, as files hold them: bytes (ceil(n / 4), ...).

    With a stride of ceil(n / 4) outputs, a byte has four codes, of two bits each, the first lowest;
    a code is the trit plus 1, and 0 past the last output. Raises ValueError for weights that are no
    trits.
    """
    whole = checked_trits(trits)
    stride = -(-len(trits) // CODES_PER_BYTE)
    codes = np.zeros((CODES_PER_BYTE * stride, *trits.shape[1:]), dtype=np.uint8)
    codes[: len(trits)] = whole + 1
    quarters = codes.reshape(CODES_PER_BYTE, stride, *trits.shape[1:])
    packed: NDArray[np.uint8] = np.zeros_like(quarters[0])
    for place, quarter in enumerate(quarters):
        packed |= quarter << (2 * place)
    return packed


def unpack(packed: NDArray[np.uint8], outputs: int) -> Codes:
    """The trits (outputs, ...) of what `pack` gave.

    Raises ValueError for bytes that are not those of so many outputs, or with a code of 3.
    """
    stride = -(-outputs // CODES_PER_BYTE)
    if len(packed) != stride:
        raise ValueError(
            f"packed weights of {outputs} outputs must have {stride} rows of bytes, "
            f"not {len(packed)}"
        )
    quarters = [packed >> (2 * place) & 3 for place in range(CODES_PER_BYTE)]
    codes = np.concatenate(quarters)
    wrong = np.argwhere(codes == 3)
    if len(wrong):
        row = int(wrong[0][0])
        raise ValueError(
            f"packed weights must be codes of 0, 1 or 2, not 3 in row {row % stride} at bit "
            f"{2 * (row // stride)}"
        )
    return codes[:outputs].astype(np.int8) - np.int8(1)


def _check_finite(name: str, values: Floats) -> None:
    wrong = values[~np.isfinite(values)]
    if wrong.size:
        raise ValueError(f"{name} must be finite, not {wrong.flat[0]}")
