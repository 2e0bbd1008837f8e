"""Objectives on made outputs: their losses and metrics, and what counts as a guess."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from bench.data.parts import Part
from bench.objectives import OBJECTIVES
from bench.recipe import Objective as Name

CLASSIFICATION, RECONSTRUCTION = OBJECTIVES["classification"], OBJECTIVES["reconstruction"]


@pytest.fixture
def part() -> Part:
    """1000 pictures of 4 pixels, their labels from 0 to 9."""
    generator = torch.Generator().manual_seed(0)
    return Part(torch.randn(1000, 1, 2, 2, generator=generator), torch.arange(1000) % 10)


def answers(part: Part, right: int) -> torch.Tensor:
    """Logits that name the right class in the first so many rows and another in the rest."""
    named = torch.where(torch.arange(len(part)) < right, part.labels, (part.labels + 1) % 10)
    return F.one_hot(named, 10).float()


def test_every_name_that_a_recipe_may_give_is_an_objective():
    assert set(OBJECTIVES) == set(Name.__args__)


def test_accuracy_and_correct_answers_are_counted(part):
    logits = answers(part, right=730)
    assert CLASSIFICATION.metrics(logits, part.labels)["accuracy"] == 0.73
    assert CLASSIFICATION.correct(logits, part.labels) == 730


@pytest.mark.parametrize(("right", "guess"), [(100, True), (125, True), (140, False), (900, False)])
def test_an_accuracy_within_chance_of_the_majority_rate_is_a_guess(part, right, guess):
    assert CLASSIFICATION.is_guess(answers(part, right), part) is guess


def test_naming_one_class_only_is_a_guess_however_often_it_is_right(part):
    mostly = Part(part.inputs, torch.cat([torch.zeros(990, dtype=torch.long), torch.ones(10, dtype=torch.long)]))
    assert CLASSIFICATION.is_guess(F.one_hot(torch.zeros(1000, dtype=torch.long), 10).float(), mostly)


def test_reconstruction_is_judged_by_the_squared_error_of_a_pixel(part):
    outputs = part.inputs.flatten(1) + 0.5
    assert RECONSTRUCTION.loss(outputs, part.inputs, part.labels).item() == pytest.approx(0.25)
    assert RECONSTRUCTION.metrics(outputs, part.labels) == {}
    assert RECONSTRUCTION.correct is None


def test_a_constant_picture_is_a_guess_and_a_better_one_is_not(part):
    flat = part.inputs.flatten(1)
    constant = flat.mean(0).expand_as(flat)
    assert RECONSTRUCTION.is_guess(constant, part)
    assert RECONSTRUCTION.is_guess(constant + 0.3, part)
    assert not RECONSTRUCTION.is_guess(constant + 0.1 * (flat - constant), part)
