"""How fast the engine is: cycles at the authors' clock, whole and without parts of the schedule."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from archmodels.vitallm.system import prompt_cycles, token_cycles
from designs.bitnet import BitnetModel
from designs.configs import load_model, shipped_models
from designs.vitallm import VitaLlmParams
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Limit, Row, at_least, at_most, between
from dse.reproduce.vitallm.published import (
    CLOCK_HZ,
    CONTEXT,
    JOURNAL,
    KEEP,
    MODEL,
    PREFILL_S,
    PROMPT,
    SHORT,
    SHORT_TOKENS_PER_S,
    TOKENS_PER_S,
    TOLERANCE,
    model,
    preset,
)

SPEED = "Speed of 256 lanes at 1 GHz, with enough DRAM bandwidth"
SCHEDULE = "The schedule: decoding of the 3B model"
MODELS = "Other models on the same lanes"

COUNTED = (
    "cycles of the model, which are the RTL's for whole blocks of the 3B model too; 128 tokens are "
    "in the cache, 64 survive; embedding and head are the host's"
)
ONE_BY_ONE = (
    "64 steps of decoding one after the other, the cache growing: no weight is kept on chip"
)
IDEAL = "ternary products of all layers over 256 lanes, nothing else"
NO_PIPELINE = "head_lag 0: queries of a head only after the attention of the one before"
NO_HELP = "booth_helps off: BOOTH's 64 lanes do attention alone"
NORM = "norm_on_path on: the root mean square is taken before activations are quantised"
ALL = "lop off, no prediction: FETCH and BOOTH take every key and value, with memories for them"
LONG = "with more tokens LOP, of 16 codes per cycle, is what all wait for; 64 codes mend that"
RESIZED = "memories as large as the model needs; no numbers of the authors"


def rows(measurements: Measurements, technologies: Technologies) -> list[Row]:
    """Speed, ablations, other models; measurements are not needed."""
    return [*_speed(), *_schedule(), *_models()]


def tokens_per_s(params: VitaLlmParams, context: int = CONTEXT, name: str = MODEL) -> float:
    """Decoding of one token after so many."""
    return CLOCK_HZ / _cycles(params, name, context)


@cache
def _cycles(params: VitaLlmParams, name: str, context: int) -> int:
    return token_cycles(params, load_model(name), context, KEEP)


@cache
def prompt_s() -> float:
    """Time of the authors' prompt."""
    return prompt_cycles(preset(), model(), PROMPT, KEEP) / CLOCK_HZ


def ablations() -> dict[str, tuple[VitaLlmParams, str]]:
    """What is left out of the schedule, in the order of what it is worth."""
    whole = preset()
    return {
        "no pipeline of heads": (replace(whole, head_lag=0), NO_PIPELINE),
        "no help from BOOTH": (replace(whole, booth_helps=False), NO_HELP),
        "norm on the path": (replace(whole, norm_on_path=True), NORM),
    }


def fitted(found: BitnetModel) -> VitaLlmParams:
    """The engine with memories for another model."""
    whole = preset()
    longest = max(found.hidden_size, found.intermediate_size)
    return replace(
        whole,
        tint=replace(whole.tint, max_k=longest),
        booth=replace(whole.booth, max_k=longest),
        max_hidden=found.hidden_size,
        max_inner=found.intermediate_size,
        max_head_dim=found.head_dim,
        max_kv_heads=max(found.num_key_value_heads, 2),
    )


def _speed() -> Sequence[Row]:
    rate, macs = tokens_per_s(preset()), model().ternary_mac_count
    near = _near(TOKENS_PER_S)
    soon = _near(PREFILL_S)
    lanes = preset().mac_slots_per_cycle
    theirs = TOKENS_PER_S * macs / CLOCK_HZ
    return [
        Row(section=SPEED, what="decoding, 3B", unit="tokens/s", ours=rate, paper=TOKENS_PER_S,
            source=JOURNAL, limit=near, reason=COUNTED),
        Row(section=SPEED, what="the same", unit="tokens/s", ours=rate, paper=SHORT_TOKENS_PER_S,
            source=SHORT, reason=COUNTED),
        Row(section=SPEED, what="prompt of 64 tokens, 3B", unit="s", ours=prompt_s(),
            paper=PREFILL_S, source=SHORT, limit=soon, reason=ONE_BY_ONE),
        Row(section=SPEED, what="ternary products per cycle", ours=rate * macs / CLOCK_HZ,
            paper=theirs, source=JOURNAL, reason=COUNTED),
        Row(section=SPEED, what="bound of 256 lanes", unit="tokens/s",
            ours=lanes * CLOCK_HZ / macs, limit=at_most(79.5), reason=IDEAL),
    ]  # fmt: skip


def _near(value: float) -> Limit:
    """What is wanted: the authors' value, but for a little."""
    return between(round(value * (1 - TOLERANCE), 3), round(value * (1 + TOLERANCE), 3))


def _schedule() -> Sequence[Row]:
    whole, rows, slower = tokens_per_s(preset()), [], 0.0
    for what, (params, reason) in ablations().items():
        rate = tokens_per_s(params)
        rows.append(
            Row(section=SCHEDULE, what=what, unit="tokens/s", ours=rate, reason=reason,
                limit=between(round(slower, 2), round(whole, 2)))
        )  # fmt: skip
        slower = rate
    rows.append(
        Row(section=SCHEDULE, what="all of it", unit="tokens/s", ours=whole, reason=COUNTED,
            paper=TOKENS_PER_S, source=JOURNAL, limit=at_least(round(slower, 2)))
    )  # fmt: skip
    for context in (CONTEXT, 512):
        every = replace(preset(), lop=False, max_context=context, max_kept=context + 1)
        rows.append(
            Row(section=SCHEDULE, what=f"{context} tokens in the cache, all of them read",
                unit="tokens/s", reason=ALL,
                ours=CLOCK_HZ / token_cycles(every, model(), context, context + 1))
        )  # fmt: skip
    for context in (512, 1024, 2048):
        for lanes in (16, 64):
            rate = tokens_per_s(replace(preset(), lop_lanes=lanes), context)
            what = f"{context:,} tokens in the cache, LOP of {lanes} codes"
            rows.append(Row(section=SCHEDULE, what=what, unit="tokens/s", ours=rate, reason=LONG))
    return rows


def _models() -> Sequence[Row]:
    return [
        Row(section=MODELS, what=f"decoding, {name}", unit="tokens/s", reason=RESIZED,
            ours=tokens_per_s(fitted(load_model(name)), name=name))
        for name in shipped_models()
        if name != MODEL
    ]  # fmt: skip
