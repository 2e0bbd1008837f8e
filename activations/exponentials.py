"""The exponential linear units that torch lacks: `activations.build("pelu")`, `activations.build("xielu")`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

import activations._elementary as elementary
from activations._modules import Trainable
from activations.pointwise import Pointwise, summed
from activations.self_gated import FAR

# Authors' code (ltrottier/pelu.resnet.torch): a or b is reset to 0.11 when it is 0.1 or less.
PELU_LEAST = 0.1
# Fixed, not trained, in transformers' XIELUActivation.
XIELU_BETA = 0.5


def _pelu_value(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """(a / b) * x where x > 0, a * (exp(x / b) - 1) elsewhere; a and b count as 0.1 where they are less.

    Trottier, Giguere and Chaib-draa 2016, arXiv 1605.09332.
    """
    a, b = a.clamp(min=PELU_LEAST), b.clamp(min=PELU_LEAST)
    inner = x / b
    return a * torch.where(x > 0, inner, elementary.expm1_below(inner.clamp(max=0)))


def _pelu_vjp(grad: Tensor, x: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    least_a, least_b = a.clamp(min=PELU_LEAST), b.clamp(min=PELU_LEAST)
    inner = x / least_b
    low = inner.clamp(max=0)
    scaled = grad * (least_a / least_b)
    slope = scaled * elementary.exp_below(low)
    grad_a = grad * torch.where(x > 0, inner, elementary.expm1_below(low))
    return slope, _if_free(grad_a, a), _if_free(-slope * inner.clamp(min=-FAR), b)


def _if_free(grad: Tensor, parameter: Tensor) -> Tensor:
    """The gradient of a clamped parameter; below the clamp only what raises it, or it would stay there for good."""
    total = summed(grad, parameter.shape)
    return torch.where((parameter > PELU_LEAST) | (total < 0), total, 0.0)


def _elish_value(x: Tensor) -> Tensor:
    """x * sigmoid(x) where x > 0, (exp(x) - 1) * sigmoid(x) elsewhere. Basirat and Roth 2018, arXiv 1808.00783."""
    return torch.where(x > 0, x, elementary.expm1_below(x.clamp(max=0))) * elementary.sigmoid(x)


def _elish_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    near = x.clamp(max=FAR)
    u = elementary.exp_below(torch.where(x > 0, -near, near))
    slope = torch.where(x > 0, 1 + u + near * u, u * (u * u + (2 * u - 1))) / (1 + u).square()
    return (grad * slope,)


def _hard_elish_value(x: Tensor) -> Tensor:
    """x * h where x > 0, (exp(x) - 1) * h elsewhere, h = max(0, min(1, (x + 1) / 2)). Basirat and Roth 2018."""
    return torch.where(x > 0, x, elementary.expm1_below(x.clamp(max=0))) * ((x + 1) / 2).clamp(0, 1)


def _hard_elish_vjp(grad: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    near = x.clamp(-1, 1)
    above, bend = near + 1, elementary.expm1_below(torch.where(x > 0, 0.0, near))
    inside = torch.where(x > 0, near + 0.5, ((above + bend) + above * bend) / 2)
    return (grad * torch.where(x.abs() < 1, inside, torch.where(x > 0, 1.0, 0.0)),)


def _xielu_value(x: Tensor, alpha_p: Tensor, alpha_n: Tensor) -> Tensor:
    """a_p * x^2 + x / 2 where x > 0, a_n * (exp(x) - 1 - x) + x / 2 elsewhere; exactly 0 at 0.

    a_p = softplus(alpha_p), a_n = 1/2 + softplus(alpha_n). Huang and Schlag 2024, arXiv 2411.13010.
    """
    rise, fall = -F.logsigmoid(-alpha_p), -F.logsigmoid(-alpha_n)
    right, left = x.clamp(min=0), x.clamp(max=0)
    bend = elementary.expm1_below(left)
    return right * (rise * right + XIELU_BETA) + (XIELU_BETA * bend + fall * (bend - left))


def _xielu_vjp(grad: Tensor, x: Tensor, alpha_p: Tensor, alpha_n: Tensor) -> tuple[Tensor, ...]:
    rise, fall = -F.logsigmoid(-alpha_p), -F.logsigmoid(-alpha_n)
    # By where, not clamp: at 0 clamp passes no gradient, and the second derivative would be that of neither side.
    right, left = torch.relu(x), torch.where(x > 0, 0.0, x)
    bend = elementary.expm1_below(left)
    return (
        grad * (2 * rise * right + (XIELU_BETA + (XIELU_BETA + fall) * bend)),
        grad * right.square() * torch.sigmoid(alpha_p),
        grad * (bend - left) * torch.sigmoid(alpha_n),
    )


pelu = Pointwise(_pelu_value, _pelu_vjp)
elish = Pointwise(_elish_value, _elish_vjp)
hard_elish = Pointwise(_hard_elish_value, _hard_elish_vjp)
xielu = Pointwise(_xielu_value, _xielu_vjp)


class PELU(Trainable):
    """(a / b) * x where x > 0, a * (exp(x / b) - 1) elsewhere, with trainable positive a and b.

    Trottier, Giguere and Chaib-draa 2016, arXiv 1605.09332. The authors' code resets a and b to 0.11 when they are
    0.1 or less; here the formula takes them as 0.1 then, and only a gradient that raises them passes.

    Args:
        a, b: initial values; at 1 the function is ELU.
        shape, fused: see `Trainable`.
    """

    function = pelu

    def __init__(self, a: float = 1.0, b: float = 1.0, shape: Sequence[int] = (), fused: bool = False) -> None:
        super().__init__({"a": a, "b": b}, shape, fused)


class XIELU(Trainable):
    """a_p * x^2 + x / 2 where x > 0, a_n * (exp(x) - 1 - x) + x / 2 elsewhere, with trainable a_p and a_n.

    Huang and Schlag 2024, arXiv 2411.13010. As in transformers the parameters are kept in raw form, which keeps
    them positive: a_p = softplus(alpha_p), a_n = 1/2 + softplus(alpha_n).

    Args:
        alpha_p_init, alpha_n_init: initial a_p (above 0) and a_n (above 1/2).
        shape, fused: see `Trainable`.
    """

    function = xielu

    def __init__(
        self,
        alpha_p_init: float = 0.8,
        alpha_n_init: float = 0.8,
        shape: Sequence[int] = (),
        fused: bool = False,
    ) -> None:
        super().__init__(
            {"alpha_p": _inverse_softplus(alpha_p_init), "alpha_n": _inverse_softplus(alpha_n_init - XIELU_BETA)},
            shape,
            fused,
        )


def _inverse_softplus(y: float) -> float:
    return y + math.log(-math.expm1(-y))
