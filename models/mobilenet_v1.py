"""MobileNet v1: `models.build("mobilenet_v1", input_shape=(3, 32, 32), ...)`."""

from __future__ import annotations

from torch import nn

from models.narrow import narrow, outline, scaled
from models.slot import LazyActivation, Slot
from models.stem import Stem, is_cifar

# Howard et al. 2017, arXiv 1704.04861, table 1: channels and blocks of each stage; a stage halves the resolution
# in its first block, but for the first stage.
_STAGES = ((64, 1), (128, 2), (256, 2), (512, 6), (1024, 2))


def mobilenet_v1(
    input_shape: tuple[int, ...],
    num_classes: int,
    slot: Slot,
    width: float = 1.0,
    depth: float = 1.0,
    stem: Stem = "cifar",
) -> nn.Module:
    """Depthwise 3x3 and 1x1 convolutions by turns, ReLU behind each. Howard et al. 2017, arXiv 1704.04861, table 1.

    `stem="cifar"` takes the stride out of the first convolution, as in github.com/kuangliu/pytorch-cifar. `width` is
    the paper's width multiplier.

    Shape:
        Input `(N, channels, height, width)`; output `(N, num_classes)`.
    """
    with outline(width):
        layers = [*_convolution(input_shape[0], 32, kernel_size=3, stride=1 if is_cifar(stem) else 2)]
        inputs = 32
        for channels, blocks in _STAGES:
            for block in range(scaled(blocks, depth)):
                stride = 2 if block == 0 and channels > _STAGES[0][0] else 1
                layers += _convolution(inputs, inputs, kernel_size=3, stride=stride, groups=inputs)
                layers += _convolution(inputs, channels, kernel_size=1)
                inputs = channels
        net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, num_classes))
    return slot.fill(narrow(net, width, input_shape), input_shape)


def _convolution(inputs: int, outputs: int, kernel_size: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """Batch norm and activation behind each convolution: section 3.1 of the paper."""
    padding = kernel_size // 2
    convolution = nn.Conv2d(inputs, outputs, kernel_size, stride, padding, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), LazyActivation()]
