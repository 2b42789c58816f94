"""The control of a ternary core: the loops over its steps, and the tokens of steps on their way."""

from archmodels.counts import Item, Kind
from archmodels.gemm import Rank, tile_walk
from archmodels.items import control, mux, operator
from archmodels.lut_ternary.shape import Shape, Stages, Style
from designs.rules import clog2, minimum, where


def sequencer(params: Shape, style: Style, stages: Stages) -> dict[str, Item]:
    """A walk over k, then n, then m; where tables stay, over the tiles of a block within each k.

    A token says of a step whether it is one, whether it is the first and the last of its tile, and
    the last of its job; with offset also whether it is a tail. Where tables stay it has the number
    of its sum too, and on its way to a table whose turn it is and whether that is all of it.
    """
    p, tabled = params, style.tabled
    word, turn = tabled * clog2(p.acc_blocks), tabled * clog2(p.build_share)
    token = 4 + style.offset + word
    alone = tabled * where(p.build_share == 1, 1, 0)
    shared = tabled * minimum(p.build_share - 1, 1)
    return {
        **tile_walk(
            {
                "k": Rank(bits=p.k_bits, tile=p.step_k, words=2),
                "n": Rank(bits=p.n_bits, tile=p.ports, words=2 + tabled),
                "m": Rank(bits=p.m_bits, tile=p.rows, words=1),
            }
        ),
        # Active, at the first step of a tile, two of `o`; with offset whether its tail is next;
        # where tables stay and are all built at once, whether a sum is waited for.
        "sequencer.flags": control(1, 4 + style.offset + alone),
        "sequencer.word": control(word, tabled),
        "sequencer.turn": control(turn, shared),
        "sequencer.word_step": operator(Kind.INCREMENTER, word, tabled),
        "sequencer.turn_step": operator(Kind.INCREMENTER, turn, shared),
        "sequencer.front": control(token + tabled + turn, stages.build - tabled),
        "sequencer.back": control(token, stages.reduce + tabled),
        "sequencer.reload": mux(p.n_bits + p.k_bits),
        "sequencer.control": operator(Kind.GATE, 1, 16),
    }
