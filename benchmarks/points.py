"""Design points drawn by a seed, spread over what each machine can be: nobody fitted to them."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from designs import Dataflow, Gemm, Params, SystolicParams, Workload
from designs.attention import (
    Attention,
    AttentionParams,
    Binding,
    Division,
    ExpMethod,
    Masking,
)
from designs.booth_flex import BoothFlexParams
from designs.digit_serial import DigitSerialParams
from designs.digits import Encoded, Encoding
from designs.elements import Element as NumberFormat
from designs.lut_ternary import Activation, Build, LutTernaryParams, Stationary
from designs.npu_pim import PimAttention, PimChannel, Precharge, RowBuffers
from designs.rules import RuleError
from designs.systolic import Element, EncoderPlace, Reduction, ResolvePlace
from designs.ternary import WeightFormat

SEED = 2026
SMALL_COUNT = 30
LARGE_SIDES = ((32, 32), (24, 48), (48, 20), (40, 40))
"""Rows and columns of the large points."""

Made = TypeVar("Made", bound=Params)


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A design and a small workload that keeps it busy.

    family: under which results are put together. title: what it is, for a table. alike: places of
    the operands that are the same in all streams of a simulation, for cycles depend on them.
    """

    name: str
    family: str
    params: Params
    workload: Workload
    title: str
    alike: tuple[int, ...] = ()


def systolic() -> Iterator[Point]:
    """Arrays of up to 16 x 16, most of them not square, then the large ones."""
    draw = random.Random(SEED)
    for index in range(SMALL_COUNT):
        yield _systolic(draw, index, _side(draw, 16), _side(draw, 16), w_bits_max=16)
    for index, (rows, cols) in enumerate(LARGE_SIDES):
        yield _systolic(draw, SMALL_COUNT + index, rows, cols, w_bits_max=8)


def _side(draw: random.Random, most: int) -> int:
    """1..most, small ones as likely as large ones."""
    return round(most ** draw.random())


def _systolic(draw: random.Random, index: int, rows: int, cols: int, *, w_bits_max: int) -> Point:
    dataflow = draw.choice((Dataflow.OS, Dataflow.WS))
    is_ws = dataflow == Dataflow.WS
    params = _legal(
        lambda: SystolicParams(
            rows=rows,
            cols=cols,
            dataflow=dataflow,
            a_bits=draw.randint(2, w_bits_max),
            w_bits=draw.randint(2, w_bits_max),
            a_signed=draw.random() < 0.75,
            w_signed=draw.random() < 0.75,
            max_k=2 ** draw.randint(6, 16),
            mac_stages=draw.randint(0, 2),
            double_buffer=draw.random() < 0.6,
            **({"acc_rows": 2 ** draw.randint(4, 10)} if is_ws else {}),
        )
    )
    title = f"{dataflow.name.lower()} {_shape(params)} {_buffers(params)} {params.mac_stages}"
    return Point(
        name=f"systolic_{index}",
        family="systolic",
        params=params,
        workload=_gemm(params),
        title=title,
    )


def _legal(make: Callable[[], Made]) -> Made:
    """The first that no rule refuses."""
    while True:
        try:
            return make()
        except RuleError:
            continue


def _shape(params: Any) -> str:
    """Size, widths of the operands and of the sums; u: unsigned."""
    signs = {True: "", False: "u"}
    return (
        f"{params.rows}x{params.cols} {signs[params.a_signed]}{params.a_bits}x"
        f"{signs[params.w_signed]}{params.w_bits} acc {params.acc_bits}"
    )


def _buffers(params: Any) -> str:
    return "double" if params.double_buffer else "single"


def _gemm(params: SystolicParams) -> Gemm:
    """Several tiles of results, each of several steps."""
    return Gemm(m=2 * params.rows, k=min(2 * params.rows + 16, params.max_k), n=2 * params.cols)


ARRAYS: dict[str, dict[str, Any]] = {
    "os": {},
    "ws": {"dataflow": Dataflow.WS, "acc_rows": 32},
    "matrix": {"broadcast": True},
    "cube": {"depth": 4},
    "tree cube": {"depth": 4, "reduction": Reduction.TREE},
    "tree": {"dataflow": Dataflow.WS, "reduction": Reduction.TREE, "acc_rows": 32},
}
"""Array to what makes it that."""

DENSE = (
    ("os", Element.FUSED), ("os", Element.OPT1), ("os", Element.OPT1), ("ws", Element.FUSED),
    ("ws", Element.OPT1), ("matrix", Element.MAC), ("matrix", Element.OPT1), ("cube", Element.MAC),
    ("cube", Element.OPT1), ("tree cube", Element.OPT2), ("tree", Element.MAC),
    ("tree", Element.OPT1), ("tree", Element.OPT2),
)  # fmt: skip


