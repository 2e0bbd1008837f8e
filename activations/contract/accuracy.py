"""How far an activation lies from its formula: `measure_errors(module, activations.info("mish"), torch.float32)`.

Value and derivative are compared with the source's formula at 40 digits, on a dense grid and at the ends of the
dtype; the allowed error is that of the record, see `activations.Accuracy`. Works for any callable that claims to
compute the activation, a peer's too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch

import activations.contract.points as points
import activations.contract.truth as truth
from activations._record import Accuracy, Activation
from activations.contract.truth import Call, Exact
from activations.pointwise import opmath
from activations.reference import Array

Point: TypeAlias = float | tuple[float, ...]

# Below this many times the smallest normal number, results and what they are made of may be flushed to zero.
FLUSH = 2.0**10


@dataclass(frozen=True)
class Errors:
    """What `measure` found.

    Attributes:
        dtype: of the input.
        points: how many there were; those at kinks are left out of the derivative.
        value_ulp, derivative_ulp: the worst error in units in the last place of the dtype, beyond what the record's
            `argument_ulp` and `absolute_eps` allow; inf where an infinity stands for a finite number.
        value_at, derivative_at: where that is: x, or the pair (a, b) of a gated linear unit.
        wrong_values, wrong_derivatives: how many are beyond the bounds of the record; NaN counts below instead.
        nan_values, nan_derivatives: how many are NaN, all at finite x.
        dtype_changed: the output has another dtype than the input.
    """

    dtype: torch.dtype
    points: int
    value_ulp: float
    value_at: Point
    derivative_ulp: float
    derivative_at: Point
    wrong_values: int
    wrong_derivatives: int
    nan_values: int
    nan_derivatives: int
    dtype_changed: bool


def measure_errors(
    call: Call,
    entry: Activation,
    dtype: torch.dtype,
    values: Mapping[str, Any] | None = None,
    double: Call | None = None,
    grid: Array | None = None,
) -> Errors:
    """The worst errors of a callable that computes an activation, and how many are beyond the record's bounds.

    Args:
        call: from a one-dimensional tensor to one; a gated linear unit gets `cat([a, b])`, b being the gate.
        entry: the record whose formula is the truth and whose `accuracy` is the bound.
        dtype: of the input; the module's parameters must suit it.
        values: constants and trainable parameters of the formula; `truth.formula_values(entry)` unless given.
        double: the same function in float64: the truth for a record without a formula.
        grid: finite points that the dtype represents, of shape (points, inputs of the formula); those of
            `points.grid` unless given.

    Raises:
        ValueError: neither a formula nor `double`.
    """
    if grid is None:
        grid = points.grid(dtype, truth.inputs_of(entry))
    if entry.formula is not None:
        value, *derivatives = truth.from_formula(entry, {**truth.formula_values(entry), **(values or {})}, grid)
    elif double is not None:
        value, *derivatives = truth.from_call(double, grid)
    else:
        raise ValueError(f"activation {entry.name!r} has no formula; give measure() its float64 form")
    derivative = Exact(*(np.concatenate(parts) for parts in zip(*derivatives, strict=True)))
    output, gradient = truth.output_and_slope(call, grid.T.ravel(), dtype)
    bounds = entry.accuracy
    cancelling = bounds.absolute_eps if bounds.derivative_absolute_eps is None else bounds.derivative_absolute_eps
    of_value = _judge(output.double().numpy(), value, dtype, bounds.ulp, bounds.absolute_eps, bounds)
    of_derivative = _judge(gradient.double().numpy(), derivative, dtype, bounds.derivative_ulp, cancelling, bounds)
    where = [point[0] if len(point) == 1 else tuple(point) for point in grid.tolist()]
    return Errors(
        dtype=dtype,
        points=len(grid),
        value_ulp=of_value.ulp,
        value_at=where[of_value.at],
        derivative_ulp=of_derivative.ulp,
        derivative_at=where[of_derivative.at % len(grid)],
        wrong_values=of_value.wrong,
        wrong_derivatives=of_derivative.wrong,
        nan_values=of_value.nan,
        nan_derivatives=of_derivative.nan,
        dtype_changed=output.dtype != dtype,
    )


class _Judged(NamedTuple):
    ulp: float
    at: int
    wrong: int
    nan: int


def _judge(got: Array, exact: Exact, dtype: torch.dtype, ulp: float, absolute_eps: float, bounds: Accuracy) -> _Judged:
    own, computed = torch.finfo(dtype), torch.finfo(dtype if bounds.stepwise else opmath(dtype))
    nan = np.isnan(got) & exact.judged
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(got - exact.nearest - exact.rest)
        allowed = computed.eps * (bounds.argument_ulp * exact.sensitivity + absolute_eps * exact.argument)
        allowed += FLUSH * computed.smallest_normal * exact.factor
        overflow = (np.abs(exact.nearest) + allowed >= own.max) & (np.abs(got) >= own.max)
        overflow &= np.sign(got) == np.sign(exact.nearest)
        error = np.maximum(0.0, error - allowed)
    error[overflow | nan | ~exact.judged] = 0.0
    bound = ulp * _unit(exact.around, computed)
    if dtype in points.HALF_TYPES:
        bound += bounds.half_ulp * _unit(np.abs(exact.nearest), own)
    units = error / _unit(exact.around, own)
    worst = int(units.argmax())
    return _Judged(float(units[worst]), worst, int((error > bound).sum()), int(nan.sum()))


def _unit(magnitude: Array, info: torch.finfo) -> Array:
    """In the last place of a number of this magnitude."""
    _, exponent = np.frexp(np.minimum(magnitude, info.max))
    found: Array = np.maximum(np.ldexp(info.eps, exponent - 1), info.smallest_normal * info.eps)
    return found
