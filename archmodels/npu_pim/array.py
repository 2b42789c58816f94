"""What ARRAY of a device consists of: the array, and where its operands and results are."""

from archmodels import systolic
from archmodels.counts import Item, Kind
from archmodels.items import choice, held, mux, operator, there
from archmodels.parts import named
from designs.npu_pim import NpuPimParams
from designs.rules import clog2
from designs.workload import Gemm

ANY_WORK = Gemm(m=1, k=1, n=1)


def array(params: NpuPimParams) -> dict[str, Item]:
    """The array, whose results never wait, so that they need no skid buffer, and three walks."""
    p, own = params, params.array
    core = systolic.counts(own, ANY_WORK).inventory
    m_bits, k_bits = clog2(own.acc_rows), own.k_bits
    tile_bits = k_bits - clog2(own.rows)
    access_bits = 8 * p.channel.access_bytes
    parts = p.channel.access_bytes // own.cols
    transfer_bits = clog2(parts) + clog2(p.channels) + clog2(p.weight_words)
    return {
        **{name: item for name, item in core.items() if not name.startswith("skid.")},
        "last_m": operator(Kind.DECREMENTER, m_bits),
        "last_k": operator(Kind.DECREMENTER, k_bits),
        "tiles": held(tile_bits),
        "tile_step": operator(Kind.DECREMENTER, tile_bits),
        "tile_end": operator(Kind.REDUCTION, tile_bits),
        "tile_reload": mux(tile_bits),
        **named("code", nest(clog2(p.code_words), m_bits)),
        **named("weight", nest(transfer_bits, k_bits)),
        **named("sum", nest(clog2(p.sum_words), m_bits)),
        "channel": held(clog2(p.channels)),
        "channels": choice(access_bits, p.channels),
        "channel_enables": there(Kind.GATE, clog2(p.channels), p.channels),
        "apart": mux((transfer_bits - clog2(parts)) * p.on_array * min(p.channels - 1, 1)),
        "part": held(clog2(parts)),
        "parts": choice(own.cols * own.w_bits, parts),
    }


def nest(address_bits: int, inner_bits: int) -> dict[str, Item]:
    """A walk of two loops: the address, that of the inner loop's first, and turns that are left."""
    return {
        "at": held(address_bits, 2),
        "inner": operator(Kind.ADDER, address_bits),
        "outer": operator(Kind.INCREMENTER, address_bits),
        "next": mux(address_bits, 2),
        "left": held(inner_bits),
        "step": operator(Kind.DECREMENTER, inner_bits),
        "turns": operator(Kind.REDUCTION, inner_bits),
        "reload": mux(inner_bits),
    }
