"""Tests of activations.reference: dtypes and shapes, limits, sides of a kink, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from activations import reference


def test_the_reference_is_float64_and_keeps_the_shape() -> None:
    for x in (np.float32(0.5), np.zeros((2, 0, 3), np.float32), np.ones((2, 3), np.float16), [1, -1]):
        got = reference.value("elu", x)
        assert (got.dtype, got.shape) == (np.float64, np.shape(x))


def test_the_reference_has_limits_at_infinity_and_nan_where_there_is_none() -> None:
    ends = [-np.inf, np.inf, np.nan]
    np.testing.assert_array_equal(reference.value("elu", ends), [-1, np.inf, np.nan])
    np.testing.assert_array_equal(reference.value("silu", ends), [0, np.inf, np.nan])
    np.testing.assert_array_equal(reference.value("gcu", ends), [np.nan] * 3)


def test_the_reference_takes_values_for_constants_and_parameters() -> None:
    assert reference.value("elu", -1e3, alpha=3.0) == -3
    assert reference.value("prelu", -2.0, weight=0.1) == pytest.approx(-0.2, rel=1e-15)
    with pytest.raises(ValueError, match="formula of 'elu' takes no 'bogus'; it takes: alpha"):
        reference.value("elu", 1.0, bogus=1)


def test_the_derivative_at_a_kink_depends_on_the_side() -> None:
    assert reference.derivative("relu", 0.0, side=-1) == 0
    assert reference.derivative("relu", 0.0, side=1) == 1
    assert reference.derivative("silu", 0.0) == 0.5


def test_what_is_no_function_of_a_number_has_no_reference() -> None:
    with pytest.raises(ValueError, match="'softmax' has no elementwise formula"):
        reference.value("softmax", 1.0)
