"""PolyReLU and PolyNorm: what the authors' code computes, along which dimension, and how they start."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import activations


def plain_norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The formula of the paper, step by step, along the last dimension."""
    powers = (x**3, x**2, x)
    normed = [power / (power.square().mean(-1, keepdim=True) + 1e-6).sqrt() for power in powers]
    return sum(w * n for w, n in zip(weight, normed, strict=True)) + bias


@pytest.mark.parametrize("fused", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_poly_norm_and_its_gradients_are_those_of_the_formula(fused: bool) -> None:
    module = activations.build("poly_norm", fused=fused).double()
    with torch.no_grad():
        module.weight.copy_(torch.tensor([0.5, -0.2, 0.3]))
    x = torch.randn(3, 5, 7, dtype=torch.float64, requires_grad=True)
    out, plain = module(x), plain_norm(x, module.weight, module.bias)
    torch.testing.assert_close(out, plain)
    inputs, upstream = (x, *module.parameters()), torch.randn_like(out)
    torch.testing.assert_close(torch.autograd.grad(out, inputs, upstream), torch.autograd.grad(plain, inputs, upstream))


def test_poly_norm_normalises_along_the_channels_of_its_site() -> None:
    x = torch.randn(2, 6, 4, 4)
    images, tokens = (
        activations.build("poly_norm", shape=shape, channel_dim=dim) for shape, dim in (((6, 4, 4), 0), ((16, 6), -1))
    )
    torch.testing.assert_close(tokens(x.flatten(2).mT), images(x).flatten(2).mT)
    with pytest.raises(ValueError, match=r"poly_norm: dim 3 is no dimension of an input of shape \(2, 4\)"):
        activations.build("poly_norm", dim=3)(torch.randn(2, 4))


def test_its_parameters_are_the_same_along_the_channels() -> None:
    function, x = activations.function("poly_norm"), torch.randn(5, 4)
    one, of_a_row, of_a_channel = torch.ones(()), torch.ones(5, 1), torch.ones(4)
    assert function(x, one, one, of_a_row, one).shape == x.shape
    with pytest.raises(ValueError, match="poly_norm: parameters that differ along dim -1, along which it normalises"):
        function(x, one, one, of_a_channel, one)


def test_polynomials_start_with_thirds_and_no_bias() -> None:
    for name in ("poly_relu", "poly_norm"):
        module = activations.build(name)
        torch.testing.assert_close(module.weight, torch.full((3,), 1 / 3))
        assert module.bias.item() == 0
    r = torch.tensor([0.0, 0.5, 2.0])
    torch.testing.assert_close(activations.build("poly_relu")(r), (r**3 + r**2 + r) / 3)
