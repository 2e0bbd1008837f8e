"""What other tools read of a session: JUnit XML by pytest's own option, TensorBoard's events."""

from __future__ import annotations

import math
import sys
from xml.etree import ElementTree

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from bench.cases.case import Case
from bench.records import results_folder
from bench.records.result import Result
from bench.reporting.files import junit, tensorboard
from made import record, runs

UNJUDGED = ["-k", "digits and elu", "--baseline=ignore", "--seeds", "2"]
ELU = Case("cnn", "cnn", "mnist", "elu", "sgd")


def properties_of(xml) -> dict[str, list[tuple[str, str]]]:
    """By the name of the testcase, in the order of the file."""
    return {
        case.get("name"): [(one.get("name"), one.get("value")) for one in case.iter("property")]
        for case in ElementTree.parse(xml).iter("testcase")
    }


def test_every_testcase_carries_its_case_and_metrics_once(micro):
    micro.runpytest_inprocess(*UNJUDGED, "--junitxml", "junit.xml").assert_outcomes(passed=2)
    found = properties_of(micro.path / "junit.xml")
    records = results_folder.read_records(micro.path / "results")[0]
    assert set(found) == {f"test_micro[micro-mlp-digits-elu-{optimizer}]" for optimizer in ("sgd", "adam")}
    for optimizer in ("sgd", "adam"):
        pairs = found[f"test_micro[micro-mlp-digits-elu-{optimizer}]"]
        said = dict(pairs)
        assert len(said) == len(pairs)
        assert list(said)[:5] == ["experiment", "model", "dataset", "activation", "optimizer"]
        assert (said["verdict"], said["n"], said["seeds"], said["scale"]) == ("IGNORED", "2", "0 1", "tiny")
        own = [one for one in records if one.case.optimizer == optimizer]
        assert float(said["mean"]) == float(said["test_accuracy"]) == sum(one.value for one in own) / 2
        assert own[0].metrics.keys() <= said.keys()


def test_a_case_that_fails_carries_its_metrics_too(micro):
    own = ["--baseline-dir", "own_baselines", "--baseline=require", "--junitxml", "junit.xml"]
    micro.runpytest_inprocess("-k", "digits and elu and sgd", *own).assert_outcomes(failed=1)
    (pairs,) = properties_of(micro.path / "junit.xml").values()
    assert dict(pairs)["verdict"] == "NEW"


def test_properties_are_builtin_and_say_what_the_literature_reports_and_which_runs_did_not_train():
    result = Result(
        ELU, tuple(runs([0.1, math.nan], "collapsed", case=ELU, scale="paper", train_size=None)), "SAME", "", False
    )
    said = dict(junit.case_properties(result, {ELU: {"test_accuracy": 0.98}}, "tiny"))
    assert (said["reported"], said["outcomes"], said["data"]) == (0.98, "2 collapsed", "MNIST")
    assert math.isnan(said["mean"])
    assert {type(value) for value in said.values()} <= {int, float, str}


def test_a_figure_that_is_reported_for_another_recipe_is_not_said():
    result = Result(ELU, tuple(runs([0.5], case=ELU)), "SAME", "", failed=False)
    assert "reported" not in dict(junit.case_properties(result, {ELU: {"test_accuracy": 0.98}}, "tiny"))


def test_tensorboard_reads_the_curves_and_the_final_metrics_of_every_run(micro):
    micro.runpytest_inprocess(*UNJUDGED, "--tensorboard", "events").assert_outcomes(passed=2)
    records = results_folder.read_records(micro.path / "results")[0]
    assert len(records) == 4
    for one in records:
        events = EventAccumulator(str(micro.path / "events" / one.case.id / one.scale / f"seed{one.seed}")).Reload()
        for name, values in one.curves.items():
            read = [(event.step, event.value) for event in events.Scalars(name)]
            assert read == [(epoch, pytest.approx(value)) for epoch, value in enumerate(values, start=1)]
        for name, value in one.metrics.items():
            assert [event.value for event in events.Scalars(f"final/{name}")] == [pytest.approx(value)]


def test_hyperparameters_are_the_axes_the_seed_and_the_recipe(tmp_path):
    one = record(3, 0.5, case=ELU, test_noise=[0.5, 1.0], patience=None)
    tensorboard.write([one], tmp_path)
    events = EventAccumulator(str(tmp_path / ELU.id / "tiny" / "seed3")).Reload()
    (content,) = (
        events.SummaryMetadata(tag).plugin_data.content
        for tag in events.PluginTagToContent("hparams")
        if "session_start" in tag
    )
    assert all(word in content for word in (b"activation", b"elu", b"seed", b"test_noise", b"[0.5, 1.0]"))
    assert b"patience" not in content


def test_a_run_that_is_made_again_replaces_its_curves_and_leaves_the_others(tmp_path):
    tensorboard.write([record(0, 0.5), record(1, 0.6)], tmp_path)
    tensorboard.write([record(0, 0.7)], tmp_path)
    case = record(0, 0.5).case.id
    again, other = (EventAccumulator(str(tmp_path / case / "tiny" / f"seed{seed}")).Reload() for seed in (0, 1))
    assert [event.value for event in again.Scalars("final/test_accuracy")] == [pytest.approx(0.7)]
    assert len(again.Scalars("train_loss")) == 2
    assert [event.value for event in other.Scalars("final/test_accuracy")] == [pytest.approx(0.6)]


def test_tensorboard_without_its_package_is_refused_before_anything_is_trained(micro, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    result = micro.runpytest_inprocess(*UNJUDGED, "--tensorboard", "events")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(['*--tensorboard needs the package *: pip install -e ".?tensorboard?"'])


def test_a_tensorboard_folder_that_cannot_be_written_is_named_and_nothing_else_is_lost(micro):
    micro.mkdir("events")
    (micro.path / "events" / "micro-mlp-digits-elu-sgd").write_text("not a folder")
    result = micro.runpytest_inprocess(*UNJUDGED, "--tensorboard", "events")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*cannot write *events: *"])
    assert (micro.path / "results" / "ranking.csv").is_file()
