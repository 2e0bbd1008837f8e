"""What is kept of a place of use: its function on the grid, over its units, epoch by epoch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import activations
from bench.training.learned_functions import GRID, Functions


def test_a_fixed_function_is_kept_as_it_is():
    kept = Functions()
    kept.sample([nn.ELU()], [(3, 2, 2)])
    expected = nn.functional.elu(torch.tensor(GRID))
    assert kept.sampled["place0"] == [pytest.approx(expected.tolist(), abs=1e-5)]
    assert kept.sampled["place0_sd"] == [[0.0] * len(GRID)]


def test_units_with_functions_of_their_own_are_averaged_and_their_spread_is_kept():
    module = activations.build("prelu", shape=(2, 4, 4))
    with torch.no_grad():
        module.weight.copy_(torch.tensor([0.0, 0.5]).view_as(module.weight))
    kept = Functions()
    kept.sample([module], [(2, 4, 4)])
    at = GRID.index(-2.0)
    assert kept.sampled["place0"][0][at] == pytest.approx(-0.5)
    assert kept.sampled["place0_sd"][0][at] == pytest.approx(0.5)
    assert kept.sampled["place0_sd"][0][GRID.index(2.0)] == 0.0


def test_each_place_and_each_epoch_is_kept():
    kept = Functions()
    sites = [nn.ReLU(), activations.build("apl", shape=(5,))]
    for _ in range(3):
        kept.sample(sites, [(4,), (5,)])
        with torch.no_grad():
            sites[1].a.add_(0.1)
    assert {name: len(epochs) for name, epochs in kept.sampled.items()} == dict.fromkeys(
        ("place0", "place0_sd", "place1", "place1_sd"), 3
    )
    assert kept.sampled["place0"][0] == kept.sampled["place0"][2]
    assert kept.sampled["place1"][0] != kept.sampled["place1"][2]
