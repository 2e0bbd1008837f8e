"""Facts about an activation, computed from it: `activations.properties("silu").range.low`.

Nothing is typed in: everything follows from `activations.reference`, and for a user's own function from the function
itself in float64. The tolerances are the constants here and in `activations._piecewise`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from activations._curve import NoFactsError, curve_of
from activations._piecewise import NARROW, REACH, TOUCH, Piecewise
from activations._record import Activation
from activations._registry import build, info
from activations.reference import Array, values_of

# Eight points that stand for infinity, and nearer ones where the function overflows on the way there.
SPREAD = np.array([1.0, 1.3, 1.7, 2.3, 3.1, 4.3, 5.9, 7.7])
FARAWAY = (1e30, 2 * REACH)
SETTLED = 1e-9  # far values that differ by less, relative to the larger of 1 and their size, have a limit
GROWN = 1e-3  # an unsettled function is unbounded if far values exceed all near ones by this much
NOTHING = 1e-20  # smaller numbers are printed as zero: 1 / (1 + 1e30)
STEP_BACK = 2.0**-48  # of the values: rounding of a user's function is no descent
SLOPE = 1e-7  # by which a derivative must step back not to be monotonic
GAUSS_NODES, GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(20)  # on pieces no longer than 1
NORMAL_REACH = 12  # beyond it the standard normal distribution holds less than 1e-32

_KEPT: dict[tuple[Any, ...], tuple[Activation, Properties]] = {}


@dataclass(frozen=True)
class Range:
    """From the infimum `low` to the supremum `high`; `low_at`, `high_at` are where they are attained, or None."""

    low: float
    high: float
    low_at: float | None = None
    high_at: float | None = None


@dataclass(frozen=True)
class Properties:
    """What `activations.properties` finds; all but the first four are None where `reason` says why.

    Attributes:
        name: of the activation.
        values: of constants and trainable parameters, for which the rest holds.
        trainable_parameters: numbers in one set of them: a channel's, a unit's or a layer's.
        reason: why the activation is not a function of one number, or cannot be judged as one; else empty.
        nonlinear: not of the form a x + b.
        range: of the values.
        bounded_below, bounded_above: whether the range is.
        continuous: no jumps.
        continuously_differentiable: neither jumps nor kinks.
        monotonic: never falls, or never rises.
        monotonic_derivative: the derivative likewise: the function is convex or concave.
        approximates_identity: f(0) = 0, and f' is continuous at 0 and 1 there.
        saturates_left, saturates_right: it has a finite limit there.
        zero_centred: f(0) = 0, and it takes both signs.
        derivative_range: of the derivative, by pieces where the function jumps.
        lipschitz: the least constant; infinite where the slope is unbounded or the function jumps.
        fixed_points: where f(x) = x, as intervals `(from, to)`, points being `(x, x)`; within ±32, or without end.
        kinks: where value or derivative steps, within ±32.
        kinks_as_declared: whether they are those of the record; None for a user's own.
        value_at_zero: f(0).
        slopes_at_zero: f'(0) from the left and from the right.
        mean, variance: of f(x) for x from N(0, 1).
        gain: 1 / sqrt(E f(x)^2) for such x: weights of variance gain^2 / fan_in keep the second moment forward.
        mean_square_derivative: E f'(x)^2 for such x: its inverse instead of gain^2 keeps it backward, unless the
            backward pass is that of a surrogate.
    """

    name: str
    values: dict[str, Any]
    trainable_parameters: int
    reason: str = ""
    nonlinear: bool | None = None
    range: Range | None = None
    bounded_below: bool | None = None
    bounded_above: bool | None = None
    continuous: bool | None = None
    continuously_differentiable: bool | None = None
    monotonic: bool | None = None
    monotonic_derivative: bool | None = None
    approximates_identity: bool | None = None
    saturates_left: bool | None = None
    saturates_right: bool | None = None
    zero_centred: bool | None = None
    derivative_range: tuple[float, float] | None = None
    lipschitz: float | None = None
    fixed_points: tuple[tuple[float, float], ...] | None = None
    kinks: tuple[float, ...] | None = None
    kinks_as_declared: bool | None = None
    value_at_zero: float | None = None
    slopes_at_zero: tuple[float, float] | None = None
    mean: float | None = None
    variance: float | None = None
    gain: float | None = None
    mean_square_derivative: float | None = None


def properties(name: str, **values: Any) -> Properties:
    """Facts about an activation, kept for the process; a tenth of a second for each new one.

    Args:
        name: name or alias.
        **values: constants and trainable parameters of the formula; at their defaults unless given.

    Raises:
        ValueError: unknown name or value.
    """
    entry = info(name)
    key = (name, *((one, tuple(value) if np.ndim(value) else value) for one, value in sorted(values.items())))
    kept = _KEPT.get(key)
    if kept is None or kept[0] is not entry:  # a user's own may be registered anew under its name
        kept = _KEPT[key] = (entry, _find(entry, values))
    return kept[1]


def _find(entry: Activation, given: dict[str, Any]) -> Properties:
    values = values_of(entry, **given) if entry.formula else {}
    count = sum(np.size(value) for value in entry.parameters.values())
    if entry.family == "user":
        count = sum(parameter.numel() for parameter in build(entry.name).parameters())
    try:
        facts = _facts(Piecewise(curve_of(entry, **given)))
    except NoFactsError as error:
        return Properties(entry.name, values, count, reason=str(error))
    declared: bool | None = None
    if entry.formula:
        kinks = entry.kinks(**values) if callable(entry.kinks) else entry.kinks
        near = sorted({float(kink) for kink in kinks if abs(kink) < REACH})
        declared = len(near) == len(facts["kinks"]) and bool(np.allclose(near, facts["kinks"], 0, 1e-8))
    return Properties(entry.name, values, count, kinks_as_declared=declared, **facts)


def _facts(function: Piecewise) -> dict[str, Any]:
    curve, (x, y) = function.curve, function.samples
    left, right = _far(curve.value, -1), _far(curve.value, 1)
    span = _range(function, left, right)
    steepest = function.steepest()
    slopes = _extent(steepest, _far(curve.derivative, -1), _far(curve.derivative, 1))
    continuous = not any(one.jump for one in function.breaks)
    at_zero, slopes_at_zero = _at_zero(function)
    chord = y[0] + (y[-1] - y[0]) / (x[-1] - x[0]) * (x - x[0])
    mean, second, squared_slope = _moments(function)
    return {
        "nonlinear": bool(np.any(np.abs(y - chord) > TOUCH * np.maximum(1.0, np.abs(x)))),
        "range": span,
        "bounded_below": math.isfinite(span.low),
        "bounded_above": math.isfinite(span.high),
        "continuous": continuous,
        "continuously_differentiable": not function.breaks,
        "monotonic": _monotonic(np.concatenate([left[::-1], y, right]), STEP_BACK),
        "monotonic_derivative": continuous
        and _monotonic(
            np.concatenate([found for _, found in function.slopes()]), 0.0, SLOPE * max(1.0, *map(abs, steepest))
        ),
        "approximates_identity": at_zero == 0 and max(abs(slope - 1) for slope in slopes_at_zero) <= SLOPE,
        "saturates_left": _settled(left),
        "saturates_right": _settled(right),
        "zero_centred": at_zero == 0 and span.low < 0 < span.high,
        "derivative_range": slopes,
        "lipschitz": max(map(abs, slopes)) if continuous else math.inf,
        "fixed_points": _fixed_points(function, left, right),
        "kinks": tuple(one.x for one in function.breaks),
        "value_at_zero": at_zero,
        "slopes_at_zero": slopes_at_zero,
        "mean": mean,
        "variance": second - mean**2,
        "gain": 1 / math.sqrt(second) if second else math.inf,
        "mean_square_derivative": squared_slope,
    }


def _far(function: Callable[[Array], Array], side: int) -> Array:
    """Values far out on one side, in the order of their distance."""
    for distance in FARAWAY:
        found = function(side * distance * SPREAD)
        if np.all(np.isfinite(found)):
            return found
    raise NoFactsError(f"value or derivative is not finite at {side * FARAWAY[-1]:g}")


def _settled(far: Array) -> bool:
    return bool(np.ptp(far) <= SETTLED * max(1.0, float(np.abs(far).max())))


def _extent(near: tuple[float, float], *tails: Array) -> tuple[float, float]:
    """Infimum and supremum, from those of the resolved part and from values far out."""
    low, high = near
    for far in tails:
        settled = _settled(far)
        least, greatest = float(far.min()), float(far.max())
        if settled or least < near[0] - GROWN * max(1.0, abs(near[0])):
            low = min(low, least if settled else -math.inf)
        if settled or greatest > near[1] + GROWN * max(1.0, abs(near[1])):
            high = max(high, greatest if settled else math.inf)
    return _tidy(low), _tidy(high)


def _tidy(value: float) -> float:
    """Without what numeric differentiation leaves of a zero, and 1 / x at the end of the world."""
    return value if abs(value) > NOTHING else 0.0


def _range(function: Piecewise, left: Array, right: Array) -> Range:
    x, y = function.samples
    limits = [float(far[-1]) for far in (left, right) if _settled(far)]

    def attained(bound: float) -> float | None:
        """Where; a bound that is no limit at infinity is attained unless it is one at a jump."""
        if math.isinf(bound):
            return None
        if any(abs(bound - limit) <= TOUCH * max(1.0, abs(bound)) for limit in limits):
            nearest = [min(max(0.0, low), high) for low, high in function.zeros(bound)]
            return min(nearest, key=abs, default=None)
        there = int(np.argmin(np.abs(y - bound)))
        return float(x[there]) if abs(y[there] - bound) <= TOUCH * max(1.0, abs(bound)) else None

    low, high = _extent(function.extremes(), left, right)
    return Range(low, high, attained(low), attained(high))


def _monotonic(values: Array, relative: float, absolute: float = 0.0) -> bool:
    """Whether they never fall or never rise by more than the tolerances."""
    steps = np.diff(values)
    steps[np.abs(steps) <= relative * np.abs(values[1:]) + absolute] = 0
    return bool(np.all(steps >= 0) or np.all(steps <= 0))


def _at_zero(function: Piecewise) -> tuple[float, tuple[float, float]]:
    """f(0), and the slopes on its left and right: a little aside where the function jumps."""
    aside = NARROW if any(one.jump and one.x == 0 for one in function.breaks) else 0.0
    derivative = function.curve.derivative
    left, right = (_tidy(float(derivative(np.array([side * aside]), side=side)[0])) for side in (-1, 1))
    return _tidy(float(function.curve.value(np.zeros(1))[0])), (left, right)


def _fixed_points(function: Piecewise, left: Array, right: Array) -> tuple[tuple[float, float], ...]:
    """Intervals that reach as far as the function is resolved go on to infinity where it is x there."""
    endless = [np.array_equal(far, side * FARAWAY[0] * SPREAD) for far, side in ((left, -1), (right, 1))]
    return tuple(
        (
            -math.inf if low == -REACH and low < high and endless[0] else low,
            math.inf if high == REACH and low < high and endless[1] else high,
        )
        for low, high in function.zeros(0.0, tilt=1.0)
    )


def _moments(function: Piecewise) -> tuple[float, float, float]:
    """E f, E f^2 and E f'^2 under the standard normal distribution, by Gauss and Legendre between the breaks."""
    units = np.arange(-NORMAL_REACH, NORMAL_REACH + 1.0)
    total = np.zeros(3)
    for piece in function.pieces:
        first = piece.polynomial.deriv()
        for low, high in itertools.pairwise(np.unique(np.clip([piece.low, *units, piece.high], piece.low, piece.high))):
            x = (low + high) / 2 + (high - low) / 2 * GAUSS_NODES
            weights = (high - low) / 2 * GAUSS_WEIGHTS * _density(x)
            y = piece.polynomial(x)
            total += [weights @ y, weights @ y**2, weights @ first(x) ** 2]
    for left, right in itertools.pairwise(function.pieces):
        if left.high < right.low:  # the narrow rest around a break
            at = next((one.x for one in function.breaks if left.high <= one.x <= right.low), right.low)
            for piece, end, width in ((left, left.high, at - left.high), (right, right.low, right.low - at)):
                y, slope = piece.polynomial(end), piece.polynomial.deriv()(end)
                total += width * _density(end) * np.array([y, y**2, slope**2])
    mean, second, squared_slope = total.tolist()
    return mean, second, squared_slope


def _density(x: Array | float) -> Array:
    return np.asarray(np.exp(-np.square(x) / 2) / math.sqrt(2 * math.pi))
