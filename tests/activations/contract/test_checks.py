"""Tests of activations.contract: every check catches what is broken, and errors are counted in the right units."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import activations
from activations import _registry, contract
from activations.contract.subject import DTYPES

RELU = activations.info("relu")


@pytest.fixture(autouse=True)
def _scratch_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_registry, "_REGISTRY", dict(_registry._REGISTRY))
    monkeypatch.setattr(_registry, "_ALIASES", dict(_registry._ALIASES))


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
    "pickle_agrees": record(lambda x: torch.relu(x)),
    "dtype_can_be_changed": record(lambda x: torch.relu(x) * torch.ones(1, dtype=torch.float64)),
    "function_agrees_with_module": record(function="torch:tanh"),
    "integer_input_is_refused": record(),
    "compiles": record(_looks_at_data),
    "exports": record(_looks_at_data),
    "maps_over_examples": record(_looks_at_data),
    "gives_per_example_gradients": record(_looks_at_data),
    "fused_agrees_in_place": record(BrokenFused),
    "evaluation_is_deterministic": record(lambda x: F.dropout(x)),
    "generator_reproduces": record(Noisy, stochastic=True),
    "backward_uses_the_same_noise": record(OtherNoise, stochastic=True),
    "checkpoint_uses_the_same_noise": record(Noisy, stochastic=True),
}


@pytest.mark.parametrize("check", BROKEN)
def test_a_check_catches_what_is_broken(check: str) -> None:
    activations.register(BROKEN[check])
    with torch.random.fork_rng([]), pytest.raises(AssertionError, match=f"broken: {check} does not hold"):
        contract.judge(check, BROKEN[check])


def test_arguments_that_are_not_checked_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry checks them against the record, so that is what must be broken."""
    entry = activations.info("leaky_relu")
    contract.judge("bad_arguments_are_refused", entry)
    monkeypatch.setattr(_registry, "_check", lambda *_: None)
    with pytest.raises(AssertionError, match="bad_arguments_are_refused does not hold"):
        contract.judge("bad_arguments_are_refused", entry)


def test_every_check_is_seen_to_catch_something() -> None:
    assert set(contract.CHECKS) == {*BROKEN, "bad_arguments_are_refused"}


@pytest.mark.parametrize("check", contract.CHECKS)
def test_relu_passes_or_is_told_why_not(check: str) -> None:
    assert _outcome(check, RELU)


def _outcome(check: str, entry: activations.Activation) -> str:
    """ "passed", or the reason for which the check says nothing."""
    try:
        contract.judge(check, entry)
    except contract.NotApplicable as reason:
        return str(reason)
    return "passed"


# Exceptions


def test_a_listed_exception_is_excused_with_its_reason() -> None:
    entry = replace(BROKEN["nan_stays_nan"], exceptions={"nan_stays_nan": "made so"})
    activations.register(entry)
    with pytest.raises(contract.Excepted, match=r"^made so$"):
        contract.judge("nan_stays_nan", entry)


def test_an_exception_that_no_longer_holds_is_an_error() -> None:
    entry = replace(RELU, exceptions={"nan_stays_nan": "made so"})
    with pytest.raises(AssertionError, match=r"nan_stays_nan holds; remove it from exceptions, .*: made so"):
        contract.judge("nan_stays_nan", entry)


def test_an_exception_from_a_check_that_does_not_apply_is_an_error() -> None:
    entry = replace(RELU, exceptions={"generator_reproduces": "made so"})
    with pytest.raises(AssertionError, match=r"generator_reproduces does not apply; remove it"):
        contract.judge("generator_reproduces", entry)


def test_an_exception_from_an_unknown_check_is_an_error() -> None:
    entry = replace(RELU, exceptions={"is_pretty": "made so"})
    with pytest.raises(AssertionError, match="exceptions from no check of the contract: is_pretty"):
        contract.judge("nan_stays_nan", entry)


@pytest.mark.parametrize("name", activations.names())
def test_the_exceptions_of_the_registry_are_checks_with_reasons(name: str) -> None:
    exceptions = activations.info(name).exceptions
    assert set(exceptions) <= set(contract.CHECKS)
    assert all(exceptions.values())


