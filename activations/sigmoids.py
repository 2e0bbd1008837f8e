"""Steps, sigmoids and tanh's kin in torch: `activations.build("dsilu")`, `activations.build("dyt", shape=(16, 32))`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import activations._elementary as elementary
from activations._catalogue.sigmoids import LAPLACE_MU, LAPLACE_SIGMA
from activations._modules import Trainable
from activations.pointwise import Pointwise
from activations.self_gated import FAR

# Stands for infinity where 1 + |x| is a divisor or what vanishes a factor: 1e30 + 1 is 1e30 in float64 too.
LARGE = 1e30

# Lambert's continued fraction tanh(x) = x / (1 + q / (3 + q / (5 + ...))), q = x^2, cut after 17, gives
# x - tanh(x) = x q N(q) / D(q): all terms are positive, so nothing cancels; it is exact to 1e-16 on [-1, 1].
TANHSHRINK_N = (11486475.0, 810810.0, 12870.0, 44.0)
TANHSHRINK_D = (34459425.0, 16216200.0, 945945.0, 13860.0, 45.0)


def _binary_step_value(x: Tensor) -> Tensor:
    """1 from 0 upwards, 0 below; no gradient reaches what is in front of it."""
    return torch.where(x >= 0, 1.0, torch.where(x < 0, 0.0, x))


def _binary_step_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    return (grad * 0,)


def _hard_sigmoid_value(x: Tensor) -> Tensor:
    """max(0, min(1, (x + 1) / 2)), not torch's F.hardsigmoid. Courbariaux et al. 2015, arXiv 1511.00363."""
    return ((x + 1) / 2).clamp(0, 1)


def _hard_sigmoid_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    return (torch.where(x.abs() < 1, grad / 2, 0.0),)


def _logsigmoid_value(x: Tensor) -> Tensor:
    """log(sigmoid(x)), by torch's own kernel unless fused."""
    return -elementary.softplus(-x)


def _logsigmoid_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    return (grad * elementary.sigmoid(-x),)


def _dsilu_value(x: Tensor) -> Tensor:
    """sigmoid(x) * (1 + x * (1 - sigmoid(x))), the derivative of SiLU. Elfwing et al. 2017, arXiv 1702.03118."""
    u = elementary.exp_below(-x.abs())
    near = x.clamp(-FAR, FAR)
    # sigmoid is 1 / (1 + u) where x > 0 and u / (1 + u) elsewhere. 1 + x is exact near the root, 1 + u is not; and
    # squaring 1 + u would double its rounding.
    return torch.where(x > 0, 1 + u + near * u, u * (1 + near + u)) / (1 + u * (u + 2))


def _dsilu_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    u = elementary.exp_below(-x.abs())
    far = x.abs().clamp(max=FAR)
    square = 1 + u * (u + 2)
    return (grad * (u * ((2 - far) + u * (2 + far)) / (square + u * square)),)


def _softsign_value(x: Tensor) -> Tensor:
    """x / (1 + |x|), by torch's own composite unless fused."""
    near = x.clamp(-LARGE, LARGE)
    return near / (1 + near.abs())


def _softsign_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    return (grad * (1 / (1 + x.abs())).square(),)


def _penalized_tanh_value(x: Tensor) -> Tensor:
    """tanh(x) where x > 0, tanh(x) / 4 elsewhere. Xu, Huang and Li 2016, arXiv 1602.05980."""
    return torch.where(x > 0, 1.0, 0.25) * elementary.tanh(x)


def _penalized_tanh_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    return (grad * torch.where(x > 0, 1.0, 0.25) * elementary.tanh_slope(x),)


def _tanhshrink_value(x: Tensor) -> Tensor:
    """x - tanh(x); torch's own composite, which cancels near 0, unless fused, where nothing does."""
    far = x.abs()
    u = elementary.exp_below(-2 * far)
    inner, near = far < 1, x.clamp(-1, 1)
    square = near * near
    # Lambert's fraction near 0, (x (1 + u) - (1 - u)) / (1 + u) from 1 on
    above = torch.where(
        inner, near * square * elementary.polynomial(TANHSHRINK_N, square), (far - 1) + u * (far.clamp(max=FAR) + 1)
    )
    below = torch.where(inner, elementary.polynomial(TANHSHRINK_D, square), 1 + u)
    return torch.where(inner | (x > 0), above, -above) / below


def _tanhshrink_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    return (grad * elementary.tanh(x).square(),)


def _laplace_value(x: Tensor, *, mu: float = LAPLACE_MU, sigma: float = LAPLACE_SIGMA) -> Tensor:
    """(1 + erf((x - mu) / (sigma sqrt 2))) / 2. Ma et al. 2022 (Mega), arXiv 2209.10655."""
    return elementary.erfc((mu - x) / (sigma * math.sqrt(2))) / 2


