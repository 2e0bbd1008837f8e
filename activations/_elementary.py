"""exp, sigmoid, log1p, softplus, tanh, erf and the like that compile to fast and exact code: `_elementary.tanh(x)`.

On CPUs the compiler calls a library for exp, log1p, hypot, expm1, tanh and erfc, register by register, and its erf is
off by 1e-7 in float32. By AVX2 they take 0.6, 1.4, 1.6, 1.7, 2.2 and 5.1 ns an element, loading and storing included,
and the exp here takes 0.3. In compiled float32 code all are made of it, of polynomials and of a division, so that
functions of one argument share it; else they are torch's own.

The polynomials are our minimax fits (least squares with Lawson's weights), given with their relative errors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from activations._kernel import compiling

# e^r = 1 + r + r^2 * (these times 1, r, r^2, ...) for |r| <= log(2) / 2, to 1.4e-8 of e^r - 1.
EXP = (0.49999997, 0.166665405, 0.0416672118, 0.00836684648, 0.00138824596)
# Below, e^x is 0: it rounds to 2^-127, whose exponent is that of 0.
LEAST = -88.0
# log(2), whose first 9 bits are taken off exactly.
LOG2_HIGH, LOG2_LOW = 0.693359375, -2.12194440e-4
# Added to a number, it leaves the number rounded, and 127 more, in the last bits.
ROUND = 1.5 * 2**23 + 127
SIGN = -(2**31)
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
# -log(1 - erf(x)) = x + x * (these times 1, x, x^2, ...) on [0, 4], where erf is right to 4e-10; beyond, it is 1.
ERF_ONE = 4.5
ERF = (
    0.128379167,
    0.636619835,
    0.102771277,
    -0.019117695,
    -0.000253060812,
    0.0017993535,
    -0.000740685583,
    0.000167480785,
    -2.13545452e-05,
    1.19329318e-06,
)
# e^(x^2) * erfc(x) = t * (1 + s * (these times 1, s, s^2, ...)) with t = 2 / (2 + x), s = 1 - t on [0, 9.4], to 3.3e-9;
# beyond, erfc is 0.
ERFC_ZERO = 10.0
ERFC = (
    -1.25675888,
    0.486512752,
    0.21114861,
    -0.0939343752,
    -0.1206909,
    0.0841040409,
    -0.158745691,
    0.253622595,
    -0.156501747,
    0.0333293635,
)
# Of v = e^x - 1/2, x <= 0: erf(softplus(x)) = e^x * (1 + these times 1, v, v^2, ...), to 3e-8.
ERF_SOFTPLUS_BELOW = (
    -0.132728472,
    -0.458119363,
    0.145732969,
    0.000743906305,
    -0.0413784571,
    0.0379853919,
    -0.024662992,
    0.014169381,
    -0.00589282578,
)
# Of x in [0, 4.5]: -log(erfc(softplus(x))), so that erf is right to 2e-8; beyond, it is 1.
ERF_SOFTPLUS_ONE = 4.5
ERF_SOFTPLUS_ABOVE = (
    1.11792135,
    1.06726801,
    0.46647796,
    0.106743149,
    0.00584184285,
    -0.00355862128,
    -0.000876987586,
    0.000448366947,
    -4.89429331e-05,
)
# Of the same v: e^(-softplus(x)^2) * sigmoid(x) = e^x * (these times 1, v, v^2, ...), to 7e-8.
BELL_SOFTPLUS_BELOW = (
    0.565600634,
    -0.682842255,
    0.388430089,
    -0.0707593784,
    -0.0988118351,
    0.137468129,
    -0.111862749,
    0.0725085586,
    -0.0406415462,
    0.0150948633,
)
# Of the same x: e^(-softplus(x)^2) * sigmoid(x) / erfc(softplus(x)), to what moves x times the product by 1.3e-8.
BELL_SOFTPLUS_ABOVE = (
    0.945842922,
    0.826779008,
    0.284013957,
    0.0201111082,
    -0.0150976097,
    -0.00474392856,
    0.00230589625,
    7.50555482e-05,
    -0.000144064354,
    1.78097598e-05,
)
# From here on tanh is more than a half.
TANH_NEAR = 0.55
# The square of more would be infinite.
ROOTABLE = 1e18


def exp(x: Tensor, most: float) -> Tensor:
    """e^min(x, most), most being 88 or less."""
    if _by_torch(x):
        return torch.exp(x.clamp(max=most))
    return _exp(x.clamp(LEAST, most))


def exp_below(x: Tensor) -> Tensor:
    """e^x of x <= 0."""
    return torch.exp(x) if _by_torch(x) else _exp(x.clamp(min=LEAST))


def exp_minus_abs(x: Tensor) -> Tensor:
    """e^-|x|."""
    if _by_torch(x):
        return torch.exp(torch.where(x > 0, -x, x))  # abs has no slope at 0, which double backward would miss
    return exp_below(-x.abs())


def expm1_below(x: Tensor) -> Tensor:
    """e^x - 1 of x <= 0."""
    if _by_torch(x) or x.device.type != "cpu":
        return torch.expm1(x)
    power, rest = _powers(x.clamp(min=LEAST))
    return (power - 1) + power * rest


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + e^-x)."""
    if _by_torch(x):
        return torch.sigmoid(x)
    u = exp_minus_abs(x)
    return torch.where(x > 0, 1.0, u) / (1 + u)


