"""What each activation should compute, in float64: `reference.elu(numpy.linspace(-3, 3))`.

One function a registered name, written from the source's formula in a form that neither overflows nor
cancels, and independently of the torch code that it judges. Trainable parameters are keyword arguments.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Array = NDArray[np.float64]


def _float64(x: ArrayLike) -> Array:
    array: Array = np.asarray(x, dtype=np.float64)
    return array


def sigmoid(x: ArrayLike) -> Array:
    return np.asarray(special.expit(_float64(x)))


def tanh(x: ArrayLike) -> Array:
    return np.tanh(_float64(x))


def relu(x: ArrayLike) -> Array:
    return np.maximum(_float64(x), 0.0)


def leaky_relu(x: ArrayLike, negative_slope: float = 0.01) -> Array:
    x = _float64(x)
    return np.asarray(np.where(x > 0, x, negative_slope * x))


def elu(x: ArrayLike, alpha: float = 1.0) -> Array:
    x = _float64(x)
    return np.asarray(np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0))))


def selu(x: ArrayLike) -> Array:
    # The fixed-point constants of arXiv 1706.02515, to float64.
    scale, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
    return np.asarray(scale * elu(x, alpha=alpha))


def gelu(x: ArrayLike) -> Array:
    x = _float64(x)
    return np.asarray(0.5 * x * special.erfc(-x / np.sqrt(2.0)))  # 1 + erf would cancel for x << 0


def silu(x: ArrayLike) -> Array:
    return _float64(x) * sigmoid(x)


def mish(x: ArrayLike) -> Array:
    x = _float64(x)
    # tanh(log(1 + e^x)) as a ratio of polynomials in e^-|x|: no overflow, and no cancellation for x << 0.
    u = np.exp(-np.abs(x))
    negative = (u * u + 2 * u) / (u * u + 2 * u + 2)
    positive = (1 + 2 * u) / (1 + 2 * u + 2 * u * u)
    return np.asarray(x * np.where(x > 0, positive, negative))


def prelu(x: ArrayLike, weight: float = 0.25) -> Array:
    return leaky_relu(x, negative_slope=weight)


def apl(x: ArrayLike, a: ArrayLike = (0.2, -0.1), b: ArrayLike = (0.5, -0.5)) -> Array:
    x = _float64(x)
    hinges = zip(_float64(a), _float64(b), strict=True)
    return np.asarray(relu(x) + sum(slope * np.maximum(hinge - x, 0.0) for slope, hinge in hinges))


def tact(x: ArrayLike, alpha: float = 0.25, beta: float = 0.25) -> Array:
    x = _float64(x)
    return (alpha * x + 1 - alpha) * sigmoid((1 + beta) * x)


def mtact(x: ArrayLike, alpha: float = 0.25, beta: float = 0.25) -> Array:
    return tact(x, alpha=alpha**2, beta=beta**2)
