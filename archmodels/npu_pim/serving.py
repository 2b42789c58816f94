"""Serving over time: iterations of a batch, which requests enter and leave in between.

Iteration-level scheduling (Yu et al., "Orca: A Distributed Serving System for Transformer-Based
Generative Models", OSDI 2022): an iteration gives every request one token; at its end those that
have all of theirs leave, and others enter. Prompts are prefilled elsewhere, and their caches are
there when they enter; or they ride in chunks with the tokens of others (Agrawal et al., "SARATHI:
Efficient LLM Inference by Piggybacking Decodes with Chunked Prefills", 2023), and a prompt's last
chunk gives the first token. An iteration takes what `archmodels.npu_pim.decode` says, which counts
tiles: lengths that differ by less are looked up. Micro-batches of a pipeline are dealt anew in each
iteration, and what goes from one stage of it to the next hides behind the others.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archmodels.npu_pim.admission import Resident, Residents, longest_served
from archmodels.npu_pim.decode import Decoding, adaptive, decode
from archmodels.npu_pim.packing import Placement, balanced, halves
from archmodels.npu_pim.prefill import Chunk
from archmodels.npu_pim.stages import Beside
from archmodels.npu_pim.work import Work, done, waited
from designs.npu_pim import (
    Interleave,
    Llm,
    NpuPimDevice,
    Request,
    RowBuffers,
    ServingPolicy,
    Sharing,
    Split,
)
from designs.rules import Real


@dataclass(frozen=True, kw_only=True, slots=True)
class Iteration:
    """One iteration.

    start, cycles: when, and how long. requests: that get a further token. firsts: that get their
    first, behind their prompt or as they enter. prompt_tokens: that ride along. waiting: requests
    that find no place. is_interleaved: whether a micro-batch is two sub-batches.
    """

    start: float
    cycles: float
    requests: int
    firsts: int
    prompt_tokens: int
    waiting: int
    is_interleaved: bool

    @property
    def tokens(self) -> int:
        """That are answered."""
        return self.requests + self.firsts


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A request that was served; times are in cycles, of its entering and of its tokens."""

    request: Request
    entered: float
    first: float
    last: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Serving:
    """What came of a trace.

    answers: in the order of the trace, None where refused. work: of one device, of all iterations
    and the time between them, from the first arrival on. start: of that, in cycles.
    """

    answers: tuple[Answer | None, ...]
    iterations: tuple[Iteration, ...]
    work: Work
    start: float

    @property
    def tokens(self) -> int:
        return sum(one.tokens for one in self.iterations)

    @property
    def refused(self) -> int:
        return self.answers.count(None)

    @property
    def between_tokens(self) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
        """Cycles from a token of a request to its next, of all of them."""
        cycles = [one.cycles for one in self.iterations]
        return np.repeat(cycles, [one.requests for one in self.iterations])


def check_policy(device: NpuPimDevice, policy: ServingPolicy) -> None:
    """Raises ValueError where channels cannot do what is asked for."""
    is_single = device.channel.row_buffers == RowBuffers.SINGLE
    if is_single and policy.interleave != Interleave.NEVER:
        raise ValueError(
            "interleave must be never where banks have one row buffer, for channels are either "
            f"accessed or compute, not {policy.interleave.name.lower()}"
        )
    if device.levers.sharing != Sharing.PUBLISHED:
        raise ValueError(
            "levers.sharing must be published where requests come and go, not "
            f"{device.levers.sharing.name.lower()}"
        )
    if device.levers.prefetch:
        raise ValueError("levers.prefetch must be false where requests come and go, not true")


def serve(
    device: NpuPimDevice, model: Llm, requests: Sequence[Request], policy: ServingPolicy
) -> Serving:
    """Serve all requests.

    Raises ValueError where the weights do not fit, where a request is longer than a channel holds,
    and as `check_policy`.
    """
    check_policy(device, policy)
    most = longest_served(device, model, policy)
    for request in requests:
        if request.most_tokens > most:
            raise ValueError(
                f"a request must have at most {most} tokens, for a channel holds no more, "
                f"not {request.most_tokens}"
            )
    run = _Run(device, model, requests, policy)
    while run.has_more:
        run.step()
    return run.result()


