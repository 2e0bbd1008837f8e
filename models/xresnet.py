"""ResNets with the bag of tricks, as in fastai: `models.build("xresnet18", input_shape=(3, 32, 32), ...)`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from models.narrow import scaled
from models.slot import LazyActivation, Slot
from models.stem import Stem, is_cifar


class XResNet(nn.Sequential):
    """A stem of three 3x3 convolutions and four stages of residual blocks.

    He et al. 2018, arXiv 1812.01187, section 4: ResNet-B strides in the 3x3 convolution, ResNet-C has the stem (here
    of fastai's 32, 32 and 64 channels), ResNet-D a mean pool before the 1x1 convolution of a shortcut; section 3.1:
    the last batch norm of a block starts with weight 0.

    Args:
        blocks: of each stage.
        bottleneck: blocks of 1x1, 3x3 and 1x1 convolutions with four times the channels at the end, not of two 3x3.
        input_shape: `(channels, height, width)`, 8 pixels or more a side.
        num_classes: width of the output.
        slot: what makes the activations.
        width: what all channel counts are multiplied by.
        depth: what `blocks` are multiplied by.
        stem: `imagenet` is the source's, and leaves a quarter of height and width by a stride and a max pool; `cifar`
            leaves them out.

    Shape:
        Input `(N, *input_shape)`; output `(N, num_classes)`.

    Raises:
        ValueError: width or depth not positive, or an unknown stem.
    """

    def __init__(
        self,
        blocks: Sequence[int],
        bottleneck: bool,
        input_shape: tuple[int, ...],
        num_classes: int,
        slot: Slot,
        width: float = 1.0,
        depth: float = 1.0,
        stem: Stem = "cifar",
    ) -> None:
        small = is_cifar(stem)
        thin, channels = scaled(32, width), scaled(64, width)
        layers: list[nn.Module] = [
            *(*_conv_norm(input_shape[0], thin, stride=1 if small else 2), LazyActivation()),
            *(*_conv_norm(thin, thin), LazyActivation()),
            *(*_conv_norm(thin, channels), LazyActivation()),
            *(() if small else (nn.MaxPool2d(3, stride=2, padding=1),)),
        ]
        for stage, count in enumerate(blocks):
            hidden = scaled(64 * 2**stage, width)
            for position in range(scaled(count, depth)):
                stride = 2 if stage and not position else 1
                residual = (_bottleneck if bottleneck else _basic)(channels, hidden, stride)
                outputs = 4 * hidden if bottleneck else hidden
                layers.append(Block(residual, channels, outputs, stride))
                channels = outputs
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))
        slot.fill(self, input_shape)


xresnet18 = partial(XResNet, (2, 2, 2, 2), False)
xresnet34 = partial(XResNet, (3, 4, 6, 3), False)
xresnet50 = partial(XResNet, (3, 4, 6, 3), True)


class Block(nn.Module):
    """A residual that counts nothing at first, a shortcut, and an activation of their sum."""

    def __init__(self, residual: nn.Sequential, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.residual = residual
        shortcut: list[nn.Module] = []
        if stride > 1:
            shortcut.append(nn.AvgPool2d(2, ceil_mode=True))  # a convolution of stride 2 also rounds up
        if inputs != outputs:
            shortcut += _conv_norm(inputs, outputs, 1)
        self.shortcut = nn.Sequential(*shortcut)
        self.activation = LazyActivation()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.activation(self.shortcut(x) + self.residual(x))
        return out


def _basic(inputs: int, hidden: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        *_conv_norm(inputs, hidden, stride=stride), LazyActivation(), *_conv_norm(hidden, hidden, gamma=0)
    )


def _bottleneck(inputs: int, hidden: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        *(*_conv_norm(inputs, hidden, 1), LazyActivation()),
        *(*_conv_norm(hidden, hidden, stride=stride), LazyActivation()),
        *_conv_norm(hidden, 4 * hidden, 1, gamma=0),
    )


def _conv_norm(
    inputs: int, outputs: int, size: int = 3, stride: int = 1, gamma: float = 1
) -> tuple[nn.Module, nn.Module]:
    norm = nn.BatchNorm2d(outputs)
    nn.init.constant_(norm.weight, gamma)
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False), norm
