"""`hwgen model` and `hwgen sweep` behind memories of finite bandwidth."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import timed_technology

import archmodels
from archmodels import dram
from archmodels.supply import Supply, supplied
from designs import load
from dse.cli import main
from dse.commands.model import evaluate
from dse.space import behind, load_space
from dse.sweep import finish, sweep

SPACE = """\
family: systolic
params: {rows: [1, 4, 16], cols: [1, 5], dataflow: [os, ws], max_k: 128}
workloads:
  - gemm: {m: 7, k: 12, n: 9}
    name: ragged
  - gemm: {m: 64, k: 100, n: 10}
    name: tall
objectives: [cycles, energy_pj, area_um2]
"""


def told(capsys, *arguments):
    status = main(list(arguments))
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return captured.out


def model(capsys, *options):
    return json.loads(told(capsys, "model", "edge16", "--json", "--dram", "lpddr5x", *options))


class TestModel:
    def test_each_workload_waits_for_the_slowest_and_all_take_turns(self, capsys):
        content = model(capsys, "--bandwidth-gbps", "6.4", "--clock-mhz", "500")
        system, parts = content["system"], [one["system"] for one in content["workloads"]]
        assert system["bandwidth_gb_per_s"] == 6.4 and system["clock_mhz"] == pytest.approx(500)
        for one, part in zip(content["workloads"], parts, strict=True):
            assert part["core_us"] == pytest.approx(one["cycles"] / 500)
            assert part["dram_us"] == pytest.approx(one["dram"]["bytes"] / 6400)
            assert part["time_us"] == max(part["core_us"], part["dram_us"])
            assert part["stall_us"] == pytest.approx(part["time_us"] - part["core_us"])
            assert part["dram_energy_pj"] == one["dram"]["energy_pj"]
        assert system["limit"] == "dram" and system["limited_us"]["core"] == 0
        for key in ("time_us", "stall_us", "energy_pj", "dram_energy_pj"):
            assert system[key] == pytest.approx(sum(part[key] for part in parts))
        energies = ("core_energy_pj", "dram_energy_pj", "waiting_energy_pj")
        assert system["energy_pj"] == pytest.approx(sum(system[key] for key in energies))

    def test_cycles_and_energy_of_the_core_stay(self, capsys):
        alone = json.loads(told(capsys, "model", "edge16", "--json"))
        behind_memory = model(capsys, "--bandwidth-gbps", "0.1", "--clock-mhz", "500")
        for key in ("cycles", "energy_pj", "utilisation", "activity"):
            assert alone[key] == behind_memory[key]

    def test_a_port_on_chip(self, capsys):
        options = ("--clock-mhz", "500", "--on-chip", "a,o", "--sram-bits-per-cycle", "64")
        content = model(capsys, *options)
        traffic, system = content["port_traffic"], content["system"]
        assert content["dram"]["bytes"] == traffic["w"]["bytes"]
        assert system["on_chip_ports"] == ["a", "o"] and system["limit"] == "sram"
        bits = 8 * (traffic["a"]["bytes"] + traffic["o"]["bytes"])
        assert system["sram_us"] == pytest.approx(bits / 64 / 500)

    def test_without_a_clock_there_is_no_system(self, capsys):
        content = model(capsys)
        assert content["system"] is None and content["dram"]["memory"] == "lpddr5x"

    def test_text(self, capsys, monkeypatch):
        timed_technology.install(monkeypatch)
        text = told(capsys, "model", "edge16", "--tech", "timed45", "--dram", "lpddr5x",
                    "--bandwidth-gbps", "2", "--on-chip", "o")  # fmt: skip
        head = next(line for line in text.splitlines() if line.startswith("system: "))
        assert head.startswith("system: 2 GB/s, o on chip, core at ")
        assert "core waits" in text and "in all" in text.split("system: ")[1]

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (("--bandwidth-gbps", "6.4"), "--dram must be given with --bandwidth-gbps"),
            (("--on-chip", "a"), "--dram must be given with --on-chip"),
            (("--clock-mhz", "5"), "--dram must be given with --clock-mhz"),
            (
                ("--dram", "ddr4", "--bandwidth-gbps", "1"),
                "--clock-mhz must be given: horowitz45 has no delay prices",
            ),
            (
                ("--dram", "ddr4", "--clock-mhz", "1", "--on-chip", "a,x"),
                "--on-chip must be one of a, w, o, not 'x'",
            ),
            (
                ("--dram", "ddr4", "--clock-mhz", "1", "--sram-bits-per-cycle", "8"),
                "--on-chip must be given with --sram-bits-per-cycle",
            ),
        ],
    )
    def test_wrong_options(self, capsys, options, sentence):
        assert main(["model", "edge16", *options]) == 2
        assert capsys.readouterr().err == f"hwgen: {sentence}\n"

    @pytest.mark.parametrize("value", ["0", "-1", "many", "1.2345"])
    def test_numbers(self, capsys, value):
        with pytest.raises(SystemExit) as caught:
            main(["model", "edge16", "--dram", "ddr4", f"--bandwidth-gbps={value}"])
        assert caught.value.code == 2
        assert capsys.readouterr().err == (
            "hwgen model: --bandwidth-gbps must be a number above 0, with at most 3 decimals, "
            f"not {value}\n"
        )


class TestSweep:
    @pytest.fixture
    def space(self, tmp_path):
        (tmp_path / "x.yaml").write_text(SPACE)
        memory = Supply(dram=dram.load("lpddr5x"), gb_per_s=2.0, clock_mhz=400.0)
        return behind(load_space(str(tmp_path / "x.yaml")), memory)

    def test_points_are_those_of_the_model(self, space, tmp_path):
        assert space.objectives == ("system_time_us", "system_energy_pj", "area_um2")
        result = sweep(space, tmp_path)
        prices = archmodels.technology.load("horowitz45")
        limits = set()
        for place, point in enumerate(result.points):
            params, systems = space.params(int(point)), []
            for workload in space.workloads.values():
                cost = archmodels.estimate(params, workload, prices)
                bits = archmodels.transferred_bits(params, cost.counts)
                systems.append(supplied(cost, bits, space.supply))
            row = {name: column[place] for name, column in result.costs.items()}
            times_us = [1e-3 * one.time_ns for one in systems]
            assert row["system_time_us"] == pytest.approx(sum(times_us))
            assert row["tall.system_time_us"] == pytest.approx(times_us[1])
            energies = [one.energy_pj for one in systems]
            assert row["system_energy_pj"] == pytest.approx(sum(energies))
            drams = [one.dram.energy_pj for one in systems]
            assert row["dram_energy_pj"] == pytest.approx(sum(drams))
            longest = systems[int(np.argmax(times_us))]
            assert row["limit"] == ("dram" if longest.stall_ns > 0 else "core")
            limits.add(str(row["limit"]))
        assert limits == {"core", "dram"}

    def test_another_bandwidth_is_another_sweep(self, space, tmp_path):
        sweep(space, tmp_path)
        wide = replace(space, supply=replace(space.supply, gb_per_s=64.0))
        result = sweep(wide, tmp_path)
        assert result.resumed_points == 0 and set(result.costs["limit"]) == {"core"}
        finish(result)

    def test_time_is_the_system_s_and_cycles_are_the_core_s_where_both_are_wanted(self, space):
        both = replace(space, objectives=("time_us", "cycles", "area_um2"))
        assert behind(both, space.supply).objectives == ("system_time_us", "cycles", "area_um2")

    def test_command(self, capsys, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "x.yaml").write_text(SPACE)
        content = json.loads(
            told(capsys, "sweep", "x.yaml", "-o", "out", "--json", "--dram", "lpddr5x",
                 "--bandwidth-gbps", "0.25", "--clock-mhz", "400")
        )  # fmt: skip
        best = content["best"]
        with (tmp_path / "out" / "points.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert best["limit"] in {"core", "dram"} and len(rows) == content["valid_points"] == 12
        design = load(str(tmp_path / "out" / "best.yaml"))
        prices = archmodels.technology.load("horowitz45")
        costs = [evaluate(design, one, prices).cost for one in design.workloads.values()]
        assert best["cycles"] == sum(cost.cycles for cost in costs)
        assert (tmp_path / "out" / "pareto.png").stat().st_size

    def test_a_clock_must_be_known(self, capsys, tmp_path):
        (tmp_path / "x.yaml").write_text(SPACE)
        path = str(tmp_path / "x.yaml")
        assert main(["sweep", path, "-o", str(tmp_path / "out"), "--dram", "ddr4"]) == 2
        assert capsys.readouterr().err == (
            "hwgen: --clock-mhz must be given: horowitz45 has no delay prices\n"
        )