def dense() -> Iterator[Point]:
    """Every array and element of the bit-weight paper, up to 8 x 8, of int4 to int8."""
    draw = random.Random(SEED + 1)
    for index, (array, element) in enumerate(DENSE):
        params = _legal(lambda array=array, element=element: _dense(draw, array, element))
        details = [f"{array} {element.name.lower()} {_shape(params)} {_buffers(params)}"]
        if element != Element.MAC:
            details += [params.encoding.name.lower(), params.encoded.name.lower()]
            details += ["edge"] * (params.encoder == EncoderPlace.EDGE)
        if element >= Element.OPT1:
            details += [params.resolve.name.lower()]
            details += [f"blocks of {params.carry_block_bits}"] * (params.carry_block_bits > 0)
        yield Point(
            name=f"dense_{index}",
            family="bit-weight",
            params=params,
            workload=_gemm(params),
            title=" ".join(details),
        )


def _dense(draw: random.Random, array: str, element: Element) -> SystolicParams:
    digits = {} if element == Element.MAC else {
        "encoding": draw.choice(list(Encoding)),
        "encoded": draw.choice(list(Encoded)),
        "encoder": draw.choice(list(EncoderPlace)),
    }  # fmt: skip
    pairs = {} if element < Element.OPT1 else {
        "resolve": draw.choice(list(ResolvePlace)),
        "carry_block_bits": draw.choice((0, 0, 0, 6)),
    }  # fmt: skip
    return SystolicParams(
        rows=draw.randint(2, 8),
        cols=draw.randint(2, 8),
        a_bits=draw.randint(4, 8),
        w_bits=draw.randint(4, 8),
        a_signed=draw.random() < 0.75,
        w_signed=draw.random() < 0.75,
        max_k=2 ** draw.randint(6, 12),
        double_buffer=draw.random() < 0.6,
        element=element,
        **ARRAYS[array],
        **digits,
        **pairs,
    )


SERIAL = ((1, 8, 1), (2, 4, 1), (4, 8, 1), (1, 6, 4), (2, 8, 4), (4, 4, 4))
"""Rows, columns and lanes."""


def digit_serial() -> Iterator[Point]:
    """Engines of one and of four digits per element and cycle."""
    draw = random.Random(SEED + 2)
    for index, (rows, cols, lanes) in enumerate(SERIAL):
        params = _legal(
            lambda rows=rows, cols=cols, lanes=lanes: DigitSerialParams(
                rows=rows,
                cols=cols,
                lanes=lanes,
                skip_groups=draw.randint(0, 2),
                row_banks=draw.randint(1, 2),
                encoding=draw.choice(list(Encoding)),
                encoded=draw.choice(list(Encoded)),
                a_bits=draw.randint(4, 8),
                w_bits=draw.randint(4, 8),
                max_k=2 ** draw.randint(6, 8),
                double_buffer=draw.random() < 0.6,
            )
        )
        tiles = {"m": 2 * rows, "n": 2 * cols}
        if params.encoded == Encoded.W:
            tiles = {"m": 2 * cols, "n": 2 * rows}
        yield Point(
            name=f"digit_serial_{index}",
            family="digit-serial",
            params=params,
            workload=Gemm(k=params.max_k, **tiles),
            title=f"{_shape(params)} {_buffers(params)}, {lanes} digits a cycle, "
            f"{params.encoding.name.lower()} {params.encoded.name.lower()}, "
            f"skip {params.skip_groups}, banks {params.row_banks}",
            alike=(int(params.encoded),),
        )


FLEXIBLE = (
    (4, 1, False, 0),
    (16, 1, False, 2),
    (8, 4, False, 2),
    (3, 7, False, 0),
    (16, 1, True, 2),
    (8, 4, True, 8),
    (5, 3, True, 4),
)
"""Elements, columns, whether serial, width of the weights."""


def booth_flex() -> Iterator[Point]:
    """Cores that multiply whole weights and narrow ones."""
    draw = random.Random(SEED + 3)
    for index, (elements, cols, serial, w_bits) in enumerate(FLEXIBLE):
        params = BoothFlexParams(
            elements=elements,
            cols=cols,
            serial=serial,
            a_bits=draw.randint(4, 10),
            max_k=2 ** draw.randint(6, 13),
        )
        kind = "serial" if serial else "flexible"
        yield Point(
            name=f"booth_flex_{index}",
            family="booth-flex",
            params=params,
            workload=Gemm(m=2, k=4 * elements, n=2 * cols, w_bits=w_bits),
            title=f"{kind} {elements}x{cols} int{params.a_bits} int{w_bits or params.w_bits}",
            alike=(2,),
        )


