"""ACON, which learns whether to activate: `activations.build("meta_acon", shape=(64, 28, 28))`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import activations._elementary as elementary
from activations._modules import Trainable
from activations.pointwise import Pointwise, opmath, require_floating_point
from activations.self_gated import FAR


def _acon_c_value(x: Tensor, p1: Tensor, p2: Tensor, beta: Tensor) -> Tensor:
    """(p1 - p2) * x * sigmoid(beta * (p1 - p2) * x) + p2 * x, as x * (p1 * sigmoid(z) + p2 * sigmoid(-z))."""
    z = beta * (p1 - p2) * x
    towards_1, towards_2 = elementary.sigmoids(z)
    gate = p1 * towards_1 + p2 * towards_2
    return torch.where(gate == 0, gate, x * gate)  # which is 0 for an infinite x too


def _acon_c_vjp(grad: Tensor, x: Tensor, p1: Tensor, p2: Tensor, beta: Tensor) -> tuple[Tensor, ...]:
    contrast = p1 - p2
    z = beta * contrast * x
    towards_1, towards_2 = elementary.sigmoids(z)
    spread = towards_1 * towards_2
    bend = z.clamp(-FAR, FAR) * spread
    apart = contrast * x
    return (
        grad * (p1 * towards_1 + p2 * towards_2 + contrast * bend),
        grad * (x * (towards_1 + bend)),
        grad * (x * (towards_2 - bend)),
        grad * (apart * (apart * spread)),
    )


acon_c = Pointwise(_acon_c_value, _acon_c_vjp)
Start: TypeAlias = Literal["swish", "paper"]
_DRAWS: dict[Start, dict[str, Callable[[Tensor], object]]] = {
    "swish": {},
    "paper": {"p1": nn.init.normal_, "p2": nn.init.normal_},
}


class ACONC(Trainable):
    """(p1 - p2) * x * sigmoid(beta * (p1 - p2) * x) + p2 * x with trainable p1, p2 and beta.

    Ma, Zhang, Liu and Sun 2021, arXiv 2009.04759. Beta decides how sharply it switches from slope p2 to slope p1;
    at beta = 0 it is linear.

    Args:
        init: `swish` starts from p1 = 1, p2 = 0, that is SiLU, for a stable start; `paper` draws both from N(0, 1),
            as the authors' code does. Beta starts from 1 either way.
        shape, fused: see `Trainable`.
    """

    function = acon_c
    p1: nn.Parameter
    p2: nn.Parameter

    def __init__(self, init: Start = "swish", shape: Sequence[int] = (), fused: bool = False) -> None:
        super().__init__({"p1": 1.0, "p2": 0.0, "beta": 1.0}, shape, fused, _DRAWS[init])


class MetaACON(Trainable):
    """ACON-C whose beta is computed from the example: sigmoid(fc2(fc1(means of the channels))).

    Ma, Zhang, Liu and Sun 2021, arXiv 2009.04759. Copies of the authors' code differ on batch normalisation behind
    the two linear layers; here there is none, since it fails on a single example.

    Args:
        init: of p1 and p2, see `ACONC`.
        reduction: the hidden layer has `max(reduction, channels // reduction)` units.
        shape, fused: see `Trainable`; the means are taken over the dimensions where the shape is 1, or over the
            whole example without a shape.

    Shape:
        Input `(*)` whose trailing dimensions broadcast with `shape`, or `(N, *)` without a shape; output the same.
    """

    p1: nn.Parameter
    p2: nn.Parameter

    def __init__(
        self,
        init: Start = "swish",
        reduction: int = 16,
        shape: Sequence[int] = (),
        fused: bool = False,
    ) -> None:
        super().__init__({"p1": 1.0, "p2": 0.0}, shape, fused, _DRAWS[init])
        channels = math.prod(shape)
        hidden = max(reduction, channels // reduction)
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        require_floating_point("meta_acon", x)
        shape = self.p1.shape
        batch_dims = x.ndim - len(shape) if shape else min(x.ndim, 1)
        spatial = [dim for dim in range(batch_dims, x.ndim) if not shape or shape[dim - batch_dims] == 1]
        means = x.to(opmath(x.dtype))
        if spatial:  # torch takes the mean over all dimensions where it is given none
            means = means.mean(spatial, keepdim=True)
        squeezed = means.reshape(*means.shape[:batch_dims], self.fc1.in_features)
        beta = torch.sigmoid(_unrounded(self.fc2, _unrounded(self.fc1, squeezed))).reshape(means.shape)
        return acon_c(x, self.p1, self.p2, beta, fused=self.fused)


def _unrounded(layer: nn.Linear, x: Tensor) -> Tensor:
    """A layer whose sums are those of the wider dtype: in float16 they overflow, to opposite infinities at the end."""
    dtype = torch.promote_types(x.dtype, layer.weight.dtype)
    return F.linear(x.to(dtype), layer.weight.to(dtype), layer.bias.to(dtype))
