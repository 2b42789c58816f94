"""The predictor requests what the golden selects, in as many cycles as it says."""

import numpy as np
import pytest
from amaranth.hdl import Value
from amaranth.sim import Simulator
from combinational import answers

from designs.rules import ceil_div
from hwgen.vitallm.lop import LopUnit
from hwgen.vitallm.lop_interface import LopParams, lo_layout
from hwgen.vitallm.lop_score import LeadingOne
from hwgen.vitallm.survivors import EverySurvivor
from sim.golden import lop


def params(**fields):
    least = {"vector_lanes": 2, "lop_lanes": 4, "max_head_dim": 16, "max_context": 100}
    return LopParams(**least | {"slots": 3, "kv_heads": 4, "rounded": True} | fields)


@pytest.mark.parametrize("rounded", [False, True])
def test_codes_of_all_values(rounded):
    values = np.arange(-128, 128)
    encode = lop.rounded_leading_one if rounded else lop.leading_one
    stimuli = [{"x": int(value)} for value in values]
    found = answers(LeadingOne(params(rounded=rounded)), stimuli, "code")
    assert [code for (code,) in found] == encode(values).tolist()


class Problem:
    """Queries, keys and scales of one head, and what is asked of them."""

    def __init__(self, p, context, dims, keep, sinks, recent, seed):
        random = np.random.default_rng(seed)
        self.p, self.context, self.dims, self.seed = p, context, dims, seed
        self.query = random.integers(-127, 128, dims)
        self.keys = random.integers(-127, 128, (context, dims))
        if seed % 3 == 0:  # many equal scores
            self.keys = self.keys // 50 * 42
        self.scales = random.integers(0, 256, context) if seed % 2 else np.full(context, 77)
        self.slot, self.kv_head = seed % p.slots, seed % p.kv_heads
        self.sinks, self.recent = sinks, recent
        self.kept = min(keep, context + 1)
        self.words = ceil_div(dims, p.lop_lanes)
        self.latest = max(context + 1 - recent, 0)

    @property
    def instruction(self):
        forced = self.sinks + self.recent
        need = self.kept - forced if self.context + 1 > forced else 0
        return {
            "context": self.context,
            "need": need,
            "sinks": self.sinks,
            "latest": self.latest,
            "words": self.words,
            "query": self.slot,
            "kv_head": self.kv_head,
        }

    @property
    def survivors(self):
        encode = lop.rounded_leading_one if self.p.rounded else lop.leading_one
        sums = lop.surrogate(encode(self.query), encode(self.keys))
        scores = np.append(sums * lop.scale_value(self.scales), 0)
        selection = lop.Selection(kept=self.kept_at_least, sinks=self.sinks, recent=self.recent)
        return lop.select(scores, selection).tolist()

    @property
    def kept_at_least(self):
        return max(self.kept, self.sinks + self.recent)

    @property
    def transfers(self):
        encode = lop.rounded_leading_one if self.p.rounded else lop.leading_one
        lanes = self.p.lop_lanes
        codes = np.pad(encode(self.keys), [(0, 0), (0, self.words * lanes - self.dims)])
        layout = lo_layout(self.p)
        return [
            layout.const(
                {
                    "codes": [
                        {"level": int(code) & 7, "negative": int(code) >> 3} for code in word
                    ],
                    "scale": int(scale),
                }
            ).as_bits()
            for key, scale in zip(codes, self.scales, strict=True)
            for word in key.reshape(-1, lanes)
        ]

    @property
    def query_words(self):
        lanes = self.p.vector_lanes
        slot = self.slot * self.p.max_head_dim // lanes
        padded = np.pad(self.query, (0, self.words * self.p.lop_lanes - self.dims))
        for index, word in enumerate(padded.reshape(-1, lanes).tolist()):
            yield slot + index, sum((value % 256) << (8 * lane) for lane, value in enumerate(word))


