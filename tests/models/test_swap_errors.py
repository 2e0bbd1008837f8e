"""Tests of the errors of models.swap and models.sites: each names the offender and the remedy."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import activations
import models
from made_networks import Body, Reuse


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (torch.tanh, r"built-in method tanh .* fails with the shape \(5,\): .*must be Tensor"),
        (lambda x: x.relu(), "fails with the shape .*: 'tuple' object has no attribute 'relu'"),
        (lambda x: x * 2, "makes no nn.Module but a tuple"),
        (nn.Threshold, "Threshold.* fails with no arguments: .*missing 2 required"),
        (3, "activation 3 is no name, nn.Module, class of one or function"),
    ],
    ids=["function of torch", "function of a tensor", "no module", "class with arguments", "number"],
)
@pytest.mark.parametrize(
    "door",
    [
        lambda given: models.swap(Reuse(), given),
        lambda given: models.build("mlp", input_shape=(6,), num_classes=2, activation=given, width=5),
    ],
    ids=["swap", "build"],
)
def test_what_makes_no_module_is_refused_with_the_remedy(door: Any, given: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message) as caught:
        door(given)
    assert "function that makes one" in str(caught.value)


def test_an_unknown_activation_is_the_registrys_error() -> None:
    with pytest.raises(ValueError, match="unknown activation 'rleu': did you mean"):
        models.swap(Reuse(), "rleu")


@pytest.mark.parametrize("name", [n for n in activations.names() if activations.info(n).in_features_multiplier > 1])
def test_an_activation_of_several_inputs_is_refused_with_the_remedy(name: str) -> None:
    for given in (name, lambda shape: activations.build(name, shape=shape)):
        with pytest.raises(ValueError, match=r"inputs for each output, and swap cannot widen .*: mlp, .*cnn"):
            models.swap(Reuse(), given)


def test_a_network_without_a_site_is_told_what_was_looked_for() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.Softmax(1))
    with pytest.raises(ValueError, match=r"no activation of the roles hidden .* found: softmax \(output\)"):
        models.swap(net, "relu")


def test_an_unknown_role_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown role 'gates'; known: hidden, gate, pooler, attention, output"):
        models.swap(Reuse(), "relu", roles=("gates",))


def test_a_network_whose_inputs_cannot_be_guessed_asks_for_an_example() -> None:
    class TwoInputs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.layer(F.relu(self.layer(x) + y))

    with pytest.raises(ValueError, match=r"cannot find the activations of TwoInputs: .*give example="):
        models.sites(TwoInputs())
    x = torch.zeros(2, 4)
    for example in ((x, x), {"x": x, "y": x}):
        assert len(models.sites(TwoInputs(), example)) == 1


def test_a_module_that_is_run_past_its_attribute_is_named() -> None:
    relu = nn.ReLU()
    net = Body(lambda net, x: net.held[0](x), relu=relu)
    net.held = [relu]
    with pytest.raises(ValueError, match=r"Body does not run what replaces relu \(relu\): it holds"):
        models.swap(net, "silu")


def test_what_does_not_fit_the_network_is_a_value_error_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"Body does not run with the example: .*; give a tensor, a tuple"):
        models.sites(Body(lambda net, x: F.relu(x)), torch.randn(4, 7))
    net = Body(lambda net, x: F.relu(x))
    net.kept = net.first(torch.randn(4, 8))
    with pytest.raises(ValueError, match=r"Body cannot be copied, .* before the first forward pass"):
        models.swap(net, "silu")
