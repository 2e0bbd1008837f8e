"""Tests of activations.contract: every check catches what is broken, and exceptions are asked to be true."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import activations
from activations import _registry, contract
from activations.contract.subject import DTYPES

pytestmark = pytest.mark.usefixtures("scratch_registry")

RELU = activations.info("relu")


class Broken(nn.Module):
    """A function of a tensor as a module, with something wrong about it."""

    def __init__(self, function: Callable[[Tensor], Tensor] = torch.relu) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class BrokenFused(nn.Module):
    """Right, keeping little for backward, unless it is fused."""

    def __init__(self, fused: bool = False) -> None:
        super().__init__()
        self.fused = fused

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x) * (_steep(x).exp() if self.fused else 1) + (1e-3 * x.abs() if self.fused else 0)


class Forgetful(Broken):
    """What it draws when it is built is in no state_dict."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.rand(())

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * torch.relu(x)


class Attached(Broken):
    """Its copies share its parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def __deepcopy__(self, memo: dict[int, Any]) -> Attached:
        return self


class ResetToNothing(Broken):
    """Its parameter starts from 1, and is reset to 0."""

    def __init__(self, shape: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * torch.relu(x)


class Counting(Broken):
    """Its buffer changes in training."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += self.training
        return torch.relu(x)


