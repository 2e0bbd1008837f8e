"""Network in Network: `models.build("nin", input_shape=(3, 32, 32), ...)`."""

from __future__ import annotations

from torch import nn

from models.narrow import narrow, outline
from models.slot import LazyActivation, Slot


def nin(
    input_shape: tuple[int, ...], num_classes: int, slot: Slot, width: float = 1.0, dropout: float = 0.5
) -> nn.Module:
    """Three stages of a convolution and two 1x1 convolutions, the last averaged into logits; no linear layer.

    Lin, Chen and Yan 2013, arXiv 1312.4400, figure 2, with the channels, kernels and poolings of their CIFAR-10 model
    (github.com/mavenlin/cuda-convnet, NIN). Every convolution is followed by a rectifier, equation 2, also the one
    that gives the classes; that one is an output, which stays.

    Shape:
        Input `(N, channels, height, width)`; output `(N, num_classes)`.
    """
    with outline(width):
        net = nn.Sequential(
            *_mlpconv(input_shape[0], 192, 160, 96, kernel_size=5),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            nn.Dropout(dropout),
            *_mlpconv(96, 192, 192, 192, kernel_size=5),
            nn.AvgPool2d(3, stride=2, ceil_mode=True),
            nn.Dropout(dropout),
            *_mlpconv(192, 192, 192, num_classes, kernel_size=3)[:-1],
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
    return slot.fill(narrow(net, width, input_shape), input_shape)


def _mlpconv(inputs: int, one: int, two: int, three: int, kernel_size: int) -> list[nn.Module]:
    return [
        *(nn.Conv2d(inputs, one, kernel_size, padding=kernel_size // 2), LazyActivation()),
        *(nn.Conv2d(one, two, 1), LazyActivation()),
        *(nn.Conv2d(two, three, 1), LazyActivation()),
    ]