class _Run:
    """A trace that is being served."""

    def __init__(
        self, device: NpuPimDevice, model: Llm, requests: Sequence[Request], policy: ServingPolicy
    ) -> None:
        self._device, self._model, self._policy = device, model, policy
        self._residents = Residents(device, model, policy)
        order = sorted(enumerate(requests), key=lambda item: item[1].arrival_s)
        self._coming = deque(order)
        self._answers: list[Answer | None] = [None] * len(requests)
        self._firsts: dict[int, float] = {}
        self._iterations: list[Iteration] = []
        self._work = Work()
        self._start = self._now = self._arrival(order[0][1]) if order else 0.0

    @property
    def has_more(self) -> bool:
        own = self._residents
        return bool(self._coming or own.in_order or own.waiting)

    def result(self) -> Serving:
        return Serving(
            answers=tuple(self._answers),
            iterations=tuple(self._iterations),
            work=self._work,
            start=self._start,
        )

    def step(self) -> None:
        """Let requests enter, and give each a token, or wait for the next to come."""
        own = self._residents
        while self._coming and self._arrival(self._coming[0][1]) <= self._now:
            own.waiting.append(self._coming.popleft())
        own.admit(self._now)
        if self._policy.queue:
            while len(own.waiting) > self._policy.queue:
                own.waiting.pop()
        if own.in_order:
            self._iterate()
        elif self._coming:
            until = self._arrival(self._coming[0][1])
            self._work = self._work + waited(self._device, until - self._now)
            self._now = until

    def _iterate(self) -> None:
        own = self._residents
        given = own.chunks(self._policy.prefill_tokens)
        decoding = [one for one in own.in_order if one.is_decoding]
        found = self._decoded(own.placement(), tuple(chunk for _, chunk in given))
        start, self._now = self._now, self._now + found.cycles
        self._work = self._work + done(self._device, self._model, found)
        for one, chunk in given:
            one.cached += chunk.tokens
        ended = [one for one, _ in given if one.is_decoding]
        firsts = [one for one in (*decoding, *ended) if one.left == one.request.output]
        for one in (*decoding, *ended):
            self._advance(one)
        self._iterations.append(
            Iteration(
                start=start,
                cycles=found.cycles,
                requests=len(decoding) + len(ended) - len(firsts),
                firsts=len(firsts),
                prompt_tokens=sum(chunk.tokens for _, chunk in given),
                waiting=len(own.waiting),
                is_interleaved=any(one.is_interleaved for one in found.micro_batches),
            )
        )

    def _advance(self, one: Resident) -> None:
        """Count a token of a request, which leaves after its last."""
        self._firsts.setdefault(one.index, self._now)
        one.cached += 1
        one.left -= 1
        if not one.left:
            self._residents.leave(one)
            self._answers[one.index] = Answer(
                request=one.request,
                entered=one.since,
                first=self._firsts[one.index],
                last=self._now,
            )

    def _decoded(self, channels: Placement, chunks: tuple[Chunk, ...]) -> Decoding:
        device, model, policy = self._device, self._model, self._policy
        beside = Beside(append_tokens=policy.append_tokens, chunks=chunks)
        if policy.interleave == Interleave.NEVER:
            return decode(device, model, channels, None, beside)
        if policy.interleave == Interleave.ALWAYS:
            return decode(device, model, channels, self._split, beside)
        return adaptive(device, model, channels, self._split, beside)

    def _split(self, channels: Placement) -> tuple[Placement, Placement]:
        if self._policy.split == Split.HALVES:
            return halves(channels)
        return balanced(channels, self._residents.estimate)

    def _arrival(self, request: Request) -> float:
        return request.arrival_s * self._device.clock_hz


def percentile(values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", part: float) -> Real:
    """The least of them that so many percent do not exceed; 0 where there are none."""
    if not values.size:
        return 0.0
    return float(np.percentile(values, part, method="inverted_cdf"))
