"""The block that transformers are stacks of: `TransformerBlock(64, 2, slot, nn.LayerNorm, (0.02, 0.02), ...)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from torch import Tensor, nn
from torch.nn import functional as F

from models.slot import Slot

Norm: TypeAlias = Callable[[int], nn.Module]  # makes the norm of so many features

# Units of a feed-forward network, in widths: Vaswani et al. 2017, arXiv 1706.03762, section 3.3.
EXPANSION = 4


class TransformerBlock(nn.Module):
    """Attention and a feed-forward network, each behind a norm and beside what goes around it.

    Args:
        width: of a token.
        heads: a divisor of it.
        slot: what makes the activation.
        norm: what makes the norms.
        stds: standard deviations of the weights that read from the residual stream, and of those that add to it.
        bias: whether linear layers have biases, which start at zero.
        is_causal: whether a token attends to itself and those before it alone.

    Shape:
        Input and output `(N, tokens, width)`.

    Raises:
        ValueError: a width that the heads do not divide.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        slot: Slot,
        norm: Norm,
        stds: tuple[float, float],
        *,
        bias: bool,
        is_causal: bool,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"a transformer's {heads} heads do not divide a width of {width}")
        reads, adds = stds
        units = slot.units(EXPANSION * width)
        self.attention_norm = norm(width)
        self.attention = Attention(
            heads, linear(width, 3 * width, reads, bias), linear(width, width, adds, bias), is_causal
        )
        self.feed_forward_norm = norm(width)
        self.feed_forward = nn.Sequential(
            linear(width, slot.inputs(units), reads, bias), slot((units,)), linear(units, width, adds, bias)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x))
        out: Tensor = x + self.feed_forward(self.feed_forward_norm(x))
        return out


class Attention(nn.Module):
    """Scaled dot product attention of each token to all, or to itself and those before it.

    Args:
        heads: of attention.
        inputs: gives query, key and value of all heads.
        output: takes what the heads have seen.
        is_causal: whether what is behind a token is hidden from it.

    Shape:
        Input and output `(N, tokens, width)`.
    """

    def __init__(self, heads: int, inputs: nn.Linear, output: nn.Linear, is_causal: bool) -> None:
        super().__init__()
        self.heads, self.inputs, self.output, self.is_causal = heads, inputs, output, is_causal

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.inputs(x).unflatten(-1, (3, self.heads, -1)).movedim(-2, 1).unbind(3)
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=self.is_causal)
        out: Tensor = self.output(seen.transpose(1, 2).flatten(2))
        return out


def linear(inputs: int, outputs: int, std: float, bias: bool) -> nn.Linear:
    """A linear layer of normal weights, and of biases of zero if any."""
    layer = nn.Linear(inputs, outputs, bias=bias)
    nn.init.normal_(layer.weight, std=std)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
