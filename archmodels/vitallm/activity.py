"""What happens in a VitaLLM engine while it works through a program, and what works each time."""

from collections import Counter
from collections.abc import Iterator, Mapping

from archmodels import booth_flex, lut_ternary
from archmodels.counts import Event, Item, Operation, summed
from archmodels.items import using
from archmodels.parts import CODE_BITS, memory_events
from archmodels.vector_activity import vector_events
from archmodels.vitallm.durations import booth_gemm
from archmodels.vitallm.predictor import BUCKETS
from designs.bitnet import BitnetBlock
from designs.operands import Distribution, Operand, Operands
from designs.rules import ceil_div
from designs.vector import Pass, VectorOperation
from designs.vitallm import VitaLlmParams
from designs.vitallm.instructions import Linear, Multiply, Product, Program, Unit
from designs.vitallm.vector import Input, Output, Port, Stream
from designs.workload import Gemm

GAUSSIAN = Operand(distribution=Distribution.NORMAL)
"""Codes, and the weights that they meet, as quantisers leave Gaussian tensors."""

STREAMED = {Input.RESIDUAL: "x", Input.CONSTANTS: "c", Input.SCALES: "kv_scales"}
GIVEN = {Output.RESULT: "o", Output.NEW_CODES: "kv_new", Output.NEW_SCALES: "kv_new_scales"}
LINEAR_CODES = (Output.LINEAR_CODES, Output.MORE_LINEAR_CODES)


def activity(
    params: VitaLlmParams, workload: BitnetBlock, program: Program, items: Mapping[str, Item]
) -> Mapping[str, Event]:
    """Events by key; `items` is the inventory of `params`.

    `tint.<key>`, `booth.<key>`: as of their cores; `vector.words*`: words of VECTOR's banks that
    are read and written, and of its passes; `<port>.transfers`; `<memory>.reads`, `.writes`.
    """
    p, w = params, workload
    tint, booth = _cores(params, program)
    words = _words(params, program)
    keys = {unit: f"{unit.name.lower()}.instructions" for unit in Unit}
    lop = w.heads * w.context * ceil_div(w.head_dim, p.lop_lanes) if p.lop else 0
    steps = ceil_div(w.head_dim, p.booth.elements) + ceil_div(w.head_dim, p.booth.cols)
    transfers = {
        **{name: words[name] for name in (*STREAMED.values(), *GIVEN.values())},
        "w": tint["w.transfers"].count,
        "wb": booth["wb.transfers"].count,
        "lo": lop,
        "kv": w.heads * w.kept * steps,
        "kv_request": w.heads * w.kept,
    }
    return {
        "mac.slots": Event(count=tint["mac.slots"].count + booth["mac.slots"].count),
        "mac.useful": Event(count=w.mac_count),
        **{f"{name}.transfers": Event(count=count) for name, count in transfers.items()},
        **{keys[unit]: Event(count=len(program[unit])) for unit in Unit},
        **_of_core("tint", tint),
        **_of_core("booth", booth),
        **vector_events(p.vector_lanes, list(_vector_operations(program)), items),
        **_memories(params, workload, words, items, (tint, booth)),
        **(_predictor(params, workload, lop, items) if p.lop else {}),
    }


def _cores(params: VitaLlmParams, program: Program) -> tuple[dict[str, Event], dict[str, Event]]:
    """Events of TINT's core and of BOOTH's, of all instructions."""
    linear: Counter[tuple[int, int]] = Counter()
    multiply: Counter[tuple[Product, int, int]] = Counter()
    for instruction in (*program[Unit.TINT], *program[Unit.BOOTH]):
        operation = instruction.operation
        if isinstance(operation, Linear):
            linear[operation.k, operation.n] += 1
        elif isinstance(operation, Multiply):
            multiply[operation.product, operation.k, operation.n] += 1
    ternary = Operands(a=GAUSSIAN, w=GAUSSIAN)
    tint = [
        (times, lut_ternary.counts(params.tint, Gemm(m=1, k=k, n=n, operands=ternary)).activity)
        for (k, n), times in linear.items()
    ]
    booth = []
    given = {"wb.transfers": 0, "attention.transfers": 0}
    for (product, k, n), times in multiply.items():
        found = booth_flex.counts(params.booth, booth_gemm(params, product, k, n))
        booth.append((times, found.activity))
        port = "wb.transfers" if product == Product.LINEAR else "attention.transfers"
        given[port] += times * int(found.activity["w.transfers"].count)
    return summed(tint), summed(booth) | {port: Event(count=count) for port, count in given.items()}


