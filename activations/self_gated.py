"""x times a gate that looks at x, in torch: `activations.build("mish", fused=True)`."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import activations._elementary as elementary
from activations._modules import Elementwise, Trainable
from activations.pointwise import Pointwise

# Farther out every gate is 0 or 1 in float64 too. Clamping x there spares the products 0 * inf.
FAR = 800.0

# Of the tanh approximation of GELU, as 2 * (tanh's argument) = x * (LINEAR + CUBIC * x^2); arXiv 1606.08415.
LINEAR = 2 * math.sqrt(2 / math.pi)
CUBIC = 0.044715 * LINEAR
# tanh(e^6) is 1, and its slope 0, in float64.
TELU_FAR = 6.0
# exp(-e^7) is 0 in float64. What vanishes beside e^-|x|, and is finite in float32 when multiplied by e^7.
GOLU_MOST, GOLU_FAR = 7.0, 1e30


def _mish_value(x: Tensor) -> Tensor:
    """x * tanh(softplus(x)). Misra 2019, arXiv 1908.08681."""
    numerator, rest, _ = _mish_terms(x)
    return x.clamp(min=-FAR) * (numerator / (numerator + rest))


def _mish_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    numerator, rest, u = _mish_terms(x)
    denominator = numerator + rest
    sigmoid = torch.where(x > 0, 1.0, u) / (1 + u)
    # 1 - tanh^2 = (denominator^2 - numerator^2) / denominator^2, without the cancellation
    slope = x.clamp(-FAR, FAR) * sigmoid * rest * (denominator + numerator) / (denominator * denominator)
    return (grad * (numerator / denominator + slope),)


def _mish_terms(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """tanh(log(1 + e^x)) = numerator / (numerator + rest), in u = e^-|x|: no overflow, no cancellation."""
    u = elementary.exp_minus_abs(x)
    return torch.where(x > 0, 1 + 2 * u, u * (u + 2)), torch.where(x > 0, 2 * u * u, 2.0), u


def _shifted_gelu_value(x: Tensor, *, mu: float = 0.0, sigma: float = 1.0) -> Tensor:
    """x * Phi((x - mu) / sigma), Phi the normal distribution function. arXiv 1606.08415."""
    # From 40 deviations on, Phi is 0 or 1 in float64 too.
    return 0.5 * x.clamp(min=mu - 40 * sigma) * elementary.erfc((mu - x) / (sigma * math.sqrt(2)))


def _shifted_gelu_vjp(grad: Tensor, x: Tensor, *, mu: float = 0.0, sigma: float = 1.0) -> tuple[Tensor, ...]:
    near = x.clamp(mu - 40 * sigma, mu + 40 * sigma)
    z = (mu - near) / (sigma * math.sqrt(2))
    density = elementary.exp_below(-z * z) / (sigma * math.sqrt(2 * math.pi))
    return (grad * (0.5 * elementary.erfc(z) + near * density),)


def _gelu_10_value(x: Tensor) -> Tensor:
    """x * Phi(x), at most 10 (and at least -10, which it never is). transformers' ClippedGELUActivation."""
    return _shifted_gelu_value(x).clamp(max=10)


def _gelu_10_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    return _shifted_gelu_vjp(torch.where(x < 10, grad, 0.0), x)


def _gelu_tanh_value(x: Tensor) -> Tensor:
    """x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))). arXiv 1606.08415."""
    # (1 + tanh(z)) / 2 = sigmoid(2 z), which does not cancel; from -30 on it is 0 in float64 too.
    near = x.clamp(-30.0, 30.0)
    return x.clamp(min=-30.0) * elementary.sigmoid(near * (LINEAR + CUBIC * near * near))


def _gelu_tanh_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    near = x.clamp(-30.0, 30.0)
    square = near * near
    z = near * (LINEAR + CUBIC * square)
    gate, shut = elementary.sigmoids(z)
    return (grad * (gate + near * (LINEAR + 3 * CUBIC * square) * gate * shut),)


def _gelu_sigmoid_value(x: Tensor) -> Tensor:
    """x * sigmoid(1.702 x). arXiv 1606.08415."""
    return x.clamp(min=-FAR) * elementary.sigmoid(1.702 * x)


def _gelu_sigmoid_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    z = 1.702 * x.clamp(-FAR, FAR)
    gate, shut = elementary.sigmoids(z)
    return (grad * (gate + z * gate * shut),)


def _swish_beta_value(x: Tensor, beta: Tensor) -> Tensor:
    """x * sigmoid(beta * x)."""
    gate = elementary.sigmoid(beta * x)
    return torch.where(gate == 0, gate, x * gate)  # beta may be small or negative: x cannot be clamped


def _swish_beta_vjp(grad: Tensor, x: Tensor, beta: Tensor) -> tuple[Tensor, ...]:
    z = beta * x
    gate, shut = elementary.sigmoids(z)
    spread = gate * shut
    return grad * (gate + z.clamp(-FAR, FAR) * spread), grad * (x * (x * spread))


def _serf_value(x: Tensor) -> Tensor:
    """x * erf(softplus(x)). Nag et al. 2021, arXiv 2108.09598."""
    return x.clamp(min=-FAR) * elementary.erf_softplus(x)


def _serf_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    slope = 2 / math.sqrt(math.pi) * x.clamp(-FAR, FAR) * elementary.bell_softplus(x)
    return (grad * (elementary.erf_softplus(x) + slope),)


