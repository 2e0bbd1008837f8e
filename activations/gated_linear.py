"""Gated linear units and maxout in torch: `activations.build("swiglu")` takes 1024 inputs for 512 outputs.

Half of the inputs along `dim` are a, the other half b, which the gate sees: the second half, as in torch's GLU, or the
first with `gate_first=True`, as in Llama's packed weights and Transformer Engine.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

import activations._elementary as elementary
from activations.pointwise import Along, Pointwise
from activations.self_gated import FAR, gelu_tanh, shifted_gelu

Approximation: TypeAlias = Literal["tanh", "none"]
GELUS: dict[Approximation, Pointwise] = {"tanh": gelu_tanh, "none": shifted_gelu}


class Narrowing(Along):
    """A function of several inputs along a dimension for each output; every other dimension is elementwise.

    Among its constants are `dim` and either `gate_first` or `num_pieces`. Keeps its input alone for backward.
    """

    def in_features_multiplier(self, **constants: Any) -> int:
        """Inputs for each output: `num_pieces`, or 2."""
        multiplier: int = {**self.constants, **constants}.get("num_pieces", 2)
        return multiplier

    def __call__(self, x: Tensor, *parameters: Tensor | float, fused: bool = False, **constants: Any) -> Tensor:
        """The function of x, `in_features_multiplier` times narrower along `dim`.

        Raises:
            ValueError: no such dimension, or its size is no multiple of `in_features_multiplier`.
        """
        dim = constants.get("dim", -1)
        multiplier = self.in_features_multiplier(**constants)
        if -x.ndim <= dim < x.ndim and x.shape[dim] % multiplier:
            raise ValueError(
                f"{self.name} takes {multiplier} inputs for each output, and {x.shape[dim]} inputs along dim {dim} do "
                f"not divide by {multiplier}: the layer before it must give {multiplier} times the wanted width"
            )
        return super().__call__(x, *parameters, fused=fused, **constants)


def _halves(x: Tensor, dim: int, gate_first: bool) -> tuple[Tensor, Tensor]:
    first, second = x.tensor_split(2, dim)
    return (second, first) if gate_first else (first, second)


def _joined(grad_a: Tensor, grad_b: Tensor, dim: int, gate_first: bool) -> tuple[Tensor]:
    return (torch.cat((grad_b, grad_a) if gate_first else (grad_a, grad_b), dim),)


def _glu_value(x: Tensor, *, dim: int = -1, gate_first: bool = False) -> Tensor:
    """a * sigmoid(b). Dauphin et al. 2016, arXiv 1612.08083."""
    a, b = _halves(x, dim, gate_first)
    return a * elementary.sigmoid(b)


def _glu_vjp(grad: Tensor, x: Tensor, *, dim: int = -1, gate_first: bool = False) -> tuple[Tensor, ...]:
    a, b = _halves(x, dim, gate_first)
    gate, shut = elementary.sigmoids(b)
    return _joined(grad * gate, grad * (a * (gate * shut)), dim, gate_first)


def _glu_eager(x: Tensor, *, dim: int = -1, gate_first: bool = False) -> Tensor:
    return F.glu(torch.cat(_halves(x, dim, gate_first), dim) if gate_first else x, dim)


def _swiglu_value(x: Tensor, *, dim: int = -1, gate_first: bool = False) -> Tensor:
    """a * b * sigmoid(b). Shazeer 2020, arXiv 2002.05202."""
    a, b = _halves(x, dim, gate_first)
    return a * (b.clamp(min=-FAR) * elementary.sigmoid(b))


def _swiglu_vjp(grad: Tensor, x: Tensor, *, dim: int = -1, gate_first: bool = False) -> tuple[Tensor, ...]:
    a, b = _halves(x, dim, gate_first)
    gate, shut = elementary.sigmoids(b)
    slope = gate * (1 + b.clamp(-FAR, FAR) * shut)
    return _joined(grad * (b.clamp(min=-FAR) * gate), grad * (a * slope), dim, gate_first)


def _geglu_value(x: Tensor, *, dim: int = -1, gate_first: bool = False) -> Tensor:
    """a * b * Phi(b), with the normal distribution function Phi. Shazeer 2020, arXiv 2002.05202."""
    a, b = _halves(x, dim, gate_first)
    return a * (b.clamp(min=-FAR) * _normal(b))


def _geglu_vjp(grad: Tensor, x: Tensor, *, dim: int = -1, gate_first: bool = False) -> tuple[Tensor, ...]:
    a, b = _halves(x, dim, gate_first)
    gate, near = _normal(b), b.clamp(-FAR, FAR)
    slope = gate + near * elementary.exp_below(-near * near / 2) * (2 * math.pi) ** -0.5
    return _joined(grad * (b.clamp(min=-FAR) * gate), grad * (a * slope), dim, gate_first)


def _normal(b: Tensor) -> Tensor:
    """By erfc: (1 + erf(b / sqrt 2)) / 2 cancels to 0 below -5 in float32."""
    return elementary.erfc(b * -(0.5**0.5)) / 2


def _reglu_value(x: Tensor, *, dim: int = -1, gate_first: bool = False) -> Tensor:
    """a * max(0, b). Shazeer 2020, arXiv 2002.05202."""
    a, b = _halves(x, dim, gate_first)
    return a * b.clamp(min=0)


def _reglu_vjp(grad: Tensor, x: Tensor, *, dim: int = -1, gate_first: bool = False) -> tuple[Tensor, ...]:
    a, b = _halves(x, dim, gate_first)
    return _joined(grad * b.clamp(min=0), grad * torch.where(b > 0, a, 0.0), dim, gate_first)


def _drelu_value(x: Tensor, *, dim: int = -1, gate_first: bool = False) -> Tensor:
    """max(0, a) * max(0, b). Song et al. 2024 (TurboSparse), arXiv 2406.05955."""
    a, b = _halves(x, dim, gate_first)
    return a.clamp(min=0) * b.clamp(min=0)


def _drelu_vjp(grad: Tensor, x: Tensor, *, dim: int = -1, gate_first: bool = False) -> tuple[Tensor, ...]:
    a, b = _halves(x, dim, gate_first)
    on = (a > 0) & (b > 0)
    return _joined(grad * torch.where(on, b, 0.0), grad * torch.where(on, a, 0.0), dim, gate_first)


def _fatrelu_glu_value(x: Tensor, *, threshold: float = 0.0, dim: int = -1, gate_first: bool = False) -> Tensor:
    """a * b where b is above the threshold, else 0. Song et al. 2024 (ProSparse), arXiv 2402.13516."""
    a, b = _halves(x, dim, gate_first)
    return a * torch.where(b <= threshold, 0.0, b)


def _fatrelu_glu_vjp(
    grad: Tensor, x: Tensor, *, threshold: float = 0.0, dim: int = -1, gate_first: bool = False
) -> tuple[Tensor, ...]:
    a, b = _halves(x, dim, gate_first)
    shut = b <= threshold
    return _joined(grad * torch.where(shut, 0.0, b), grad * torch.where(shut, 0.0, a), dim, gate_first)


def _swiglu_clamped_value(
    x: Tensor,
    *,
    alpha: float = 1.702,
    offset: float = 1.0,
    limit: float = 7.0,
    dim: int = -1,
    gate_first: bool = False,
) -> Tensor:
    """(a + offset) * b * sigmoid(alpha * b), a clamped to ±limit and b to at most limit. As in gpt-oss.

    alpha = 1, offset = 0 and limit = 10 make it that of DeepSeek-V4.
    """
    a, b = _halves(x, dim, gate_first)
    b = b.clamp(max=limit)
    gate = elementary.sigmoid(alpha * b)
    return (a.clamp(-limit, limit) + offset) * torch.where(gate == 0, gate, b * gate)


def _swiglu_clamped_vjp(
    grad: Tensor,
    x: Tensor,
    *,
    alpha: float = 1.702,
    offset: float = 1.0,
    limit: float = 7.0,
    dim: int = -1,
    gate_first: bool = False,
) -> tuple[Tensor, ...]:
    a, b = _halves(x, dim, gate_first)
    near = b.clamp(max=limit)
    z = alpha * near
    gate, shut = elementary.sigmoids(z)
    by_a = torch.where(a.abs() <= limit, torch.where(gate == 0, gate, near * gate), 0.0)
    slope = torch.where(b <= limit, gate + z.clamp(-FAR, FAR) * gate * shut, 0.0)
    return _joined(grad * by_a, grad * ((a.clamp(-limit, limit) + offset) * slope), dim, gate_first)


def _gelu_topk_glu_value(
    x: Tensor,
    *,
    sparsity: float = 0.95,
    approximate: Approximation = "tanh",
    dim: int = -1,
    gate_first: bool = False,
) -> Tensor:
    """a * gelu(max(0, b - cutoff)), cutoff = mean + std * (normal quantile of sparsity), both of b along dim.

    Gemma 3n, `_gaussian_topk` of transformers: of normal numbers the share `sparsity` becomes 0.
    """
    a, b = _halves(x, dim, gate_first)
    return a * GELUS[approximate].value((b - _cutoff(b, sparsity, dim)[0]).clamp(min=0))


def _gelu_topk_glu_vjp(
    grad: Tensor,
    x: Tensor,
    *,
    sparsity: float = 0.95,
    approximate: Approximation = "tanh",
    dim: int = -1,
    gate_first: bool = False,
) -> tuple[Tensor, ...]:
    a, b = _halves(x, dim, gate_first)
    cutoff, by_b = _cutoff(b, sparsity, dim)
    above = (b - cutoff).clamp(min=0)
    (slope,) = GELUS[approximate].vjp(grad * a, above)
    slope = torch.where(b > cutoff, slope, 0.0)
    by_gate = slope - slope.sum(dim, keepdim=True) * by_b
    return _joined(grad * GELUS[approximate].value(above), by_gate, dim, gate_first)


def _cutoff(b: Tensor, sparsity: float, dim: int) -> tuple[Tensor, Tensor]:
    """The cutoff, and its derivative by each of the b along dim; the one of std is 0 where all of them are equal."""
    quantile = torch.special.ndtri(b.new_full((), sparsity))
    mean = b.mean(dim, keepdim=True)
    apart = b - mean
    variance = apart.square().mean(dim, keepdim=True)
    spread = torch.where(variance > 0, variance, 1.0).sqrt()
    std = torch.where(variance > 0, spread, variance)
    return mean + quantile * std, (1 + quantile * apart / spread) / b.shape[dim]


def _bilinear_value(x: Tensor, *, dim: int = -1, gate_first: bool = False) -> Tensor:
    """a * b: no gate but the product. Dauphin et al. 2016, arXiv 1612.08083; Shazeer 2020, arXiv 2002.05202."""
    a, b = _halves(x, dim, gate_first)
    return a * b


def _bilinear_vjp(grad: Tensor, x: Tensor, *, dim: int = -1, gate_first: bool = False) -> tuple[Tensor, ...]:
    a, b = _halves(x, dim, gate_first)
    return _joined(grad * b, grad * a, dim, gate_first)


def _maxout_value(x: Tensor, *, dim: int = -1, num_pieces: int = 2) -> Tensor:
    """The largest of `num_pieces` neighbours along `dim`. Goodfellow et al. 2013, arXiv 1302.4389.

    Output j is the largest of inputs `num_pieces * j` and on. Pieces that tie share the gradient evenly, as in
    `torch.amax`.
    """
    return functools.reduce(torch.maximum, _pieces(x, dim, num_pieces))


def _maxout_vjp(grad: Tensor, x: Tensor, *, dim: int = -1, num_pieces: int = 2) -> tuple[Tensor, ...]:
    pieces = _pieces(x, dim, num_pieces)
    largest = functools.reduce(torch.maximum, pieces)
    winners = [(piece == largest).to(grad.dtype) for piece in pieces]
    share = grad / functools.reduce(torch.add, winners)
    spread = torch.stack([share * winner for winner in winners], dim).flatten(dim - 1, dim)
    # torch.stack, unlike torch.cat, forgets the memory format.
    channels_last = x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)
    return (spread.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format),)


def _pieces(x: Tensor, dim: int, num_pieces: int) -> tuple[Tensor, ...]:
    """The first piece of every output, the second, and so on: compiled, `amax` takes 8 times as long."""
    pieces: tuple[Tensor, ...] = x.unflatten(dim, (x.shape[dim] // num_pieces, num_pieces)).unbind(dim)
    return pieces


glu = Narrowing(_glu_value, _glu_vjp, eager=_glu_eager)
swiglu = Narrowing(_swiglu_value, _swiglu_vjp)
geglu = Narrowing(_geglu_value, _geglu_vjp)
reglu = Narrowing(_reglu_value, _reglu_vjp)
drelu = Narrowing(_drelu_value, _drelu_vjp)
fatrelu_glu = Narrowing(_fatrelu_glu_value, _fatrelu_glu_vjp)
swiglu_clamped = Narrowing(_swiglu_clamped_value, _swiglu_clamped_vjp)
gelu_topk_glu = Narrowing(_gelu_topk_glu_value, _gelu_topk_glu_vjp)
bilinear = Narrowing(_bilinear_value, _bilinear_vjp)
maxout = Narrowing(_maxout_value, _maxout_vjp)
