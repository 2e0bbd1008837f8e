"""Torchvision's blocks with a site for each use: where its own run one module twice, or call `F.relu`."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.densenet import DenseNet as TorchvisionDenseNet
from torchvision.models.googlenet import BasicConv2d, Inception
from torchvision.models.resnet import BasicBlock as TorchvisionBasicBlock
from torchvision.models.resnet import Bottleneck as TorchvisionBottleneck

from models.slot import LazyActivation


class BasicBlock(TorchvisionBasicBlock):  # type: ignore[misc]
    """Two 3x3 convolutions, an activation behind the first and one behind the sum."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.relu = _Uses(2)

    def forward(self, x: Tensor) -> Tensor:
        first, last = self.relu.places
        out = first(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        result: Tensor = last(out)
        return result


class Bottleneck(TorchvisionBottleneck):  # type: ignore[misc]
    """1x1, 3x3 and 1x1 convolutions, an activation behind the first two and one behind the sum."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.relu = _Uses(3)

    def forward(self, x: Tensor) -> Tensor:
        first, second, last = self.relu.places
        out = first(self.bn1(self.conv1(x)))
        out = second(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        result: Tensor = last(out)
        return result


class DenseNet(TorchvisionDenseNet):  # type: ignore[misc]
    """With a module for the activation before the classifier."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.swapped = nn.ModuleList([LazyActivation()])  # recorded digests hold the name

    def forward(self, x: Tensor) -> Tensor:
        features = self.swapped[0](self.features(x))
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(features, 1).flatten(1))
        return logits


class ConvNormActivation(BasicConv2d):  # type: ignore[misc]
    """GoogLeNet's convolution and norm, with a module for the activation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.activation = LazyActivation()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.activation(self.bn(self.conv(x)))
        return result


# What torchvision's GoogLeNet takes as its `blocks`; the third, of auxiliary classifiers, is not used.
GOOGLENET_BLOCKS = [ConvNormActivation, partial(Inception, conv_block=ConvNormActivation), nn.Identity]


class _Uses(nn.Module):
    """A site for each use of a block's `relu`, named as in recorded digests: `relu.places.0`."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.places = nn.ModuleList(LazyActivation() for _ in range(count))
