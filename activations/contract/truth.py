"""What should come out, and how much of an error is no fault: `truth.from_formula(entry, values, grid)`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import mpmath
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import activations.reference as reference
from activations._record import Activation
from activations.reference import Array

Call: TypeAlias = Callable[[Tensor], Tensor]

# Derivatives are not judged this near to a kink, in multiples of it.
NEAR_A_KINK = 1e-3
# Step of the differences that stand for derivatives, in multiples of min(1, |x|). With 40 digits some 25 are right.
STEP = 2.0**-50
# Slopes by another input that differ by more, on its two sides, relative to them: there it has no derivative.
CORNER = 1e-6


class Exact(NamedTuple):
    """What should come out at each point: a value, or the derivative by one of the inputs.

    Attributes:
        nearest, rest: the exact result is their sum.
        around: the largest magnitude near the point.
        sensitivity: how much the result changes with its argument, |x f'(x)|.
        argument: |x|, times what multiplies the function there.
        factor: what multiplies the function if more than 1: |a|, for a gated linear unit.
        judged: false at kinks, also those in another input than the last, and where there is no result.
    """

    nearest: Array
    rest: Array
    around: Array
    sensitivity: Array
    argument: Array
    factor: Array
    judged: NDArray[np.bool_]


def inputs_of(entry: Activation) -> int:
    """How many numbers the formula takes: 2 for gated linear units; 1 without a formula."""
    if entry.formula is None:
        return 1
    kinds = [parameter.kind for parameter in inspect.signature(entry.formula).parameters.values()]
    return kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD) - 1


def formula_values(entry: Activation) -> dict[str, Any]:
    """Constants and parameters of the formula as the record has them, the trainable ones rounded to bfloat16.

    So they are the same numbers in modules of every dtype.
    """
    known = reference.values_of(entry)
    rounded = {name: torch.tensor(value).bfloat16().tolist() for name, value in entry.parameters.items()}
    return {name: rounded.get(name, value) for name, value in known.items()}


def kinks_of(entry: Activation, values: Mapping[str, Any]) -> tuple[float, ...]:
    """Where the record says that the derivative jumps, at these values of constants and parameters."""
    return entry.kinks(**values) if callable(entry.kinks) else entry.kinks


def from_formula(entry: Activation, values: Mapping[str, Any], grid: Array) -> list[Exact]:
    """The value, and the derivative by each input, at each row of the grid; computed once in a process."""
    formula = reference.bind(entry, **values)
    backward = reference.bind(replace(entry, formula=entry.surrogate), **values) if entry.surrogate else formula
    key = (entry.formula, entry.surrogate, *((name, _hashable(value)) for name, value in sorted(values.items())))
    rows = []
    for point in map(tuple, grid.tolist()):
        if (key, point) not in _KNOWN:
            _KNOWN[key, point] = _at(formula, backward, point)
        rows.append(_KNOWN[key, point])
    tables = np.array(rows).transpose(1, 2, 0)
    last = np.abs(grid[:, -1])
    kinks = kinks_of(entry, values)
    smooth = np.all([np.abs(grid[:, -1] - kink) > NEAR_A_KINK * abs(kink) for kink in kinks] or [last >= 0], axis=0)
    factor = np.abs(grid[:, 0]) if grid.shape[1] > 1 else np.ones_like(last)
    factors = [factor, *(np.ones_like(last) for _ in range(grid.shape[1] - 1)), factor]
    return [
        _exact(table, last, one, smooth & ~np.isnan(table[0]) if order else last >= 0)
        for order, (table, one) in enumerate(zip(tables, factors, strict=True))
    ]


def from_call(call: Call, grid: Array) -> list[Exact]:
    """Likewise, by a callable in float64: rounding errors count as truth."""
    x = grid[:, 0]
    radius = np.minimum(0.25, np.abs(x) / 4)
    here, left, right = (_evaluate(call, moved) for moved in (x, x - radius, x + radius))
    tables = [[one, np.zeros_like(x), *sides] for one, *sides in zip(here, left, right, strict=True)]
    return [_exact(np.array(table), np.abs(x), np.ones_like(x), ~np.isnan(table[0])) for table in tables]


_KNOWN: dict[Hashable, list[list[float]]] = {}


def _at(formula: reference.Formula, backward: reference.Formula, point: tuple[float, ...]) -> list[list[float]]:
    """For value and derivatives: the nearest float, what it lacks, and how it is to the left and to the right."""
    with mpmath.workdps(max(reference.digits(point[-1]), *(reference.digits(min(1.0, abs(one))) for one in point))):
        *others, x = map(mpmath.mpf, point)
        radius = min(mpmath.mpf(1), abs(x)) / 4
        here, left, right = (formula(*others, moved) for moved in (x, x - radius, x + radius))
        rows = [(here, left, right)]
        for order, other in enumerate(others):
            step = STEP * (abs(other) or 1)

            def beside(moved: Any, aside: Any, order: int = order, other: Any = other) -> Any:
                return formula(*others[:order], other + aside, *others[order + 1 :], moved)

            before, after = here - beside(x, -step), beside(x, step) - here
            corner = abs(after - before) > CORNER * max(abs(after), abs(before))
            slopes = [(beside(at, step) - beside(at, -step)) / (2 * step) for at in (x - radius, x + radius)]
            rows.append((mpmath.nan if corner else (before + after) / (2 * step), *slopes))
        step = STEP * min(mpmath.mpf(1), abs(x) or mpmath.mpf(reference.SMALLEST))
        if backward is not formula:
            here, left, right = (backward(*others, moved) for moved in (x, x - radius, x + radius))
        slope = (backward(*others, x + step) - backward(*others, x - step)) / (2 * step)
        # Slopes at both ends from the mean slopes, at a fraction of the cost of two more derivatives.
        ends = [2 * rise / radius - slope if radius else slope for rise in (here - left, right - here)]
        rows.append((slope, *ends))
        found = []
        for middle, *sides in rows:
            nearest = float(middle)
            rest = float(middle - nearest) if np.isfinite(nearest) else 0.0
            found.append([nearest, rest, *map(float, sides)])
        return found


def _exact(table: Array, x: Array, factor: Array, judged: NDArray[np.bool_]) -> Exact:
    here, rest, left, right = table
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        change = np.maximum(np.abs(left - here), np.abs(right - here)) * np.maximum(4.0, 4 * x)
        return Exact(
            nearest=here,
            rest=rest,
            around=np.nan_to_num(np.abs([here, left, right])).max(0),
            sensitivity=np.nan_to_num(change, posinf=0.0),
            argument=np.nan_to_num(x * factor),
            factor=np.maximum(1.0, factor),
            judged=judged,
        )


def _evaluate(call: Call, x: Array) -> tuple[Array, Array]:
    y, slope = output_and_slope(call, x, torch.float64)
    return y.numpy(), slope.numpy()


def output_and_slope(call: Call, x: Array, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Output of a callable, and the derivative of each output by its own inputs: zero where it has none."""
    point = torch.from_numpy(x.copy()).to(dtype).requires_grad_()
    output = call(point)
    if not output.requires_grad:
        return output, torch.zeros_like(point)
    (gradient,) = torch.autograd.grad(output, point, torch.ones_like(output), allow_unused=True)
    return output.detach(), torch.zeros_like(point) if gradient is None else gradient


def _hashable(value: Any) -> Hashable:
    return tuple(value) if isinstance(value, list) else value
