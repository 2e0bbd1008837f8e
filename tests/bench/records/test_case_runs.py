"""Runs of a case: which runs belong together, and which source wins where both have a case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.cases.case import Case
from bench.experiments.test_mlp import EXPERIMENT as MLP
from bench.ranking import learning_rates
from bench.records import baseline, case_runs, reported
from bench.records import record as records
from bench.records.baseline import Baseline
from bench.reporting.page import sources
from made import runs
from made import runs_of_case as made

ELU = Case("mlp", "mlp", "digits", "elu", "adam")
VERSION = MLP.recipe(ELU, "tiny").version


@pytest.fixture
def folders(tmp_path):
    return tmp_path / "results", tmp_path / "baselines"


def written(folders, results=(), recorded=()):
    for one in results:
        records.save(one, folders[0])
    if recorded:
        baseline.write([Baseline.of(recorded)], folders[1])
    return case_runs.gather(*folders)


def test_records_of_a_case_are_its_runs_by_seed(folders):
    (found,), notes = written(folders, runs([0.9, 0.8], case=ELU))
    assert found.of("test_accuracy") == {0: 0.9, 1: 0.8}
    assert (found.provenance, found.n, notes) == ("results", 2, [])


def test_a_baseline_keeps_its_other_metrics_and_has_its_experiments_recipe(folders):
    (found,), _ = written(folders, recorded=runs([0.9, 0.8], case=ELU, version=VERSION))
    assert found.provenance == "baseline"
    assert found.of("test_loss") == {0: 1.0, 1: 1.0}
    assert found.recipe["learning_rate"] == MLP.recipe(ELU, "tiny").learning_rate


def test_records_win_over_the_baseline_of_the_same_case(folders):
    (found,), _ = written(folders, runs([0.9], case=ELU, version=VERSION), runs([0.1, 0.2], case=ELU, version=VERSION))
    assert found.of("test_accuracy") == {0: 0.9}


def test_a_baseline_of_todays_recipe_wins_over_records_of_another_and_that_is_said(folders):
    (found,), (note,) = written(folders, runs([0.9], case=ELU, version=0), runs([0.1], case=ELU, version=VERSION))
    assert found.provenance == "baseline"
    assert note.startswith("left out 1 runs of 1 cases by another version of their recipes, the first: mlp-mlp-")


@pytest.mark.parametrize(
    ("case", "versions", "kept"),
    [
        (ELU, {"elu": VERSION, "relu": VERSION + 1}, ["elu"]),  # today's
        (
            replace(ELU, experiment="mine"),
            {"elu": 1, "relu": 2},
            ["relu"],
        ),  # of no experiment that is known: the newest
        (replace(ELU, experiment="mine"), {"elu": 1, "relu": 1}, ["elu", "relu"]),
    ],
)
def test_versions_of_a_recipe_are_never_ranked_beside_each_other(folders, case, versions, kept):
    made = [one for name, n in versions.items() for one in runs([0.9], case=replace(case, activation=name), version=n)]
    found, notes = written(folders, made)
    assert [one.activation for one in found] == kept
    assert len(notes) == len(versions) - len(kept)
    assert [one.activation for one in sources.merged([folders[0]], folders[1]).observations] == kept


def test_a_session_on_another_device_data_or_recipe_leaves_the_runs_of_the_first(folders):
    for change in (
        {},
        {"device_class": "cuda_h100"},
        {"data_hash": "1"},
        {"recipe": {"version": 2}},
        {"scale": "small"},
    ):
        for one in runs([0.9], case=ELU):
            records.save(replace(one, **{**change, "recipe": {**one.recipe, **change.get("recipe", {})}}), folders[0])
    assert len(list((folders[0] / "runs").glob("*.json"))) == 5


@pytest.mark.parametrize("case", [ELU, Case("mine", "mlp", "digits", "elu", "adam")])
def test_baselines_of_other_recipe_versions_and_unknown_experiments_are_left_out_and_counted(folders, case):
    found, notes = written(folders, recorded=runs([0.9], case=case, version=VERSION + 1))
    assert found == []
    assert notes == ["left out 1 recorded baselines of older recipes, or of experiments that are not bench's"]


@pytest.mark.parametrize("other", [{"scale": "small"}, {"data_hash": "1"}])
def test_scales_and_copies_of_the_data_are_never_mixed(folders, other):
    first, second = case_runs.from_records([*runs([0.9], case=ELU), *runs([0.8], case=ELU, **other)], {})
    assert first.block != second.block
    assert (first.n, second.n) == (1, 1)


def test_a_file_that_is_no_record_is_left_out_and_named(folders):
    path = records.path_of(runs([0.9], case=ELU)[0].key, 7, folders[0])
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    found, (note,) = written(folders, runs([0.9], case=ELU))
    assert len(found) == 1
    assert note.startswith("left out 1 files")
    assert path.name in note


def test_the_literatures_figures_come_with_their_case(folders):
    folders[1].mkdir()
    text = (
        "experiment,model,dataset,activation,optimizer,variant,metric,value\nmlp,mlp,digits,elu,adam,,test_loss,0.5\n"
    )
    (folders[1] / "reported.csv").write_text(text)
    found, _ = written(folders, runs([0.9], case=ELU))
    assert found[0].reported == {"test_loss": 0.5}


@pytest.mark.parametrize(("metric", "value"), [("test_acuracy", "0.5"), ("test_loss", "low")])
def test_a_row_of_the_literature_that_says_nothing_is_named_with_file_and_row(folders, metric, value):
    folders[1].mkdir()
    head = "experiment,model,dataset,activation,optimizer,variant,metric,value"
    (folders[1] / "reported.csv").write_text(f"{head}\nmlp,mlp,digits,elu,adam,,{metric},{value}\n")
    with pytest.raises(ValueError, match=rf"reported.csv, row 2: malformed \(.*({metric}'; known: |{value})"):
        reported.read(folders[1])


def test_a_title_calls_a_copy_a_copy_and_the_scale_by_its_name():
    case = Case("cnn", "cnn", "cifar10", "elu", "adam")
    one = made(case, {"test_accuracy": [0.5]}, data_hash="8a5ff0d6749a7c94")
    assert one.title() == "cnn · CIFAR-10 (JPEG-75 copy) · adam · paper"


def test_the_median_is_the_figure_where_the_recipe_says_so():
    one = made(ELU, {"test_accuracy": [0.1, 0.5, 0.6]}, aggregate="median")
    assert one.aggregate("test_accuracy") == 0.5


def test_a_final_training_without_validation_is_no_part_of_the_sweep():
    swept = made(ELU, {"test_accuracy": [0.5], "validation_accuracy": [0.5]}, learning_rate=0.001)
    final = made(ELU, {"test_accuracy": [0.9]}, learning_rate=0.001, validation_size=0)
    assert [len(setting.all_rates) for setting in learning_rates.sweeps([swept, final])] == [1, 1]
    assert [setting.chosen()["elu"] for setting in learning_rates.sweeps([swept, final])] == [swept, final]


def test_a_rate_is_chosen_by_validation_and_not_by_test():
    def at(rate, validation, test):
        case = Case("mlp", "mlp", "digits", "elu", "adam", f"lr{rate:g}")
        metrics = {"validation_accuracy": [validation], "test_accuracy": [test]}
        return made(case, metrics, learning_rate=rate)

    good, lucky = at(0.001, 0.9, 0.5), at(0.01, 0.8, 0.99)
    (setting,) = learning_rates.sweeps([lucky, good])
    assert setting.chosen() == {"elu": good}


def test_nothing_is_chosen_where_a_validation_metric_is_lacking():
    cases = [Case("mlp", "mlp", "digits", "elu", "adam", f"lr{rate}") for rate in ("0.1", "0.01")]
    found = [made(case, {"test_accuracy": [0.5]}, learning_rate=rate) for rate, case in enumerate(cases)]
    assert learning_rates.best_by_validation(found) is None
