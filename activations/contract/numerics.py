"""Checks of numbers: values, derivatives, kinks, infinities and NaN."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import mpmath
import torch
from torch import Tensor

import activations._registry as registry
import activations.contract.accuracy as accuracy
import activations.contract.points as points
import activations.contract.subject as subject
import activations.contract.truth as truth
import activations.reference as reference
from activations._record import Activation
from activations.contract.subject import DTYPES, NotApplicable

# A jump of the derivative smaller than this is no kink.
JUMP = 1e-6
KINKS_WITHIN = 10.0
BESIDE = 1e-7


def values_are_exact(entry: Activation, dtype: str, fused: bool = False) -> None:
    """Values are as near to the formula's as the record says; without a formula, to those in float64."""
    errors = measured(entry, dtype, fused)
    bounds = entry.accuracy
    if errors.nan_values:
        raise AssertionError(f"{errors.nan_values} of {errors.points} values are NaN at finite x in {dtype}")
    if errors.wrong_values:
        raise AssertionError(
            f"{errors.wrong_values} of {errors.points} values in {dtype} are off, worst {errors.value_ulp:.3g} units "
            f"in the last place at x = {errors.value_at}; allowed: {_allowed(bounds.ulp, entry, dtype)}"
        )


def derivatives_are_exact(entry: Activation, dtype: str, fused: bool = False) -> None:
    """Likewise the derivatives, away from kinks: those of the record's surrogate, where it has one."""
    errors = measured(entry, dtype, fused)
    if errors.wrong_derivatives:
        raise AssertionError(
            f"{errors.wrong_derivatives} of {errors.points} derivatives in {dtype} are off, worst "
            f"{errors.derivative_ulp:.3g} units in the last place at x = {errors.derivative_at}; "
            f"allowed: {_allowed(entry.accuracy.derivative_ulp, entry, dtype)}"
        )


def gradients_are_finite(entry: Activation) -> None:
    """No finite input gives a NaN gradient, in any dtype; of parameters neither."""
    for name, dtype in DTYPES.items():
        if not (subject.acts_elementwise(entry) and subject.has_its_parameters(entry, registry.build(entry.name))):
            made, x = subject.at_site(entry, dtype)
            for factor in (1.0, torch.finfo(torch.float16).max / 8):  # which no number of the batch makes overflow
                found = subject.gradients(made, x * factor, list(made.parameters()))[1:]
                finite = not any(gradient.isnan().any() for gradient in found)
                subject.ensure(finite, f"a gradient in {name} is NaN for inputs up to {8 * factor:g}")
        if not subject.acts_elementwise(entry):
            continue
        x = torch.from_numpy(points.grid(dtype, truth.inputs_of(entry)).T.ravel().copy()).to(dtype)
        _, gradient = subject.gradients(subject.call(entry, dtype), x)
        if gradient.isnan().any():
            raise AssertionError(
                f"the gradient in {name} is NaN at {int(gradient.isnan().sum())} of {len(x)} finite points, "
                f"the first at x = {x[gradient.isnan()][0].item():g}; an exp or a power that overflows in a branch of "
                "torch.where does this even where the other branch is taken: clamp its argument first"
            )
        if entry.parameters and truth.inputs_of(entry) == 1:
            made = subject.module(entry, dtype, shape=x.shape, parameters_per="unit")
            own = {key: one for key, one in made.named_parameters() if one.shape[-1:] == x.shape}
            for key, by in zip(own, subject.gradients(made, x, list(own.values()))[2:], strict=True):
                bad = by.isnan().reshape(-1, len(x)).any(0)
                if bad.any():
                    raise AssertionError(f"the gradient by {key} in {name} is NaN at x = {x[bad][0].item():g}")


def gradcheck_passes(entry: Activation) -> None:
    """Gradients of input and parameters agree with finite differences in float64."""
    if entry.surrogate:
        raise NotApplicable("its gradient is that of its surrogate, by which the derivatives are measured")
    try:
        torch.autograd.gradcheck(*_differentiable(entry))
    except RuntimeError as error:
        raise AssertionError(f"the gradient is not that of the values: {_first(error)}") from error


