"""`python -m bench export`: figures in the shapes that Bencher and github-action-benchmark read, by stable names."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from bench import __main__
from bench.cases.case import Case
from bench.cases.metric import METRICS, register
from bench.records import record
from bench.reporting.trackers import FORMATS
from bench.timing.kernels.kernel import Kernel
from bench.timing.kernels.measurement import Measurement
from bench.timing.kernels.timings import TimedKernel, write_timings
from command_lines import one_line_error
from made import runs
from made_metric import ERROR

RELU, ELU = (Case("cnn", "cnn", "mnist", name, "sgd") for name in ("relu", "elu"))
KERNEL = Kernel("elu", "float32", "cache", "forward")


def save(folder: Path, values, case: Case = RELU, **more) -> None:
    for one in runs(values, case=case, **more):
        record.save(replace(one, bytes_saved=4096, seconds=1.0 + one.seed), folder)


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Runs of two activations, and the timing of a kernel."""
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "results", [0.8, 0.9])
    save(tmp_path / "results", [0.7], ELU)
    timed = Measurement(KERNEL, "cpu", "mine", "2.14", 1, 10, 1e-6, 2.5, 0.1, 3.0, 10, 0)
    write_timings([TimedKernel(timed, "WITHIN")], tmp_path / "results")
    return tmp_path / "results"


def exported(form: str, *arguments: str):
    assert __main__.main(["export", "results", "--format", form, "--to", "out/figures.json", *arguments]) == 0

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(Path("out/figures.json").read_text(encoding="utf-8"), parse_constant=refuse)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def test_bencher_reads_every_case_and_kernel_by_its_id_with_measures_and_intervals(results):
    found = exported("bencher")
    assert set(found) == {RELU.id, ELU.id, KERNEL.id}
    for measures in found.values():  # the published schema: bencher.dev/bmf.json
        for name, metric in measures.items():
            assert 0 < len(name) <= 64
            assert {"value"} <= set(metric) <= {"value", "lower_value", "upper_value"}
            assert all(map(is_number, metric.values()))
    accuracy = found[RELU.id]["test_accuracy"]
    assert accuracy["value"] == pytest.approx(0.85)
    assert accuracy["lower_value"] == pytest.approx(0.85 - 12.7062 * 0.05, rel=1e-4)  # t with one degree of freedom
    assert accuracy["upper_value"] == pytest.approx(0.85 + 12.7062 * 0.05, rel=1e-4)
    assert found[RELU.id]["seconds"]["value"] == 1.5
    assert found[RELU.id]["bytes_saved"] == {"value": 4096}
    assert found[ELU.id]["test_accuracy"] == {"value": 0.7}
    assert found[KERNEL.id] == {"ratio_relu": {"value": 2.5}}


def test_github_action_benchmark_reads_a_file_a_direction(results):
    bigger, smaller = (exported(f"custom{word}IsBetter") for word in ("Bigger", "Smaller"))
    for one in (*bigger, *smaller):  # its README, 'Examples', custom benchmarks
        assert {"name", "unit", "value"} <= set(one) <= {"name", "unit", "value", "range", "extra"}
        assert is_number(one["value"])
        assert all(isinstance(one[name], str) for name in set(one) - {"value"})
    assert [one["name"] for one in bigger] == [f"{RELU.id} test_accuracy", f"{ELU.id} test_accuracy"]
    assert bigger[0]["range"] == "± 0.6353"
    assert bigger[0]["extra"] == "n=2, tiny, MNIST, cpu"
    assert "range" not in bigger[1]
    measures = [f"{case.id} {measure}" for case in (RELU, ELU) for measure in ("seconds", "bytes_saved")]
    assert [one["name"] for one in smaller] == [*measures, f"{KERNEL.id} ratio_relu"]


def test_a_metric_that_is_better_when_lower_goes_where_smaller_is_better(results, monkeypatch):
    monkeypatch.setattr("bench.cases.metric.METRICS", dict(METRICS))
    register(ERROR)
    save(results, [0.2, 0.1], Case("cnn", "cnn", "mnist", "relu", "adam"), metric="test_error")
    assert "cnn-cnn-mnist-relu-adam test_error" in [one["name"] for one in exported("customSmallerIsBetter")]
    assert "test_error" not in str(exported("customBiggerIsBetter"))


def test_a_figure_that_is_not_finite_is_left_out_and_said(results, capsys):
    save(results, [math.nan], ELU, outcome="diverged")
    assert "test_accuracy" not in exported("bencher")[ELU.id]
    assert f"note: left out 1 figures that are not finite, the first: {ELU.id} test_accuracy" in capsys.readouterr().err


def test_a_case_of_two_scales_takes_the_scale_that_is_asked_for(results, capsys):
    save(results, [0.5, 0.6], scale="small")
    for form in FORMATS:
        line = f"export results --format {form} --to figures.json"
        said = one_line_error(__main__.main, line, capsys)
        assert f"{RELU.id} was measured in several places" in said
        assert "give --scale" in said
    assert exported("bencher", "--scale", "small")[RELU.id]["test_accuracy"]["value"] == pytest.approx(0.55)


def test_what_cannot_be_exported_says_why_and_writes_nothing(results, capsys):
    assert "no records in away/runs" in one_line_error(
        __main__.main, "export away --format bencher --to figures.json", capsys
    )
    (results / "timings.jsonl").unlink()
    said = one_line_error(__main__.main, "export results --scale paper --format bencher --to figures.json", capsys)
    assert "none of the 0 figures there" in said
    assert "invalid choice: 'csv'" in one_line_error(__main__.main, "export results --format csv --to f", capsys)
    assert not Path("figures.json").exists()
