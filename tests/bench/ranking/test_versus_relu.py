"""Does an added activation differ from relu beyond the noise? Paired by seed, one interval a block."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bench.cases.case import Case
from bench.ranking import versus_relu
from bench.records.result import Result
from made import ranked, runs

LUCK = np.random.default_rng(0).normal(0, 0.05, 8)  # what a seed does to every activation alike


def result(activation, values, optimizer="adam", first_seed=0, **settings):
    case = Case("mlp", "mlp", "digits", activation, optimizer)
    return Result(case, tuple(runs(values, first_seed=first_seed, case=case, **settings)), "NEW", "", False)


def said(*results, name="mine"):
    return versus_relu.paragraph(name, ranked(*results))


def test_a_steady_gain_shows_through_the_luck_that_both_share():
    wobble = [0.001, -0.001] * 4
    text = said(result("relu", 0.8 + LUCK), result("mine", 0.82 + LUCK + wobble))
    assert "differs beyond the noise in 1 of 1 blocks" in text
    assert text.rstrip().endswith("(n=8), better")


def test_a_gain_within_the_noise_is_none_and_says_what_could_have_been_seen():
    text = said(result("relu", 0.8 + LUCK), result("mine", 0.81 + LUCK[::-1]))
    assert "differs beyond the noise in none of 1 blocks" in text
    assert "no difference beyond the noise" in text
    assert "--seeds 32" in text


def test_a_smaller_loss_is_better():
    settings = {"metric": "test_loss"}
    text = said(result("relu", [0.5, 0.5, 0.51], **settings), result("mine", [0.4, 0.4, 0.41], **settings))
    assert ", better" in text


def test_the_interval_is_students_over_the_differences_shared_among_the_blocks():
    ones, others = [0.90, 0.91, 0.95], [0.80, 0.85, 0.81]
    results = [result(*pair, optimizer) for optimizer in ("adam", "sgd") for pair in (("relu", others), ("mine", ones))]
    differences = np.subtract(ones, others)
    half = stats.t.interval(1 - 0.05 / 2, 2, scale=stats.sem(differences))[1]
    assert said(*results).count(f"{differences.mean() * 100:+.2f} ± {half * 100:.2f} points (n=3)") == 2


def test_two_runs_that_gain_the_same_are_no_finding():
    """Accuracy moves in steps of one test example, so that equal differences come up by chance."""
    text = said(result("relu", [0.8, 0.8]), result("mine", [0.802, 0.802]))
    assert "no difference beyond the noise" in text
    assert "± 0.00" not in text


def test_only_seeds_that_both_have_are_compared():
    text = said(result("relu", [0.8, 0.8, 0.8]), result("mine", [0.9, 0.9, 0.9], first_seed=1))
    assert "(n=2)" in text


def test_one_seed_tells_nothing():
    assert "(n=1), one seed tells nothing" in said(result("relu", [0.8]), result("mine", [0.9]))


def test_a_run_without_a_finite_figure_is_not_compared():
    settings = {"metric": "test_loss"}
    text = said(result("relu", [0.5, 0.6], **settings), result("mine", [math.inf, 0.6], **settings))
    assert "not comparable" in text
    assert "nan" not in text


@pytest.mark.parametrize("names", [["relu"], ["elu"], []])
def test_without_relu_beside_it_nothing_is_said(names):
    assert versus_relu.paragraphs(names, ranked(result("elu", [0.8, 0.9]))) == []
