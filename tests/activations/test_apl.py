"""Tests of activations.apl: what is drawn, gradients of the plain sum, and what is kept for backward."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import activations
from activations.contract.memory import bytes_saved


def test_apl_draws_its_parameters_as_the_authors_do() -> None:
    module = activations.build("apl", shape=(40, 10, 10))
    hinges = activations.info("apl").defaults["hinges"]
    assert module.a.shape == module.b.shape == (hinges, 40, 10, 10)
    assert 0.49 / hinges < module.a.abs().max() <= 0.5 / hinges
    assert module.a.std().item() == pytest.approx(1 / hinges / 12**0.5, rel=0.05)
    assert module.b.std().item() == pytest.approx(0.5, rel=0.05)


def _plain_apl(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return x.relu() + sum(slope * (hinge - x).relu() for slope, hinge in zip(a, b, strict=True))


@pytest.mark.parametrize("shape", [(3,), (4, 3), (3, 1, 1), (3, 4, 3)], ids=str)
def test_apl_has_the_gradients_of_the_plain_sum(shape: tuple[int, ...]) -> None:
    module = activations.build("apl", shape=shape, parameters_per="unit").double()
    x = torch.randn(2, 3, 4, 3, dtype=torch.float64, requires_grad=True)
    out, plain = module(x), _plain_apl(x, module.a, module.b)
    torch.testing.assert_close(out, plain)
    upstream = torch.randn_like(out)
    torch.testing.assert_close(
        torch.autograd.grad(out, (x, module.a, module.b), upstream),
        torch.autograd.grad(plain, (x, module.a, module.b), upstream),
    )


@pytest.mark.parametrize("hinges", [1, 5, 10])
def test_apl_keeps_only_its_input_for_backward(hinges: int) -> None:
    module = activations.build("apl", hinges=hinges, shape=(3, 8, 8))
    x = torch.randn(16, 3, 8, 8, requires_grad=True)
    assert bytes_saved(lambda: module(x), excluded=module.parameters()) == x.nbytes
    plain = bytes_saved(lambda: _plain_apl(x, module.a, module.b), excluded=module.parameters())
    assert plain >= (1 + hinges) * x.nbytes
