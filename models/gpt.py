"""A decoder-only transformer: `models.build("gpt", input_shape=(256,), num_classes=256, activation="relu_squared")`."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from models.slot import Slot
from models.transformer import TransformerBlock


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
        self.tokens = nn.Embedding(num_classes, width)
        self.positions = nn.Embedding(input_shape[0], width)
        for embedding in (self.tokens, self.positions):
            nn.init.normal_(embedding.weight, std=initializer_range)
        stds = initializer_range, initializer_range * (2 * depth) ** -0.5
        norm = partial(nn.LayerNorm, bias=False)
        self.blocks = nn.Sequential(
            *(TransformerBlock(width, heads, slot, norm, stds, bias=False, is_causal=True) for _ in range(depth))
        )
        self.norm = norm(width)
        self.head = nn.Linear(width, num_classes, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1], device=ids.device))
        logits: Tensor = self.head(self.norm(self.blocks(x)))
        return logits