def played(problems, idle=0.0, refuse=0.0):
    """Requests and cycles from start to done of each problem, one after the other."""
    unit, random = LopUnit(problems[0].p), np.random.default_rng(9)
    found = []

    async def bench(ctx):
        for problem in problems:
            for address, word in problem.query_words:
                ctx.set(unit.query_write, 1)
                ctx.set(unit.query_address, address)
                ctx.set(Value.cast(unit.query_data), word)
                await ctx.tick()
            ctx.set(unit.query_write, 0)
            ctx.set(unit.instruction, problem.instruction)
            ctx.set(unit.start, 1)
            left, requests, cycles, done = problem.transfers, [], 0, False
            while not done:
                ctx.set(unit.lo.valid, bool(left) and random.random() >= idle)
                ctx.set(Value.cast(unit.lo.payload), left[0] if left else 0)
                ctx.set(unit.kv_request.ready, random.random() >= refuse)
                _, _, done, taken, index, head, given = await ctx.tick().sample(
                    unit.done,
                    unit.kv_request.valid & unit.kv_request.ready,
                    unit.kv_request.payload.index,
                    unit.kv_request.payload.kv_head,
                    unit.lo.valid & unit.lo.ready,
                )
                ctx.set(unit.start, 0)
                left = left[given:]
                if taken:
                    requests.append(index)
                    assert head == problem.kv_head
                cycles += 1
                assert cycles < 5000
            assert not left
            found.append((requests, cycles - 1))

    simulator = Simulator(unit)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()
    return found


@pytest.mark.parametrize("refuse", [0.0, 0.6])
def test_without_a_predictor_every_token_survives(refuse):
    unit, random, found = EverySurvivor(params(max_context=15)), np.random.default_rng(3), []
    contexts = (0, 4, 15, 1)

    async def bench(ctx):
        for context in contexts:
            ctx.set(unit.instruction, {"context": context, "kv_head": context % 4})
            ctx.set(unit.start, 1)
            requests, cycles, done = [], 0, False
            while not done:
                ctx.set(unit.kv_request.ready, random.random() >= refuse)
                _, _, done, taken, index, head = await ctx.tick().sample(
                    unit.done,
                    unit.kv_request.valid & unit.kv_request.ready,
                    unit.kv_request.payload.index,
                    unit.kv_request.payload.kv_head,
                )
                ctx.set(unit.start, 0)
                requests += [(index, head)] * taken
                cycles += 1
                assert cycles < 500
            found.append((requests, cycles - 1))

    simulator = Simulator(unit)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()
    for context, (requests, cycles) in zip(contexts, found, strict=True):
        assert requests == [(token, context % 4) for token in range(context + 1)]
        assert refuse or cycles == EverySurvivor.cycles(context)


CASES = [
    # context, dims, keep, sinks, recent
    (0, 16, 8, 1, 2),
    (1, 16, 8, 1, 2),
    (2, 13, 8, 1, 2),
    (7, 16, 8, 1, 2),
    (8, 16, 8, 1, 2),
    (40, 16, 8, 1, 2),
    (40, 3, 8, 0, 1),
    (99, 16, 30, 1, 8),
    (100, 9, 9, 4, 5),
    (63, 8, 64, 1, 8),
    (30, 16, 29, 2, 3),
]


@pytest.mark.parametrize(
    "fields",
    [{}, {"rounded": False}, {"vector_lanes": 4}, {"lop_lanes": 16, "vector_lanes": 1}],
    ids=["rounded", "plain", "as many lanes", "a key in one word"],
)
def test_requests_and_cycles(fields):
    p = params(**fields)
    problems = [Problem(p, *case, seed=seed) for seed, case in enumerate(CASES)]
    for problem, (requests, cycles) in zip(problems, played(problems), strict=True):
        ranked = max(problem.latest - problem.sinks, 0)
        assert requests == problem.survivors
        assert cycles == LopUnit.cycles(problem.context, problem.words, ranked)


def test_stalls_change_no_request():
    problems = [Problem(params(), *case, seed=seed) for seed, case in enumerate(CASES)]
    for problem, (requests, _) in zip(problems, played(problems, 0.5, 0.6), strict=True):
        assert requests == problem.survivors
