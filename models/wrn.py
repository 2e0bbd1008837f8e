"""Wide residual networks for small images: `models.build("wrn_40_4", input_shape=(3, 32, 32), dropout=0.3, ...)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor, nn

from models.narrow import scaled
from models.slot import LazyActivation, Slot

STEM = 16
# fastai's wrn.py counts the residual of a block only this much.
RESIDUAL_SCALE = 0.2


def wrn_40_4(
    input_shape: tuple[int, ...],
    num_classes: int,
    slot: Slot,
    width: float = 1.0,
    depth: float = 1.0,
    dropout: float = 0.3,
) -> nn.Sequential:
    """40 layers, 4 times as wide as a ResNet: three stages of six blocks with 64, 128 and 256 channels.

    Zagoruyko and Komodakis 2016, arXiv 1605.07146, with the blocks and the dropout of Hendrycks and Gimpel 2016, arXiv
    1606.08415v4, section 3.5: convolution, activation, convolution, activation, norm, for all their activations, since
    ELU explodes in residual networks without a norm at the end of a block (Shah et al. 2016, arXiv 1604.04112). Stem
    and biases are those of the authors' SGDR_WRNs_gelu.py.

    Args:
        input_shape: `(channels, height, width)`, 8 pixels or more a side.
        num_classes: width of the output.
        slot: what makes the activations.
        width: what all channel counts are multiplied by.
        depth: what the number of blocks of a stage is multiplied by.
        dropout: between the two convolutions of a block.

    Shape:
        Input `(N, *input_shape)`; output `(N, num_classes)`.

    Raises:
        ValueError: width or depth not positive, or a dropout outside [0, 1].
    """
    stem = scaled(STEM, width)
    before = [_conv(input_shape[0], stem), nn.BatchNorm2d(stem), LazyActivation(), nn.BatchNorm2d(stem)]
    stages = [scaled(4 * STEM * 2**stage, width) for stage in range(3)]
    block = partial(EndNormBlock, dropout=dropout)
    return slot.fill(nn.Sequential(*before, *_stages(block, stem, stages, scaled(6, depth), num_classes)), input_shape)


def wrn_22(
    input_shape: tuple[int, ...], num_classes: int, slot: Slot, width: float = 1.0, depth: float = 1.0
) -> nn.Sequential:
    """fastai's wrn_22, 22 layers: three stages of three blocks with 96, 192 and 384 channels.

    As in fastai/vision/models/wrn.py (fastai 1.0). Arguments, shape and errors: see `wrn_40_4`; it has no dropout.
    """
    stem = scaled(STEM, width)
    stages = [scaled(6 * STEM * 2**stage, width) for stage in range(3)]
    net = nn.Sequential(_conv(input_shape[0], stem), *_stages(FastaiBlock, stem, stages, scaled(3, depth), num_classes))
    return slot.fill(net, input_shape)


class FastaiBlock(nn.Module):
    """Norm, activation, convolution, norm, activation, convolution, a fifth of which counts; and a shortcut.

    The order is that of figure 1 (b) of arXiv 1605.07146; the shortcut always begins behind the first activation.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.activation = LazyActivation()
        self.residual = nn.Sequential(
            _conv(inputs, outputs, stride=stride),
            nn.BatchNorm2d(outputs),
            LazyActivation(),
            nn.Dropout(0.0),  # its place is part of the names of the weights
            _conv(outputs, outputs),
        )
        self.shortcut = _shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        active = self.activation(self.norm(x))
        out: Tensor = self.shortcut(active) + RESIDUAL_SCALE * self.residual(active)
        return out


class EndNormBlock(nn.Module):
    """Convolution, activation, dropout, convolution, activation, norm; and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            _conv(inputs, outputs, stride=stride, bias=True),
            LazyActivation(),
            nn.Dropout(dropout),
            _conv(outputs, outputs, bias=True),
            LazyActivation(),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = _shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.shortcut(x) + self.residual(x)
        return out


Block = Callable[..., nn.Module]


def _stages(block: Block, inputs: int, stages: Sequence[int], blocks: int, num_classes: int) -> list[nn.Module]:
    """All behind the stem; every stage but the first halves height and width."""
    layers: list[nn.Module] = []
    for stage, outputs in enumerate(stages):
        for position in range(blocks):
            layers.append(block(inputs, outputs, stride=2 if stage and not position else 1))
            inputs = outputs
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, num_classes))
    return [*layers, nn.BatchNorm2d(inputs), LazyActivation(), *head]


def _conv(inputs: int, outputs: int, size: int = 3, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=bias)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    return _conv(inputs, outputs, 1, stride) if stride > 1 or inputs != outputs else nn.Identity()
