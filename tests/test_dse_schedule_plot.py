"""The picture of a schedule: the bars are the schedule's slots, where they run."""

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from designs.attention import AttentionParams, Binding, ExpMethod, Masking
from designs.attention.schedule import Schedule
from dse.schedule_plot import COLOURS, TILES, schedule_plot


@pytest.fixture
def bars(monkeypatch):
    """What is drawn: (start, bottom, colour) of every bar."""
    drawn = []

    def broken_barh(self, spans, span_y, *, color):
        drawn.extend((start, span_y[0], color) for start, _ in spans)

    monkeypatch.setattr(Axes, "broken_barh", broken_barh)
    return drawn


@pytest.mark.parametrize("binding", Binding)
@pytest.mark.parametrize("fma_lanes", [True, False])
def test_every_slot_of_every_tile_is_there(bars, tmp_path, binding, fma_lanes):
    params = AttentionParams(side=4, e=3, f=5, binding=binding, fma_lanes=fma_lanes)
    schedule_plot(params, tmp_path / "schedule.svg")
    slots = Schedule.of(params).slots
    busy = sum(slot.pe != 0 for slot in slots) + sum(slot.lane != 0 for slot in slots)
    assert len(bars) == len(set(bars)) == TILES * busy
    scores = sorted(start for start, _, colour in bars if colour == COLOURS["scores"])
    first = [at for at, slot in enumerate(slots) if slot.pe.name == "SCORE"]
    assert scores == [tile * params.epoch + at for tile in range(TILES) for at in first]
    weights = [
        start for start, bottom, colour in bars if colour == COLOURS["weights"] and bottom < 0
    ]
    assert len(weights) == params.exp_slots
    assert min(weights) >= max(first) + params.side + params.return_registers


@pytest.mark.parametrize("masking", Masking)
def test_the_legend_has_what_is_there_and_the_axis_ends_behind_it(
    bars, monkeypatch, tmp_path, masking
):
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: figures.append(self))
    params = AttentionParams(side=4, e=3, f=5, masking=masking)
    schedule_plot(params, tmp_path / "schedule.svg")
    (figure,) = figures
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    drawn = {colour for _, _, colour in bars}
    assert names == [name for name, colour in COLOURS.items() if colour in drawn]
    assert ("masks" in names) == (masking != Masking.NONE)
    end = max(start for start, _, _ in bars) + 1
    assert end <= figure.axes[0].get_xlim()[1] <= end + params.epoch


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_it_is_a_picture(tmp_path, ending):
    params = AttentionParams(side=2, e=2, f=2, exp_method=ExpMethod.POLYNOMIAL)
    path = tmp_path / f"schedule.{ending}"
    schedule_plot(params, path)
    head = path.read_bytes()[:200]
    assert head.startswith(b"\x89PNG") if ending == "png" else b"<?xml" in head
