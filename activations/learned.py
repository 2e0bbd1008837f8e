"""Functions whose very shape is learned: `activations.build("pau")`, `activations.build("hyperactivation")`.

In the paper all hyperactivations of a network share one hypernetwork, and differ by their embeddings:

    at_site = activations.per_site("hyperactivation")
    first, second = at_site((128,)), at_site((128,))
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from activations._catalogue.learned import GR_KAN_DENOMINATOR, GR_KAN_NUMERATOR, PAU_DENOMINATOR, PAU_NUMERATOR
from activations._kernel import once
from activations._modules import Trainable
from activations.pointwise import Pointwise, opmath, summed

Version: TypeAlias = Literal["A", "B"]
Fit: TypeAlias = Literal["gelu", "swish"]
Tensors: TypeAlias = Sequence[Tensor]


def _pau_value(x: Tensor, *coefficients: Tensor, version: Version = "A") -> Tensor:
    """P(x) / Q(x), P = a_0 + ... + a_5 x^5 and Q = 1 + |b_1 x| + ... + |b_4 x^4|; arguments a_0 to a_5, b_1 to b_4.

    Version B has Q = 1 + |b_1 x + ... + b_4 x^4|. Molina, Schramowski and Kersting 2019, arXiv 1907.06732.
    """
    _, _, scale, _, _, numerator, denominator = _pau_terms(x, coefficients, version)
    return scale * (numerator / denominator)


def _pau_vjp(grad: Tensor, x: Tensor, *coefficients: Tensor, version: Version = "A") -> tuple[Tensor, ...]:
    a, b = coefficients[:6], coefficients[6:]
    y, w, scale, powers, signs, numerator, denominator = _pau_terms(x, coefficients, version)
    ratio = numerator / denominator
    rise = _dot([once(k * a[k]) for k in range(1, 6)], powers)
    bend = _dot([once(k * b[k - 1]) * signs[k - 1] for k in range(1, 5)], (w * w * w, w * w * y, w * y * y, y * y * y))
    over = grad / denominator
    return (
        over * (rise - ratio * bend),
        *(summed(over * power, one.shape) for one, power in zip(a[:5], powers, strict=True)),
        summed(over * powers[4] * x, a[5].shape),
        *(summed(over * s * p * (scale * -ratio), one.shape) for one, s, p in zip(b, signs, powers[1:], strict=True)),
    )


def _pau_terms(
    x: Tensor, coefficients: Tensors, version: Version
) -> tuple[Tensor, Tensor, Tensor, Tensors, Tensors, Tensor, Tensor]:
    """y, w, scale, powers, signs, numerator and denominator, where P(x) / Q(x) = scale * numerator / denominator.

    x^5 overflows in float32 from 5e7 on, hence powers[k] = y^k w^(4 - k) = x^k / scale^4 in the terms of `_scaled`.
    `signs` are those of what stands between the bars of Q.
    """
    a, b = coefficients[:6], coefficients[6:]
    y, w, scale = _scaled(x)
    yy, yw, ww = y * y, y * w, w * w
    powers = (ww * ww, ww * yw, ww * yy, yw * yy, yy * yy)
    if version == "A":
        side = torch.where(x < 0, -1.0, 1.0).to(x.dtype)  # so that in 0 the derivative is the one on the right
        signs = [once(one.sign()) * (side if k % 2 else 1) for k, one in enumerate(b, 1)]
    else:
        signs = [torch.where(_dot(b, powers[1:]) < 0, -1.0, 1.0).to(x.dtype)] * 4
    numerator = torch.addcmul(w * _dot(a[:5], powers), a[5], y * powers[4])
    denominator = powers[0] + _dot([one * sign for one, sign in zip(b, signs, strict=True)], powers[1:])
    return y, w, scale, powers, signs, numerator, denominator


def _scaled(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """y, w and scale = max(1, |x|), where x = y * scale = y / w: numbers up to 1, one of y and w being ±1."""
    far = x.abs() > 1
    scale = torch.where(far, x.abs(), 1.0)
    return torch.where(far, x.sign(), x), 1 / scale, scale


def _dot(weights: Tensors, terms: Tensors) -> Tensor:
    total = weights[0] * terms[0]
    for weight, term in zip(weights[1:], terms[1:], strict=True):
        total = torch.addcmul(total, weight, term)
    return total


def _hyperactivation_value(x: Tensor, *weights: Tensor) -> Tensor:
    """sum over j of w2_j * max(0, w1_j * x + b1_j), plus b2; first all w1, then all b1, all w2, and b2."""
    w1, b1, w2, b2 = _split(weights)
    # max(0, w x + b) = scale * max(0, w x / scale + b / scale), which is finite as long as the result is.
    y, w, scale = _scaled(x)
    total = torch.zeros_like(x)
    for slope, bias, weight in zip(w1, b1, w2, strict=True):
        total = torch.addcmul(total, weight, torch.addcmul(bias * w, slope, y).clamp(min=0))
    return torch.where(total == 0, total, scale * total) + b2


def _hyperactivation_vjp(grad: Tensor, x: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
    w1, b1, w2, b2 = _split(weights)
    grad_x = torch.zeros_like(grad)
    by_w1, by_b1, by_w2 = [], [], []
    for w, b, v in zip(w1, b1, w2, strict=True):
        before = torch.addcmul(b, w, x)
        active = grad * (before > 0)
        grad_x = torch.addcmul(grad_x, w * v, active)
        by_w1.append(v * summed(active * x, w.shape))
        by_b1.append(v * summed(active, b.shape))
        by_w2.append(summed(active * before.clamp(min=0), v.shape))
    return grad_x, *by_w1, *by_b1, *by_w2, summed(grad, b2.shape)


def _split(weights: Tensors) -> tuple[Tensors, Tensors, Tensors, Tensor]:
    hidden = len(weights) // 3
    return weights[:hidden], weights[hidden : 2 * hidden], weights[2 * hidden : 3 * hidden], weights[-1]


pau = Pointwise(_pau_value, _pau_vjp)
hyperactivation = Pointwise(_hyperactivation_value, _hyperactivation_vjp)


class PAU(Trainable):
    """Padé activation unit: P(x) / Q(x), P of degree 5 and Q, which has no root, of degree 4, coefficients trainable.

    Molina, Schramowski and Kersting 2019, arXiv 1907.06732, and their rational_activations: one set a layer, starting
    from its fits on [-3, 3].

    Args:
        version: `A` has Q = 1 + |b_1 x| + ... + |b_4 x^4| and starts from leaky_relu, as that code does by default;
            `B`, the safe PAU of the paper, has Q = 1 + |b_1 x + ... + b_4 x^4| and starts from swish.
        shape, fused: see `Trainable`.
    """

    numerator: nn.Parameter
    denominator: nn.Parameter

    def __init__(self, version: Version = "A", shape: Sequence[int] = (), fused: bool = False) -> None:
        super().__init__({"numerator": PAU_NUMERATOR[version], "denominator": PAU_DENOMINATOR[version]}, shape, fused)
        self.version = version

    def forward(self, x: Tensor) -> Tensor:
        coefficients = (*self.numerator.unbind(), *self.denominator.unbind())
        return pau(x, *coefficients, version=self.version, fused=self.fused)


class GRKAN(Trainable):
    """Group rational activation: P(x) / Q(x) as version A of `PAU`, with one Q for each group of channels.

    Yang and Wang 2024 (Kolmogorov-Arnold transformer), arXiv 2409.10594, and github.com/Adamdad/rational_kat_cu. The
    numerator is one for all, the denominator one a group of neighbouring channels. As in the authors' kernels; their
    torch reference leaves the signs of x in Q, which then has roots.

    Args:
        init: which of the authors' fits it starts from, `gelu` or `swish`; only swish is met (see the record's notes).
        num_groups: of channels; as many as divide both it and the number of channels.
        shape: of the denominators before they are shared: its first dimension above 1 is that of the channels.
        fused: see `Trainable`.
    """

    numerator: nn.Parameter
    denominator: nn.Parameter

    def __init__(self, init: Fit = "gelu", num_groups: int = 8, shape: Sequence[int] = (), fused: bool = False) -> None:
        super().__init__({"numerator": GR_KAN_NUMERATOR[init], "denominator": GR_KAN_DENOMINATOR[init]}, (), fused)
        self.dim = next((dim for dim, size in enumerate(shape) if size > 1), 0)
        channels = shape[self.dim] if shape else 1
        groups = math.gcd(num_groups, channels)
        self.channels_per_group = channels // groups
        grouped = [groups if dim == self.dim else size for dim, size in enumerate(shape)]
        self.denominator = nn.Parameter(torch.empty(4, *grouped))
        self.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        below = [
            one.repeat_interleave(self.channels_per_group, self.dim) if one.ndim else one
            for one in self.denominator.unbind()
        ]
        return pau(x, *self.numerator.unbind(), *below, fused=self.fused)


class Hyperactivation(nn.Module):
    """A small network applied to every number, its weights given by a hypernetwork from a trainable embedding.

    Vercellino and Wang 2017, NIPS workshop: 1 -> hidden -> 1 with ReLU inside. A reconstruction: the paper gives these
    two networks and their sizes, but no biases, no initial values and no layers of the hypernetwork. Here the small
    network has biases, and starts as relu(x).

    Args:
        hidden: units of the small network; 8 for the paper's MNIST, 10 for its CIFAR-10.
        embedding: length of the embedding, drawn from N(0, 1); one for each element of `shape`.
        hypernetwork: from the embedding to the `3 * hidden + 1` weights, in the order of the function
            `hyperactivation`; shared if several instances get the same one. None makes one by `make_hypernetwork`.
        shape, fused: see `Trainable`.

    Shape:
        Input `(*)` whose trailing dimensions broadcast with `shape`; output the same.
    """

    def __init__(
        self,
        hidden: int = 8,
        embedding: int = 10,
        hypernetwork: nn.Module | None = None,
        shape: Sequence[int] = (),
        fused: bool = False,
    ) -> None:
        super().__init__()
        self.fused = fused
        self.embedding = nn.Parameter(torch.empty(*shape, embedding))
        self.reset_parameters()
        self.hypernetwork = hypernetwork or make_hypernetwork(hidden, embedding)

    def reset_parameters(self) -> None:
        """Draw the embedding anew; the layers of the hypernetwork have this method too."""
        nn.init.normal_(self.embedding)

    def forward(self, x: Tensor) -> Tensor:
        with nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False):
            weights = self._weights()
        return hyperactivation(x, *weights.unbind(-1), fused=self.fused)

    def _weights(self) -> Tensor:
        """Of the small network, in float32 for the half types: their gradients are sums over the whole input."""
        found: Tensor
        wide = opmath(self.embedding.dtype)
        if wide == self.embedding.dtype:
            found = self.hypernetwork(self.embedding)
            return found
        parameters = {name: one.to(wide) for name, one in self.hypernetwork.named_parameters()}
        found = torch.func.functional_call(self.hypernetwork, parameters, (self.embedding.to(wide),))
        return found


def make_hypernetwork(hidden: int = 8, embedding: int = 10) -> nn.Sequential:
    """Two linear layers, as the static hypernetwork of Ha, Dai and Le 2016, arXiv 1609.09106; 10 units in between.

    Whatever the embedding, it starts with the weights of relu(x): the first hidden unit is relu(x), and the others,
    drawn from N(0, 0.1^2), do not count yet. Not from the paper, which is silent.
    """
    last = _StartsAsReLU(10, 3 * hidden + 1)  # drawn before the first
    return nn.Sequential(nn.Linear(embedding, 10), last)


class _StartsAsReLU(nn.Linear):
    """The last layer of a hypernetwork."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        hidden = self.out_features // 3
        start = torch.zeros_like(self.bias)
        start[: 2 * hidden].normal_(std=0.1)
        start[[0, hidden, 2 * hidden]] = torch.tensor([1.0, 0.0, 1.0], dtype=start.dtype, device=start.device)
        with torch.no_grad():
            self.weight.zero_()
            self.bias.copy_(start)
