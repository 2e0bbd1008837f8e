"""Tests of activations.self_gated and activations.acon: their special cases, and Meta-ACON, which has no formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import activations
from activations import reference


def test_gelu_without_a_shift_is_torchs_own_to_the_bit() -> None:
    x = torch.linspace(-20, 20, 1001)
    for module in (activations.build("gelu"), activations.build("gelu", mu=0.0, sigma=1.0, fused=True)):
        assert torch.equal(module(x), F.gelu(x))
    assert torch.equal(activations.function("gelu")(x), F.gelu(x))


@pytest.mark.parametrize(("mu", "sigma"), [(0.0, 0.5), (0.7, 1.0), (-1.0, 3.0)])
def test_a_shifted_gelu_is_its_formula(mu: float, sigma: float) -> None:
    x = torch.linspace(-12, 12, 101, dtype=torch.float64, requires_grad=True)
    out = activations.build("gelu", mu=mu, sigma=sigma)(x)
    (slope,) = torch.autograd.grad(out.sum(), x)
    points = x.detach().numpy()
    # Rounding (x - mu) / sigma costs z^2 units in the tail, and z is at most 24 here.
    for got, exact in ((out, reference.value), (slope, reference.derivative)):
        want = torch.from_numpy(exact("gelu", points, mu=mu, sigma=sigma))
        torch.testing.assert_close(got.detach(), want, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("sigma", [1e-3, 1e-12, 1e-36])
def test_gelu_becomes_relu_as_sigma_goes_to_zero(sigma: float) -> None:
    x = torch.cat([torch.linspace(-3, 3, 24), torch.tensor([-math.inf, -1e38, 1e38, math.inf])]).requires_grad_()
    out = activations.build("gelu", sigma=sigma)(x)
    (slope,) = torch.autograd.grad(out.sum(), x)
    assert torch.equal(out, x.relu())
    assert torch.equal(slope, (x > 0).float())


def test_swish_beta_runs_from_the_line_half_x_to_relu() -> None:
    x = torch.linspace(-3, 3, 24)
    torch.testing.assert_close(activations.build("swish_beta", beta=0.0)(x), x / 2)
    torch.testing.assert_close(activations.build("swish_beta", beta=1e6)(x), x.relu())
    torch.testing.assert_close(activations.build("swish_beta", beta=1.702)(x), activations.build("gelu_sigmoid")(x))


def test_acon_starts_as_silu_or_as_in_the_paper() -> None:
    x = torch.linspace(-3, 3, 24)
    torch.testing.assert_close(activations.build("acon_c")(x), F.silu(x))
    drawn = activations.build("acon_c", init="paper", shape=(10_000,))
    for parameter in (drawn.p1, drawn.p2):
        assert parameter.mean().item() == pytest.approx(0, abs=0.05)
        assert parameter.std().item() == pytest.approx(1, abs=0.05)
    assert set(drawn.beta.tolist()) == {1.0}


def _plain_meta_acon(module: torch.nn.Module, x: Tensor) -> Tensor:
    """As the authors' code has it for images, batch normalisation left out."""
    squeezed = x.mean((2, 3), keepdim=True)
    for layer in (module.fc1, module.fc2):
        squeezed = F.conv2d(squeezed, layer.weight[..., None, None], layer.bias)
    difference = (module.p1 - module.p2) * x
    return difference * torch.sigmoid(torch.sigmoid(squeezed) * difference) + module.p2 * x


@pytest.mark.parametrize("fused", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_meta_acon_squeezes_the_means_of_the_channels_into_beta(fused: bool) -> None:
    module = activations.build("meta_acon", shape=(3, 4, 5), init="paper", fused=fused).double()
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    out, plain = module(x), _plain_meta_acon(module, x)
    torch.testing.assert_close(out, plain)
    inputs = (x, *module.parameters())
    upstream = torch.randn_like(out)
    torch.testing.assert_close(torch.autograd.grad(out, inputs, upstream), torch.autograd.grad(plain, inputs, upstream))


@pytest.mark.parametrize(("channels", "hidden"), [(3, 16), (512, 32)])
def test_meta_acon_squeezes_to_a_sixteenth_but_not_below_sixteen_units(channels: int, hidden: int) -> None:
    assert activations.build("meta_acon", shape=(channels, 2, 2)).fc1.out_features == hidden


def test_meta_acon_takes_channels_in_the_last_dimension_too() -> None:
    images = activations.build("meta_acon", shape=(6, 4, 4))
    tokens = activations.build("meta_acon", shape=(16, 6), channel_dim=-1)
    tokens.load_state_dict(
        {name: value.reshape(tokens.state_dict()[name].shape) for name, value in images.state_dict().items()}
    )
    x = torch.randn(2, 6, 4, 4)
    torch.testing.assert_close(tokens(x.flatten(2).mT), images(x).flatten(2).mT)


def test_examples_do_not_meet_in_meta_acon() -> None:
    x = torch.randn(4, 3, 2, 2)
    for shape in ((3, 2, 2), None):
        module = activations.build("meta_acon", shape=shape)
        alone = torch.cat([module(example[None]) for example in x])
        torch.testing.assert_close(module(x), alone)


def test_second_derivatives_at_zero_are_those_of_the_formula() -> None:
    """An abs inside a derivative would lose them: it has no slope at 0. One element is never compiled."""
    for name in (
        *("mish", "squareplus", "gelu_tanh", "gelu_sigmoid", "serf", "logish", "telu"),
        *("sqrtsoftplus", "golu", "b_silu", "gelu_10", "laplace"),
    ):
        x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(activations.build(name, fused=True)(x), x, create_graph=True)
        (bend,) = torch.autograd.grad(slope, x)
        step = 1e-5
        want = np.diff(reference.derivative(name, [-step, step])) / (2 * step)
        assert bend.numpy() == pytest.approx(want, rel=1e-6), name
