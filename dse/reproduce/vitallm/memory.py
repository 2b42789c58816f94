"""What a real memory leaves of the speed, and what the prediction of survivors saves of it."""

from fractions import Fraction
from functools import cache

from archmodels.lop import code_bytes, dense_bytes
from archmodels.vitallm.system import Memory, limited_cycles, traffic
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row, at_most
from dse.reproduce.vitallm.published import (
    CLOCK_HZ,
    CONTEXT,
    JOURNAL,
    KEEP,
    KEY_VALUE_GAIN,
    PROMPT,
    model,
    preset,
)

BANDWIDTH = "Decoding of the 3B model behind a DRAM"
SURVIVORS = "Keys and values of the 3B model"
GIGABYTES = (6.4, 12.8, 25.6, 51.2, 102.4)
FORMATS = {"2 bits": Fraction(2), "1.6 bits": Fraction(8, 5)}
"""Of a weight in the memory: two-bit codes, and bytes of five trits."""

LIMITED = (
    "weights, codes of keys, survivors and instructions, with 32 KB on chip to read ahead; wanted "
    "is what the weights alone allow, and while VECTOR works between two layers the memory waits"
)
PROMPTED = (
    "64 times the token in the middle, 1.6 bits per weight: an engine with one row of activations "
    "reads all weights again for each token"
)
NEEDED = "bytes of a token times the tokens of a second; the authors give no DRAM"
COUNTED = (
    "all keys and values over codes of all keys, survivors, and the scales of both; 4 is the bound "
    "of codes of 4 bits, scales left out"
)
UNCOUNTED = "what it would be if codes cost nothing; the authors do not say what they compare"
LONGEST = 2048


def rows(measurements: Measurements, technologies: Technologies) -> list[Row]:
    """Bandwidth, then survivors; measurements are not needed."""
    return [*_bandwidth(), *_survivors()]


@cache
def tokens_per_s(gigabytes: float, weight_bits: Fraction, context: int = CONTEXT) -> float:
    """Decoding with so many GB/s."""
    memory = Memory(bytes_per_cycle=gigabytes * 1e9 / CLOCK_HZ, weight_bits=weight_bits)
    return CLOCK_HZ / limited_cycles(preset(), model(), context, KEEP, memory)


@cache
def token_bytes(weight_bits: Fraction, context: int = CONTEXT) -> tuple[float, float]:
    """Bytes that a token reads, and that it writes."""
    found = traffic(preset(), model().block(context, KEEP), weight_bits)
    blocks = model().num_hidden_layers
    return blocks * found.read, blocks * found.written


def saved(context: int, is_counted: bool) -> float:
    """All keys and values over what is read, with the codes of keys or without."""
    found, dim = model(), model().head_dim
    block = traffic(preset(), found.block(context, KEEP), Fraction(2))
    dense = found.num_key_value_heads * dense_bytes(context, dim)
    return float(dense / (block.survivors + (block.codes if is_counted else 0.0)))


def _bandwidth() -> list[Row]:
    rows = []
    for gigabytes in GIGABYTES:
        for name, bits in FORMATS.items():
            limit = round(gigabytes * 1e9 / float(model().weight_bytes(bits)), 2)
            rows.append(
                Row(section=BANDWIDTH, what=f"{gigabytes:g} GB/s, {name} per weight",
                    unit="tokens/s", ours=tokens_per_s(gigabytes, bits), limit=at_most(limit),
                    reason=LIMITED)
            )  # fmt: skip
    rows += [
        Row(section=BANDWIDTH, what=f"prompt of {PROMPT} tokens, {gigabytes:g} GB/s", unit="s",
            ours=PROMPT / tokens_per_s(gigabytes, FORMATS["1.6 bits"], PROMPT // 2),
            reason=PROMPTED)
        for gigabytes in (GIGABYTES[0], GIGABYTES[2], GIGABYTES[-1])
    ]  # fmt: skip
    for name, bits in FORMATS.items():
        read, written = token_bytes(bits)
        rate = tokens_per_s(1e6, bits)
        rows.append(
            Row(section=BANDWIDTH, what=f"bandwidth of full speed, {name} per weight", unit="GB/s",
                ours=rate * (read + written) / 1e9, reason=NEEDED)
        )  # fmt: skip
    return rows


def _survivors() -> list[Row]:
    return [
        Row(section=SURVIVORS, what=f"bytes saved of {LONGEST:,} tokens, codes counted",
            ours=saved(LONGEST, True), paper=KEY_VALUE_GAIN, source=JOURNAL, limit=at_most(4),
            reason=COUNTED),
        Row(section=SURVIVORS, what=f"bytes saved of {LONGEST:,} tokens, codes not counted",
            ours=saved(LONGEST, False), paper=KEY_VALUE_GAIN, source=JOURNAL, reason=UNCOUNTED),
        Row(section=SURVIVORS, what="codes of a token in all blocks", unit="KB", reason=COUNTED,
            ours=float(model().num_hidden_layers * model().num_key_value_heads
                       * code_bytes(model().head_dim) / 1000)),
    ]  # fmt: skip