def _of_core(name: str, events: Mapping[str, Event]) -> dict[str, Event]:
    """Under keys of the engine; what both cores have to say of products is said of both."""
    return {
        f"{name}.{key.replace('.', '_')}": event
        for key, event in events.items()
        if not key.startswith("mac.")
    }


def _vector_operations(program: Program) -> Iterator[VectorOperation]:
    for instruction in program[Unit.VECTOR]:
        if isinstance(instruction.operation, VectorOperation):
            yield instruction.operation


def passes(program: Program) -> Iterator[Pass]:
    """The passes of VECTOR."""
    return (one for one in _vector_operations(program) if isinstance(one, Pass))


def _words(params: VitaLlmParams, program: Program) -> Counter[str]:
    """Words of VECTOR: of streams, by port; of sums and codes."""
    words: Counter[str] = Counter()
    for one in passes(program):
        count = ceil_div(one.length, params.vector_lanes)
        for operand in (one.x, one.p):
            if isinstance(operand, Stream):
                is_sum = operand.input not in STREAMED
                words[STREAMED.get(operand.input, operand.input.name.lower())] += count + is_sum
        if isinstance(one.to, Port):
            is_linear = one.to.output in LINEAR_CODES
            other = "linear_codes" if is_linear else "attention_codes"
            words[GIVEN.get(one.to.output, other)] += count
    return words


def _memories(
    params: VitaLlmParams,
    workload: BitnetBlock,
    words: Counter[str],
    items: Mapping[str, Item],
    cores: tuple[Mapping[str, Event], Mapping[str, Event]],
) -> dict[str, Event]:
    """Reading and writing of codes, sums, keys and values; a part of a word costs its bits."""
    (tint, booth), p, w = cores, params, workload
    codes = p.vector_lanes * CODE_BITS
    attention = booth["attention.transfers"].count
    scores = ceil_div(w.kept, p.booth.cols) * ceil_div(w.head_dim, p.booth.elements) * w.heads
    keys = w.heads * w.kept * ceil_div(w.head_dim, p.booth.elements)
    values = w.heads * w.kept * ceil_div(w.head_dim, p.booth.cols)
    uses = {
        "tint_codes": (tint["a.transfers"].count, words["linear_codes"], codes),
        "booth_codes": (booth["wb.transfers"].count, words["linear_codes"], codes),
        "attention_codes": (attention, words["attention_codes"], codes),
        "tint_sums": (words["tint_sums"], tint["tiles"].count, items["tint_sums.memory"].bits),
        "booth_sums": (words["booth_sums"], booth["tiles"].count, items["booth_sums.memory"].bits),
        "keys": (scores, keys, p.booth.elements * CODE_BITS),
        "values": (attention - scores, values, p.booth.cols * CODE_BITS),
    }
    events: dict[str, Event] = {}
    for name, (reads, writes, written_bits) in uses.items():
        events |= memory_events(
            name, items[f"{name}.memory"], int(reads), int(writes), written_bits
        )
    return events


def _predictor(
    params: VitaLlmParams, workload: BitnetBlock, transfers: int, items: Mapping[str, Item]
) -> dict[str, Event]:
    """Products of codes for each transfer; a score for each token, which is read twice again."""
    w = workload
    tokens = w.heads * w.context
    latest = max(w.context + 1 - w.recent, 0)
    ranked = w.heads * max(latest - w.sinks, 0)
    parts = ("term.exponent", "term.negative", "sum.tree", "sum.adder", "sum.register")
    counters, scores = items["lop.histogram.memory"], items["lop.scores.memory"]
    queries = items["lop.queries.memory"]
    return {
        **{
            f"lop.{part.replace('.', '_')}s": Event(
                count=transfers * items[f"lop.{part}"].count,
                operations=(
                    Operation(kind=items[f"lop.{part}"].kind, bits=items[f"lop.{part}"].bits),
                ),
            )
            for part in parts
        },
        "lop.scales": using(items["lop.scale.multiplier"], tokens),
        "lop.shifts": using(items["lop.scale.shift"], tokens),
        **memory_events("lop.queries", queries, transfers + w.heads, w.q_width, 4),
        **memory_events("lop.scores", scores, ranked + tokens + w.heads, tokens, scores.bits),
        **memory_events(
            "lop.counters",
            counters,
            ranked + w.heads * BUCKETS,
            ranked + w.heads * BUCKETS,
            counters.bits,
        ),
    }
