"""Tests of bench.cases.recipe: bad values are refused, and a CPU switches off what only CUDA gains by."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from bench.cases.recipe import Preprocessing, Recipe

RECIPE = Recipe(version=1, epochs=2, batch_size=8, learning_rate=0.1, initialisation="torch")
POSITIVE = ("version", "epochs", "batch_size", "seeds", "recorded_seeds", "learning_rate")


@pytest.mark.parametrize("value", [0, -1])
@pytest.mark.parametrize("field", POSITIVE)
def test_what_must_be_positive_is_refused_otherwise(field: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"recipe: {field} must be positive, not {value}"):
        replace(RECIPE, **{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("train_size", 0),
        ("train_size", -1),
        ("validation_size", -1),
        ("test_size", 0),
        ("test_size", -1),
    ],
)
def test_a_size_that_would_silently_slice_other_rows_is_refused(field: str, value: int) -> None:
    """A negative size is a legal slice: it would train on other rows than asked for, without a word."""
    with pytest.raises(ValueError, match=f"recipe: {field}"):
        replace(RECIPE, **{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [("precision", "bf16"), ("memory_format", "channel_last"), ("aggregate", "average")],
)
def test_a_word_that_means_nothing_is_refused(field: str, value: Any) -> None:
    """Misspelt, it would fail only once a GPU trains, or be taken for the default without a word."""
    with pytest.raises(ValueError, match=f"recipe: {field}"):
        replace(RECIPE, **{field: value})


def test_a_rate_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="recipe: learning_rate"):
        replace(RECIPE, learning_rate=float("nan"))


@pytest.mark.parametrize("preprocessing", ["standard", "zca"])
def test_noise_on_pixels_needs_inputs_that_are_pixels_still(preprocessing: Preprocessing) -> None:
    with pytest.raises(ValueError, match=r"test_noise .* needs the preprocessing range or unit_range, not"):
        replace(RECIPE, test_noise=(0.5,), preprocessing=preprocessing)


@pytest.mark.parametrize("preprocessing", ["unit_range", "standard", "zca"])
def test_a_rotation_that_fills_in_black_needs_minus_one_to_be_black(preprocessing: Preprocessing) -> None:
    with pytest.raises(ValueError, match=r"flip_rotate .* needs the preprocessing range, not"):
        replace(RECIPE, augmentation="flip_rotate", preprocessing=preprocessing)


def test_patience_needs_a_validation_part() -> None:
    with pytest.raises(ValueError, match="patience needs a validation_size"):
        replace(RECIPE, patience=3)
    assert replace(RECIPE, patience=3, validation_size=10).patience == 3


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_off_cuda_autocast_and_channels_last_are_off_and_all_else_stays(device: str) -> None:
    recipe = replace(RECIPE, precision="bfloat16", memory_format="channels_last")
    here = recipe.on(device)
    assert (here.precision, here.memory_format) == ("float32", "contiguous")
    assert replace(here, precision=recipe.precision, memory_format=recipe.memory_format) == recipe
    assert RECIPE.on(device) == RECIPE


def test_on_cuda_a_recipe_keeps_them() -> None:
    recipe = replace(RECIPE, precision="bfloat16", memory_format="channels_last")
    assert recipe.on("cuda") == recipe


def test_a_recipe_cannot_be_changed_and_is_made_again_from_its_fields() -> None:
    with pytest.raises(FrozenInstanceError):
        RECIPE.epochs = 3  # type: ignore[misc]
    recipe = replace(RECIPE, threads=1, patience=2, validation_size=4)
    assert Recipe(**recipe.fields) == recipe
