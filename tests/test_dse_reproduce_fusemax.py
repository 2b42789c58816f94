"""The reproduction of the FuseMax paper: its rows, the artifact's figures, its pictures."""

import json
from pathlib import Path

import pytest
from fusemax_reference import CONFIGURATIONS, ENCODERS, length, table

from archmodels.fusemax import ARTIFACT, CORRECTED, Accounting
from designs.fusemax import Configuration
from dse import cli
from dse.commands import reproduce as command
from dse.reproduce import PAPERS
from dse.reproduce.fusemax import FUSEMAX, accounting, pareto, points, ratios, rows
from dse.reproduce.fusemax.points import arithmetic, geometric
from dse.reproduce.fusemax.published import LENGTHS
from dse.reproduce.measurements import Measurements, load

NOTHING = Measurements()
FLAT, FUSED = Configuration.FLAT, Configuration.BINDING


@pytest.fixture(scope="module")
def found():
    return rows.rows(load(FUSEMAX.measurements), FUSEMAX.technologies)


def test_papers_have_their_names() -> None:
    assert command.PAPERS == tuple(PAPERS)
    assert PAPERS["fusemax"] is FUSEMAX


def test_everything_is_as_wanted(found) -> None:
    assert [row.what for row in found if row.is_met is False] == []
    assert sum(row.is_met is True for row in found) >= 60


def test_every_row_gives_a_number_and_a_reason(found) -> None:
    assert all(row.ours is not None and row.ours >= 0 and row.reason for row in found)
    names = [(row.section, row.what, row.unit) for row in found]
    assert len(set(names)) == len(names)


def test_what_the_circuit_adds_stands_behind_the_papers(found, monkeypatch) -> None:
    extra = found[0]
    published = [row for part in rows.PUBLISHED for row in part()]
    assert found[: len(published)] == published and len(found) > len(published)
    monkeypatch.setattr(rows, "OURS", (lambda measured, technologies: [extra],))
    assert rows.rows(NOTHING, ()) == [*published, extra]


@pytest.mark.parametrize(
    ("figure", "metric", "ratio", "tolerance"),
    [
        ("fig8", "speedup_vs_unfused", ratios.attention_speed, 1e-9),
        ("fig9", "energy_vs_unfused", ratios.attention_energy, 1e-4),
        ("fig10", "e2e_speedup_vs_unfused", ratios.layer_speed, 1e-9),
        ("fig11", "e2e_energy_vs_unfused", ratios.layer_energy, 1e-4),
    ],
)
def test_figures_are_the_artifacts(figure, metric, ratio, tolerance) -> None:
    data = table(figure)
    assert len(data) == 60
    for (model, size, kind), row in data.items():
        ours = ratio(CONFIGURATIONS[kind], Configuration.UNFUSED)
        place = [*ENCODERS].index(model), LENGTHS.index(length(size))
        assert ours[place] == pytest.approx(float(row[metric]), rel=tolerance)


def test_means_are_the_artifacts() -> None:
    """Over all four encoders, of two of which there are no other rows."""
    data = table("aggregate")
    assert len(data) == 30
    names = {"attn_speedup": (ratios.attention_speed, 1e-9),
             "attn_energy": (ratios.attention_energy, 1e-4),
             "e2e_speedup": (ratios.layer_speed, 1e-9),
             "e2e_energy": (ratios.layer_energy, 1e-4)}  # fmt: skip
    for (_, size, what), row in data.items():
        name, _, over = what.rpartition("_over_")
        quantity, _, kind = name.rpartition("_")
        ratio, tolerance = names[quantity]
        ours = ratio(CONFIGURATIONS[kind], CONFIGURATIONS[over])
        if size == "1M":
            ours = ours[:, -1]
        assert arithmetic(ours) == pytest.approx(float(row["arith_mean"]), rel=tolerance)
        assert geometric(ours) == pytest.approx(float(row["geomean"]), rel=tolerance)


def test_the_papers_numbers_are_arithmetic_means() -> None:
    speeds = ratios.attention_speed(FUSED, FLAT)
    assert round(arithmetic(speeds), 2) == 6.72 and round(geometric(speeds), 2) == 6.46
    layers = ratios.layer_speed(FUSED, FLAT)
    assert round(arithmetic(layers), 2) == 5.30 and round(geometric(layers), 2) == 4.60


def test_energy_that_is_counted_narrows_the_gap() -> None:
    """As the authors count 0.787; with all register files 0.868, which an audit gives as 0.869."""
    means = [arithmetic(accounting.ratio(FUSED, one)) for one, _ in accounting.STEPS.values()]
    assert means[0] == pytest.approx(0.7875, abs=1e-4)
    assert means[1] == pytest.approx(0.869, abs=2e-3)
    assert means[:5] == sorted(means[:5]) and means[4] < 1
    scaled = Accounting(every_register=True, scaled_registers=True)
    assert means[0] < arithmetic(accounting.ratio(FUSED, scaled)) < means[1]


def test_most_energy_is_the_products_only_as_the_authors_count() -> None:
    parts = []
    for counted in (ARTIFACT, CORRECTED):
        spent = points.attention_energy(FUSED, counted)
        parts.append(arithmetic(points.by_length(spent.array_macc_pj / spent.total_pj)))
    assert parts[0] > 0.95 and parts[1] < 0.7


def test_larger_arrays_are_faster_and_larger() -> None:
    front = pareto.front("bert")
    assert [one.side for one in front] == [16, 32, 64, 128, 256, 512]
    assert all(
        one.latency_s > other.latency_s for one, other in zip(front, front[1:], strict=False)
    )
    assert all(one.area_mm2 < other.area_mm2 for one, other in zip(front, front[1:], strict=False))
    with pytest.raises(ValueError, match="encoder must have buffers of known areas, not be xlm"):
        pareto.front("xlm")


def test_the_command_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["reproduce", "fusemax", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["paper"] == "fusemax" and content["technologies"] == ["rtl"]
    first = content["rows"][0]
    assert first["paper"] == 6.7 and first["wanted_met"] is True


@pytest.mark.parametrize("name", FUSEMAX.plots)
def test_plots(name: str, tmp_path: Path) -> None:
    FUSEMAX.plots[name](NOTHING, (), tmp_path / name)
    assert (tmp_path / name).stat().st_size > 10_000
