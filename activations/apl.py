"""APL, the adaptive piecewise linear unit: `activations.build("apl", shape=(6, 28, 28), hinges=5)`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from activations._modules import Trainable
from activations.pointwise import Pointwise, summed

# (grad, x, 0) -> grad where x > 0, else 0: relu's own derivative, which has a fast kernel on CPUs. `torch.where` has
# none, and took six times as long.
_where_positive = torch.ops.aten.threshold_backward


def _apl_value(x: Tensor, *hinges: Tensor) -> Tensor:
    """max(0, x) + sum over s of a_s * max(0, b_s - x); first all a, then all b."""
    half = len(hinges) // 2
    out = x.relu()
    for a, b in zip(hinges[:half], hinges[half:], strict=True):
        out = torch.addcmul(out, a, (b - x).relu())
    return out


def _apl_vjp(grad: Tensor, x: Tensor, *hinges: Tensor) -> tuple[Tensor, ...]:
    half = len(hinges) // 2
    grad_x = _where_positive(grad, x, 0)
    grad_a, grad_b = [], []
    for a, b in zip(hinges[:half], hinges[half:], strict=True):
        reach = b - x
        active = _where_positive(grad, reach, 0)
        grad_x = torch.addcmul(grad_x, a, active, value=-1)
        grad_a.append(summed(active * reach, a.shape))
        grad_b.append(a * summed(active, b.shape))
    return grad_x, *grad_a, *grad_b


apl = Pointwise(_apl_value, _apl_vjp)


class APL(Trainable):
    """h(x) = max(0, x) + sum over s of a_s * max(0, b_s - x), with trainable a and b.

    Agostinelli et al. 2014, arXiv 1412.6830. Their Caffe layer keeps one (a, b) for every unit, that is every
    channel and pixel; its example networks draw b from N(0, 0.5^2) and its layer draws a from U(-0.5/S, 0.5/S).

    Args:
        hinges: S, the number of hinges; 5 for the paper's CIFAR-10 network.
        shape, fused: see `Trainable`.
    """

    function = apl
    a: nn.Parameter
    b: nn.Parameter

    def __init__(self, hinges: int = 5, shape: Sequence[int] = (), fused: bool = False) -> None:
        draws = {
            "a": partial(nn.init.uniform_, a=-0.5 / hinges, b=0.5 / hinges),
            "b": partial(nn.init.normal_, std=0.5),
        }
        super().__init__({"a": [0.0] * hinges, "b": [0.0] * hinges}, shape, fused, draws)

    def forward(self, x: Tensor) -> Tensor:
        return apl(x, *self.a.unbind(), *self.b.unbind(), fused=self.fused)
