"""Tests of activations.tact: special cases, the left tail, gradients far out, and what is drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

import activations
from activations import reference


def test_tact_is_silu_at_one_and_zero_and_mtact_squares_its_parameters() -> None:
    x = torch.linspace(-9, 9, 101)
    silu = activations.build("silu")(x)
    torch.testing.assert_close(activations.build("tact", alpha=1, beta=0)(x), silu)
    mtact = activations.build("mtact", alpha=0.5, beta=0.5)(x)
    torch.testing.assert_close(mtact, activations.build("tact", alpha=0.25, beta=0.25)(x))


def test_tact_does_not_cancel_in_the_left_tail() -> None:
    """As published, tanh + 1 is exactly 0 in float32 from about -15 on."""
    x = torch.linspace(-60, -10, 51)
    want = reference.value("tact", x)
    np.testing.assert_allclose(activations.build("tact", alpha=0.25, beta=0.25)(x).detach(), want, rtol=1e-5)


@pytest.mark.parametrize(("alpha", "beta"), [(0.5, -0.999), (2.0, -3.0), (0.5, 0.25), (1.0, -1.0)])
def test_tact_and_its_gradients_are_the_formulas_far_out_and_where_it_is_flat(alpha: float, beta: float) -> None:
    x = torch.tensor([-3000.0, -900.0, -1.0, 0.0, 900.0, 3000.0], dtype=torch.float64)

    def formula(x: torch.Tensor, alpha: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        return (alpha * x + 1 - alpha) * torch.sigmoid((1 + beta) * x)

    def both(function: Callable[..., torch.Tensor]) -> list[torch.Tensor]:
        inputs = [x.clone(), *(torch.full_like(x, value) for value in (alpha, beta))]
        value = function(*(one.requires_grad_() for one in inputs))
        return [value, *torch.autograd.grad(value.sum(), inputs)]

    for got, expected in zip(both(activations.function("tact")), both(formula), strict=True):
        torch.testing.assert_close(got, expected)


def test_tact_draws_both_parameters_even_when_one_is_given() -> None:
    pairs = []
    for given_values in ({}, {"alpha": 0.1}, {"beta": 0.1}):
        torch.manual_seed(3)
        pairs.append(activations.build("tact", **given_values))
    drawn, with_alpha, with_beta = pairs
    assert with_alpha.beta == drawn.beta
    assert with_beta.alpha == drawn.alpha
    draws = torch.stack([parameter for _ in range(300) for parameter in activations.build("tact").parameters()])
    assert 0 <= draws.min() < 0.05
    assert 0.45 < draws.max() < 0.5