# What is measured


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
def test_an_error_of_some_units_is_measured_as_such(dtype: torch.dtype) -> None:
    """One significand bit up at each point: a unit at the point, of the unit at the largest value near it."""

    def next_up(x: Tensor) -> Tensor:
        y = torch.relu(x)
        moved = torch.nextafter(y.detach(), torch.full_like(y, math.inf)) if y.is_cpu else y
        return torch.where((y > 1) & (y < 100), moved + _steep(x), y)

    right, wrong = (contract.measure(call, RELU, dtype) for call in (torch.relu, next_up))
    assert (right.value_ulp, right.derivative_ulp, right.wrong_values, right.wrong_derivatives) == (0, 0, 0, 0)
    assert 0.5 <= wrong.value_ulp <= 1
    assert isinstance(wrong.value_at, float)
    assert 1 < wrong.value_at < 100
    assert (wrong.derivative_ulp, wrong.wrong_derivatives) == (0, 0)
    assert (wrong.wrong_values > 0) == (
        dtype in (torch.bfloat16, torch.float16)
    )  # half a unit is theirs, two are allowed


def test_nan_is_counted_and_is_no_wrong_value() -> None:
    errors = contract.measure(lambda x: torch.relu(x) * torch.where(x > 100, math.nan, 1.0), RELU, torch.float32)
    assert errors.nan_values == errors.nan_derivatives > 0
    assert errors.wrong_values == errors.wrong_derivatives == 0


def test_an_infinity_is_right_only_where_the_exact_result_overflows() -> None:
    square = activations.info("relu_squared")
    assert contract.measure(lambda x: torch.relu(x).square(), square, torch.float32).wrong_values == 0
    early = contract.measure(lambda x: torch.relu(x * 4).square() / 16, square, torch.float32)
    assert early.value_ulp == math.inf
    assert early.wrong_values > 0


def test_a_tiny_result_may_be_flushed_to_zero_and_a_small_one_may_not() -> None:
    identity = activations.info("identity")
    for least, wrong in ((2e-38, False), (1e-30, True)):
        errors = contract.measure(lambda x, least=least: x * (x.abs() > least), identity, torch.float32)
        assert (errors.wrong_values > 0) == wrong


def test_the_dtype_of_the_output_is_looked_at() -> None:
    assert contract.measure(lambda x: torch.relu(x).float(), RELU, torch.bfloat16).dtype_changed
    assert not contract.measure(torch.relu, RELU, torch.bfloat16).dtype_changed


def test_other_values_of_constants_can_be_measured() -> None:
    elu = activations.info("elu")
    double = contract.measure(lambda x: F.elu(x, 2.0), elu, torch.float32, {"alpha": 2.0})
    assert double.wrong_values == double.wrong_derivatives == 0
    assert contract.measure(lambda x: F.elu(x, 2.0), elu, torch.float32).wrong_values > 0


def test_a_gated_unit_is_measured_by_both_of_its_inputs() -> None:
    bilinear = activations.info("bilinear")

    def product(x: Tensor, slope: float = 0.0) -> Tensor:
        a, b = x.chunk(2, -1)
        return a * b + slope * _steep(a)

    right, wrong = (
        contract.measure(lambda x, slope=slope: product(x, slope), bilinear, torch.float32) for slope in (0.0, 1.0)
    )
    assert right.wrong_values == right.wrong_derivatives == wrong.wrong_values == 0
    assert wrong.wrong_derivatives > 0
    assert isinstance(wrong.derivative_at, tuple)


def test_without_a_formula_there_must_be_a_float64_form() -> None:
    with pytest.raises(ValueError, match="activation 'broken' has no formula; give measure"):
        contract.measure(torch.relu, record(formula=None), torch.float32)


# A user's own

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
        contract.judge(check, own(name))


# The items of bench/test_contract.py


def test_the_items_show_passes_reasons_and_failures_of_each_check(micro: pytest.Pytester) -> None:
    micro.makepyfile(test_contract="from bench.test_contract import quiet, test_contract")
    micro.makepyfile(mine=textwrap.dedent(OWN))
    # In a process of its own: what is added must be registered before the module of the items is imported.
    result = micro.runpytest_subprocess(
        *("--activation", "mine.py:other_dtype", "-k", "contract and other_dtype", "-v", "-rs", "test_contract.py")
    )
    shown = result.stdout.str()
    assert "other_dtype: dtype_is_kept does not hold: the output of float64 is torch.float32" in shown
    assert "float64_values_are_exact: no formula: float64 is what the other dtypes are compared with" in shown
    assert "Traceback" not in shown
    assert "torch.__trace" not in shown
    assert result.parseoutcomes()["deselected"] > len(activations.names()) - 1
