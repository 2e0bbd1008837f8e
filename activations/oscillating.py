"""Periodic and oscillating functions in torch: `activations.build("snake", shape=(6, 28, 28))`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from activations._modules import Trainable
from activations.pointwise import Pointwise


def _snake_value(x: Tensor, a: Tensor) -> Tensor:
    """x + sin(a * x)^2 / a, and x at a = 0. Ziyin, Hartwig and Ueda 2020, arXiv 2006.08195."""
    return x + torch.sin(_finite(a * x)).square() / torch.where(a == 0, 1.0, a)


def _snake_vjp(grad: Tensor, x: Tensor, a: Tensor) -> tuple[Tensor, ...]:
    inner = _finite(a * x)
    sine, cosine = torch.sin(inner), torch.cos(inner)
    # sin(a x) / a tends to x. In it the derivative by a, x sin(2 a x) / a - sin(a x)^2 / a^2, does not cancel.
    ratio = torch.where(a == 0, x, sine / torch.where(a == 0, 1.0, a))
    # 1 + sin(2 a x) = (sin(a x) + cos(a x))^2, accurate where it touches 0
    return grad * (sine + cosine).square(), grad * ratio * (2 * x * cosine - ratio)


def _finite(x: Tensor) -> Tensor:
    """sin and cos of infinity would be NaN; that of a large number is lost in x."""
    return x.clamp(torch.finfo(x.dtype).min, torch.finfo(x.dtype).max)


def _gcu_value(x: Tensor) -> Tensor:
    """x * cos(x), the growing cosine unit. Noel et al. 2021, arXiv 2108.12943."""
    return x * torch.cos(x)


def _gcu_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    return (grad * (torch.cos(x) - x * torch.sin(x)),)


def _siren_value(x: Tensor, *, omega: float = 30.0) -> Tensor:
    """sin(omega * x). Sitzmann et al. 2020, arXiv 2006.09661."""
    return torch.sin(_finite(omega * x))


def _siren_vjp(grad: Tensor, x: Tensor, *, omega: float = 30.0) -> tuple[Tensor, ...]:
    return (grad * (omega * torch.cos(_finite(omega * x))),)


snake = Pointwise(_snake_value, _snake_vjp)
gcu = Pointwise(_gcu_value, _gcu_vjp)
siren = Pointwise(_siren_value, _siren_vjp)


class Snake(Trainable):
    """x + sin(a * x)^2 / a with a trainable a; x where a is 0. Ziyin, Hartwig and Ueda 2020, arXiv 2006.08195.

    Args:
        a: initial value; 1 is a convention, others draw it.
        shape, fused: see `Trainable`.
    """

    function = snake

    def __init__(self, a: float = 1.0, shape: Sequence[int] = (), fused: bool = False) -> None:
        super().__init__({"a": a}, shape, fused)