TERNARY = (
    *((kind, Build.MINIMAL, Stationary.OUTPUT) for kind in 6 * [Activation.INT8]),
    *((kind, Build.MINIMAL, Stationary.OUTPUT) for kind in 2 * [Activation.INT4]),
    *((kind, Build.MINIMAL, Stationary.OUTPUT) for kind in 2 * [Activation.INT16]),
    *((kind, Build.MINIMAL, Stationary.OUTPUT) for kind in 3 * [Activation.FP16]),
    *((kind, Build.MINIMAL, Stationary.OUTPUT) for kind in 2 * [Activation.BF16]),
    (Activation.INT8, Build.REFERENCE, Stationary.OUTPUT),
    (Activation.INT16, Build.REFERENCE, Stationary.OUTPUT),
    (Activation.FP16, Build.REFERENCE, Stationary.OUTPUT),
    (Activation.INT8, Build.OFFSET, Stationary.OUTPUT),
    (Activation.INT4, Build.OFFSET, Stationary.OUTPUT),
    (Activation.INT8, Build.MULTIPLY, Stationary.OUTPUT),
    (Activation.BF16, Build.MULTIPLY, Stationary.OUTPUT),
    (Activation.INT8, Build.MINIMAL, Stationary.TABLE),
    (Activation.INT4, Build.MINIMAL, Stationary.TABLE),
    (Activation.FP16, Build.MINIMAL, Stationary.TABLE),
)
"""Type of the activations, what columns add up, and what stays."""


