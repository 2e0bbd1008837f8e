"""Tests of activations.rectifiers: what a rectifier does besides its formula."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import activations

FOUR = ("t_left", "a_left", "t_right", "a_right")


def test_a_frozen_srelu_trains_its_parameters_only_when_thawed() -> None:
    module = activations.build("srelu", shape=(3, 1, 1))
    x = torch.linspace(-3, 3, 36).reshape(2, 3, 2, 3).requires_grad_()
    module.requires_grad_(False)
    module(x).sum().backward()
    assert x.grad is not None
    assert [module.get_parameter(name).grad for name in FOUR] == [None] * 4
    module.requires_grad_(True)
    module(x).sum().backward()
    assert all(module.get_parameter(name).grad.shape == (3, 1, 1) for name in FOUR)


def test_srelu_starts_as_a_leaky_rectifier() -> None:
    x = torch.linspace(-3, 3, 25)
    torch.testing.assert_close(activations.build("srelu")(x), torch.nn.functional.leaky_relu(x, 0.2))


def test_the_right_line_of_srelu_goes_first_where_its_points_have_changed_places() -> None:
    module = activations.build("srelu", t_left=1.0, a_left=0.0, t_right=-1.0, a_right=2.0)
    x = torch.tensor([-2.0, -1.0, 0.0, 2.0])
    assert module(x).tolist() == [1.0, -1.0, 1.0, 5.0]


@pytest.mark.parametrize("name", ["squareplus", "smelu", "softplus"])
def test_a_smooth_rectifier_becomes_relu_as_its_constant_goes(name: str) -> None:
    small = {"squareplus": {"b": 1e-12}, "smelu": {"beta": 1e-6}, "softplus": {"beta": 1e6}}[name]
    x = torch.linspace(-3, 3, 24)
    torch.testing.assert_close(activations.build(name, **small)(x), x.relu(), rtol=1e-6, atol=1e-6)


def test_prelu_is_torchs_own_kernel_where_that_knows_the_site() -> None:
    module, native = activations.build("prelu", shape=(6, 5, 4)), nn.PReLU(6)
    x = torch.randn(2, 6, 5, 4)
    assert torch.equal(module(x), native(x))
    for shape in ((6, 5, 4), (6,), ()):
        module = activations.build("prelu", shape=shape or None)
        assert module(torch.randn(2, *shape)).shape == (2, *shape)
        assert module(torch.tensor(-1.0).expand(shape)).shape == shape  # one example, no batch
