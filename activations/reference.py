"""What an activation should compute, exact to the last bit of float64: `reference.value("elu", [-1.0, 0.5])`.

The formula of the record is evaluated by mpmath at 40 digits or more and rounded once: it neither overflows nor
cancels, and shares no code with the torch functions that it judges. It takes 10 to 100 µs a point.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import mpmath
import numpy as np
from numpy.typing import ArrayLike, NDArray

from activations._record import Activation
from activations._registry import info

Array: TypeAlias = NDArray[np.float64]
Formula: TypeAlias = Callable[..., Any]  # of mpmath's numbers, one for each input

DIGITS = 40
# Formulas as the sources print them cancel: tanh(x) + 1 loses |x| digits, exp(x) - 1 as many as x has zeros behind
# the point. Farther out than this every such term is below the smallest float64.
FARTHEST = 900
SMALLEST = 2.0**-1074
# Points that stand for infinity: where they agree, there is a limit.
FAR = (1e30, 3e30, 1.7e31, 2.3e32, 5e33, 1.1e34, 7e34, 1.3e36)


def value(name: str, x: ArrayLike, **values: Any) -> Array:
    """The activation at x, with its limits at ±inf (NaN where there is none) and NaN at NaN.

    Args:
        name: name or alias.
        x: any shape.
        **values: constants and trainable parameters of the formula; at their defaults unless given.

    Raises:
        ValueError: unknown name or value, or an activation without an elementwise formula.
    """
    return evaluate(bind(info(name), **values), x)


def derivative(name: str, x: ArrayLike, *, side: int = 0, **values: Any) -> Array:
    """Its derivative at x; at a kink it depends on the side: -1 from the left, 1 from the right."""
    return differentiate(bind(info(name), **values), x, side=side)


def bind(entry: Activation, **values: Any) -> Formula:
    """The formula of an activation as a function of mpmath's numbers alone; values as for `value`."""
    lifted = {key: _lift(found) for key, found in values_of(entry, **values).items()}
    assert entry.formula is not None
    return functools.partial(entry.formula, mpmath, **lifted)


def digits(x: float) -> int:
    """As many as the terms of a formula lose at x when they cancel (x^2 against 1 near 0), and 40 more."""
    zeros = max(0, -2 * math.frexp(x or SMALLEST)[1] // 3)
    return DIGITS + int(min(abs(x), FARTHEST)) + zeros


def values_of(entry: Activation, **given: Any) -> dict[str, Any]:
    """The constants and parameters that the formula of an activation takes: those given, or the defaults.

    Raises:
        ValueError: no formula, or a value that it does not take.
    """
    if entry.formula is None:
        raise ValueError(f"activation {entry.name!r} has no elementwise formula: it is not a function of a number")
    known = [p.name for p in inspect.signature(entry.formula).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for name in given:
        if name not in known:
            raise ValueError(f"the formula of {entry.name!r} takes no {name!r}; it takes: {', '.join(known) or 'none'}")
    found = {**entry.defaults, **entry.parameters, **given}
    return {name: found[name] for name in known}


def _lift(found: Any) -> Any:
    if isinstance(found, str | bool):
        return found
    return [mpmath.mpf(item) for item in found] if np.ndim(found) else mpmath.mpf(float(found))


def evaluate(formula: Formula, x: ArrayLike) -> Array:
    """A bound formula at x, as in `value`."""
    points = np.asarray(x, dtype=np.float64)
    return np.array([_at(formula, float(point)) for point in points.flat]).reshape(points.shape)


def differentiate(formula: Formula, x: ArrayLike, *, side: int = 0) -> Array:
    """The derivative of a bound formula at x, as in `derivative`."""
    return evaluate(lambda point: mpmath.diff(formula, point, direction=side), x)


def _at(formula: Formula, x: float) -> float:
    if math.isnan(x):
        return math.nan
    if math.isinf(x):
        return _limit([_at(formula, math.copysign(far, x)) for far in FAR])
    with mpmath.workdps(digits(x)):
        return float(formula(mpmath.mpf(x)))


def _limit(far: list[float]) -> float:
    if all(abs(value) > 1e15 for value in far) and len({value > 0 for value in far}) == 1:
        return math.copysign(math.inf, far[0])
    if max(far) - min(far) <= 1e-9 * max(1.0, abs(far[0])):
        return far[0]
    return math.nan
