"""Tests of activations._piecewise: breaks of two kinds, and what cannot be resolved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from activations._curve import Curve, NoFactsError
from activations._piecewise import Piecewise


def _curve(value: Callable[[np.ndarray], np.ndarray]) -> Curve:
    def derivative(x: np.ndarray, side: int = 0) -> np.ndarray:
        return (value(x + (side + 1) / 2 * 1e-7) - value(x - (1 - side) / 2 * 1e-7)) / 1e-7

    return Curve(value, derivative)


@pytest.mark.parametrize("at", [0.0, 0.3, -2.71828, 7.0, 15.9])
def test_a_jump_is_told_from_a_kink_and_a_kink_from_a_bend(at: float) -> None:
    assert Piecewise(_curve(lambda x: np.where(x < at, x, x + 1))).breaks == [(pytest.approx(at, abs=1e-8), True)]
    assert Piecewise(_curve(lambda x: np.abs(x - at))).breaks == [(pytest.approx(at, abs=1e-6), False)]
    assert Piecewise(_curve(lambda x: np.maximum(x - at, 0) ** 2)).breaks == []


@pytest.mark.parametrize("value", [np.log, lambda x: np.sin(1e4 * x), lambda x: np.float32(np.tanh(x)).astype(float)])
def test_what_cannot_be_resolved_is_refused(value: Callable[[np.ndarray], np.ndarray]) -> None:
    with np.errstate(invalid="ignore"), pytest.raises(NoFactsError, match=r"not finite|too many kinks"):
        Piecewise(_curve(value))
