"""Probes compared: the message names the first quantity that differs, and what is as recorded before it."""

from __future__ import annotations

import dataclasses
import functools
import math

import pytest
import torch

from bench import experiments
from bench.cases.case import Case
from bench.records.probes import apart
from bench.regression.probes import (
    JUMPS,
    ROUNDING,
    ROUNDING_MARGIN,
    TOLERANCE,
    VALUES_MARGIN,
    distance,
    first_difference,
    origin,
    with_tolerances,
)
from bench.training import probe

BEFORE_THE_NETWORK = "recipe, rates, weights and inputs"


@functools.cache
def now():
    case = Case("mlp", "mlp", "digits", "prelu", "adam")
    return probe.take_probe(case, experiments.find("mlp").recipe(case, "tiny"), "tiny", torch.device("cpu"))


def recorded(name, place=0, factor=2.0):
    """As now, but for one number."""
    series = list(now().series[name])
    series[place] *= factor
    return dataclasses.replace(now(), series={**now().series, name: tuple(series)})


@pytest.mark.parametrize(
    ("name", "place", "words"),
    [
        ("rates", 0, "the schedule on, rate of every step 0.001, recorded 0.002; recipe is as recorded"),
        ("weights", 0, "the initial weights on, rms 0.09"),
        ("activation_parameters", 0, "the activations' initial parameters on, rms 0.2"),
        ("inputs", 0, "the inputs on, in their order and augmented, step 1: rms"),
        ("first_site_input", 0, "what activation 1 of 8 takes on, forward, step 1: rms"),
        ("sites", 0, "activation 1 of 8 on, forward, step 1: rms"),
        ("sites", 4, "activation 5 of 8 on, forward, step 1: rms"),
        ("output", 0, "the network's output on, forward, step 1: rms"),
        ("losses", 0, "the loss on, step 1: "),
        ("gradients", 0, "the gradient of layer 1 to 2 of 9 from the end (17 to 15) on, backward, step 1: rms"),
        ("activation_gradients", 0, "the gradient of the activations' parameters on, backward, step 1: rms"),
        ("updates", 0, "the update of the parameters on, step 1: rms"),
        ("activation_updates", 2, "the update of the activations' parameters on, step 3: rms"),
        ("losses", 3, "the loss on, step 4: "),
        ("bytes_saved", 0, "the bytes kept for backward on, "),
    ],
)
def test_the_first_quantity_that_differs_is_named(name, place, words):
    said = first_difference(recorded(name, place), now())
    assert said.startswith(f"first steps differ from {words}")


def test_what_comes_before_is_said_to_be_as_recorded():
    assert first_difference(recorded("sites"), now()).endswith(
        "; recipe, rates, weights, inputs, network and layers before the first activation are as recorded"
    )
    assert first_difference(recorded("weights"), now()).endswith("; recipe and rates are as recorded")


def test_both_values_are_shown_with_as_many_digits_as_tell_them_apart():
    value = now().series["losses"][0]
    assert f": {value:.4g}, recorded {2 * value:.4g};" in first_difference(recorded("losses"), now())
    said = first_difference(recorded("losses", factor=1 + 1e-6), now())
    shown, other = said.partition("step 1: ")[2].partition(";")[0].split(", recorded ")
    assert shown != other
    assert float(other) == pytest.approx(value, rel=1e-5)


def test_rounding_is_no_difference():
    assert first_difference(now(), now()) == ""
    assert first_difference(recorded("losses", factor=1 + TOLERANCE / 2), now()) == ""
    assert first_difference(recorded("losses", factor=1 + 2 * TOLERANCE), now()) != ""


def test_where_a_nudge_moves_more_what_follows_is_allowed_more():
    nudged = recorded("losses", 2, 1 + 1e-6)
    found = dataclasses.replace(with_tolerances(now(), nudged), rounding={})
    assert found.tolerances == {"losses.3": pytest.approx(1e-3)}
    assert first_difference(found, nudged) == ""
    assert first_difference(found, recorded("updates", 2, 1 + 5e-4)) == ""
    assert "the loss on, step 2" in first_difference(found, recorded("losses", 1, 1 + 1e-9))
    assert distance(found, recorded("losses", 3, 1 + 1e-6)) == pytest.approx(1e-13, rel=0.01)
    assert with_tolerances(now(), now()).tolerances == {}