def gradgradcheck_passes(entry: Activation) -> None:
    """So do the gradients of the gradients."""
    try:
        torch.autograd.gradgradcheck(*_differentiable(entry))
    except RuntimeError as error:  # what torch raises where it knows no second derivative, too
        raise AssertionError(f"cannot be differentiated twice, or wrongly: {_first(error)}") from error


def derivative_jumps_only_at_kinks(entry: Activation) -> None:
    """Every jump of the derivative within [-10, 10] is a kink of the record, found by halving intervals."""
    called = _with_formula(entry)
    kinks = torch.tensor(truth.kinks_of(entry, truth.formula_values(entry)), dtype=torch.float64)
    edges = torch.linspace(-KINKS_WITHIN, KINKS_WITHIN, 20_001, dtype=torch.float64) + 0.61803e-5
    left, right = edges[:-1], edges[1:]
    rise = (_slope(called, right) - _slope(called, left)).abs()
    steepest = rise.topk(64).indices
    left, right = left[steepest], right[steepest]
    for _ in range(30):
        middle = (left + right) / 2
        to_left = (_slope(called, middle) - _slope(called, left)).abs()
        to_right = (_slope(called, right) - _slope(called, middle)).abs()
        left, right = torch.where(to_left > to_right, left, middle), torch.where(to_left > to_right, middle, right)
    jump = (_slope(called, right) - _slope(called, left)).abs()
    for x, size in zip(left[jump > JUMP].tolist(), jump[jump > JUMP].tolist(), strict=True):
        near = (kinks - x).abs().min().item() if len(kinks) else math.inf
        subject.ensure(
            near < BESIDE, f"the derivative jumps by {size:.3g} at x = {x:.9g}; the record's kinks: {kinks.tolist()}"
        )


def kinks_have_one_sided_derivatives(entry: Activation) -> None:
    """At a kink of the record the exact slope jumps, and the derivative is that of a side or in between.

    The latter is not asked of a record with a surrogate.
    """
    called = _with_formula(entry)
    values = truth.formula_values(entry)
    kinks = truth.kinks_of(entry, values)
    if not kinks:
        raise NotApplicable("no kinks")
    formula = reference.bind(entry, **values)
    number = formula if truth.inputs_of(entry) == 1 else functools.partial(formula, 1)
    for kink in kinks:
        step = BESIDE * max(1.0, abs(kink))
        with mpmath.workdps(reference.DIGITS):
            left, right = (float(mpmath.diff(number, kink + side * step)) for side in (-1, 1))
        fall = abs(float(number(kink + step)) - float(number(kink - step)))
        subject.ensure(
            abs(right - left) > JUMP or fall > 10 * step, f"the record has a kink at {kink}, the formula has none"
        )
        if entry.surrogate:
            continue
        got = _slope(called, torch.tensor([kink], dtype=torch.float64)).item()
        slack = 10 * step * max(1.0, abs(left), abs(right))
        subject.ensure(
            min(left, right) - slack <= got <= max(left, right) + slack,
            f"the derivative at the kink {kink} is {got:.9g}, not between {left:.9g} on its left and {right:.9g}",
        )


def infinity_gives_the_limit(entry: Activation) -> None:
    """At ±inf comes the formula's limit, if it has one, in every dtype."""
    _with_formula(entry)
    if truth.inputs_of(entry) != 1:
        raise NotApplicable("a product of two inputs has no limit in one of them")
    limits = reference.value(entry.name, [-math.inf, math.inf], **truth.formula_values(entry)).tolist()
    for name, dtype in DTYPES.items():
        got = subject.call(entry, dtype)(torch.tensor([-math.inf, math.inf], dtype=dtype)).tolist()
        for x, value, limit in zip((-math.inf, math.inf), got, limits, strict=True):
            right = math.isnan(limit) or math.isclose(value, limit, rel_tol=1e-2, abs_tol=1e-30)
            subject.ensure(right, f"f({x}) in {name} is {value}, not {limit}")


