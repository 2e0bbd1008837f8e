"""Objectives on made outputs: their losses and metrics, and what counts as a guess."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from bench.cases.recipe import ObjectiveName as Name
from bench.data.parts import Part
from bench.training.objectives import OBJECTIVES

CLASSIFICATION, RECONSTRUCTION = OBJECTIVES["classification"], OBJECTIVES["reconstruction"]
SENTENCES = OBJECTIVES["sentence_classification"]


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


def test_answering_the_majority_alone_gives_the_figures_that_document_a3_calls_not_learned():
    """CoLA 0.708 and 0.587, SST-2 0.558 and 0.3997: accuracy and F1 of bert's rows in reported.csv."""
    for right, f1 in ((708, 0.587), (558, 0.3997)):
        labels = (torch.arange(1000) < right).long()
        found = SENTENCES.metrics(torch.tensor([[0.0, 1.0]]).expand(1000, 2), labels)
        assert found["accuracy"] == right / 1000
        assert found["f1"] == pytest.approx(f1, abs=5e-5)
        assert found["matthews_correlation"] == 0


@pytest.mark.filterwarnings("error")
def test_of_a_single_label_that_is_named_everywhere_there_is_no_correlation_and_no_warning():
    labels = torch.zeros(3, dtype=torch.long)
    assert SENTENCES.metrics(F.one_hot(labels, 2).float(), labels)["matthews_correlation"] == 0


def test_matthews_correlation_goes_from_all_wrong_to_all_right():
    labels = torch.tensor([0, 1, 1, 0, 1])
    right = F.one_hot(labels, 2).float()
    assert SENTENCES.metrics(right, labels) == {"accuracy": 1, "f1": 1, "matthews_correlation": 1}
    assert SENTENCES.metrics(1 - right, labels) == {"accuracy": 0, "f1": 0, "matthews_correlation": -1}
    # two of three right, one of two wrong: (2 * 1 - 1 * 1) / sqrt(3 * 3 * 2 * 2)
    answers = F.one_hot(torch.tensor([0, 1, 1, 1, 0]), 2).float()
    assert SENTENCES.metrics(answers, labels)["matthews_correlation"] == pytest.approx(1 / 6)


def test_sentences_are_trained_as_any_other_classes(part):
    logits = answers(part, right=730)
    assert SENTENCES.loss(logits, part.inputs, part.labels) == CLASSIFICATION.loss(logits, part.inputs, part.labels)
    assert SENTENCES.correct(logits, part.labels) == 730


def test_answers_that_tell_something_are_no_guess_though_the_majority_alone_is_right_more_often():
    """leaky_relu on CoLA in document A3: right in 0.683 of the rows, where 0.708 are of one class."""
    labels = (torch.arange(1000) < 708).long()
    part = Part(torch.zeros(1000, 1), labels)

    def right_in(of_majority: int, of_minority: int) -> torch.Tensor:
        wrong = torch.cat([torch.arange(of_majority, 708), torch.arange(708 + of_minority, 1000)])
        answers = labels.clone()
        answers[wrong] = 1 - labels[wrong]
        return F.one_hot(answers, 2).float()

    assert not SENTENCES.is_guess(right_in(600, 83), part)
    assert SENTENCES.is_guess(right_in(600, 50), part)  # of either class about a sixth is named 0
    assert SENTENCES.is_guess(right_in(708, 0), part)
    assert SENTENCES.is_guess(1 - right_in(600, 83), part)


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


TEXT = OBJECTIVES["next_character"]


@pytest.fixture
def text() -> Part:
    """200 rows of 5 characters of 4 kinds, of which the first is half of all; what is behind is the next kind."""
    ids = torch.tensor([0, 1, 0, 2, 0, 3, 0, 1]).repeat(125).view(200, 5)
    return Part(ids, ids)


def test_bits_of_a_character_are_those_of_the_chance_that_it_was_given(text):
    chances = torch.tensor([0.5, 0.25, 0.125, 0.125]).log().expand(200, 5, 4)
    assert TEXT.metrics(chances, text.labels)["bits_per_character"] == pytest.approx(0.5 * 1 + 0.25 * 2 + 0.25 * 3)
    assert TEXT.loss(chances, text.inputs, text.labels).item() == pytest.approx(1.75 * math.log(2))


@pytest.mark.parametrize(("told", "guess"), [(0.0, True), (0.5, False)])
def test_the_shares_of_characters_are_a_guess_and_what_tells_more_is_none(text, told, guess):
    shares = text.labels.flatten().bincount() / text.labels.numel()
    logits = shares.log() + told * F.one_hot(text.labels, 4)
    assert TEXT.is_guess(logits, text) is guess