class _WrongForward(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return torch.relu(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * (ctx.saved_tensors[0] > 0)

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:
        return 2 * tangent * (ctx.saved_tensors[0] > 0)


class Noisy(Broken):
    """Draws from a generator of its own, whatever it is given."""

    def __init__(self, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.generator = torch.Generator()

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rand(x.shape, generator=self.generator, dtype=x.dtype)


class _OtherNoise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * torch.rand_like(x).round()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * torch.rand_like(grad).round()


class OtherNoise(Noisy):
    def forward(self, x: Tensor) -> Tensor:
        return _OtherNoise.apply(x)


class _OnceDifferentiable(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0).square()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * 2 * ctx.saved_tensors[0].clamp(min=0).detach()


def _steep(x: Tensor) -> Tensor:
    """Zero, with a slope of 1."""
    return x - x.detach()


def _off(x: Tensor) -> Tensor:
    """By eight units in the last place of whatever dtype."""
    return torch.relu(x) * (1 + 8 * torch.finfo(x.dtype).eps)


def _written(x: Tensor) -> Tensor:
    x.data.clamp_(min=0)
    return torch.relu(x)


def _looks_at_data(x: Tensor) -> Tensor:
    return torch.relu(x) if x.sum().item() < math.inf else x


def record(broken: Callable[[Tensor], Tensor] | type = torch.relu, **fields: Any) -> activations.Activation:
    """Of a module, or of one made from a function, that claims to be ReLU."""
    module = broken if isinstance(broken, type) else lambda: Broken(broken)
    fields = {"formula": RELU.formula, "kinks": RELU.kinks, **fields}
    return activations.Activation("broken", "Broken", "rectifier", "this test", module=module, **fields)


BROKEN: dict[str, activations.Activation] = {
    **{f"{dtype}_values_are_exact": record(_off) for dtype in DTYPES},
    **{f"{dtype}_derivatives_are_exact": record(lambda x: torch.relu(x) + 0.05 * _steep(x)) for dtype in DTYPES},
    **{
        f"fused_{dtype}_{what}_are_exact": record(BrokenFused)
        for dtype in ("float64", "float32")
        for what in ("values", "derivatives")
    },
    "gradients_are_finite": record(
        lambda x: torch.where(x > 0, x, x.exp() - 1),
        formula=activations.info("elu").formula,
        kinks=(),
        arguments={"alpha": activations.Number(1.0)},
    ),
    "gradcheck_passes": record(lambda x: torch.relu(x) + 0.05 * _steep(x)),
    "gradgradcheck_passes": record(_OnceDifferentiable.apply),
    "derivative_jumps_only_at_kinks": record(kinks=()),
    "kinks_have_one_sided_derivatives": record(lambda x: torch.relu(x) + torch.where(x == 0, 7 * _steep(x), 0)),
    "infinity_gives_the_limit": record(lambda x: x * (x > 0)),
    "nan_stays_nan": record(lambda x: torch.relu(x).nan_to_num()),
    "is_elementwise": record(lambda x: torch.relu(x - x.mean())),
    "dtype_is_kept": record(lambda x: torch.relu(x).float()),
    "dtype_is_kept_under_autocast": record(lambda x: F.prelu(x, x.new_zeros(1))),
    "strided_input_agrees": record(lambda x: torch.relu(x.as_strided(x.shape, torch.empty(x.shape).stride()))),
    "channels_last_is_kept": record(lambda x: torch.relu(x).contiguous()),
    "empty_input_works": record(lambda x: torch.relu(x).clamp(max=x.max())),
    "zero_dimensional_input_works": record(lambda x: torch.relu(x).reshape(x.shape or (1,))),
    "input_is_left_alone": record(_written),
    "meta_input_gives_meta_output": record(_looks_at_data),
    "fake_input_gives_fake_output": record(_looks_at_data),
    "fused_keeps_one_tensor": record(BrokenFused),
    "parameters_are_those_of_the_record": record(Attached),
    "state_dict_restores_it": record(Forgetful),
    "deepcopy_agrees": record(Attached),
    "reset_gives_initial_values": record(ResetToNothing),
    "training_leaves_no_trace": record(Counting),
    "forward_mode_agrees": record(lambda x: _WrongForward.apply(x)),
    "pickle_agrees": record(lambda x: torch.relu(x)),
    "dtype_can_be_changed": record(lambda x: torch.relu(x) * torch.ones(1, dtype=torch.float64)),
    "function_agrees_with_module": record(function="torch:tanh"),
    "integer_input_is_refused": record(),
    "compiles": record(_looks_at_data),
    "exports": record(_looks_at_data),
    "maps_over_examples": record(_looks_at_data),
    "gives_per_example_gradients": record(_looks_at_data),
    "fused_agrees_at_a_site": record(BrokenFused),
    "evaluation_is_deterministic": record(lambda x: F.dropout(x)),
    "generator_reproduces": record(Noisy, stochastic=True),
    "backward_uses_the_same_noise": record(OtherNoise, stochastic=True),
    "checkpoint_uses_the_same_noise": record(Noisy, stochastic=True),
}


@pytest.mark.parametrize("check", BROKEN)
def test_a_check_catches_what_is_broken(check: str) -> None:
    activations.register(BROKEN[check])
    with torch.random.fork_rng([]), pytest.raises(AssertionError, match=f"broken: {check} does not hold"):
        contract.hold(check, BROKEN[check])


def test_arguments_that_are_not_checked_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry checks them against the record, so that is what must be broken."""
    entry = activations.info("leaky_relu")
    contract.hold("bad_arguments_are_refused", entry)
    monkeypatch.setattr(_registry, "_check", lambda *_: None)
    with pytest.raises(AssertionError, match="bad_arguments_are_refused does not hold"):
        contract.hold("bad_arguments_are_refused", entry)


def test_every_check_is_seen_to_catch_something() -> None:
    assert set(contract.CHECKS) == {*BROKEN, "bad_arguments_are_refused"}


@pytest.mark.parametrize("check", contract.CHECKS)
def test_relu_passes_or_is_told_why_not(check: str) -> None:
    outcome = "passed"
    try:
        contract.hold(check, RELU)
    except contract.NotApplicable as reason:
        outcome = str(reason)
    assert outcome


# Exceptions


def test_a_listed_exception_is_excused_with_its_reason() -> None:
    entry = replace(BROKEN["nan_stays_nan"], exceptions={"nan_stays_nan": "made so"})
    activations.register(entry)
    with pytest.raises(contract.Excepted, match=r"^made so$"):
        contract.hold("nan_stays_nan", entry)


def test_an_exception_that_no_longer_holds_is_an_error() -> None:
    entry = replace(RELU, exceptions={"nan_stays_nan": "made so"})
    with pytest.raises(AssertionError, match=r"nan_stays_nan holds; remove it from exceptions, .*: made so"):
        contract.hold("nan_stays_nan", entry)


def test_an_exception_from_a_check_that_does_not_apply_is_an_error() -> None:
    entry = replace(RELU, exceptions={"generator_reproduces": "made so"})
    with pytest.raises(AssertionError, match=r"generator_reproduces does not apply; remove it"):
        contract.hold("generator_reproduces", entry)


def test_an_exception_from_an_unknown_check_is_an_error() -> None:
    entry = replace(RELU, exceptions={"is_pretty": "made so"})
    with pytest.raises(AssertionError, match="exceptions from no check of the contract: is_pretty"):
        contract.hold("nan_stays_nan", entry)


@pytest.mark.parametrize("name", activations.names())
def test_the_exceptions_of_the_registry_are_checks_with_reasons(name: str) -> None:
    exceptions = activations.info(name).exceptions
    assert set(exceptions) <= set(contract.CHECKS)
    assert all(exceptions.values())
