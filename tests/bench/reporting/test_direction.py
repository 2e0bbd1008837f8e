"""A metric that is better when lower says what its counterpart says: an error of 1 less the accuracy, everywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.cases import metric
from bench.cases.case import Case, Experiment
from bench.cases.metric import METRICS, register
from bench.cases.recipe import Recipe
from bench.ranking import learning_rates, rank, versus_relu
from bench.ranking.agreement import agreement_over
from bench.ranking.problems import families
from bench.records import baseline
from bench.records.baseline import Baseline
from bench.records.case_runs import CaseRuns
from bench.records.history import Entry
from bench.records.record import Record
from bench.records.result import Result
from bench.records.runs import Runs
from bench.regression import compare, judge, steps
from bench.reporting import comparing
from bench.reporting.files import junit
from bench.reporting.page import axis, standings
from bench.reporting.views import VIEWS, costs
from made import runs, runs_of_case
from made_metric import ERROR, as_error
from made_views import crossed, one_block, problems, timed

SEEDS = 6
LUCK = np.random.default_rng(0).normal(0, 0.002, SEEDS)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setattr("bench.cases.metric.METRICS", dict(METRICS))
    register(ERROR)


def errors(accuracies, **settings) -> list[Record]:
    return runs([1 - value for value in accuracies], metric="test_error", **settings)


def both(world) -> tuple[list[CaseRuns], list[CaseRuns]]:
    found = list(world)
    return found, list(map(as_error, found))


def columns(name: str, world: list[CaseRuns]) -> list[dict]:
    return [dict(table.columns) for table in VIEWS[name].tables(world)]


@pytest.mark.parametrize(("accuracy", "verdict"), [(0.80, "REGRESSED"), (0.9, "MOVED"), (0.99, "IMPROVED")])
def test_the_judge_calls_more_errors_worse(accuracy, verdict):
    recorded = Baseline.of(errors(0.9 + np.random.default_rng(0).normal(0, 0.005, 20)))
    prior = judge.prior_of([recorded], 0.001)
    found = judge.judge(errors([accuracy + 1e-4] * 3), recorded, prior, 1)
    assert found.verdict == verdict


def test_a_band_is_never_narrower_than_one_example():
    recorded = Baseline.of(errors([0.9] * 20))
    found = judge.judge(errors([0.899] * 20), recorded, judge.prior_of([recorded], 0.001), 1)
    assert found.verdict == "MOVED"
    assert found.band[1] - found.band[0] == pytest.approx(0.002)


def test_compare_counts_fewer_errors_as_a_gain():
    before = [
        one for name in ("relu", "elu") for one in errors(0.9 + LUCK, case=Case("a", "mlp", "digits", name, "sgd"))
    ]
    after = [replace(one, metrics={**one.metrics, "test_error": one.value - 0.05}, digest="other") for one in before]
    found = compare.compare(before, after)
    assert {one.verdict for one in found.cases} == {"IMPROVED"}
    assert "test error %" in comparing.comparison_text(found)
    assert "+5" in comparing.comparison_text(found)
    assert {one.verdict for one in compare.compare(after, before).cases} == {"REGRESSED"}


def test_history_shows_errors_in_per_cent():
    def entry(day: int, mean: float) -> Entry:
        values = tuple(mean + LUCK)
        made = Runs(tuple(range(SEEDS)), values, ("trained",) * SEEDS, tuple(f"{day}{seed}" for seed in range(SEEDS)))
        case, where = Case("a", "mlp", "digits", "relu", "sgd"), ("tiny", 1, "0", "cpu")
        return Entry(f"2026-11-0{day}", f"c{day}", case, where, "test_error", made, "MOVED")

    text = steps.steps_text([entry(day, 0.1 if day < 4 else 0.2) for day in range(1, 8)])
    assert "test error %" in text
    assert "▲ +10" in text


def test_blocks_are_ranked_alike():
    accuracy, error = (rank.blocks(world) for world in both(problems(2)))
    for one, other in zip(accuracy, error, strict=True):
        assert (
            [row.activation for row in one.rows] == [row.activation for row in other.rows] == ["elu", "relu", "sigmoid"]
        )
        assert [(row.rank, row.letters) for row in one.rows] == [(row.rank, row.letters) for row in other.rows]
        assert one.separated == other.separated
        assert (" > " in one.line, " < " in other.line) == (True, True)
    assert rank.overall(accuracy) == rank.overall(error)


def test_what_is_better_than_relu_is_so_by_its_errors():
    world = [replace(one, recipe={**one.recipe, "test_size": 100}) for one in problems(1)]
    accuracy, error = map(rank.blocks, both(world))
    (one,), (other,) = (versus_relu.paragraphs(["elu"], found) for found in (accuracy, error))
    assert ", better" in one
    assert ", better" in other
    assert "+10.00" in one
    assert "-10.00" in other
    assert "points" in other


def test_a_rate_is_chosen_by_the_fewest_errors_of_validation():
    def at_rate(rate: float, validation: float, test: float) -> CaseRuns:
        metrics = {"validation_accuracy": validation + LUCK, "test_accuracy": test + LUCK}
        return runs_of_case(Case("r", "mlp", "digits", "relu", "sgd", f"lr{rate:g}"), metrics, learning_rate=rate)

    accuracy, error = both([at_rate(0.1, 0.8, 0.7), at_rate(0.01, 0.7, 0.9)])
    for world in (accuracy, error):
        (sweep,) = learning_rates.sweeps(world)
        assert sweep.chosen()["relu"].recipe["learning_rate"] == 0.1
    assert [table["best rate"] for table in columns("rates", error) if "best rate" in table] == [["0.1"]]


@pytest.mark.parametrize("view", ["aggregates", "profiles", "agreement"])
def test_views_order_activations_alike(view):
    accuracy, error = both(problems(8))
    order = [table["activation"] for table in columns(view, accuracy)]
    assert order
    assert [table["activation"] for table in columns(view, error)] == order
    assert all(names[0] == "elu" and names[-1] == "sigmoid" for names in order)


def test_the_chance_to_beat_relu_and_the_ratio_to_the_best_are_the_same_numbers():
    accuracy, error = both(one_block())
    assert [table["better than relu"] for table in columns("aggregates", accuracy)] == [
        table["better than relu"] for table in columns("aggregates", error)
    ]
    accuracy, error = both(problems(3))
    assert columns("profiles", accuracy) == columns("profiles", error)


def test_mean_ranks_and_their_agreement_are_the_same_numbers():
    (one,), (other,) = (families(world) for world in both(problems(8)))
    assert agreement_over(one).ranks == agreement_over(other).ranks
    assert agreement_over(one).kendalls_w == pytest.approx(agreement_over(other).kendalls_w)


def test_shares_of_variance_are_the_same_numbers():
    accuracy, error = both(crossed())
    assert columns("variance", accuracy) == columns("variance", error)


def test_the_curves_of_a_judged_error_are_shown():
    def made(name: str) -> CaseRuns:
        kept = {"train_loss": [1.0, 0.5], "validation_loss": [1.0, 0.6], "validation_accuracy": [0.5, 0.75]}
        case = Case("c", "mlp", "digits", name, "sgd")
        return runs_of_case(case, {"test_accuracy": 0.75 + LUCK}, curves=(kept,) * SEEDS)

    (table,) = columns("curves", [as_error(made("relu"))])
    assert table["last validation error"] == ["25.00 (0.00)"]
    assert VIEWS["curves"].figure([as_error(made("relu"))]) is not None


def test_equal_cost_is_judged_by_the_same_direction():
    accuracy, error = both(timed())
    assert costs.beaten(accuracy) == costs.beaten(error)
    assert [table["activation"] for table in columns("costs", accuracy)] == [
        table["activation"] for table in columns("costs", error)
    ]


def test_the_page_draws_a_lower_error_further_to_the_left_and_ranks_it_first():
    (block,) = rank.blocks(both(problems(1))[1])
    scale = axis.block_axis(block)
    middles = [scale.dots(row).middle for row in block.rows]
    assert middles == sorted(middles)
    (group,) = standings.ranking_section([block], {}).groups
    assert [cell.text for cell in group.grids[0].columns["activation"]] == ["elu", "relu", "sigmoid"]
    assert "test error %" in group.grids[0].columns
    (leader, *_) = standings.leaders([block]).columns["activation"]
    assert leader.text == "elu"


def test_junit_says_the_judged_error_under_its_name():
    records = tuple(errors([0.9, 0.8], case=Case("mlp", "mlp", "digits", "relu", "adam")))
    found = dict(junit.case_properties(Result(records[0].case, records, "SAME", "made", failed=False), {}, "tiny"))
    assert (found["metric"], found["mean"], found["test_error"]) == (
        "test_error",
        pytest.approx(0.15),
        pytest.approx(0.15),
    )


def test_a_plan_counts_an_error_in_points():
    from bench.reporting.plan.seeds import Plan

    rows = [Baseline.of(errors(0.9 + LUCK))]
    assert Plan(seeds=3, activations=2, recorded=rows).unit == 0.01


def test_a_recorded_row_of_an_error_is_read_while_its_metric_is_registered_and_named_when_not(tmp_path, monkeypatch):
    baseline.write([Baseline.of(errors([0.9, 0.8]))], tmp_path)
    ((_, row),) = baseline.read(tmp_path).items()
    assert row.metric == "test_error"
    monkeypatch.delitem(metric.METRICS, "error")
    with pytest.raises(baseline.BaselineError, match=r"line 2: malformed row \(unknown metric 'test_error'; known: "):
        baseline.read(tmp_path)


def test_a_run_can_be_judged_by_a_metric_of_ones_own():
    import torch

    from bench.training import train

    def recipe(case: Case, scale: str) -> Recipe:
        return Recipe(
            version=1,
            epochs=1,
            batch_size=32,
            learning_rate=0.1,
            initialisation="torch",
            train_size=200,
            validation_size=100,
            test_size=100,
            metric="test_error",
            threads=1,
        )

    one = Experiment("own", "Why?", "made", ("mlp",), ("digits",), ("relu",), ("sgd",), recipe)
    (case,) = one.cases("tiny")
    (record,) = train.run(case, recipe(case, "tiny"), "tiny", [0], torch.device("cpu"))
    assert record.value == record.metrics["test_error"] == pytest.approx(1 - record.metrics["test_accuracy"])
    assert record.metrics["validation_error"] == pytest.approx(1 - record.metrics["validation_accuracy"])
    assert "validation_error" in record.curves


def test_a_metric_that_nothing_computes_is_refused_before_anything_is_trained():
    from bench.training.objectives import objective_of

    recipe = Recipe(version=1, epochs=1, batch_size=8, learning_rate=0.1, initialisation="torch", metric="test_f1")
    with pytest.raises(ValueError, match="classification does not compute test_f1; it computes loss, accuracy, top3"):
        objective_of(recipe)
