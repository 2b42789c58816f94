"""Which ways through an NPU on channels that compute can set its clock, as stages of primitives.

Instructions come from registers outside: a path that starts at a port has the whole period here.
"""

from collections.abc import Mapping

from archmodels import systolic
from archmodels.counts import Kind, Stage
from archmodels.npu_pim import paths as channel
from archmodels.npu_pim.paths import ONE_GATE, ONE_MUX, TAKING, Path, one_of
from archmodels.vector import vector_paths
from designs.npu_pim import NpuPimParams
from designs.npu_pim.instructions import units
from designs.rules import clog2
from designs.schedule import COUNT_BITS
from designs.workload import Gemm

ANY_JOB = Gemm(m=1, k=1, n=1)


def paths(params: NpuPimParams) -> Mapping[str, Path]:
    """Those of the array, of a channel and of VECTOR, and those between them.

    scheduler.start: what is done, until the memory of an instruction that waited is read.
    weights: of all channels, until a row of the array. host: an access, until its queue takes it.
    """
    p, count = params, len(units(params))
    start: Path = (
        TAKING,
        Stage(kind=Kind.COMPARATOR, bits=COUNT_BITS),
        Stage(kind=Kind.REDUCTION, bits=count + 1),
        Stage(kind=Kind.FANOUT, bits=clog2(p.weight_words) * p.channels),
        ONE_MUX,
        ONE_MUX,
    )
    weights: Path = (
        TAKING,
        one_of(p.channels),
        one_of(p.access_transfers),
    )
    host: Path = (
        TAKING,
        Stage(kind=Kind.ADDER, bits=p.channel.tag_bits),
        ONE_MUX,
        Stage(kind=Kind.FANOUT, bits=p.channel.banks * p.channel.host_queue),
        ONE_GATE,
    )
    return {
        **_named("array", systolic.counts(p.array, ANY_JOB).paths),
        **_named("channel", channel.paths(p.channel)),
        **_named("vector", vector_paths()),
        "scheduler.start": start,
        "weights": weights,
        "host": host,
    }


def _named(place: str, found: Mapping[str, Path]) -> dict[str, Path]:
    return {f"{place}.{name}": path for name, path in found.items()}
