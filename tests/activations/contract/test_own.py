"""Tests of the contract of a user's own activation: what applies to it passes, and a mistake is named."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

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


TRAINED = """
    import torch

    class PerChannel(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = torch.nn.Parameter(torch.full((64, 1, 1), 0.25))

        def forward(self, x):
            return torch.where(x > 0, x, self.a * x)

    def flat(x):
        return torch.zeros_like(x)

    class Running(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("scale", torch.ones(()))

        def forward(self, x):
            if self.training:
                self.scale.mul_(0.9)
            return torch.relu(x) * self.scale.to(x.dtype)

    class Counting(torch.nn.Module):
        calls = 0

        def forward(self, x):
            self.calls += 1
            return torch.relu(x) / self.calls

    class Plain(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = torch.nn.Parameter(torch.tensor(0.25))

        def forward(self, x):
            return self.a * x

    def sound(x):
        return x.sigmoid()
"""


@pytest.fixture
def trained(tmp_path: Path) -> Callable[[str], activations.Activation]:
    path = tmp_path / "trained.py"
    path.write_text(textwrap.dedent(TRAINED))

    def load(name: str) -> activations.Activation:
        entry = activations.load(f"{path}:{name}")
        activations.register(entry)
        return entry

    return load


def test_what_is_wrong_is_one_short_line(trained: Callable[[str], activations.Activation]) -> None:
    entry, said = trained("PerChannel"), []
    for check in contract.CHECKS:
        with contextlib.suppress(contract.NotApplicable):
            try:
                contract.hold(check, entry)
            except AssertionError as error:
                said.append(str(error))
    assert len(said) > 20
    assert [text for text in said if "\n" in text or len(text) > 500] == []


@pytest.mark.parametrize(
    ("name", "check", "message"),
    [
        ("flat", "gradcheck_passes", "its output has no gradient by its input or by parameters"),
        ("flat", "gradgradcheck_passes", "its output has no gradient by its input or by parameters"),
        ("Running", "training_leaves_no_trace", "training changes function.scale: what it computes depends on"),
        ("Counting", "training_leaves_no_trace", "the same input gives another output the second time"),
    ],
)
def test_what_training_would_suffer_from_is_named(
    name: str, check: str, message: str, trained: Callable[[str], activations.Activation]
) -> None:
    with pytest.raises(AssertionError, match=message):
        contract.hold(check, trained(name))


def test_parameters_that_cannot_be_reset_are_said(trained: Callable[[str], activations.Activation]) -> None:
    said = _outcome("reset_gives_initial_values", trained("Plain"))
    assert said == "Plain has no reset_parameters: do not build it on the meta device"


def test_whether_forward_mode_works_is_said(trained: Callable[[str], activations.Activation]) -> None:
    assert _outcome("forward_mode_agrees", trained("sound")) == "passed"
    assert "jvp and jacfwd raise, vjp and jacrev work" in _outcome(
        "forward_mode_agrees", activations.info("squareplus")
    )


@pytest.mark.parametrize("name", activations.names())
def test_forward_mode_works_or_says_that_only_reverse_mode_does(name: str) -> None:
    said = _outcome("forward_mode_agrees", activations.info(name))
    module = activations.build(name).double().eval()
    x = torch.linspace(-3, 3, 4 * 2, dtype=torch.float64).reshape(2, 4)
    backward = torch.func.jacrev(module)(x)
    if said == "passed":
        torch.testing.assert_close(torch.func.jacfwd(module)(x), backward)
    else:
        assert said == "its derivative is for backward alone: jvp and jacfwd raise, vjp and jacrev work"
        with pytest.raises(NotImplementedError):
            torch.func.jacfwd(module)(x)


@pytest.mark.parametrize("name", activations.names(trainable=True))
def test_every_trainable_activation_can_be_reset(name: str) -> None:
    assert _outcome("reset_gives_initial_values", activations.info(name)) == "passed"


@pytest.mark.parametrize("name", ["meta_acon", "hyperactivation"])
def test_gradients_of_what_makes_parameters_stay_finite_in_float16(name: str) -> None:
    assert _outcome("gradients_are_finite", activations.info(name)) == "passed"
