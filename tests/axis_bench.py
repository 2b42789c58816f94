"""The cocotb test of the AXI4-Stream wrapper: bytes in, frames out, through `cocotbext-axi`."""

import itertools
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

WORK_VARIABLE = "HWGEN_AXIS_WORK"
FRAMES_VARIABLE = "HWGEN_AXIS_FRAMES"


def pauses(port: str, work: dict[str, Any]) -> Iterator[bool]:
    """Whether a port pauses, cycle after cycle."""
    chance, draw = work["pauses"].get(port, 0), random.Random(port).random
    return (draw() < chance for _ in itertools.count())


@cocotb.test()
async def exchange(harness: HierarchyObject) -> None:
    """Sends `bytes` (stream to hex) and receives `frame_count` frames, which it leaves as hex.

    pauses: stream to the chance of a pause in any one cycle.
    """
    work = json.loads(Path(os.environ[WORK_VARIABLE]).read_text())
    Clock(harness.aclk, 10, "ns").start()
    reset = {"reset": harness.aresetn, "reset_active_level": False}
    sources = {
        name: AxiStreamSource(
            AxiStreamBus.from_prefix(harness, f"s_axis_{name}"), harness.aclk, **reset
        )
        for name in work["bytes"]
    }
    sink = AxiStreamSink(AxiStreamBus.from_prefix(harness, "m_axis_o"), harness.aclk, **reset)
    for name, source in sources.items():
        source.set_pause_generator(pauses(name, work))
    sink.pause = True
    harness.aresetn.value = 0
    await ClockCycles(harness.aclk, 4)
    assert not int(harness.m_axis_o_tvalid.value), "tvalid must be low in reset"
    harness.aresetn.value = 1
    for name, text in work["bytes"].items():
        sources[name].send_nowait(AxiStreamFrame(bytes.fromhex(text)))
    await with_timeout(RisingEdge(harness.m_axis_o_tvalid), 100, "us")  # it waits for no tready
    sink.pause = False
    sink.set_pause_generator(pauses("o", work))
    frames = [
        bytes((await with_timeout(sink.recv(), 100, "us")).tdata)
        for _ in range(work["frame_count"])
    ]
    await ClockCycles(harness.aclk, 50)
    assert sink.empty() and sink.idle(), "a transfer that nobody expects"
    Path(os.environ[FRAMES_VARIABLE]).write_text(json.dumps([frame.hex() for frame in frames]))