def _logish_value(x: Tensor) -> Tensor:
    """x * log(1 + sigmoid(x)). Zhu et al. 2021, Neurocomputing."""
    gate, _ = _logish_terms(x)
    return x.clamp(min=-FAR) * gate


def _logish_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    gate, u = _logish_terms(x)
    slope = u / ((1 + u) * torch.where(x > 0, 2 + u, 1 + 2 * u))
    return (grad * (gate + x.clamp(-FAR, FAR) * slope),)


def _logish_terms(x: Tensor) -> tuple[Tensor, Tensor]:
    """log(1 + sigmoid(x)), as log(2) - log(1 + u / (2 + u)) where x > 0, and u = e^-|x|."""
    u = elementary.exp_minus_abs(x)
    ratio = u / torch.where(x > 0, 2 + u, 1 + u)
    log = elementary.log1p(torch.where(x > 0, ratio, u - u * ratio))  # u / (1 + u), with a smaller rounding error
    return torch.where(x > 0, math.log(2) - log, log), u


def _telu_value(x: Tensor) -> Tensor:
    """x * tanh(e^x). Fernandez and Mali 2024, arXiv 2412.20269; TanhExp of Liu and Di 2020, arXiv 2003.09855."""
    gate = elementary.tanh(elementary.exp(x, TELU_FAR))
    return x.clamp(min=-FAR) * gate


def _telu_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    power = elementary.exp(x, TELU_FAR)
    gate, slope = elementary.tanh(power), power * elementary.tanh_slope(power)
    return (grad * (gate + x.clamp(-FAR, FAR) * slope),)


def _hard_mish_value(x: Tensor) -> Tensor:
    """x / 2 * max(0, min(2, x + 2)). timm's hard_mish, after notes of Misra, github.com/digantamisra98/H-Mish."""
    return x.clamp(min=-2) * ((x + 2).clamp(0, 2) / 2)


def _hard_mish_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    return (grad * torch.where(x > -2, x.clamp(max=0) + 1, 0.0),)


def _golu_value(x: Tensor, *, alpha: float = 1.0, beta: float = 1.0, gamma: float = 1.0) -> Tensor:
    """x * alpha * exp(-beta * exp(-gamma * x)), gated by a Gompertz function. Das et al. 2025, arXiv 2502.03654."""
    gate = alpha * elementary.exp_below(-_golu_exponent(x, beta, gamma))
    return torch.where(gate == 0, gate, x * gate)


def _golu_vjp(
    grad: Tensor, x: Tensor, *, alpha: float = 1.0, beta: float = 1.0, gamma: float = 1.0
) -> tuple[Tensor, ...]:
    exponent = _golu_exponent(x, beta, gamma)
    bend = gamma * x.clamp(-GOLU_FAR, GOLU_FAR) * exponent
    return (grad * (alpha * elementary.exp_below(-exponent) * (1 + bend)),)


def _golu_exponent(x: Tensor, beta: float, gamma: float) -> Tensor:
    """beta * e^(-gamma * x)."""
    return elementary.exp(math.log(beta) - gamma * x, GOLU_MOST)


mish = Pointwise(_mish_value, _mish_vjp, eager=F.mish)
shifted_gelu = Pointwise(_shifted_gelu_value, _shifted_gelu_vjp)
gelu_tanh = Pointwise(_gelu_tanh_value, _gelu_tanh_vjp, eager=functools.partial(F.gelu, approximate="tanh"))
gelu_10 = Pointwise(_gelu_10_value, _gelu_10_vjp)
gelu_sigmoid = Pointwise(_gelu_sigmoid_value, _gelu_sigmoid_vjp)
swish_beta = Pointwise(_swish_beta_value, _swish_beta_vjp)
serf = Pointwise(_serf_value, _serf_vjp)
logish = Pointwise(_logish_value, _logish_vjp)
telu = Pointwise(_telu_value, _telu_vjp)
hard_mish = Pointwise(_hard_mish_value, _hard_mish_vjp)
golu = Pointwise(_golu_value, _golu_vjp)


def gelu(x: Tensor, *, mu: float = 0.0, sigma: float = 1.0, fused: bool = False) -> Tensor:
    """x * Phi((x - mu) / sigma); for mu = 0, sigma = 1 by torch's own kernel, fused or not.

    Args:
        x: floating point, any shape.
        mu, sigma: mean and standard deviation of the normal distribution, sigma > 0; towards 0 it becomes ReLU
            where mu = 0.
        fused: see `activations.fused`.
    """
    return F.gelu(x) if (mu, sigma) == (0, 1) else shifted_gelu(x, fused=fused, mu=mu, sigma=sigma)


def gelu_module(mu: float = 0.0, sigma: float = 1.0, fused: bool = False) -> nn.Module:
    """`gelu` as a module: torch's own for mu = 0, sigma = 1."""
    return nn.GELU() if (mu, sigma) == (0, 1) else Elementwise(shifted_gelu, fused, mu=mu, sigma=sigma)


class SwishBeta(Trainable):
    """x * sigmoid(beta * x) with a trainable beta. Ramachandran et al. 2017, arXiv 1710.05941.

    An early version of the paper has a factor 2 in front, and this one without it as Swish-beta.

    Args:
        beta: initial value; 1, that is SiLU, is a convention: the paper gives none.
        shape, fused: see `Trainable`.
    """

    function = swish_beta

    def __init__(self, beta: float = 1.0, shape: Sequence[int] = (), fused: bool = False) -> None:
        super().__init__({"beta": beta}, shape, fused)