def test_rounding_in_the_precision_of_training_may_go_a_hundred_times_further_than_recorded():
    def rounded(**epsilons):
        return dataclasses.replace(now(), rounding=epsilons)

    before = rounded(sites=0.5, gradients=20.0)
    assert first_difference(before, rounded(sites=ROUNDING * ROUNDING_MARGIN, gradients=JUMPS * ROUNDING_MARGIN)) == ""
    assert "from gradients on" in first_difference(before, rounded(gradients=1.01 * JUMPS * ROUNDING_MARGIN))
    assert first_difference(rounded(gradients=5 * JUMPS), rounded(gradients=4.99 * JUMPS * ROUNDING_MARGIN)) == ""
    assert first_difference(before, rounded(sites=400.0, gradients=math.inf)).endswith(
        "than rounding goes, from sites on: 400.0 epsilons, recorded 0.5; in float64 they are as recorded"
    )
    assert first_difference(rounded(sites=math.inf), rounded(sites=math.inf)) == ""
    values = rounded(site_values=5.0)
    assert first_difference(values, rounded(site_values=5 * VALUES_MARGIN)) == ""
    assert "from site values on: 60.0 epsilons, recorded 5.0" in first_difference(values, rounded(site_values=60.0))
    assert first_difference(before, rounded(site_values=60.0)) == "", "rows from before they were measured"
    assert with_tolerances(before, rounded(sites=1.0, gradients=5.0)).rounding == {"sites": 1.0, "gradients": 20.0}


def test_a_recipe_that_changed_is_named_by_its_field():
    other = dataclasses.replace(now(), recipe={**now().recipe, "epochs": 20})
    assert first_difference(other, now()) == "first steps differ from the recipe's epochs on, 15, recorded 20"


def test_an_evaluation_that_changed_alone_is_named_by_its_metric():
    other = dataclasses.replace(now(), evaluation={**now().evaluation, "test_top3_accuracy": 0.0})
    assert "the evaluation on, test_top3_accuracy " in first_difference(other, now())
    assert "recorded 0; recipe, rates, weights" in first_difference(other, now())


def test_another_number_of_sites_or_steps_is_a_difference():
    fewer = dataclasses.replace(now(), num_sites=7, series={**now().series, "sites": now().series["sites"][:7]})
    assert "the network on, activations used: 8, recorded 7" in first_difference(fewer, now())
    losses = {name: now().series[name][:2] for name in ("losses", "updates", "activation_updates")}
    shorter = dataclasses.replace(now(), series={**now().series, **losses}, evaluation={})
    assert "the loss on, step 3: " in first_difference(shorter, now())
    assert ", recorded none; " in first_difference(shorter, now())


def test_bytes_are_compared_only_where_both_were_measured():
    without = {name: values for name, values in now().series.items() if name != "bytes_saved"}
    assert first_difference(now(), dataclasses.replace(now(), series=without)) == ""


def test_distances_are_relative_and_nan_equals_itself():
    assert apart(1.0, 1.1) == pytest.approx(0.1 / 1.1)
    assert apart(0.0, 1e-25) == apart(math.nan, math.nan) == apart("range", "range") == 0.0
    assert apart(1.0, math.nan) == apart(1.0, "none") == apart("range", "zca") == math.inf
    assert distance(recorded("losses"), now()) == pytest.approx(0.5)


def test_bytes_are_compared_exactly_whatever_rounding_may_do_to_the_numbers_before_them():
    blown_up = dataclasses.replace(recorded("bytes_saved", factor=1 + 1e-6), tolerances={"losses.2": 1.0})
    assert "the bytes kept for backward on, " in first_difference(blown_up, now())
    assert distance(blown_up, now()) == pytest.approx(1e-6, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "place", "where"),
    [
        ("sites", 0, "activation"),
        ("activation_parameters", 0, "activation"),
        ("gradients", 1, "activation"),
        ("activation_gradients", 0, "activation"),
        ("bytes_saved", 0, "activation"),
        ("weights", 0, "model"),
        ("first_site_input", 0, "model"),
        ("output", 0, "model"),
        ("rates", 0, "recipe"),
        ("losses", 0, None),
        ("updates", 0, None),
        ("inputs", 0, None),
    ],
)
def test_where_a_difference_begins_is_told_by_the_first_quantity_that_differs(name, place, where):
    assert origin(recorded(name, place), now()) == where


def test_a_difference_may_begin_in_the_recipe_the_networks_outline_or_rounding_or_nowhere():
    epochs = dataclasses.replace(now(), recipe={**now().recipe, "epochs": 1})
    fewer = dataclasses.replace(now(), num_sites=7, series={**now().series, "sites": now().series["sites"][:7]})
    rounded = dataclasses.replace(now(), rounding={**now().rounding, "site_values": math.inf})
    kept = dataclasses.replace(now(), rounding={**now().rounding, "site_values": 1.0})
    assert origin(epochs, now()) == "recipe"
    assert origin(fewer, now()) == "model"
    assert origin(kept, rounded) == "activation"
    assert origin(now(), now()) is None
