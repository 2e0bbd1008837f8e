"""Metrics: records in one registry, and names that say where a metric was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.cases.metric import METRICS, PARTS, Measured, Metric, register
from bench.cases.recipe import Recipe
from made_metric import ERROR

NAMES = [
    *(one.name for one in METRICS.values() if one.whole_run),
    *(f"{part}_{one.name}" for part in PARTS for one in METRICS.values() if not one.whole_run),
    "test_accuracy_noise1.5",
    "test_top3_accuracy_noise0.25",
]


@pytest.fixture
def registry(monkeypatch):
    """The known metrics, to add to until the test is over."""
    monkeypatch.setattr("bench.cases.metric.METRICS", dict(METRICS))


@pytest.mark.parametrize("name", NAMES)
def test_a_measured_name_is_read_and_written_alike(name):
    assert Measured.parse(name).name == name


def test_a_measured_name_says_part_metric_and_noise():
    found = Measured.parse("test_top3_accuracy_noise1.5")
    assert (found.part, found.metric.name, found.noise) == ("test", "top3_accuracy", 1.5)
    assert Measured.parse("first_epoch_train_loss").part is None


@pytest.mark.parametrize("name", ["accuracy", "test_acuracy", "dev_loss", "test_epochs_to_stop", "loss_noise1", ""])
def test_an_unknown_metric_is_refused_with_the_known_ones(name):
    with pytest.raises(ValueError, match=f"unknown metric '{name}'; known: epochs_to_stop, .*test_: accuracy, "):
        Measured.parse(name)


def test_a_recipe_that_judges_by_an_unknown_metric_is_refused():
    recipe = Recipe(version=1, epochs=2, batch_size=8, learning_rate=0.1, initialisation="torch")
    with pytest.raises(ValueError, match="recipe: unknown metric 'test_error'; known: "):
        replace(recipe, metric="test_error")


def test_the_judged_part_follows_from_the_metric():
    recipe = Recipe(version=1, epochs=2, batch_size=8, learning_rate=0.1, initialisation="torch")
    assert [replace(recipe, metric=name).judged_part for name in ("test_loss", "train_loss", "epochs_to_stop")] == [
        "test",
        "train",
        "test",
    ]


@pytest.mark.parametrize(
    ("name", "better", "heading", "step"),
    [
        ("test_accuracy", True, "test accuracy %", 0.01),
        ("test_top3_accuracy", True, "test top3 accuracy %", 0.01),
        ("test_f1", True, "test f1 %", 0.0),
        ("test_matthews_correlation", True, "test matthews correlation", 0.0),
        ("validation_loss", False, "validation loss", 0.0),
        ("epochs_to_stop", False, "epochs to stop", 0.0),
        ("first_epoch_train_loss", False, "first epoch train loss", 0.0),
        ("vanishing_ratio", True, "vanishing ratio", 0.0),
        ("hidden_zeros", True, "hidden zeros %", 0.0),
    ],
)
def test_direction_heading_and_step_come_from_the_record(name, better, heading, step):
    found = Measured.parse(name)
    assert (found.higher_is_better, found.heading) == (better, heading)
    assert found.step(100) == pytest.approx(step)


def test_a_choice_looks_at_validation_in_the_place_of_test_and_of_nothing_else():
    asked = ("test_accuracy", "test_loss_noise0.5", "train_loss", "epochs_to_stop")
    assert [Measured.parse(name).chosen_by.name for name in asked] == [
        "validation_accuracy",
        "validation_loss_noise0.5",
        "train_loss",
        "epochs_to_stop",
    ]


def test_a_metric_of_ones_own_is_measured_like_the_others(registry):
    register(ERROR)
    found = Measured.parse("validation_error")
    assert (found.metric, found.sign, found.factor, found.points) == (ERROR, -1, 100, " points")


def test_the_same_metric_may_be_registered_again_and_another_of_its_name_may_not(registry):
    register(ERROR)
    register(replace(ERROR))
    with pytest.raises(ValueError, match="'error' is there already"):
        register(replace(ERROR, higher_is_better=True))
    with pytest.raises(ValueError, match="'error' is there already"):
        register(replace(ERROR, compute=lambda outputs, labels: 0.0))
    with pytest.raises(ValueError, match="'loss' is there already"):
        register(replace(ERROR, name="loss"))


def test_a_metric_of_ones_own_must_say_what_computes_it(registry):
    with pytest.raises(ValueError, match="give compute="):
        register(Metric("error", higher_is_better=False))


@pytest.mark.parametrize("name", ["test_error", "Error", "top-3", "error_noise2", "", "3rd"])
def test_a_name_that_could_not_be_read_back_is_refused(name):
    with pytest.raises(ValueError, match="a name is made of"):
        Metric(name, higher_is_better=False)


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="unit 'percent'; known: fraction, ratio, number"):
        Metric("error", higher_is_better=False, unit="percent")