def sigmoids(x: Tensor) -> tuple[Tensor, Tensor]:
    """sigmoid(x) and sigmoid(-x), neither of which cancels."""
    if _by_torch(x):
        return torch.sigmoid(x), torch.sigmoid(-x)
    u = exp_minus_abs(x)
    large = 1 / (1 + u)
    small = u * large
    return torch.where(x > 0, large, small), torch.where(x > 0, small, large)


def log1p(x: Tensor) -> Tensor:
    """log(1 + x) of x in [0, 1]."""
    if _by_torch(x):
        return torch.log1p(x)
    return x + x * x * polynomial(LOG1P, x)


def softplus(x: Tensor) -> Tensor:
    """log(1 + e^x)."""
    if _by_torch(x):
        return F.softplus(x, threshold=40.0)  # torch's own threshold of 20 is for float32
    return torch.relu(x) + log1p(exp_minus_abs(x))


def tanh(x: Tensor) -> Tensor:
    """tanh(x); shares exp with `tanh_slope` where both are compiled into one kernel."""
    if _by_torch(x):
        return torch.tanh(x)
    near = x.abs() < TANH_NEAR
    u, fall = exp_below(-2 * x.abs()), expm1_below(-2 * x.abs())
    # (1 - u) / (1 + u) near 0, 1 - 2 u / (1 + u) farther out, where the rounding of the quotient hardly counts
    quotient = torch.where(near, fall, 2 * u) / (1 + u)
    size = torch.where(near, -quotient, 1 - quotient)
    return (size.view(torch.int32) | x.view(torch.int32) & SIGN).view(torch.float32)


def tanh_slope(x: Tensor) -> Tensor:
    """1 - tanh(x)^2 = 4 s (1 - s) with s = sigmoid(-2 |x|), which does not cancel in the tails."""
    u = exp_below(-2 * x.abs())
    shut = u / (1 + u)
    return 4 * shut * (1 - shut)


def erf(x: Tensor) -> Tensor:
    """erf of x >= 0."""
    if _by_torch(x):
        return torch.erf(x)
    near = x.clamp(max=ERF_ONE)
    return -expm1_below(-(near + near * polynomial(ERF, near)))


def erf_softplus(x: Tensor) -> Tensor:
    """erf(log(1 + e^x)); shares its one exp with `bell_softplus`."""
    if _by_torch(x):
        return torch.erf(softplus(x))
    power, _ = _erf_softplus_terms(x)
    return torch.where(x > 0, 1 - power, power + power * polynomial(ERF_SOFTPLUS_BELOW, power - 0.5))


def bell_softplus(x: Tensor) -> Tensor:
    """e^(-softplus(x)^2) * sigmoid(x), sqrt(pi) / 2 of the slope of `erf_softplus`, beside which it vanishes above."""
    if _by_torch(x):
        size = softplus(x)
        return exp_below(-size * size) * sigmoid(x)
    power, near = _erf_softplus_terms(x)
    shape = torch.where(x > 0, polynomial(BELL_SOFTPLUS_ABOVE, near), polynomial(BELL_SOFTPLUS_BELOW, power - 0.5))
    return torch.where(x > ERF_SOFTPLUS_ONE, 0.0, power * shape)


def erfc(x: Tensor) -> Tensor:
    """1 - erf(x)."""
    if _by_torch(x):
        return torch.erfc(x)
    half = 0.5 * x.abs().clamp(max=ERFC_ZERO)
    t = 1 / (1 + half)
    s = half * t
    small = exp_below(-x * x) * (t * (1 + s * polynomial(ERFC, s)))
    return torch.where(x > 0, small, 2 - small)


def hypot(x: Tensor, other: float) -> Tensor:
    """sqrt(x^2 + other^2)."""
    if _by_torch(x):
        return torch.hypot(x, x.new_full((), other))
    size = x.abs()
    near = size.clamp(max=ROOTABLE)
    return torch.maximum(size, torch.sqrt(near * near + other * other))


def polynomial(coefficients: Sequence[float], x: Tensor) -> Tensor:
    """The constant comes first; by Horner's scheme, or by Estrin's, whose steps wait less for each other."""
    if not _by_torch(x):
        terms: list[Any] = list(coefficients)
        power = x
        while len(terms) > 1:
            pairs = [low + power * high for low, high in zip(terms[::2], terms[1::2], strict=False)]
            terms = [*pairs, *terms[2 * len(pairs) :]]
            power = power * power
        found: Tensor = terms[0]
        return found
    *lower, highest = coefficients
    out = torch.full_like(x, highest)
    for coefficient in reversed(lower):
        out = out * x + coefficient
    return out


def _erf_softplus_terms(x: Tensor) -> tuple[Tensor, Tensor]:
    """erfc(softplus(x)) where x > 0, else e^x; and x, where there is more to know of it."""
    near = x.clamp(max=ERF_SOFTPLUS_ONE)
    return exp_below(torch.where(x > 0, -polynomial(ERF_SOFTPLUS_ABOVE, near), near)), near


def _exp(x: Tensor) -> Tensor:
    """e^x of x in [LEAST, 88]."""
    if x.device.type != "cpu":
        return torch.exp(x)
    power, rest = _powers(x)
    return power + power * rest


def _powers(x: Tensor) -> tuple[Tensor, Tensor]:
    """2^n and e^r - 1, where x = n log(2) + r."""
    rounded = x * (1 / math.log(2)) + ROUND
    n = rounded - ROUND
    r = (x - n * LOG2_HIGH) - n * LOG2_LOW
    return (rounded.view(torch.int32) << 23).view(torch.float32), r + r * r * polynomial(EXP, r)


def _by_torch(x: Tensor) -> bool:
    return x.dtype == torch.float64 or not compiling()
