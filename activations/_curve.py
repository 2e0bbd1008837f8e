"""An activation as a function of one number in float64: `curve_of(activations.info("silu")).value(x)`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import activations.reference as reference
from activations._record import Activation
from activations._registry import build
from activations.reference import Array

ASIDE = 1e-9  # how far from a kink, relative to the larger of 1 and |x|, autograd finds a one-sided derivative
PROBES = np.linspace(-3.0, 3.0, 7)


class NoFactsError(ValueError):
    """The activation is not a function of one number, or cannot be judged as one; the message says why."""


class Curve(NamedTuple):
    """`value(x)`, and `derivative(x, side=0)` with the sides of `activations.reference`."""

    value: Callable[[Array], Array]
    derivative: Callable[..., Array]


def curve_of(entry: Activation, **values: Any) -> Curve:
    """The exact formula of the record; without one, its module at its initial values, in evaluation mode.

    Raises:
        NoFactsError: outputs depend on more than one input each.
        ValueError: a value that the formula does not take.
    """
    if entry.in_features_multiplier > 1:
        raise NoFactsError(f"not a function of one number ({entry.in_features_multiplier} inputs for each output)")
    if entry.formula is None:
        if values:
            raise ValueError(f"activation {entry.name!r} has no formula, and so takes no {', '.join(values)} here")
        return _of_module(entry)
    formula = reference.bind(entry, **values)
    return Curve(functools.partial(reference.evaluate, formula), functools.partial(reference.differentiate, formula))


def _of_module(entry: Activation) -> Curve:
    import torch

    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        module = build(entry.name).double().eval()

    def value(x: Array) -> Array:
        with torch.no_grad():
            return np.asarray(module(torch.tensor(x)).double())

    def derivative(x: Array, side: int = 0) -> Array:
        at = torch.tensor(x + side * ASIDE * np.maximum(1.0, np.abs(x)), requires_grad=True)
        output = module(at.clone())  # which may be overwritten
        if not output.requires_grad:
            return np.zeros_like(x)
        (slope,) = torch.autograd.grad(output.sum(), at, allow_unused=True, materialize_grads=True)
        return np.asarray(slope)

    try:
        together = value(PROBES.reshape(1, 1, -1)).reshape(-1)
        apart = np.concatenate([value(PROBES[i : i + 1]) for i in range(len(PROBES))])
    except (RuntimeError, ValueError, IndexError) as error:
        raise NoFactsError(f"not a function of one number ({str(error).splitlines()[0]})") from error
    if together.shape != PROBES.shape or not np.allclose(together, apart, rtol=1e-6, equal_nan=True):
        raise NoFactsError("not a function of one number (each output depends on several inputs)")
    return Curve(value, derivative)
