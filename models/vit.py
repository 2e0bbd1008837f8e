"""A vision transformer: `models.build("vit", input_shape=(3, 32, 32), num_classes=10, activation="gelu", patch=4)`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from activations.sigmoids import Derf, DyT
from models.slot import Slot
from models.transformer import Norm, TransformerBlock, linear

# What may stand where a transformer normalises: the layer norm of ViT, or a function of each number by itself, dynamic
# tanh (Zhu et al. 2025, arXiv 2503.10622) or dynamic erf (Chen et al. 2025, arXiv 2512.10938).
NORMS: Mapping[str, Norm] = {
    "layer_norm": partial(nn.LayerNorm, eps=1e-6),
    "dyt": lambda width: DyT(shape=(width,)),
    "derf": lambda width: Derf(shape=(width,)),
}


class ViT(nn.Module):
    """From an image, cut into patches, to the logits of its class, told by a token of its own.

    Dosovitskiy et al. 2020, arXiv 2010.11929; the defaults are the sizes of DeiT-Ti (Touvron et al. 2020, arXiv
    2012.12877, table 1), and weights draw as there, from torch's global generator. There is no dropout. Pixels that
    fill no patch, at the lower and the right edge, are not seen.

    Args:
        input_shape: `(channels, height, width)`, a patch or more a side.
        num_classes: width of the output.
        slot: what makes the activation of each feed-forward network.
        patch: pixels a side of what becomes a token.
        width: of each token between the layers.
        depth: blocks, of attention and a feed-forward network each.
        heads: of attention, a divisor of `width`.
        initializer_range: standard deviation of the weights drawn.
        norm: what stands where the network normalises, one of `NORMS`.

    Shape:
        Input `(N, *input_shape)`; output `(N, num_classes)`.

    Raises:
        ValueError: an image smaller than a patch, a width that the heads do not divide, or an unknown norm.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_classes: int,
        slot: Slot,
        *,
        patch: int = 16,
        width: int = 192,
        depth: int = 12,
        heads: int = 3,
        initializer_range: float = 0.02,
        norm: str = "layer_norm",
    ) -> None:
        super().__init__()
        channels, *pixels = input_shape
        if min(pixels) < patch:
            raise ValueError(f"model 'vit': no patch of {patch} pixels a side fits into {pixels[0]} x {pixels[1]}")
        if norm not in NORMS:
            raise ValueError(f"model 'vit': unknown norm {norm!r}; known: {', '.join(NORMS)}")
        patches = (pixels[0] // patch) * (pixels[1] // patch)
        self.patches = nn.Conv2d(channels, width, patch, stride=patch)
        self.class_token = nn.Parameter(initializer_range * torch.randn(width))
        self.positions = nn.Parameter(initializer_range * torch.randn(1 + patches, width))
        stds = initializer_range, initializer_range
        self.blocks = nn.Sequential(
            *(TransformerBlock(width, heads, slot, NORMS[norm], stds, bias=True, is_causal=False) for _ in range(depth))
        )
        self.norm = NORMS[norm](width)
        self.head = linear(width, num_classes, initializer_range, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(x), 1, -1), patches], 1) + self.positions
        logits: Tensor = self.head(self.norm(self.blocks(tokens))[:, 0])
        return logits
