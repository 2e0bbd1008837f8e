"""Tests of the optimizers: every known name builds, with the recipe's settings and each group's own weight decay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from bench.cases.recipe import Recipe
from bench.training import optimizers
from bench.training.muon import Muon

RECIPE = Recipe(version=1, epochs=1, batch_size=8, learning_rate=0.03, initialisation="torch", momentum=0.9)
KINDS = {
    **dict.fromkeys(("sgd", "nesterov"), torch.optim.SGD),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "muon": Muon,
}
PLAIN = {**KINDS, "muon": torch.optim.AdamW}  # what it is where there are no matrices; see test_muon
OWN = {"sgd": {"momentum": RECIPE.momentum}, "nesterov": {"momentum": RECIPE.momentum, "nesterov": True}}


def _groups() -> list[dict[str, Any]]:
    return [
        {"params": [nn.Parameter(torch.ones(3))], "weight_decay": 0.25},
        {"params": [nn.Parameter(torch.ones(2))], "weight_decay": 0.0},
    ]


def test_every_known_name_has_a_class_here() -> None:
    assert set(KINDS) == set(optimizers.OPTIMIZERS)


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_it_builds_with_the_recipes_rate_and_each_groups_weight_decay(name: str) -> None:
    groups = _groups()
    optimizer = optimizers.build(name, groups, RECIPE)
    assert type(optimizer) is KINDS[name]
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.25, 0.0]
    assert [group["lr"] for group in optimizer.param_groups] == [RECIPE.learning_rate] * 2


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_its_steps_are_those_of_torchs_plain_class(name: str) -> None:
    """The fused kernels are a matter of speed alone."""
    ours, plain = _groups(), _groups()
    pair = (
        optimizers.build(name, ours, RECIPE),
        PLAIN[name](plain, lr=RECIPE.learning_rate, foreach=False, **OWN.get(name, {})),
    )
    for size in (1.0, *[0.01] * 20):  # a fall, so that variants that remember the largest differ
        for optimizer in pair:
            for group in optimizer.param_groups:
                group["params"][0].grad = torch.full_like(group["params"][0], size)
            optimizer.step()
    for one, other in zip(ours, plain, strict=True):
        torch.testing.assert_close(one["params"][0], other["params"][0])


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_without_a_gradient_only_the_decayed_group_moves(name: str) -> None:
    groups = _groups()
    optimizer = optimizers.build(name, groups, RECIPE)
    for group in groups:
        group["params"][0].grad = torch.zeros_like(group["params"][0])
    optimizer.step()
    decayed, kept = (group["params"][0] for group in groups)
    assert (decayed < 1).all()
    assert (kept == 1).all()


def test_momentum_reaches_sgd() -> None:
    rates = {optimizers.build("sgd", _groups(), replace(RECIPE, momentum=m)).defaults["momentum"] for m in (0.0, 0.9)}
    assert rates == {0.0, 0.9}


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown optimizer 'adma'; known: ") as caught:
        optimizers.build("adma", _groups(), RECIPE)
    assert all(name in str(caught.value) for name in optimizers.OPTIMIZERS)