def nan_stays_nan(entry: Activation) -> None:
    """NaN in, NaN out, in every dtype."""
    for name, dtype in DTYPES.items():
        got = subject.of_a_number(entry, dtype)(torch.tensor([math.nan, 1.0], dtype=dtype)).tolist()
        subject.ensure(math.isnan(got[0]), f"f(NaN) in {name} is {got[0]}, not NaN")
        subject.ensure(not math.isnan(got[1]), f"f(1) in {name} is NaN, with a NaN beside it")


def measured(entry: Activation, dtype: str, fused: bool = False) -> accuracy.Errors:
    """The errors of an entry's module.

    Raises:
        NotApplicable: neither formula nor float64 form to compare with.
    """
    if not subject.acts_elementwise(entry):
        raise NotApplicable("no elementwise formula to compare with")
    if fused:
        subject.fused(entry)
    if entry.formula is None and dtype == "float64":
        raise NotApplicable("no formula: float64 is what the other dtypes are compared with")
    double = subject.call(entry, torch.float64) if entry.formula is None else None
    return accuracy.measure_errors(subject.call(entry, DTYPES[dtype], fused), entry, DTYPES[dtype], double=double)


def _first(error: Exception) -> str:
    """What it says, without the matrices."""
    return str(error).split("numerical:")[0].strip(" ,\n")


def _allowed(ulp: float, entry: Activation, dtype: str) -> str:
    bounds = entry.accuracy
    text = f"{ulp:g}"
    if DTYPES[dtype] in points.HALF_TYPES and not bounds.stepwise:
        text = f"{bounds.half_ulp:g}, and {ulp:g} of float32: compute in float32 and round once"
    return text + (f" ({bounds.reason})" if bounds.reason else "")


def _with_formula(entry: Activation) -> Callable[[Tensor], Tensor]:
    if entry.formula is None:
        raise NotApplicable("no elementwise formula: its kinks and limits are unknown")
    return subject.of_a_number(entry, torch.float64)


def _slope(called: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return subject.gradients(called, x)[1]


def _differentiable(entry: Activation) -> tuple[Callable[..., Tensor], tuple[Tensor, ...]]:
    """A function of input and parameters, and a point for it that is at least 1e-2 away from kinks."""
    if subject.acts_elementwise(entry):
        made, x = subject.module(entry), _smooth_points(entry)
    else:
        made, x = subject.at_site(entry)
        x = x[:, :, :2, :1]
        made = subject.module(entry, shape=x.shape[1:])
    own = {key: one.detach().requires_grad_() for key, one in made.named_parameters()}
    if not made(x.clone().requires_grad_()).requires_grad:
        raise AssertionError("its output has no gradient by its input or by parameters: nothing before it can learn")

    def function(x: Tensor, *parameters: Tensor) -> Tensor:
        found: Tensor = torch.func.functional_call(made, dict(zip(own, parameters, strict=True)), (x,))
        return found

    return function, (x.requires_grad_(), *own.values())


def _smooth_points(entry: Activation) -> Tensor:
    """Points of [-4, 4], none near a jump of the derivative: declared, or seen."""
    x = torch.linspace(-4, 4, 26, dtype=torch.float64) + 0.0137
    called = subject.of_a_number(entry, torch.float64)
    if entry.formula is not None:
        kinks = truth.kinks_of(entry, truth.formula_values(entry))
        smooth = torch.stack([x == x, *((x - kink).abs() > 1e-2 for kink in kinks)]).all(0)
    else:
        smooth = (_slope(called, x + 1e-3) - _slope(called, x - 1e-3)).abs() < 0.05
    x = x[smooth]
    return x if truth.inputs_of(entry) == 1 else torch.cat([x.flip(0), x])
