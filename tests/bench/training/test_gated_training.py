"""The trainer gives gated linear units the width that they take, at equal parameters or equal width."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.training import train

RECIPE = Recipe(
    version=1,
    epochs=8,
    batch_size=64,
    learning_rate=1e-3,
    initialisation="kaiming",
    train_size=1200,
    validation_size=100,
    threads=1,
)


@pytest.mark.parametrize("name", ["glu", "maxout"])
def test_the_trainer_gives_it_the_width_that_it_takes(name: str) -> None:
    case = Case("mlp", "mlp", "digits", name, "adam")
    found = {}
    for equal in ("parameters", "width"):
        recipe = dataclasses.replace(RECIPE, equal=equal)
        (record,) = train.run(case, recipe, "tiny", [0], torch.device("cpu"))
        assert record.outcome == "trained"
        found[equal] = record.num_parameters
    (relu,) = train.run(dataclasses.replace(case, activation="relu"), RECIPE, "tiny", [0], torch.device("cpu"))
    assert found["parameters"] == pytest.approx(relu.num_parameters, rel=0.02)
    assert found["width"] > 1.8 * relu.num_parameters
