"""ARRAY between memories of codes, of weights and of sums, and how long its jobs take."""

import numpy as np
import pytest
from npu_pim_units import ReadPort, played

from archmodels.systolic import weight_stationary_cycles
from archmodels.systolic.shape import Layout
from designs import Dataflow, Gemm, SystolicParams
from hwgen.npu_pim.array_unit import ArrayUnit, ArrayUnitParams
from sim.packing import packed, unpacked

CODE_WORDS, WEIGHT_WORDS, SUM_WORDS = 40, 24, 40


def unit_params(rows=4, cols=4, **changes):
    """A small array; of its params what is not named is the default."""
    own = {"channels": 2, "access_bytes": 16, "apart": True} | changes
    array = SystolicParams(rows=rows, cols=cols, dataflow=Dataflow.WS, acc_rows=6, max_k=40)
    return ArrayUnitParams(
        array=array,
        code_words=CODE_WORDS,
        weight_words=WEIGHT_WORDS,
        sum_words=SUM_WORDS,
        **own,
    )


POINTS = {
    "one_channel": unit_params(channels=1, apart=False),
    "striped": unit_params(channels=4, apart=False),
    "apart": unit_params(),
    "whole_words": unit_params(rows=2, cols=8, access_bytes=8, channels=2),
    "one_column": unit_params(rows=8, cols=1, access_bytes=4, channels=2),
    "one_element": unit_params(rows=1, cols=1, access_bytes=8, channels=1),
}


class Memories:
    """What a unit reads, poison elsewhere, and what it is to write."""

    def __init__(self, params, draw):
        p, rows, cols = params, params.array.rows, params.array.cols
        self.params, self.draw = params, draw
        self.codes = draw.integers(-128, 128, (CODE_WORDS, rows))
        self.weights = draw.integers(-128, 128, (p.channels, WEIGHT_WORDS * p.parts, cols))
        self.sums = {}

    def job(self, m, k, n):
        """A job that fits, anywhere, and its sums by word; the next job may use the same words."""
        p, array, draw = self.params, self.params.array, self.draw
        tiles, columns = -(-k // array.rows), -(-n // array.cols)
        striped = not p.apart_bits or bool(draw.integers(2))
        transfers = WEIGHT_WORDS * p.parts * (p.channels if striped else 1)
        codes_stride = tiles + int(draw.integers(2))
        weights_stride = columns + int(draw.integers(2))
        sums_stride = columns + int(draw.integers(2))
        told = {
            "m": m,
            "k": k,
            "n": n,
            "codes": int(draw.integers(CODE_WORDS - m * codes_stride + 1)),
            "codes_stride": codes_stride,
            "weights": int(draw.integers(transfers - k * weights_stride + 1)),
            "weights_stride": weights_stride,
            "striped": striped if p.apart_bits else 0,
            "channel": int(draw.integers(p.channels)) if p.apart_bits else 0,
            "sums": int(draw.integers(SUM_WORDS - m * sums_stride + 1)),
            "sums_stride": sums_stride,
        }
        codes = np.array(
            [
                [self.code(told["codes"] + row * codes_stride, one) for one in range(k)]
                for row in range(m)
            ]
        )
        place = told["channel"] if not striped else None
        weights = np.array(
            [
                [
                    self.weight(told["weights"] + one * weights_stride, col, place)
                    for col in range(n)
                ]
                for one in range(k)
            ]
        )
        product = codes @ weights
        return told, {
            told["sums"] + row * sums_stride + column: product[row, column * array.cols :][
                : array.cols
            ].tolist()
            for row in range(m)
            for column in range(columns)
        }

    def code(self, word, k):
        tile, lane = divmod(k, self.params.array.rows)
        return self.codes[word + tile, lane]

    def weight(self, first, n, channel):
        """The weight of column n, of those whose first transfer is this."""
        p = self.params
        column, lane = divmod(n, p.array.cols)
        at = first + column
        if channel is None:
            place, part = divmod(at, p.parts)
            word, channel = divmod(place, p.channels)
            at = word * p.parts + part
        return self.weights[channel, at, lane]


def multiplied(params, memories, jobs):
    """Words of sums by address for each job, and cycles from start to done."""
    unit = ArrayUnit(params)
    words = dict(enumerate(packed(memories.codes, 8)))
    ports = [ReadPort(words, unit.codes_enable, unit.codes_address, unit.codes_data)]
    for channel, stored in enumerate(memories.weights):
        words = dict(enumerate(packed(stored.reshape(WEIGHT_WORDS, -1), 8)))
        enable, data = unit.weights_enable[channel], unit.weights_data[channel]
        ports.append(ReadPort(words, enable, unit.weights_address, data))
    found = [{}]

    def cycle(ctx):
        for port in ports:
            port.drive(ctx)
        if ctx.get(unit.write):
            assert ctx.get(unit.address) not in found[-1]
            found[-1][ctx.get(unit.address)] = ctx.get(unit.sums)
        for port in ports:
            port.look(ctx)
        if ctx.get(unit.done):
            found.append({})

    lengths = played(unit, jobs, cycle)
    assert found.pop() == {}
    return found, lengths


SIZES = {
    "one_column": [(1, 1, 1), (6, 40, 1), (2, 17, 1), (1, 33, 1)],
    "one_element": [(1, 1, 1), (3, 5, 4), (1, 9, 2)],
}
"""Of jobs that fit where others do not: m, k, n."""


@pytest.mark.parametrize("name", POINTS)
def test_sums_are_those_of_the_job(name):
    params, draw = POINTS[name], np.random.default_rng(len(name))
    memories = Memories(params, draw)
    sizes = SIZES.get(name) or [
        (1, 1, 1),
        (5, params.array.rows, params.array.cols),
        (6, 3 * params.array.rows, 2 * params.array.cols),
        (1, 9, 7),
        (2, 11, 3),
        (3, 8, 9),
    ]
    told, expected = zip(*(memories.job(*size) for size in sizes), strict=True)
    found, lengths = multiplied(params, memories, told)
    array = params.array
    for sums, words in zip(found, expected, strict=True):
        assert sums.keys() == words.keys()
        for address, word in words.items():
            (lanes,) = unpacked([sums[address]], array.cols, array.acc_bits, True)
            assert lanes[: len(word)].tolist() == word
            assert not lanes[len(word) :].any()
    assert lengths == [
        weight_stationary_cycles(array, Gemm(m=m, k=k, n=n), Layout.of(array)) for m, k, n in sizes
    ]
