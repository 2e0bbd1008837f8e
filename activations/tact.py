"""TAct and mTAct: `activations.build("tact")`, `activations.build("mtact", alpha=0.25, beta=0.25)`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

import activations._elementary as elementary
from activations._modules import Trainable
from activations.pointwise import Pointwise
from activations.sigmoids import LARGE


def _tact_value(x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    """(alpha * x + 1 - alpha) * sigmoid((1 + beta) * x).

    Published as (A x + B)(tanh(C x) + 1) with A = alpha/2, B = 1/2 - A, C = (1 + beta)/2; since
    1 + tanh(z) = 2 sigmoid(2 z) the two are one function, but tanh + 1 cancels to 0 in float32 below C x = -9.
    """
    # No nearer bound on x spares the product 0 * inf: where 1 + beta is small, no gate is 0 until far out.
    return (alpha * x.clamp(min=-LARGE) + (1 - alpha)) * elementary.sigmoid((1 + beta) * x)


def _tact_vjp(grad: Tensor, x: Tensor, alpha: Tensor, beta: Tensor) -> tuple[Tensor, ...]:
    steepness = 1 + beta
    gate, shut = elementary.sigmoids(steepness * x)
    near = x.clamp(-LARGE, LARGE)
    slope = (alpha * near + (1 - alpha)) * gate * shut
    return grad * (alpha * gate + steepness * slope), grad * (x.clamp(min=-LARGE) - 1) * gate, grad * near * slope


def _mtact_value(x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    """TAct with alpha and beta squared."""
    return _tact_value(x, alpha * alpha, beta * beta)


def _mtact_vjp(grad: Tensor, x: Tensor, alpha: Tensor, beta: Tensor) -> tuple[Tensor, ...]:
    grad_x, grad_alpha, grad_beta = _tact_vjp(grad, x, alpha * alpha, beta * beta)
    return grad_x, grad_alpha * 2 * alpha, grad_beta * 2 * beta


tact = Pointwise(_tact_value, _tact_vjp)
mtact = Pointwise(_mtact_value, _mtact_vjp)


def _draw(parameter: Tensor, given: float | None) -> None:
    """From U(0, 0.5), also where a value is given: fixing one parameter must not shift what the other draws."""
    drawn = torch.rand(1, device="cpu").item() / 2
    parameter.fill_(drawn if given is None else given)


class TAct(Trainable):
    """(alpha * x + 1 - alpha) * sigmoid((1 + beta) * x) with trainable alpha and beta.

    Puniani 2020 and github.com/GSPuniani/MBG-Activation-Functions, commit ba983de. alpha = 1, beta = 0 is SiLU.

    Args:
        alpha, beta: initial values; by default each is drawn from U(0, 0.5), as in the authors' scripts, but
            anew for every instance (there, once a process).
        shape, fused: see `Trainable`.
    """

    function = tact

    def __init__(
        self,
        alpha: float | None = None,
        beta: float | None = None,
        shape: Sequence[int] = (),
        fused: bool = False,
    ) -> None:
        given = {"alpha": alpha, "beta": beta}
        super().__init__(
            {name: 0.0 if value is None else value for name, value in given.items()},
            shape,
            fused,
            {name: partial(_draw, given=value) for name, value in given.items()},
        )


class MTAct(TAct):
    """TAct with alpha and beta squared: (alpha^2 * x + 1 - alpha^2) * sigmoid((1 + beta^2) * x)."""

    function = mtact
