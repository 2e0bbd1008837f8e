"""Tests of the contract of a user's own activation: what applies to it passes, and a mistake is named."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import activations
from activations import contract

pytestmark = pytest.mark.usefixtures("scratch_registry")

OWN = """
    import torch

    def sound(x):
        return x * torch.tanh(torch.nn.functional.softplus(x))

    def hinge(x):
        return torch.where(x > 0, x, 0.1 * x)

    def dead_branch(x):
        return torch.where(x > 0, x, torch.exp(x) - 1)

    def other_dtype(x):
        return torch.relu(x).float()

    def mixing(x):
        return x - x.mean()

    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.clamp(min=0).square()

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, grad):
            return grad * 2 * ctx.saved_tensors[0].clamp(min=0)

    def once(x):
        return Once.apply(x)
"""


@pytest.fixture
def own(tmp_path: Path) -> Callable[[str], activations.Activation]:
    path = tmp_path / "mine.py"
    path.write_text(textwrap.dedent(OWN))

    def load(name: str) -> activations.Activation:
        entry = activations.load(f"{path}:{name}")
        activations.register(entry)
        return entry

    return load


def _outcome(check: str, entry: activations.Activation) -> str:
    """ "passed", or the reason for which the check says nothing."""
    try:
        contract.hold(check, entry)
    except contract.NotApplicable as reason:
        return str(reason)
    return "passed"


@pytest.mark.parametrize("name", ["sound", "hinge"])
def test_a_users_sound_activation_passes_what_applies(name: str, own: Callable[[str], activations.Activation]) -> None:
    entry = own(name)
    outcomes = {check: _outcome(check, entry) for check in contract.CHECKS}
    assert all(outcomes.values())
    passed = {check for check, outcome in outcomes.items() if outcome == "passed"}
    assert {"float32_values_are_exact", "bfloat16_derivatives_are_exact", "gradgradcheck_passes", "exports"} <= passed
    assert "float64_values_are_exact" not in passed


@pytest.mark.parametrize(
    ("name", "check", "message"),
    [
        ("dead_branch", "gradients_are_finite", "NaN at .* finite points, .* torch.where .* clamp its argument first"),
        ("other_dtype", "dtype_is_kept", "the output of float64 is torch.float32"),
        ("mixing", "is_elementwise", "the output of a part of the input differs"),
        ("once", "gradgradcheck_passes", "cannot be differentiated twice, or wrongly"),
    ],
)
def test_a_users_mistake_is_named(
    name: str, check: str, message: str, own: Callable[[str], activations.Activation]
) -> None:
    with pytest.raises(AssertionError, match=message):
        contract.hold(check, own(name))
