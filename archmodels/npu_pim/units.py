"""What the units of an NPU do for an instruction: transfers of a channel, or so many cycles.

The array and the vector unit work on memories of their own, and so take what their instructions
take; what LOAD, STORE and PIM take is up to the controller of their channel.
"""

from collections.abc import Iterator
from functools import lru_cache

from archmodels import systolic
from archmodels.systolic.shape import Layout
from archmodels.vector import vector_cycles
from designs.npu_pim import NpuPimParams, PimChannel
from designs.npu_pim.instructions import Feed, Job, Load, Store
from designs.npu_pim.program import HostAccess, PimKind, PimTransaction
from designs.systolic import SystolicParams
from designs.vector import VectorOperation
from designs.workload import Gemm


def own_cycles(params: NpuPimParams, operation: Job | VectorOperation) -> int:
    """From the cycle in which an instruction starts to that in which it ends.

    The array's first operands come a cycle after the start.
    """
    if isinstance(operation, Job):
        return _array_cycles(params.array, Gemm(m=operation.m, k=operation.k, n=operation.n))
    return vector_cycles(params.vector_lanes, operation)


@lru_cache(maxsize=1024)
def _array_cycles(array: SystolicParams, job: Gemm) -> int:
    return int(systolic.cycles(array, job, Layout.of(array)))


def accesses(channel: PimChannel, operation: Load | Store) -> Iterator[HostAccess]:
    """Reads or writes in their order: columns of a bank, of the next one, of the next row."""
    is_store = isinstance(operation, Store)
    for number in range(operation.count):
        part, column = divmod(number, operation.columns)
        rows, bank = divmod(operation.bank + part, channel.banks)
        yield HostAccess(
            write=is_store,
            bank=bank,
            row=operation.row + rows,
            column=operation.column + column,
            tag=0 if isinstance(operation, Store) else operation.to + number,
        )


def transactions(operation: Feed) -> Iterator[PimTransaction]:
    """A vector, and the tiles that it is multiplied with."""
    yield PimTransaction(kind=PimKind.VECTOR, bank=operation.bank, row=operation.row)
    for tile in range(operation.tiles):
        yield PimTransaction(
            kind=PimKind.TILE,
            row=operation.tile_row + tile * operation.row_stride,
            steps=operation.steps,
            results=operation.results,
            stride=operation.stride,
        )
