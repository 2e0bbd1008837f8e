"""ReLU with another backward pass: `activations.build("sugar_bsilu")`; and B-SiLU, whose derivative it borrows.

SUGAR, surrogate gradient learning for ReLU: Horuz et al. 2025, arXiv 2505.22074. Forward it is ReLU; backward the
gradient is multiplied by the derivative of a surrogate, so that units below 0 go on learning.
"""

from __future__ import annotations

import torch
from torch import Tensor

import activations._elementary as elementary
from activations.pointwise import Pointwise
from activations.self_gated import FAR


def _b_silu_value(x: Tensor, *, alpha: float = 1.67) -> Tensor:
    """(x + alpha) * sigmoid(x) - alpha / 2. Horuz et al. 2025, arXiv 2505.22074."""
    # sigmoid(x) - 1/2 = tanh(x / 2) / 2: the two terms have one sign, and do not cancel near 0.
    return x.clamp(min=-FAR) * elementary.sigmoid(x) + alpha / 2 * elementary.tanh(x / 2)


def _b_silu_vjp(grad: Tensor, x: Tensor, *, alpha: float = 1.67) -> tuple[Tensor, ...]:
    gate, shut = elementary.sigmoids(x)
    return (grad * (gate * (1 + (x.clamp(-FAR, FAR) + alpha) * shut)),)


def _sugar_bsilu_value(x: Tensor, *, alpha: float = 1.67) -> Tensor:
    """max(0, x), whose backward pass is that of `b_silu`. Horuz et al. 2025, arXiv 2505.22074."""
    return x.clamp(min=0)


def _sugar_nelu_value(x: Tensor, *, alpha: float = 0.05) -> Tensor:
    """max(0, x), whose backward pass is that of alpha * x^2 / (1 + x^2) below 0: 2 * alpha * x / (1 + x^2)^2.

    Horuz et al. 2025, arXiv 2505.22074, as in github.com/lucidrains/x-mlps-pytorch.
    """
    return x.clamp(min=0)


def _sugar_nelu_vjp(grad: Tensor, x: Tensor, *, alpha: float = 0.05) -> tuple[Tensor, ...]:
    below = x.clamp(torch.finfo(x.dtype).min, 0)  # the square of infinity would be no less
    square = 1 + below * below
    return (grad * torch.where(x > 0, 1.0, 2 * alpha * (below / square) / square),)


b_silu = Pointwise(_b_silu_value, _b_silu_vjp)
sugar_bsilu = Pointwise(_sugar_bsilu_value, _b_silu_vjp)
sugar_nelu = Pointwise(_sugar_nelu_value, _sugar_nelu_vjp)