def _laplace_vjp(
    grad: Tensor, x: Tensor, *, mu: float = LAPLACE_MU, sigma: float = LAPLACE_SIGMA
) -> tuple[Tensor, ...]:
    z = (mu - x) / (sigma * math.sqrt(2))
    return (grad * (elementary.exp_below(-z * z) / (sigma * math.sqrt(2 * math.pi))),)


def _dyt_value(x: Tensor, alpha: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """gamma * tanh(alpha * x) + beta. Zhu et al. 2025, arXiv 2503.10622."""
    return gamma * elementary.tanh(alpha * x) + beta


def _dyt_vjp(grad: Tensor, x: Tensor, alpha: Tensor, gamma: Tensor, beta: Tensor) -> tuple[Tensor, ...]:
    inner = alpha * x
    slope = grad * gamma * elementary.tanh_slope(inner)
    return slope * alpha, slope * x.clamp(-LARGE, LARGE), grad * elementary.tanh(inner), grad


def _derf_value(x: Tensor, alpha: Tensor, shift: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """gamma * erf(alpha * x + shift) + beta. Chen et al. 2025, arXiv 2512.10938."""
    return gamma * _erf(alpha * x + shift) + beta


def _derf_vjp(grad: Tensor, x: Tensor, alpha: Tensor, shift: Tensor, gamma: Tensor, beta: Tensor) -> tuple[Tensor, ...]:
    inner = alpha * x + shift
    slope = grad * gamma * (2 / math.sqrt(math.pi)) * elementary.exp_below(-inner * inner)
    return slope * alpha, slope * x.clamp(-LARGE, LARGE), slope, grad * _erf(inner), grad


def _erf(x: Tensor) -> Tensor:
    size = elementary.erf(torch.where(x > 0, x, -x))  # abs has no slope at 0, which double backward would miss
    return torch.where(x > 0, size, -size)


binary_step = Pointwise(_binary_step_value, _binary_step_vjp)
hard_sigmoid = Pointwise(_hard_sigmoid_value, _hard_sigmoid_vjp)
logsigmoid = Pointwise(_logsigmoid_value, _logsigmoid_vjp, eager=F.logsigmoid)
dsilu = Pointwise(_dsilu_value, _dsilu_vjp)
softsign = Pointwise(_softsign_value, _softsign_vjp)
penalized_tanh = Pointwise(_penalized_tanh_value, _penalized_tanh_vjp)
tanhshrink = Pointwise(_tanhshrink_value, _tanhshrink_vjp, eager=F.tanhshrink)
laplace = Pointwise(_laplace_value, _laplace_vjp)
dyt = Pointwise(_dyt_value, _dyt_vjp)
derf = Pointwise(_derf_value, _derf_vjp)


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """e^x over its sum along a dimension; torch's own guesses the dimension, by a rule that it deprecates."""
    return torch.softmax(x, dim)


class DyT(Trainable):
    """Dynamic tanh: gamma * tanh(alpha * x) + beta, all three trainable. Zhu et al. 2025, arXiv 2503.10622.

    It was made to replace a normalisation layer, not an activation. alpha is one number, whatever `shape` is;
    gamma starts at 1 and beta at 0, one each a channel (in the paper the last dimension of a transformer).

    Args:
        alpha: initial value.
        shape: of gamma and beta, see `Trainable`.
        fused: see `Trainable`.
    """

    function = dyt

    def __init__(self, alpha: float = 0.5, shape: Sequence[int] = (), fused: bool = False) -> None:
        super().__init__({"alpha": alpha, "gamma": 1.0, "beta": 0.0}, shape, fused)
        self.alpha = nn.Parameter(torch.tensor(float(alpha)))


class Derf(Trainable):
    """Dynamic erf: gamma * erf(alpha * x + shift) + beta, all four trainable. Chen et al. 2025, arXiv 2512.10938.

    It was made to replace a normalisation layer, as `DyT`. alpha and shift are one number each, whatever `shape` is;
    gamma, `weight` in the authors' code, starts at 1 and beta, `bias` there, at 0, one each a channel.

    Args:
        alpha, shift: initial values.
        shape: of gamma and beta, see `Trainable`.
        fused: see `Trainable`.
    """

    function = derf

    def __init__(self, alpha: float = 0.5, shift: float = 0.0, shape: Sequence[int] = (), fused: bool = False) -> None:
        super().__init__({"alpha": alpha, "shift": shift, "gamma": 1.0, "beta": 0.0}, shape, fused)
        self.alpha, self.shift = (nn.Parameter(torch.tensor(float(value))) for value in (alpha, shift))
