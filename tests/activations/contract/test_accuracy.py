"""Tests of activations.contract.accuracy: errors are counted in the right units, and no more is excused than said."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import activations
from activations import contract
from activations.contract.subject import DTYPES

RELU = activations.info("relu")


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
def test_an_error_of_some_units_is_measured_as_such(dtype: torch.dtype) -> None:
    """One significand bit up at each point: a unit at the point, of the unit at the largest value near it."""

    def next_up(x: Tensor) -> Tensor:
        y = torch.relu(x)
        moved = torch.nextafter(y.detach(), torch.full_like(y, math.inf)) if y.is_cpu else y
        return torch.where((y > 1) & (y < 100), moved + (x - x.detach()), y)

    right, wrong = (contract.measure_errors(call, RELU, dtype) for call in (torch.relu, next_up))
    assert (right.value_ulp, right.derivative_ulp, right.wrong_values, right.wrong_derivatives) == (0, 0, 0, 0)
    assert 0.5 <= wrong.value_ulp <= 1
    assert isinstance(wrong.value_at, float)
    assert 1 < wrong.value_at < 100
    assert (wrong.derivative_ulp, wrong.wrong_derivatives) == (0, 0)
    assert (wrong.wrong_values > 0) == (
        dtype in (torch.bfloat16, torch.float16)
    )  # half a unit is theirs, two are allowed


def test_nan_is_counted_and_is_no_wrong_value() -> None:
    errors = contract.measure_errors(lambda x: torch.relu(x) * torch.where(x > 100, math.nan, 1.0), RELU, torch.float32)
    assert errors.nan_values == errors.nan_derivatives > 0
    assert errors.wrong_values == errors.wrong_derivatives == 0


def test_an_infinity_is_right_only_where_the_exact_result_overflows() -> None:
    square = activations.info("relu_squared")
    assert contract.measure_errors(lambda x: torch.relu(x).square(), square, torch.float32).wrong_values == 0
    early = contract.measure_errors(lambda x: torch.relu(x * 4).square() / 16, square, torch.float32)
    assert early.value_ulp == math.inf
    assert early.wrong_values > 0


def test_a_tiny_result_may_be_flushed_to_zero_and_a_small_one_may_not() -> None:
    identity = activations.info("identity")
    for least, wrong in ((2e-38, False), (1e-30, True)):
        errors = contract.measure_errors(lambda x, least=least: x * (x.abs() > least), identity, torch.float32)
        assert (errors.wrong_values > 0) == wrong


def test_the_dtype_of_the_output_is_looked_at() -> None:
    assert contract.measure_errors(lambda x: torch.relu(x).float(), RELU, torch.bfloat16).dtype_changed
    assert not contract.measure_errors(torch.relu, RELU, torch.bfloat16).dtype_changed


def test_other_values_of_constants_can_be_measured() -> None:
    elu = activations.info("elu")
    double = contract.measure_errors(lambda x: F.elu(x, 2.0), elu, torch.float32, {"alpha": 2.0})
    assert double.wrong_values == double.wrong_derivatives == 0
    assert contract.measure_errors(lambda x: F.elu(x, 2.0), elu, torch.float32).wrong_values > 0


def test_a_gated_unit_is_measured_by_both_of_its_inputs() -> None:
    bilinear = activations.info("bilinear")

    def product(x: Tensor, slope: float = 0.0) -> Tensor:
        a, b = x.chunk(2, -1)
        return a * b + slope * (a - a.detach())

    right, wrong = (
        contract.measure_errors(lambda x, slope=slope: product(x, slope), bilinear, torch.float32)
        for slope in (0.0, 1.0)
    )
    assert right.wrong_values == right.wrong_derivatives == wrong.wrong_values == 0
    assert wrong.wrong_derivatives > 0
    assert isinstance(wrong.derivative_at, tuple)


def test_at_a_corner_of_another_input_no_derivative_is_asked_for_and_beside_it_one_is() -> None:
    drelu = activations.info("drelu")

    def leaking(x: Tensor) -> Tensor:
        a, b = x.chunk(2, -1)
        return F.leaky_relu(a, 1e-3) * b.relu() - (F.leaky_relu(a, 1e-3) - a.relu()).detach() * b.relu()

    corner, beside = np.array([[0.0, 2.0]]), np.array([[-1e-30, 2.0]])
    assert contract.measure_errors(leaking, drelu, torch.float64, grid=corner).wrong_derivatives == 0
    assert contract.measure_errors(leaking, drelu, torch.float64, grid=beside).wrong_derivatives == 1


def test_without_a_formula_there_must_be_a_float64_form() -> None:
    with pytest.raises(ValueError, match="activation 'relu' has no formula; give measure"):
        contract.measure_errors(torch.relu, replace(RELU, formula=None), torch.float32)
