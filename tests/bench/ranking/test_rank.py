"""Rankings: order, ties, intervals, agreement and the literature's figures beside ours."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bench.cases.case import Case
from bench.display import tables
from bench.ranking import rank
from bench.records import reported
from bench.records.result import Result
from bench.reporting.files import ranking_tables
from bench.stats import power
from made import ranked, runs


def result(activation, values, outcome="trained", optimizer="adam", verdict="SAME", **settings):
    case = Case("cnn", "cnn", "cifar10", activation, optimizer)
    return Result(case, tuple(runs(values, outcome, case=case, **settings)), verdict, "as recorded", False)


def around(mean, n=10, sd=0.005):
    return list(np.random.default_rng(int(mean * 1e4)).normal(mean, sd, n))


def test_what_the_data_tell_apart_is_ranked_and_the_rest_is_a_tie():
    (block,) = ranked(result("relu", around(0.8)), result("elu", around(0.801)), result("selu", around(0.9)))
    assert [(row.activation, row.rank) for row in block.rows[:1]] == [("selu", "1")]
    assert {row.rank for row in block.rows[1:]} == {"2–3"}
    assert block.line.startswith("SELU(")
    assert block.line.count(" > ") == 1
    assert block.line.count(" ~ ") == 1


def test_activations_share_a_letter_where_nothing_separates_them():
    (block,) = ranked(result("relu", around(0.8)), result("elu", around(0.801)), result("selu", around(0.9)))
    assert [row.letters for row in block.rows] == ["a", "b", "b"]


@pytest.mark.parametrize(("epochs", "shown"), [((2.0, 3.0), True), ((2.0, 2.0), False)])
def test_a_ranking_fits_a_terminal_and_shows_epochs_only_where_they_differ(epochs, shown):
    results = [result(name, [0.8, 0.81, 0.9], verdict="REGRESSED") for name in ("penalized_tanh", "leaky_relu")]
    for one, count in zip(results, epochs, strict=True):
        for run in one.records:
            run.metrics["epochs_to_stop"] = count
    (block,) = ranked(*results)
    heading, *rows = ranking_tables.ranking_table(block, ranking_tables.verdicts_of(results)).splitlines()
    assert heading.split()[:3] == ["rank", "ties", "activation"]
    assert ("epochs" in heading) == shown
    assert max(map(len, rows)) <= 110


def test_with_one_seed_nothing_is_told_apart():
    (block,) = ranked(result("relu", [0.1]), result("elu", [0.9]))
    assert [row.rank for row in block.rows] == ["1–2", "1–2"]
    assert not any(row.estimate.known for row in block.rows)


def test_activations_without_any_spread_are_apart_when_they_differ():
    (block,) = ranked(result("relu", [0.5] * 3), result("elu", [0.6] * 3), result("selu", [0.6] * 3))
    assert {row.activation: row.rank for row in block.rows} == {"elu": "1–2", "selu": "1–2", "relu": "3"}


def test_a_block_says_which_differences_its_runs_could_have_shown():
    (block,) = ranked(result("relu", [0.5, 0.6, 0.7]), result("elu", [0.6, 0.7, 0.8]))
    assert f"{power.detectable(0.1, 3) * 100:.1f} points would have shown with 80% power (n=3" in block.reach
    (single,) = ranked(result("relu", [0.5]), result("elu", [0.6]))
    (alone,) = ranked(result("relu", [0.5, 0.6]))
    assert (single.reach, alone.reach) == ("", "")


def test_intervals_are_students_over_seeds():
    values = [0.5, 0.6, 0.7]
    (block,) = ranked(result("relu", values))
    low, high = stats.t.interval(0.95, 2, loc=0.6, scale=stats.sem(values))
    mean = block.rows[0].estimate
    assert (mean.low, mean.high) == pytest.approx((low, high))


def test_a_loss_ranks_the_smallest_first_and_what_diverged_last():
    settings = {"metric": "test_loss"}
    (block,) = ranked(
        result("relu", [math.nan] * 2, "diverged", **settings),
        result("elu", [0.3, 0.4], **settings),
        result("selu", [0.1, 0.2], **settings),
    )
    assert [row.activation for row in block.rows] == ["selu", "elu", "relu"]
    assert block.rows[-1].outcomes == "2 diverged"


def test_the_median_is_the_figure_where_the_recipe_says_so():
    (block,) = ranked(result("relu", [0.1, 0.5, 0.6], aggregate="median"))
    assert block.rows[0].aggregate == 0.5


def test_blocks_that_agree_have_kendalls_w_of_one_and_reversed_ones_of_zero():
    names = ["relu", "elu", "selu", "gelu"]
    for order, w in ((names, 1.0), (names[::-1], 0.0)):
        results = [result(name, [0.1 * place]) for place, name in enumerate(names)]
        results += [result(name, [0.1 * place], optimizer="sgd") for place, name in enumerate(order)]
        (overall,) = rank.overall(ranked(*results))
        assert overall.kendalls_w == pytest.approx(w)
        assert overall.blocks == 2


def test_mean_ranks_count_the_best_as_one():
    results = [
        result(name, [value], optimizer=o)
        for o in ("sgd", "adam")
        for name, value in (("relu", 0.1), ("elu", 0.9), ("selu", 0.5))
    ]
    (overall,) = rank.overall(ranked(*results))
    assert overall.mean_ranks == (("elu", 1.0), ("selu", 2.0), ("relu", 3.0))


@pytest.mark.parametrize(
    ("scale", "train_size", "shown"), [("paper", 5, False), ("tiny", None, False), ("small", None, True)]
)
def test_the_literatures_figures_stand_beside_ours_where_a_run_reproduces_them(scale, train_size, shown, request):
    figures = reported.read(request.config.rootpath / "baselines")
    results = [
        result(name, [value], train_size=train_size, scale=scale)
        for name, value in (("sigmoid", 0.60), ("relu", 0.61), ("leaky_relu", 0.62), ("elu", 0.64), ("selu", 0.63))
    ]
    (block,) = ranked(*results, reported=figures)
    assert ("elu", 0.637) in [(row.activation, row.reported) for row in block.rows] or not shown
    assert bool(block.agreement_with_literature) == shown
    if shown:
        ours, theirs = [0.60, 0.61, 0.62, 0.64, 0.63], [0.6157, 0.6151, 0.6288, 0.637, 0.6183]
        assert f"{stats.spearmanr(ours, theirs).statistic:+.2f} (n=5)" in block.agreement_with_literature


def test_the_jpeg_copy_of_cifar10_is_called_one():
    (block,) = ranked(result("relu", [0.5], data_hash="8a5ff0d6749a7c94"))
    assert "CIFAR-10 (JPEG-75 copy)" in block.title


def test_tables_show_verdicts_that_want_attention_and_count_the_rest():
    results = [result("relu", [0.5]), result("elu", [0.5], verdict="MOVED")]
    text = ranking_tables.verdicts(results)
    assert text.splitlines() == [
        "2 cases, 2 runs: 1 SAME, 1 MOVED",
        "MOVED cnn-cnn-cifar10-elu-adam: as recorded",
    ]


@pytest.mark.parametrize("values", [[math.nan, 0.3, 0.4], [0.3, math.nan, 0.4], [0.3, 0.4, math.inf]])
def test_a_diverged_run_is_worst_in_whatever_order_it_comes(values):
    (block,) = ranked(
        result("elu", values, metric="test_loss", aggregate="median"),
        result("relu", [0.32, 0.35, 0.34], metric="test_loss", aggregate="median"),
        result("selu", [0.5, 0.51, 0.52], metric="test_loss", aggregate="median"),
    )
    assert [(row.activation, row.aggregate) for row in block.rows] == [("relu", 0.34), ("elu", 0.4), ("selu", 0.51)]
    assert not {(0, 1), (1, 2)} & block.separated


def test_with_a_mean_one_diverged_run_goes_last_and_is_told_apart_from_nothing_by_it():
    values = np.random.default_rng(0).normal(0.5, 0.01, 40).tolist()
    (block,) = ranked(result("relu", values[:20]), result("elu", [math.nan, *values[21:]]))
    assert [row.activation for row in block.rows] == ["relu", "elu"]
    assert block.separated == frozenset()
    assert block.rows[1].aggregate == -math.inf


@pytest.mark.parametrize("aggregate", ["mean", "median"])
def test_letters_signs_and_order_never_contradict_each_other(aggregate):
    """Runs that collapse now and then make means and medians disagree."""
    rng = np.random.default_rng(1)
    for _ in range(30):
        results = []
        for name in ("relu", "elu", "selu", "gelu"):
            values = np.where(rng.random(10) < 0.3, 0.1, rng.normal(rng.choice([0.90, 0.92]), 0.01, 10))
            results.append(result(name, values.tolist(), aggregate=aggregate))
        (block,) = ranked(*results)
        assert [row.aggregate for row in block.rows] == sorted((row.aggregate for row in block.rows), reverse=True)
        for one, other in block.separated:
            assert np.mean(block.rows[one].runs.values) > np.mean(block.rows[other].runs.values)
            assert not set(block.rows[one].letters) & set(block.rows[other].letters)


def test_the_interval_shown_is_that_of_the_figure_shown():
    values = [0.1, 0.90, 0.91, 0.92, 0.93, 0.94, 0.95]
    (block,) = ranked(result("relu", values, aggregate="median"))
    estimate = block.rows[0].estimate
    assert (estimate.value, estimate.low, estimate.high) == (0.92, 0.1, 0.95)
    assert tables.cell(block.rows[0].runs, "test_accuracy") == "92.00 [10.00, 95.00]"
    (few,) = ranked(result("relu", values[:5], aggregate="median"))
    assert tables.cell(few.rows[0].runs, "test_accuracy") == "91.00"


def test_a_block_with_a_figure_that_is_not_finite_leaves_the_mean_ranks_of_all():
    results = [
        result(name, [value], optimizer=o)
        for o, worst in (("sgd", math.nan), ("adam", 0.1))
        for name, value in (("relu", worst), ("elu", 0.9), ("selu", 0.5))
    ]
    (overall,) = rank.overall(ranked(*results))
    assert overall.mean_ranks == (("elu", 1.0), ("selu", 2.0), ("relu", 3.0))
    assert overall.kendalls_w == 1
