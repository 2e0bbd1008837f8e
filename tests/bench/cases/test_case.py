"""Tests of bench.cases.case: ids, the alphabet of their fields, blocks, and the product of an experiment's axes."""

from __future__ import annotations

import itertools
from dataclasses import FrozenInstanceError, replace

import pytest

from bench.cases.case import AXES, Case, Experiment
from bench.cases.recipe import Recipe

CASE = Case("mlp", "mlp", "mnist", "leaky_relu", "adam")
VARIANT = replace(CASE, variant="lr0.01")


def _experiment(**axes: tuple[str, ...]) -> Experiment:
    wanted: dict[str, tuple[str, ...]] = {
        "models": ("mlp", "cnn"),
        "datasets": ("digits", "mnist"),
        "activations": ("relu", "elu", "gelu"),
        "optimizers": ("sgd", "adam"),
        **axes,
    }
    recipe = Recipe(version=1, epochs=1, batch_size=1, learning_rate=0.1, initialisation="torch")
    return Experiment("some", "Why?", "made for the test", recipe=lambda case, scale: recipe, **wanted)


def test_the_id_joins_the_fields_and_leaves_an_empty_variant_out() -> None:
    assert CASE.id == "mlp-mlp-mnist-leaky_relu-adam"
    assert VARIANT.id == CASE.id + "-lr0.01"
    assert [*VARIANT.fields.values()] == VARIANT.id.split("-")
    assert tuple(CASE.fields) == AXES


def test_a_case_is_made_again_from_its_fields() -> None:
    assert Case(**VARIANT.fields) == VARIANT


@pytest.mark.parametrize("bad", ["lr=0.1", "a-b", "ReLU", "a b", "a,b", "é", "a\n", "a[1]", "1e+3", "a/b", ":"])
@pytest.mark.parametrize("axis", AXES)
def test_a_field_that_pytest_could_not_select_is_refused(axis: str, bad: str) -> None:
    with pytest.raises(ValueError, match=f"^{axis} ") as caught:
        replace(CASE, **{axis: bad})
    assert repr(bad) in str(caught.value)
    assert "a-z, 0-9, _ and ." in str(caught.value)


@pytest.mark.parametrize("axis", AXES)
def test_only_the_variant_may_be_empty(axis: str) -> None:
    if axis == "variant":
        assert replace(VARIANT, variant="") == CASE
    else:
        with pytest.raises(ValueError, match=f"^{axis} ''"):
            replace(CASE, **{axis: ""})


def test_a_block_is_everything_but_the_activation() -> None:
    assert CASE.block == replace(CASE, activation="elu").block
    for axis in AXES:
        if axis != "activation":
            assert CASE.block != replace(CASE, **{axis: "other"}).block


def test_a_case_cannot_be_changed_and_can_be_a_key() -> None:
    with pytest.raises(FrozenInstanceError):
        CASE.model = "cnn"  # type: ignore[misc]
    assert len({CASE, replace(CASE), VARIANT}) == 2


def test_an_experiment_multiplies_its_axes() -> None:
    experiment = _experiment(variants=("", "lr0.1", "lr0.01"))
    cases = list(experiment.cases("tiny"))
    axes = (experiment.models, experiment.datasets, experiment.activations, experiment.optimizers, experiment.variants)
    wanted = {Case("some", *combination) for combination in itertools.product(*axes)}
    assert set(cases) == wanted
    assert len(cases) == len(wanted)


def test_the_cases_of_a_block_stand_together() -> None:
    blocks = [case.block for case in _experiment().cases("tiny")]
    assert len(list(itertools.groupby(blocks))) == len(set(blocks))


@pytest.mark.parametrize("added", [("mine",), ("mine", "relu"), ("relu",), ("mine", "yours"), ()], ids=str)
def test_added_activations_come_last_in_their_block_and_once(added: tuple[str, ...]) -> None:
    experiment = _experiment()
    new = [name for name in added if name not in experiment.activations]
    for _, block in itertools.groupby(experiment.cases("tiny", added), key=lambda case: case.block):
        assert [case.activation for case in block] == [*experiment.activations, *new]


def test_an_activation_added_twice_comes_once() -> None:
    cases = list(_experiment().cases("tiny", ("mine", "mine")))
    assert len(cases) == len(set(cases))
