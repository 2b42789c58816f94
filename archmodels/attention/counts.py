"""All counts of one workload on one attention engine."""

from collections.abc import Mapping

from archmodels.attention.activity import activity
from archmodels.attention.cycles import cycles
from archmodels.attention.inventory import inventory
from archmodels.attention.paths import paths
from archmodels.attention.shape import Epoch, Problem, Shape
from archmodels.attention.tiles import Tiles
from archmodels.counts import Counts, clock_ticks, register_bits
from designs.rules import Int


def counts(params: Shape, workload: Problem) -> Counts:
    """Everything there is to count of one workload on one engine, or of grids of both.

    Activity keys: `mac.slots`: products of all tiles with keys and values, padding included;
    `mac.useful`: those of pairs of a query and a key that it sees; `<port>.transfers`; `tiles`: of
    the tile table, an epoch each; `array.busy`, `lanes.busy`: cycles with work for the elements,
    for the lanes; `<memory>.reads`, `.writes`: of words, by `q_bank`, `k_bank`, `v_bank`, what the
    lanes keep, and `staging`; `clock.cycles`: every cycle; `<part>.uses`: what a part of the
    inventory does, which carries the energy.
    """
    epoch, tiles = Epoch.of(params), Tiles.of(params, workload)
    items, took = inventory(params, epoch), cycles(params, workload, epoch, tiles)
    return Counts(
        inventory=items,
        activity={
            **activity(params, workload, epoch, tiles, items),
            "clock.cycles": clock_ticks(took, register_bits(items)),
        },
        cycles=took,
        paths=paths(params, epoch),
    )


def port_bits(params: Shape) -> Mapping[str, Int]:
    """Payload bits of one transfer on each data port."""
    p = params
    keys = p.key_values * p.element_bits
    return {
        "q": p.query_values * p.element_bits,
        "k": keys,
        "v": keys,
        "o": p.split_columns * p.out_bits,
    }
