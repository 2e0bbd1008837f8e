"""A decoder-only transformer: `models.build("gpt", input_shape=(256,), num_classes=256, activation="relu_squared")`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.slot import Slot

# Units of a feed-forward network, in widths: Vaswani et al. 2017, arXiv 1706.03762, section 3.3.
EXPANSION = 4


class GPT(nn.Module):
    """From the ids of a text to the logits of what comes next at each place, which sees itself and what is before it.

    Radford et al. 2019, "Language models are unsupervised multitask learners" (GPT-2): norms before the layers, learned
    positions, a head that shares the weights of the embedding; the defaults are the sizes of the smallest. As in
    nanoGPT's and in later ones there is no dropout, and neither linear layers nor norms have biases. Weights draw from
    torch's global generator, those of layers that add to the residual stream narrower by the root of their number.

    Args:
        input_shape: `(tokens,)` of the longest row.
        num_classes: number of ids: what comes next is one of what there is.
        slot: what makes the activation of each feed-forward network.
        width: of each token between the layers.
        depth: blocks, of attention and a feed-forward network each.
        heads: of attention, a divisor of `width`.
        initializer_range: standard deviation of the weights drawn.

    Shape:
        Input `(N, tokens)` int64; output `(N, tokens, num_classes)`.

    Raises:
        ValueError: a width that the heads do not divide.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_classes: int,
        slot: Slot,
        *,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        initializer_range: float = 0.02,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"model 'gpt': {heads} heads do not divide a width of {width}")
        self.tokens = nn.Embedding(num_classes, width)
        self.positions = nn.Embedding(input_shape[0], width)
        for embedding in (self.tokens, self.positions):
            nn.init.normal_(embedding.weight, std=initializer_range)
        stds = initializer_range, initializer_range * (2 * depth) ** -0.5
        self.blocks = nn.Sequential(*(DecoderBlock(width, heads, slot, stds) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, bias=False)
        self.head = nn.Linear(width, num_classes, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1], device=ids.device))
        logits: Tensor = self.head(self.norm(self.blocks(x)))
        return logits


class DecoderBlock(nn.Module):
    """Attention to the tokens before and a feed-forward network, each behind a norm and beside what goes around it.

    Args:
        width: of a token.
        heads: a divisor of it.
        slot: what makes the activation.
        stds: standard deviations of the weights that read from the residual stream, and of those that add to it.

    Shape:
        Input and output `(N, tokens, width)`.
    """

    def __init__(self, width: int, heads: int, slot: Slot, stds: tuple[float, float]) -> None:
        super().__init__()
        reads, adds = stds
        units = slot.units(EXPANSION * width)
        self.attention_norm = nn.LayerNorm(width, bias=False)
        self.attention = CausalAttention(heads, _linear(width, 3 * width, reads), _linear(width, width, adds))
        self.feed_forward_norm = nn.LayerNorm(width, bias=False)
        self.feed_forward = nn.Sequential(
            _linear(width, slot.inputs(units), reads), slot((units,)), _linear(units, width, adds)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x))
        out: Tensor = x + self.feed_forward(self.feed_forward_norm(x))
        return out


class CausalAttention(nn.Module):
    """Scaled dot product attention of each token to itself and those before it.

    Args:
        heads: of attention.
        inputs: gives query, key and value of all heads.
        output: takes what the heads have seen.

    Shape:
        Input and output `(N, tokens, width)`.
    """

    def __init__(self, heads: int, inputs: nn.Linear, output: nn.Linear) -> None:
        super().__init__()
        self.heads, self.inputs, self.output = heads, inputs, output

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.inputs(x).unflatten(-1, (3, self.heads, -1)).movedim(-2, 1).unbind(3)
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        out: Tensor = self.output(seen.transpose(1, 2).flatten(2))
        return out


def _linear(inputs: int, outputs: int, std: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(layer.weight, std=std)
    return layer
