"""Rectifiers and their kin in torch: `activations.build("prelu", shape=(6, 28, 28))`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import activations._elementary as elementary
from activations._modules import Trainable
from activations.pointwise import Pointwise

# log(1 + u) is u to the last digit of float64 long before this, which is a normal number in float32.
TINY = 1e-30


def _prelu_value(x: Tensor, weight: Tensor) -> Tensor:
    """max(0, x) + weight * min(0, x)."""
    return torch.where(x > 0, x, weight * x)


def _prelu_vjp(grad: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
    return torch.where(x > 0, grad, weight * grad), grad * x.clamp(max=0)


def _relu_squared_value(x: Tensor) -> Tensor:
    """max(0, x)^2. So et al. 2021 (Primer), arXiv 2109.08668."""
    positive = x.clamp(min=0)
    return positive * positive


def _relu_squared_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    return (grad * (2 * x.clamp(min=0)),)


def _leaky_relu_squared_value(x: Tensor, *, negative_slope: float = 0.5) -> Tensor:
    """leaky_relu(x)^2: x^2 where x > 0, (negative_slope * x)^2 elsewhere. openai/parameter-golf, pull request 549."""
    leaky = torch.where(x > 0, x, negative_slope * x)
    return leaky * leaky


def _leaky_relu_squared_vjp(grad: Tensor, x: Tensor, *, negative_slope: float = 0.5) -> tuple[Tensor, ...]:
    return (grad * (torch.where(x > 0, 2.0, 2 * negative_slope**2) * x),)


def _screlu_value(x: Tensor) -> Tensor:
    """max(0, min(1, x))^2, the squared clipped ReLU of chess engines: Stormphrax, src/eval/nnue/activation.h."""
    clipped = x.clamp(0, 1)
    return clipped * clipped


def _screlu_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    return (grad * torch.where(x < 1, 2 * x.clamp(min=0), 0.0),)


def _star_relu_value(x: Tensor, s: Tensor, b: Tensor) -> Tensor:
    """s * max(0, x)^2 + b."""
    positive = x.clamp(min=0)
    return s * positive * positive + b


def _star_relu_vjp(grad: Tensor, x: Tensor, s: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    positive = x.clamp(min=0)
    scaled = grad * positive
    return 2 * s * scaled, scaled * positive, grad


def _srelu_value(x: Tensor, t_left: Tensor, a_left: Tensor, t_right: Tensor, a_right: Tensor) -> Tensor:
    """t_right + a_right * (x - t_right) from t_right on, t_left + a_left * (x - t_left) up to t_left, else x."""
    left = torch.where(x <= t_left, t_left + a_left * (x - t_left), x)
    return torch.where(x >= t_right, t_right + a_right * (x - t_right), left)


def _srelu_vjp(
    grad: Tensor, x: Tensor, t_left: Tensor, a_left: Tensor, t_right: Tensor, a_right: Tensor
) -> tuple[Tensor, ...]:
    right = x >= t_right
    left = (x <= t_left) & ~right
    on_left, on_right = torch.where(left, grad, 0.0), torch.where(right, grad, 0.0)
    return (
        grad * torch.where(right, a_right, torch.where(left, a_left, 1.0)),
        on_left * (1 - a_left),
        on_left * torch.where(left, x - t_left, 0.0),
        on_right * (1 - a_right),
        on_right * torch.where(right, x - t_right, 0.0),
    )


def _squareplus_value(x: Tensor, *, b: float = 4.0) -> Tensor:
    """(x + sqrt(x^2 + b)) / 2. Barron 2021, arXiv 2112.11687."""
    return x.clamp(min=0) + _squareplus_terms(x, b)[0]


def _squareplus_vjp(grad: Tensor, x: Tensor, *, b: float = 4.0) -> tuple[Tensor, ...]:
    excess, root = _squareplus_terms(x, b)
    bent = excess / root
    return (grad * torch.where(x > 0, 1 - bent, bent),)


def _squareplus_terms(x: Tensor, b: float) -> tuple[Tensor, Tensor]:
    """What squareplus adds to relu, (root - |x|) / 2 without the cancellation, and root = sqrt(x^2 + b)."""
    root = elementary.hypot(x, math.sqrt(b))
    size = torch.where(x > 0, x, -x)  # abs, but with the left derivative at 0: double backward passes here
    return b / 4 / (0.5 * size + 0.5 * root), root


def _smelu_value(x: Tensor, *, beta: float = 2.0) -> Tensor:
    """0 up to -beta, x from beta on, (x + beta)^2 / (4 beta) between. Shamir and Lin 2022, arXiv 2202.06499."""
    above = x.clamp(-beta, beta) + beta
    return torch.where(x > beta, x, above * above / (4 * beta))


def _smelu_vjp(grad: Tensor, x: Tensor, *, beta: float = 2.0) -> tuple[Tensor, ...]:
    return (grad * ((x.clamp(-beta, beta) + beta) / (2 * beta)),)


def _sqrtsoftplus_value(x: Tensor) -> Tensor:
    """sqrt(log(1 + e^x)). transformers' SqrtSoftplusActivation, the scores of DeepSeek-V4's router."""
    gate, root, _ = _sqrtsoftplus_terms(x)
    return gate * root


def _sqrtsoftplus_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    gate, root, u = _sqrtsoftplus_terms(x)
    return (grad * (gate / (2 * (1 + u) * root)),)


def _sqrtsoftplus_terms(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """gate, root and u = e^-|x|, where gate * root = sqrt(softplus(x)).

    softplus(x) is x + log(1 + u) where x > 0 and log(1 + u) elsewhere, whose root is sqrt(u) * sqrt(log(1 + u) / u):
    e^x vanishes long before e^(x / 2) does.
    """
    half = elementary.exp_minus_abs(x / 2)
    u = half * half
    log = elementary.log1p(u)
    ratio = torch.where(u > TINY, log / u.clamp(min=TINY), 1.0)
    return torch.where(x > 0, 1.0, half), torch.sqrt(torch.where(x > 0, x + log, ratio)), u


prelu = Pointwise(_prelu_value, _prelu_vjp)
relu_squared = Pointwise(_relu_squared_value, _relu_squared_vjp)
leaky_relu_squared = Pointwise(_leaky_relu_squared_value, _leaky_relu_squared_vjp)
screlu = Pointwise(_screlu_value, _screlu_vjp)
star_relu = Pointwise(_star_relu_value, _star_relu_vjp)
srelu = Pointwise(_srelu_value, _srelu_vjp)
squareplus = Pointwise(_squareplus_value, _squareplus_vjp)
smelu = Pointwise(_smelu_value, _smelu_vjp)
sqrtsoftplus = Pointwise(_sqrtsoftplus_value, _sqrtsoftplus_vjp)


def threshold(x: Tensor, threshold: float = 0.0, value: float = 0.0) -> Tensor:
    """x where it is above the threshold, else the value: torch's own, which has no defaults."""
    return F.threshold(x, threshold, value)


