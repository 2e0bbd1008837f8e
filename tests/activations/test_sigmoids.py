"""Tests of activations.sigmoids: what is not elementwise there, and what replaces a normalisation."""

from __future__ import annotations

import math

import pytest
import torch

import activations


def test_softmax_as_a_function_works_along_the_last_dimension_as_the_module_does() -> None:
    x = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    softmax = activations.function("softmax")
    torch.testing.assert_close(softmax(x), activations.build("softmax")(x))
    torch.testing.assert_close(softmax(x, dim=1).sum(1), torch.ones(2, 4))


@pytest.mark.parametrize(("name", "single"), [("dyt", ["alpha"]), ("derf", ["alpha", "shift"])])
def test_what_replaces_a_normalisation_has_one_scale_a_layer_and_a_gain_a_channel(name: str, single: list[str]) -> None:
    module = activations.build(name, shape=(16, 32), channel_dim=-1)
    shapes = {key: tuple(parameter.shape) for key, parameter in module.named_parameters()}
    assert shapes == {**dict.fromkeys(single, ()), "gamma": (1, 32), "beta": (1, 32)}


def test_derf_is_the_authors_and_knows_its_slope_at_zero() -> None:
    """Where the sign of its argument changes, the gradient by gamma, erf itself, has a slope too."""
    module = activations.build("derf", alpha=0.7, shift=0.2).double()
    x = torch.linspace(-4, 4, 50, dtype=torch.float64)
    torch.testing.assert_close(module(x), torch.erf(0.7 * x + 0.2))
    zero = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    centred = activations.build("derf").double()
    (by_gamma,) = torch.autograd.grad(centred(zero), centred.gamma, create_graph=True)
    (slope,) = torch.autograd.grad(by_gamma, zero)
    assert slope.item() == pytest.approx(1 / math.sqrt(math.pi))
