"""Problems: which blocks count as one, and which activations were measured in the same ones."""

from __future__ import annotations

import math

import pytest

from bench.ranking.problems import families
from made_views import ERRORS, SEEDS, problems, runs

NAMES = sorted(ERRORS)


def test_a_problem_is_a_network_on_a_data_set_whatever_the_optimizer():
    world = list(problems(2)) + [runs("net0", name, [0.3] * SEEDS, "sgd") for name in NAMES]
    (family,) = families(world)
    assert sorted(problem.title for problem in family.problems) == ["net0 on CIFAR-10", "net1 on CIFAR-10"]
    assert len(family.blocks) == 3
    (first,) = [problem for problem in family.problems if problem.title.startswith("net0")]
    assert first.score("elu") == pytest.approx((0.9 + 0.3) / 2)


def test_of_a_sweep_over_rates_each_activation_has_its_best_by_validation():
    world = list(problems(1))
    for name in NAMES:
        for rate, validation, test in ((0.1, 0.5, 0.99), (0.01, 0.6, 0.5)):
            metrics = [test] * SEEDS
            one = runs("net9", name, metrics, variant=f"lr{rate}", learning_rate=rate)
            one.metrics["validation_accuracy"] = (validation,) * SEEDS
            world.append(one)
    (family,) = families(world)
    (swept,) = [problem for problem in family.problems if problem.title.startswith("net9")]
    assert [len(problem.blocks) for problem in family.problems] == [1, 1]
    assert swept.score("relu") == 0.5


def test_a_smaller_set_of_activations_is_its_own_family_where_it_has_more_problems():
    more = [runs("net2", name, [0.5] * SEEDS) for name in NAMES]
    world = [*problems(2, {**ERRORS, "gelu": 0.2}), *more]
    assert [(len(one.names), len(one.problems)) for one in families(world)] == [(3, 3), (4, 2)]


def test_a_smaller_set_of_activations_in_the_same_problems_is_none():
    again = [runs(model, name, [0.5] * SEEDS, "sgd") for model in ("net0", "net1") for name in NAMES]
    assert [len(one.names) for one in families([*problems(2, {**ERRORS, "gelu": 0.2}), *again])] == [4]


def test_two_activations_or_one_problem_are_no_family():
    assert families(problems(1)) == []
    assert families(problems(5, {"relu": 0.1, "elu": 0.2})) == []


def test_scales_and_metrics_are_never_mixed():
    tiny = [runs("net1", name, [0.5] * SEEDS, scale="tiny") for name in NAMES]
    loss = [runs("net1", name, [0.5] * SEEDS, metric="train_accuracy") for name in NAMES]
    for one in loss:
        one.metrics["train_accuracy"] = (0.5,) * SEEDS
    assert families([*problems(1), *tiny]) == []
    assert families([*problems(1), *loss]) == []


def test_a_loss_counts_as_better_low_and_one_that_diverged_as_worst():
    world = []
    for place in range(2):
        for name, loss in (("elu", 0.1), ("relu", 0.2), ("tanh", math.nan)):
            one = runs(f"net{place}", name, [0.0] * SEEDS, metric="test_loss")
            one.metrics["test_loss"] = (loss,) * SEEDS
            world.append(one)
    (family,) = families(world)
    assert family.scores.tolist() == [[-0.1, -0.2, -math.inf]] * 2
