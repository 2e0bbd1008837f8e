"""APL, the adaptive piecewise linear unit: `activations.build("apl", shape=(6, 28, 28), hinges=5)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class _APL(torch.autograd.Function):
    """Keeps x alone for backward; the plain sum would keep two tensors of x's size for every hinge."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(x, a, b)
        out = x.clamp(min=0)
        for slope, hinge in zip(a, b, strict=True):
            out = torch.addcmul(out, slope, (hinge - x).clamp_(min=0))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        (grad,) = grads
        x, a, b = ctx.saved_tensors
        grad_x = grad * (x > 0)
        grad_a, grad_b = [], []
        for slope, hinge in zip(a, b, strict=True):
            active = grad * (x < hinge)
            grad_x = torch.addcmul(grad_x, slope, active, value=-1)
            grad_a.append((active * (hinge - x)).sum_to_size(slope.shape))
            grad_b.append(slope * active.sum_to_size(hinge.shape))
        return grad_x, torch.stack(grad_a), torch.stack(grad_b)


class APL(nn.Module):
    """h(x) = max(0, x) + sum over s of a_s * max(0, b_s - x), with trainable a and b.

    Agostinelli et al. 2014, arXiv 1412.6830. Their Caffe layer keeps one (a, b) for every unit, that is every
    channel and pixel; its example networks draw b from N(0, 0.5^2) and its layer draws a from U(-0.5/S, 0.5/S).

    Args:
        hinges: S, the number of hinges; 5 for the paper's CIFAR-10 network.
        shape: shape over which the parameters differ, broadcast against the trailing dimensions of the input:
            `(C, H, W)` one set a unit, `(C, 1, 1)` one a channel, `()` one for the whole input.

    Shape:
        Input `(N, *)` whose trailing dimensions broadcast with `shape`; output the same.

    Raises:
        ValueError: hinges below 1.
    """

    def __init__(self, hinges: int = 5, shape: Sequence[int] = ()) -> None:
        super().__init__()
        if hinges < 1:
            raise ValueError(f"hinges must be 1 or more, not {hinges}")
        self.a = nn.Parameter(torch.empty(hinges, *shape))
        self.b = nn.Parameter(torch.empty(hinges, *shape))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        hinges = self.a.shape[0]
        nn.init.uniform_(self.a, -0.5 / hinges, 0.5 / hinges)
        nn.init.normal_(self.b, std=0.5)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = _APL.apply(x, self.a.to(x.dtype), self.b.to(x.dtype))
        return result

    def extra_repr(self) -> str:
        return f"hinges={self.a.shape[0]}, shape={tuple(self.a.shape[1:])}"
