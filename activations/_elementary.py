"""exp, log1p, softplus, tanh and erf that compile to fast and exact code: `_elementary.tanh(x)`.

On CPUs the compiler's tanh and log1p take 2 to 3 times as long as its exp, and its erf is off by 1e-7 in float32. In
compiled float32 code these functions are made of exp and polynomials instead; else they are torch's own.

There, clamps and comparisons come after exp. Before it, they may halve the speed: they leave their masks in a register,
by an instruction (vpmovm2d) that on recent Intel CPUs waits until the register's last value is computed, and if that
is the result of the previous numbers, no two steps of the loop overlap.

The polynomials are our minimax fits (least squares with Lawson's weights), given with their relative errors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

# log1p(x) = x + x^2 * (these times 1, x, x^2, ...) on [0, 1], to 8e-10.
LOG1P = (
    -0.499999873,
    0.333326898,
    -0.249885791,
    0.198979324,
    -0.161293371,
    0.124671258,
    -0.0830741176,
    0.0419814031,
    -0.0136315,
    0.0020729515,
)
# tanh(x) = x + x^3 * (these times 1, x^2, x^4, ...) on [0, 5 / 8], to 4e-9. Farther out 1 - e^(-2 x) hardly cancels.
TANH = (-0.333332819, 0.133314422, -0.053739715, 0.0206390872, -0.00570498693)
TANH_NEAR = 0.625
# erf(x) = x + x * (these times 1, x^2, x^4, ...): the Taylor series, whose next term is 1e-9 at x = 1.
ERF_SERIES = tuple(2 / math.sqrt(math.pi) * (-1) ** n / (math.factorial(n) * (2 * n + 1)) - (n == 0) for n in range(10))
# -log(1 - erf(x)) = x + x * (these times 1, x, x^2, ...) on [1, 4], where erf is then right to 4e-10; beyond, it is 1.
ERF_TAIL = (0.12869716, 0.63495831, 0.10654909, -0.024025495, 0.0037646533, -0.00035233046, 1.4133667e-05)


def exp(x: Tensor, most: float) -> Tensor:
    """e^min(x, most)."""
    if _by_torch(x):
        return torch.exp(x.clamp(max=most))
    return torch.exp(x).clamp(max=math.exp(most))


def exp_minus_abs(x: Tensor) -> Tensor:
    """e^-|x|."""
    if _by_torch(x):
        return torch.exp(torch.where(x > 0, -x, x))  # abs has no slope at 0, which double backward would miss
    return torch.exp(-x.abs())


def log1p(x: Tensor) -> Tensor:
    """log(1 + x) of x in [0, 1]."""
    if _by_torch(x):
        return torch.log1p(x)
    return x + x * x * polynomial(LOG1P, x)


def softplus(x: Tensor) -> Tensor:
    """log(1 + e^x)."""
    if _by_torch(x):
        return F.softplus(x, threshold=40.0)  # torch's own threshold of 20 is for float32
    return torch.relu(x) + log1p(torch.exp(-x.abs()))


def tanh(x: Tensor) -> Tensor:
    """tanh(x); shares exp and division with `tanh_slope` where both are compiled into one kernel."""
    if _by_torch(x):
        return torch.tanh(x)
    u = torch.exp(-2 * x.abs())
    near = x.clamp(-TANH_NEAR, TANH_NEAR)
    square = near * near
    series = near + near * square * polynomial(TANH, square)
    far = 1 - 2 * (u / (1 + u))
    return torch.where(x.abs() < TANH_NEAR, series, torch.where(x > 0, far, -far))


def tanh_slope(x: Tensor) -> Tensor:
    """1 - tanh(x)^2 = 4 s (1 - s) with s = sigmoid(-2 |x|), which does not cancel in the tails."""
    u = torch.exp(-2 * x.abs())
    shut = u / (1 + u)
    return 4 * shut * (1 - shut)


def erf(x: Tensor) -> Tensor:
    """erf of x >= 0."""
    if _by_torch(x):
        return torch.erf(x)
    tail = 1 - torch.exp(-(x + x * polynomial(ERF_TAIL, x)))
    near = x.clamp(max=1)
    return torch.where(x < 1, near + near * polynomial(ERF_SERIES, near * near), tail)


def polynomial(coefficients: Sequence[float], x: Tensor) -> Tensor:
    """By Horner's scheme; the constant comes first."""
    *lower, highest = coefficients
    out = torch.full_like(x, highest)
    for coefficient in reversed(lower):
        out = out * x + coefficient
    return out


def _by_torch(x: Tensor) -> bool:
    return x.dtype == torch.float64 or not torch.compiler.is_compiling()
