"""What it costs that rows stay open until they are read, and that new tokens are written."""

from archmodels.npu_pim import attention, period
from archmodels.npu_pim.append import append_cycles, cheapest_tokens, staged_tokens
from archmodels.npu_pim.attention import Channels
from designs.npu_pim.gemv import attend, logit
from dse.reproduce.neupims.points import (
    BLOCKED,
    CORRECTED,
    PUBLISHED,
    Machine,
    mean,
    models,
    packed,
    ratios,
)
from dse.reproduce.row import Row, between

SECTION = "The cost of correctness"
APPEND = "What a new token's key and value cost, beside attention; GPT-3 7B on ShareGPT"
MODEL, LENGTHS = "gpt3_7b", "ShareGPT"
LONG = 512
"""Tokens whose values fill a row."""

PERIOD = (
    "cycles from a tile to the next: as published a row may be closed 5 cycles after a composite "
    "GEMV begins, 58 before its last step reads it"
)
TRACES = "the simulator's: its command traces; corrected: the last step read before a row is closed"
ALONE = "attention of one request of 512 tokens, corrected over as published"
LAYER = "attention of a batch of 256, corrected over as published"
HIDDEN = "corrected over as published; where sub-batches are interleaved, linear layers hide it"
SCATTERED = "a value is one element in a row of each dimension: every row is opened for two bytes"
STAGED = (
    "the newest tokens wait in rows of their own, which the NPU reads for every token, until as "
    "many are written at once; the first number is the one that takes least, the other an access"
)
UNCHARGED = "over the attention of the batch; the authors charge nothing"

PERIODS = {"logit": (197, 213, 211), "attend": (143, 207, 205)}
"""Of NeuPIMs as published and of the blocked machine, by their traces; of NeuPIMs corrected."""


def rows() -> list[Row]:
    """Tiles, attention, throughput; then what is left out altogether."""
    return [*_periods(), *_attention(), *_throughput(), *_append()]


def _periods() -> list[Row]:
    heads = models()[MODEL].shard
    found = []
    for what, make in (("logit", logit), ("attend", attend)):
        for name, device, theirs in zip(
            ("as published", "NPU+PIM", "corrected"),
            (PUBLISHED, BLOCKED, CORRECTED),
            PERIODS[what],
            strict=True,
        ):
            ours = period(device.channel, make(device.channel, heads, LONG)[0])
            found.append(
                Row(section=SECTION, what=f"tile of {what}, {name}", ours=float(ours),
                    simulator=None if device is CORRECTED else float(theirs), unit="cycles",
                    reason=f"{PERIOD}; {TRACES}",
                    limit=between(theirs, theirs))
            )  # fmt: skip
    return found


def _cycles(channels: Channels) -> tuple[tuple[int, int, int], ...]:
    """Logits, sums of values and both, as published and corrected."""
    heads = models()[MODEL].shard
    works = [attention(device, heads, channels) for device in (PUBLISHED, CORRECTED)]
    return tuple((one.logit.cycles, one.attend.cycles, one.cycles) for one in works)


def _attention() -> list[Row]:
    found = []
    for batch, reason in ((1, ALONE), (256, LAYER)):
        channels = ((LONG,),) if batch == 1 else packed(models()[MODEL], LENGTHS, batch)
        before, after = _cycles(channels)
        found += [
            Row(section=SECTION, what=f"{what}, {batch} request{'s' * (batch > 1)}",
                ours=own / other, reason=reason)
            for what, own, other in zip(("logit", "attend", "both"), after, before, strict=True)
        ]  # fmt: skip
    return found


def _throughput() -> list[Row]:
    found = ratios(Machine.MIXED, Machine.MIXED_PUBLISHED)
    chosen = ratios(Machine.BEST, Machine.BEST_PUBLISHED)
    return [
        Row(section=SECTION, what=f"throughput, {what}, {kind}", ours=value, reason=HIDDEN)
        for what, own in (("always interleaved", found), ("where it pays", chosen))
        for kind, value in (("mean", mean(own)), ("least", min(own)))
    ]


def _append() -> list[Row]:
    heads, channel = models()[MODEL].shard, CORRECTED.channel
    found = []
    for batch in (64, 256, 512):
        channels = packed(models()[MODEL], LENGTHS, batch)
        whole = attention(CORRECTED, heads, channels).cycles
        for what, tokens, reason in (
            ("one by one", 1, SCATTERED),
            *(
                (f"{one} at once", one, STAGED)
                for one in (cheapest_tokens(channel, heads), staged_tokens(channel))
            ),
        ):
            cycles = append_cycles(channel, heads, channels, tokens)
            found += [
                Row(section=APPEND, what=f"{batch} requests, values {what}", ours=cycles,
                    unit="cycles", reason=reason),
                Row(section=APPEND, what=f"{batch} requests, values {what}, share",
                    ours=cycles / whole, reason=UNCHARGED),
            ]  # fmt: skip
    return found
