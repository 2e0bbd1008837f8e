"""SUGAR: forward ReLU, backward the derivative of a surrogate, by which the contract judges it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

import activations
from activations import _tables, contract

SUGAR = ("sugar_bsilu", "sugar_nelu")


def surrogate(name: str, x: Tensor) -> Tensor:
    """As in lucidrains' x-mlps-pytorch: what autograd differentiates there."""
    if name == "sugar_bsilu":
        return (x + 1.67) * x.sigmoid() - 1.67 / 2
    return torch.where(x > 0, x, -0.05 / (1 + x.square()))


@pytest.mark.parametrize("fused", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", SUGAR)
def test_it_is_relu_forward_and_learns_by_its_surrogate(name: str, fused: bool) -> None:
    x = torch.linspace(-6, 6, 48, dtype=torch.float64, requires_grad=True)
    y = activations.build(name, fused=fused)(x)
    assert torch.equal(y, x.relu())
    upstream = torch.linspace(1, 2, 48, dtype=torch.float64)
    (found,) = torch.autograd.grad(y, x, upstream)
    (expected,) = torch.autograd.grad(surrogate(name, x), x, upstream)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", SUGAR)
def test_the_contract_notices_another_backward_pass(name: str) -> None:
    entry = activations.info(name)
    (other,) = set(SUGAR) - {name}
    # By itself, or as the record of what has another backward pass: the name says what is built.
    for wrong in (replace(entry, surrogate=None), replace(entry, name=other), replace(entry, name="relu")):
        contract.hold("float32_values_are_exact", wrong)
        with pytest.raises(AssertionError, match="derivatives in float32 are off"):
            contract.hold("float32_derivatives_are_exact", wrong)


def test_what_the_backward_pass_is_is_said() -> None:
    sheets = {name: _tables.facts(activations.properties(name)) for name in (*SUGAR, "b_silu")}
    assert all("surrogate" in sheets[name]["backward"] for name in SUGAR)
    assert "backward" not in sheets["b_silu"]