def lut_ternary() -> Iterator[Point]:
    """Cores of up to some hundred lanes, those of floating-point numbers smaller.

    Drawn again when model and prices were finished: nobody had looked at any of them before.
    """
    draw = random.Random(SEED + 5)
    for index, (activation, build, stationary) in enumerate(TERNARY):
        p = _legal(
            lambda kind=activation, build=build, stays=stationary: _ternary(
                draw, kind, build, stays
            )
        )
        steps = min(4, p.max_k // p.step_k)
        words = [f"{p.activation.name} {p.build.name} groups of {p.mu}, {p.tables}x{p.ports}"]
        words += [f"rows {p.rows}", p.weight_format.name, f"levels {p.adder_levels}"]
        if stationary == Stationary.TABLE:
            words.append(f"tables stay, {p.build_share} per builder")
        yield Point(
            name=f"lut_ternary_{index}",
            family="lut-ternary",
            params=p,
            workload=Gemm(m=2 * p.rows, k=steps * p.step_k, n=3 * p.ports),
            title=", ".join(words).lower(),
        )


def _ternary(
    draw: random.Random, activation: Activation, build: Build, stationary: Stationary
) -> LutTernaryParams:
    is_float = activation >= Activation.FP16
    stays = stationary == Stationary.TABLE
    has_tables = build in (Build.MINIMAL, Build.REFERENCE)
    forms = list(WeightFormat) if has_tables else [WeightFormat.CODE2, WeightFormat.BYTE5]
    return LutTernaryParams(
        mu=draw.randint(1, 4) if has_tables else 1,
        tables=_side(draw, 4 if is_float else 16),
        ports=_side(draw, 6 if is_float else 16),
        rows=draw.choice((1, 1, 2)),
        activation=activation,
        build=build,
        stationary=stationary,
        build_share=draw.choice((1, 2)) if stays else 1,
        weight_format=draw.choice(forms),
        adder_levels=draw.choice((0, 0, 1, 2)),
        max_k=2 ** draw.randint(6, 13),
        **({"acc_blocks": 2 ** draw.randint(2, 5)} if stays else {}),
    )


ATTENTION_COUNT = 9

ATTENTION_OPTIONS: tuple[dict[str, Any], ...] = (
    {"fma_lanes": True, "lane_stages": 2, "result_tiles": 3},
    {"fma_lanes": True, "columns_per_lane": 2},
    {"numerator_lanes": 4},
    {"division": Division.EXPOSED},
    {"splits": 2},
    {"splits": 2, "port_beats": 2, "fma_lanes": True, "lane_stages": 2},
)
"""What each of the further engines has, whatever else is drawn."""


def attention() -> Iterator[Point]:
    """Engines for int8 of up to 4 x 4 elements, whose lanes weigh as much as their array.

    Drawn when model and prices were finished: nobody had looked at any of them before.
    """
    draw = random.Random(SEED + 7)
    for index in range(ATTENTION_COUNT):
        group = draw.choice((1, 1, 2))
        side = group * draw.choice((1, 2)) if group == 2 else 1 + index % 4
        p = _legal(lambda group=group, side=side: _attention(draw, side, group))
        exp = f"lines {p.exp_segments} in {p.exp_stages}"
        if p.exp_method == ExpMethod.POLYNOMIAL:
            exp = f"degree {p.exp_degree}"
        words = [f"{p.side}x{p.side} {p.e}+{p.f}", exp, f"P1 {p.query_tiles}", p.binding.name]
        words += [p.masking.name, "FMA" if p.fma_lanes else "two slots"]
        queries = 2 * p.query_tiles * p.side // p.group
        yield Point(
            name=f"attention_{index}",
            family="attention",
            params=p,
            workload=Attention(heads=p.group, queries=queries, keys=3 * p.side, e=p.e, f=p.f),
            title=", ".join(words).lower(),
        )


def _attention(draw: random.Random, side: int, group: int) -> AttentionParams:
    return AttentionParams(
        side=side,
        group=group,
        e=draw.randint(2, 16),
        f=draw.randint(2, 16),
        exp_method=draw.choice((ExpMethod.PWL, ExpMethod.PWL, ExpMethod.POLYNOMIAL)),
        exp_segments=2 ** draw.randint(2, 5),
        exp_degree=draw.randint(2, 4),
        exp_stages=draw.choice((1, 2, 3, 3)),
        fma_lanes=draw.random() < 0.7,
        query_tiles=draw.choice((1, 1, 2)),
        binding=draw.choice((Binding.INTERLEAVED, Binding.INTERLEAVED, Binding.SEQUENTIAL)),
        masking=draw.choice(list(Masking)),
        kv_tiles=draw.choice((2, 2, 3)),
        return_registers=draw.choice((1, 1, 2)),
        max_keys=2 ** draw.randint(8, 20),
    )


def attention_options() -> Iterator[Point]:
    """The same with lanes, states, results and ports of other kinds, one of each and drawn ones."""
    draw = random.Random(SEED + 8)
    for index, options in enumerate(ATTENTION_OPTIONS):
        p = _legal(lambda options=options: replace(_attention(draw, 4, 1), **options))
        words = [f"{name} {getattr(value, 'name', value)}" for name, value in options.items()]
        yield Point(
            name=f"attention_options_{index}",
            family="attention",
            params=p,
            workload=Attention(
                queries=2 * p.query_tiles * p.side, keys=3 * p.side * p.splits, e=p.e, f=p.f
            ),
            title=", ".join([f"4x4 {p.e}+{p.f}", *words]).replace("_", " ").lower(),
        )


CHANNELS: tuple[tuple[tuple[int, int, int], dict[str, Any]], ...] = (
    ((1, 1, 2), {}),
    ((1, 2, 1), {"row_buffers": RowBuffers.SINGLE, "composite": False}),
    ((2, 1, 2), {"composite": False}),
    ((1, 2, 2), {"row_buffers": RowBuffers.SINGLE}),
    ((1, 1, 2), {"element": NumberFormat.BF16, "composite": False}),
    ((2, 1, 1), {"element": NumberFormat.FP16, "precharge": Precharge.CHANNEL}),
)
"""Ranks, bank groups and banks of a group; what the channel is otherwise."""


def npu_pim() -> Iterator[Point]:
    """Channels of two and of four banks, whose rows are memories: what is left is logic."""
    draw = random.Random(SEED + 9)
    for index, (sizes, options) in enumerate(CHANNELS):
        p = _legal(lambda sizes=sizes, options=options: _channel(draw, sizes, options))
        words = [f"{p.ranks}x{p.bank_groups}x{p.banks_per_group} banks {p.element.name}"]
        words += [f"{p.lanes} lanes", f"rows of {p.row_bytes} bytes", p.row_buffers.name]
        words += ["composite" if p.composite else "steps", f"queues {p.host_queue}"]
        yield Point(
            name=f"npu_pim_{index}",
            family="npu-pim",
            params=p,
            workload=PimAttention(keys=2 * p.banks + 1, head_dim=2 * p.lanes, accesses=20),
            title=", ".join(words).lower(),
        )


def _channel(
    draw: random.Random, sizes: tuple[int, int, int], options: dict[str, Any]
) -> PimChannel:
    ranks, bank_groups, banks_per_group = sizes
    element = options.get("element", NumberFormat.INT8)
    lanes = draw.choice((1, 2) if element != NumberFormat.INT8 else (2, 3, 4))
    return PimChannel(
        ranks=ranks,
        bank_groups=bank_groups,
        banks_per_group=banks_per_group,
        rows=2 ** draw.randint(5, 12),
        row_bytes=draw.choice((16, 24, 32, 48)),
        access_bytes=draw.choice((8, 12, 16)),
        lanes=lanes,
        tag_bits=draw.randint(5, 8),  # each read of the workload has a tag of its own
        host_queue=draw.randint(1, 4),
        pim_queue=draw.randint(2, 6),
        **({"element": element} | options),
    )


POINTS: tuple[Callable[[], Iterator[Point]], ...] = (
    systolic,
    dense,
    digit_serial,
    booth_flex,
    lut_ternary,
    attention,
    attention_options,
    npu_pim,
)
"""What yields points, by machine and what it is built of."""
