"""Data probes: whatever changes what the networks see of the data is seen, and named."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from bench import experiments
from bench.cases.case import Case
from bench.data import parts
from bench.regression.probes import first_difference_of_data
from bench.training import augmentation, figures
from bench.training.data_probe import take_data_probe

DIGITS = Case("complex", "mobilenet_v2", "digits", "relu", "adam")
SPEECH = Case("timit", "timit_mlp", "made_speech", "relu", "adam")


@pytest.fixture(autouse=True)
def _prepared_anew():
    parts._prepare.cache_clear()
    yield
    parts._prepare.cache_clear()


def taken(case=DIGITS, **changes):
    recipe = experiments.find(case.experiment).recipe(case, "tiny")
    turned = {"preprocessing": "range", "augmentation": "flip_rotate"} if case == DIGITS else {}
    return take_data_probe(case, dataclasses.replace(recipe, **(turned | changes)), torch.device("cpu"))


@pytest.fixture(scope="module")
def recorded():
    return taken()


def test_a_data_probe_repeats_and_its_key_says_how_the_data_is_prepared(recorded):
    assert taken() == recorded
    assert recorded.key.augmentation == "flip_rotate"
    assert {
        taken(psi=8).key,
        taken(preprocessing="unit_range", augmentation="none").key,
        taken(train_size=300).key,
    }.isdisjoint({recorded.key})
    assert taken(SPEECH).figures.keys() == recorded.figures.keys() | {"validation_inputs", "validation_labels"}


def shifted_range(train, peak):
    return lambda images: images * (2 / peak) - 0.999


def another_split(dataset, *sizes):
    return {part: (source, rows.flip(0)) for part, (source, rows) in ROWS(dataset, *sizes).items()}


def wrong_labels(inputs, labels, sentences, device):
    return ON_DEVICE(inputs, (labels + 1) % 10, sentences, device)


ROWS, ON_DEVICE = parts._rows, parts._on_device


@pytest.mark.parametrize(
    ("place", "name", "fault", "said"),
    [
        (parts.PREPROCESSING, "range", shifted_range, "from the train inputs on: rms 0."),
        (parts, "_rows", another_split, "from the train inputs on"),
        (parts, "_on_device", wrong_labels, "from the train labels on"),
        (augmentation, "MAX_ANGLE", 25.0, "from the batch inputs on"),
        (augmentation, "FLIP_RATE", 0.6, "from the batch inputs on"),
    ],
)
def test_a_fault_on_the_way_of_the_data_is_named_by_where_it_shows_first(
    monkeypatch, recorded, place, name, fault, said
):
    if isinstance(place, dict):
        monkeypatch.setitem(place, name, fault)
    else:
        monkeypatch.setattr(place, name, fault)
    assert first_difference_of_data(recorded, taken()).startswith(f"the data of digits differ {said}")


def test_a_sample_of_many_rows_is_of_all_their_places():
    rows = torch.arange(64).repeat(64, 1)
    assert len(figures.sample(rows, 64, row=64)) <= 64
    assert set(figures.sample(rows, 64, row=64).tolist()) == set(range(64))
