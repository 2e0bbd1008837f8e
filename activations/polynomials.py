"""PolyCom, polynomials of relu or of normalised powers: `activations.build("poly_relu")`, `build("poly_norm", dim=1)`.

Zhuo et al. 2024, arXiv 2411.03884, and github.com/BryceZhuo/PolyCom.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from activations._catalogue.learned import POLYCOM
from activations._kernel import once
from activations._modules import Trainable
from activations.pointwise import Along, Pointwise

EPS = 1e-6


def _poly_relu_value(x: Tensor, cubic: Tensor, square: Tensor, linear: Tensor, bias: Tensor) -> Tensor:
    """cubic * r^3 + square * r^2 + linear * r + bias with r = max(0, x). Zhuo et al. 2024, arXiv 2411.03884."""
    r = x.clamp(min=0)
    return torch.addcmul(bias, r, torch.addcmul(linear, r, torch.addcmul(square, cubic, r)))


def _poly_relu_vjp(
    grad: Tensor, x: Tensor, cubic: Tensor, square: Tensor, linear: Tensor, bias: Tensor
) -> tuple[Tensor, ...]:
    r = x.clamp(min=0)
    slope = torch.addcmul(linear, r, torch.addcmul(2 * square, 3 * cubic, r))
    first = grad * r
    second = first * r
    return torch.where(x > 0, grad * slope, 0.0), second * r, second, first, grad


def _poly_norm_value(
    x: Tensor, cubic: Tensor, square: Tensor, linear: Tensor, bias: Tensor, *, dim: int = -1
) -> Tensor:
    """cubic * n(x^3) + square * n(x^2) + linear * n(x) + bias, n(u) = u / sqrt(mean of u^2 along dim + 1e-6).

    Zhuo et al. 2024, arXiv 2411.03884. The parameters may differ along other dimensions than dim.
    """
    if any(parameter.ndim >= -dim and parameter.shape[dim] > 1 for parameter in (cubic, square, linear, bias)):
        raise ValueError(
            f"poly_norm: parameters that differ along dim {dim}, along which it normalises: give one for all"
        )
    powers = (x * x * x, x * x, x)
    terms = (weight * u * _inverse_norm(u, dim) for weight, u in zip((cubic, square, linear), powers, strict=True))
    return sum(terms, bias)


def _poly_norm_vjp(
    grad: Tensor, x: Tensor, cubic: Tensor, square: Tensor, linear: Tensor, bias: Tensor, *, dim: int = -1
) -> tuple[Tensor, ...]:
    # All that is summed is summed along dim first: compiled, one loop has the sums of a row and the next its gradient.
    grad_x = torch.zeros_like(x)
    grads = []
    for weight, u, slope in ((cubic, x * x * x, 3 * x * x), (square, x * x, 2 * x), (linear, x, 1.0)):
        inverse = _inverse_norm(u, dim)
        along = (grad * u).sum(dim, keepdim=True) * inverse
        part = once(inverse * along / x.shape[dim])
        grad_x = grad_x + slope * (weight * inverse) * (grad - u * part)
        grads.append(along)
    return grad_x, *grads, grad.sum(dim, keepdim=True)


def _inverse_norm(u: Tensor, dim: int) -> Tensor:
    return once(torch.rsqrt(u.square().mean(dim, keepdim=True) + EPS))


poly_relu = Pointwise(_poly_relu_value, _poly_relu_vjp)
poly_norm = Along(_poly_norm_value, _poly_norm_vjp)


class PolyReLU(Trainable):
    """w_1 * r^3 + w_2 * r^2 + w_3 * r + bias with r = max(0, x), weights and bias trainable.

    Zhuo et al. 2024, arXiv 2411.03884. As in the authors' code the weights, of which the first is that of the third
    power, start at 1/3 and the bias at 0.

    Args:
        shape, fused: see `Trainable`.
    """

    weight: nn.Parameter
    bias: nn.Parameter

    def __init__(self, shape: Sequence[int] = (), fused: bool = False) -> None:
        super().__init__(POLYCOM, shape, fused)

    def forward(self, x: Tensor) -> Tensor:
        return poly_relu(x, *self.weight.unbind(), self.bias, fused=self.fused)


class PolyNorm(PolyReLU):
    """w_1 * n(x^3) + w_2 * n(x^2) + w_3 * n(x) + bias, n dividing by the root mean square along a dimension.

    Zhuo et al. 2024, arXiv 2411.03884; n(u) = u / sqrt(mean(u^2) + 1e-6). Starts as `PolyReLU` does.

    Args:
        dim: along which it normalises; in a transformer the last.
        shape, fused: see `Trainable`.
    """

    def __init__(self, dim: int = -1, shape: Sequence[int] = (), fused: bool = False) -> None:
        super().__init__(shape, fused)
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return poly_norm(x, *self.weight.unbind(), self.bias, dim=self.dim, fused=self.fused)
