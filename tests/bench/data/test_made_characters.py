"""The made text: its entropies are exact, its rows are from its source, and no answer goes below its floor."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bench.data import info, made_text, store
from bench.data.parts import Part
from bench.experiments.test_gpt import ROW
from bench.records import baseline
from bench.training.objectives import OBJECTIVES

TEXT = info("made_text")
LETTERS = made_text.LETTERS


@pytest.fixture(scope="module")
def source() -> made_text.Source:
    return made_text.made_source()


@pytest.fixture(scope="module")
def long_rows(source: made_text.Source) -> torch.Tensor:
    return source.rows(60_000, 17, np.random.RandomState(7)).long()


def test_pairs_are_as_frequent_as_the_transitions_leave_them(source):
    assert source.transitions.sum(2) == pytest.approx(np.ones((LETTERS, LETTERS)))
    assert source.pairs.min() >= 0
    assert np.einsum("ab,abc->bc", source.pairs, source.transitions) == pytest.approx(source.pairs, abs=1e-12)
    assert source.pairs.sum() == pytest.approx(1)


def test_letters_pairs_and_triples_are_counted_as_often_as_the_source_says(source, long_rows):
    """All places of a row alike."""
    for place in (0, 7, 14):
        one, two, three = long_rows[:, place : place + 3].unbind(1)
        counted = torch.bincount((one * LETTERS + two) * LETTERS + three, minlength=LETTERS**3) / len(long_rows)
        exact = torch.from_numpy(source.pairs[:, :, None] * source.transitions).flatten()
        off_by = (counted - exact).abs() / (exact * (1 - exact) / len(long_rows)).sqrt().clamp(min=1e-12)
        assert off_by[exact > 1e-4].max() < 5


def test_entropies_are_those_of_counts_in_a_long_text(source, long_rows):
    def entropy(*columns: torch.Tensor) -> float:
        number = sum(column * LETTERS**power for power, column in enumerate(columns))
        share = torch.bincount(number.flatten()).double() / number.numel()
        return torch.special.entr(share).sum().item() / math.log(2)

    triples = long_rows[:, :-2], long_rows[:, 1:-1], long_rows[:, 2:]
    counted = (
        entropy(triples[0]),
        entropy(*triples[:2]) - entropy(triples[0]),
        entropy(*triples) - entropy(*triples[:2]),
    )
    assert counted == pytest.approx(source.entropies, abs=0.01)
    by_none, by_one, by_two = source.entropies
    assert by_none > by_one > by_two + 1


def best_logits(source: made_text.Source, part: Part) -> torch.Tensor:
    """What the source itself says of each next letter, of the letters of the row that are before it."""
    before, at = part.inputs[:, :-1], part.inputs[:, 1:]
    by_two = torch.from_numpy(source.transitions)[before, at]
    by_one = torch.from_numpy(source.pairs / source.pairs.sum(1, keepdims=True))[part.inputs[:, :1]]
    return torch.cat([by_one, by_two], 1).clamp(min=1e-30).log()


def test_the_source_itself_reaches_the_floor_and_whatever_else_is_said_lies_above_it(source, long_rows):
    part = Part(long_rows[:, :-1], long_rows[:, 1:])
    bits = OBJECTIVES["next_character"].metrics
    floor, best = source.floor(16), best_logits(source, part)
    assert bits(best, part.labels)["bits_per_character"] == pytest.approx(floor, abs=0.01)
    for temperature in (0.8, 1.25):
        assert bits(best / temperature, part.labels)["bits_per_character"] > floor + 0.01


def test_its_rows_are_always_the_same_and_labels_are_the_letters_behind():
    dataset = store._load.__wrapped__(TEXT, None)
    assert dataset.data_hash == store._load.__wrapped__(TEXT, None).data_hash
    for part, rows in {"train": TEXT.rows[0], "validation": TEXT.validation_rows, "test": TEXT.rows[1]}.items():
        held, behind = dataset.part(part)
        assert held.shape == behind.shape == (rows, *TEXT.shape)
        assert torch.equal(held[:, 1:], behind[:, :-1])
        assert max(held.max(), behind.max()) < TEXT.num_classes == LETTERS


def test_the_experiment_counts_rows_by_the_lengths_that_the_data_sets_have(source):
    assert all(info(name).shape == (length,) for name, length in ROW.items())
    assert source.floor(ROW[TEXT.name]) == pytest.approx(2.379, abs=5e-4)


def test_no_recorded_run_is_below_the_floor_and_relu_learns_what_pairs_of_letters_tell(source):
    rows = baseline.read(baseline.FOLDER).values()
    values = {row.key.case: row.runs.values for row in rows if row.key.case.dataset == TEXT.name}
    assert values
    assert min(map(min, values.values())) > source.floor(*TEXT.shape)
    by_none, by_one, _ = source.entropies
    for case, reached in values.items():
        assert max(reached) < by_none, case.id
        assert case.activation != "relu" or max(reached) < by_one - 0.5, case.id