def _fits_torchs_kernel(weight: Tensor, x: Tensor) -> bool:
    """Whether there is one weight, or one for each entry of dimension 1: torch's kernel knows no other channels."""
    if x.ndim < 2 or weight.numel() == 1:
        return x.ndim > 1
    return weight.ndim == x.ndim - 1 and weight.numel() == weight.shape[0] == x.shape[1]


class PReLU(Trainable):
    """max(0, x) + weight * min(0, x) with a trainable weight. He et al. 2015, arXiv 1502.01852.

    Args:
        init: initial weight.
        shape, fused: see `Trainable`.
    """

    function = prelu
    weight: nn.Parameter

    def __init__(self, init: float = 0.25, shape: Sequence[int] = (), fused: bool = False) -> None:
        super().__init__({"weight": init}, shape, fused)

    def forward(self, x: Tensor) -> Tensor:
        if not self.fused and x.is_floating_point() and not x.is_meta and _fits_torchs_kernel(self.weight, x):
            with torch.autocast(x.device.type, enabled=False):  # it would change the dtype
                return F.prelu(x, self.weight.to(x.dtype).flatten())
        return super().forward(x)


class StarReLU(Trainable):
    """s * max(0, x)^2 + b with trainable s and b. Yu et al. 2022 (MetaFormer baselines), arXiv 2210.13452.

    Args:
        s, b: initial values; the defaults are the paper's, which give mean 0 and variance 1 under N(0, 1) inputs.
            The authors' code starts from s = 1, b = 0.
        shape, fused: see `Trainable`.
    """

    function = star_relu

    def __init__(self, s: float = 0.8944, b: float = -0.4472, shape: Sequence[int] = (), fused: bool = False) -> None:
        super().__init__({"s": s, "b": b}, shape, fused)


class SReLU(Trainable):
    """The S-shaped rectifier: three straight lines that meet at two trainable points, with trainable outer slopes.

    t_right + a_right * (x - t_right) for x >= t_right, t_left + a_left * (x - t_left) for x <= t_left, x between.
    Jin et al. 2016, arXiv 1512.07030. Should the two points change places in training, the right line goes first.

    The paper keeps the four fixed for its first epochs, as a leaky rectifier: `module.requires_grad_(False)`. It then
    sets t_right from the data, which is left to the caller.

    Args:
        t_left, a_left, t_right, a_right: initial values; the defaults are a convention: a leaky rectifier, so that
            fixing them changes nothing at the start.
        shape, fused: see `Trainable`.
    """

    function = srelu

    def __init__(
        self,
        t_left: float = 0.0,
        a_left: float = 0.2,
        t_right: float = 1.0,
        a_right: float = 1.0,
        shape: Sequence[int] = (),
        fused: bool = False,
    ) -> None:
        initial = {"t_left": t_left, "a_left": a_left, "t_right": t_right, "a_right": a_right}
        super().__init__(initial, shape, fused)
