"""Torchvision's networks, for images of any number of channels: `resnet18((3, 32, 32), 10, width=0.25)`.

With `stem="imagenet"` a network is torchvision's own but for the channels of the image. `stem="cifar"` begins with a
3x3 convolution of stride 1, has no max pooling, and keeps the resolution of small images for longer, as in
github.com/kuangliu/pytorch-cifar. `width` multiplies every channel count (see `models.narrow`), `depth` the blocks of
every stage, and `slot` makes the activations. Inputs are `(N, channels, height, width)`, outputs `(N, num_classes)`.
"""

from __future__ import annotations

from typing import Any

import torchvision.models
from torch import nn
from torchvision.models.resnet import ResNet

from models._torchvision_blocks import GOOGLENET_BLOCKS, BasicBlock, Bottleneck, DenseNet
from models.narrow import narrow, outline, scaled
from models.slot import LazyActivation, Slot
from models.stem import Stem, is_cifar

# torchvision.models.DenseNet121_Weights: min_size; below it nothing is left for the last pooling
_DENSENET_MINIMUM = 29


def resnet18(
    input_shape: tuple[int, ...],
    num_classes: int,
    slot: Slot,
    width: float = 1.0,
    depth: float = 1.0,
    stem: Stem = "cifar",
) -> nn.Module:
    """Two basic blocks in each of four stages. He et al. 2015, arXiv 1512.03385, table 1."""
    with outline(width):
        net = ResNet(BasicBlock, [scaled(blocks, depth) for blocks in (2, 2, 2, 2)], num_classes)
    return _resnet(net, input_shape, slot, width, stem)


def resnet50(
    input_shape: tuple[int, ...],
    num_classes: int,
    slot: Slot,
    width: float = 1.0,
    depth: float = 1.0,
    stem: Stem = "cifar",
) -> nn.Module:
    """3, 4, 6 and 3 bottleneck blocks. He et al. 2015, arXiv 1512.03385, table 1."""
    with outline(width):
        net = ResNet(Bottleneck, [scaled(blocks, depth) for blocks in (3, 4, 6, 3)], num_classes)
    return _resnet(net, input_shape, slot, width, stem)


def resnext50(
    input_shape: tuple[int, ...],
    num_classes: int,
    slot: Slot,
    width: float = 1.0,
    depth: float = 1.0,
    stem: Stem = "cifar",
) -> nn.Module:
    """ResNeXt-50 (32x4d): 32 groups, of 4 channels in the first stage. Xie et al. 2016, arXiv 1611.05431, table 1.

    Raises:
        ValueError: a width that splits a group; multiples of 1/32 do not.
    """
    blocks = [scaled(blocks, depth) for blocks in (3, 4, 6, 3)]
    with outline(width):
        net = ResNet(Bottleneck, blocks, num_classes, groups=32, width_per_group=4)
    return _resnet(net, input_shape, slot, width, stem)


def _resnet(net: nn.Module, input_shape: tuple[int, ...], slot: Slot, width: float, stem: Stem) -> nn.Module:
    _adapt_stem(net, input_shape[0], stem, convolution="conv1", pool="maxpool")
    return _filled(net, slot, width, input_shape)


def densenet121(
    input_shape: tuple[int, ...],
    num_classes: int,
    slot: Slot,
    width: float = 1.0,
    depth: float = 1.0,
    stem: Stem = "cifar",
) -> nn.Module:
    """DenseNet-BC of 6, 12, 24 and 16 layers, growth 32. Huang et al. 2016, arXiv 1608.06993, table 1.

    Raises:
        ValueError: an image too small for `stem="imagenet"`.
    """
    if not is_cifar(stem) and min(input_shape[1:]) < _DENSENET_MINIMUM:
        raise ValueError(
            f"densenet121 with stem='imagenet' takes images of {_DENSENET_MINIMUM} pixels or more a side, "
            f"not {tuple(input_shape)}; resize them or take stem='cifar'"
        )
    layers = tuple(scaled(layers, depth) for layers in (6, 12, 24, 16))
    with outline(width):
        net = DenseNet(block_config=layers, num_classes=num_classes)
        _adapt_stem(net, input_shape[0], stem, convolution="features.conv0", pool="features.pool0")
    return _filled(net, slot, width, input_shape)


def mobilenet_v2(
    input_shape: tuple[int, ...],
    num_classes: int,
    slot: Slot,
    width: float = 1.0,
    depth: float = 1.0,
    stem: Stem = "cifar",
    dropout: float = 0.2,
) -> nn.Module:
    """Inverted residuals with ReLU6 and linear bottlenecks. Sandler et al. 2018, arXiv 1801.04381, table 2.

    `stem="cifar"` takes the strides out of the first convolution and of the second stage. `width` narrows the last
    1x1 convolution too, which the paper's multiplier leaves at 1280 channels.
    """
    stages = [  # expansion, channels, blocks, stride
        [1, 16, 1, 1],
        [6, 24, 2, 1 if is_cifar(stem) else 2],
        [6, 32, 3, 2],
        [6, 64, 4, 2],
        [6, 96, 3, 1],
        [6, 160, 3, 2],
        [6, 320, 1, 1],
    ]
    for stage in stages:
        stage[2] = scaled(stage[2], depth)
    with outline(width):
        net = torchvision.models.MobileNetV2(num_classes, inverted_residual_setting=stages, dropout=dropout)
        _adapt(net, "features.0.0", in_channels=input_shape[0], stride=1 if is_cifar(stem) else 2)
    return _filled(net, slot, width, input_shape)


def alexnet(
    input_shape: tuple[int, ...], num_classes: int, slot: Slot, width: float = 1.0, dropout: float = 0.5
) -> nn.Module:
    """AlexNet on one GPU and without response normalisation. Krizhevsky 2014, arXiv 1404.5997."""
    with outline(width):
        net = torchvision.models.AlexNet(num_classes, dropout)
        _adapt(net, "features.0", in_channels=input_shape[0])
    return _filled(net, slot, width, input_shape)


def vgg16(
    input_shape: tuple[int, ...], num_classes: int, slot: Slot, width: float = 1.0, dropout: float = 0.5
) -> nn.Module:
    """VGG configuration D, without batch norm. Simonyan and Zisserman 2014, arXiv 1409.1556, table 1."""
    with outline(width):
        net = torchvision.models.vgg16(num_classes=num_classes, dropout=dropout, init_weights=False)
        _adapt(net, "features.0", in_channels=input_shape[0])
    return _filled(net, slot, width, input_shape)


def googlenet(
    input_shape: tuple[int, ...], num_classes: int, slot: Slot, width: float = 1.0, dropout: float = 0.2
) -> nn.Module:
    """Inception v1 with batch norm, without auxiliary classifiers. Szegedy et al. 2014, arXiv 1409.4842, table 1.

    Torchvision's departures stay: batch norm, and 3x3 where the paper has 5x5.
    """
    with outline(width):
        net = torchvision.models.GoogLeNet(
            num_classes, aux_logits=False, init_weights=False, blocks=GOOGLENET_BLOCKS, dropout=dropout
        )
        _adapt(net, "conv1.conv", in_channels=input_shape[0])
    return _filled(net, slot, width, input_shape)


def squeezenet(
    input_shape: tuple[int, ...], num_classes: int, slot: Slot, width: float = 1.0, dropout: float = 0.5
) -> nn.Module:
    """SqueezeNet 1.1. Iandola et al. 2016, arXiv 1602.07360; 1.1 is in the authors' repository.

    The convolution that gives the classes is followed by a ReLU, in the paper too: an output, which stays.
    """
    with outline(width):
        net = torchvision.models.SqueezeNet("1_1", num_classes, dropout)
        _adapt(net, "features.0", in_channels=input_shape[0])
    return _filled(net, slot, width, input_shape, within=net.features)


def _filled(
    net: nn.Module, slot: Slot, width: float, input_shape: tuple[int, ...], within: nn.Module | None = None
) -> nn.Module:
    """The network of a width with the slot's activations in the place of torchvision's; of a part, unless of all."""
    part = within or net
    for path, module in list(part.named_modules()):
        if isinstance(module, nn.ReLU | nn.ReLU6):
            part.set_submodule(path, LazyActivation())
    return slot.fill(narrow(net, width, input_shape), input_shape)


def _adapt_stem(net: nn.Module, channels: int, stem: Stem, convolution: str, pool: str) -> None:
    """The first convolution for other images, and no pooling behind it with `stem="cifar"`."""
    if is_cifar(stem):
        _adapt(net, convolution, in_channels=channels, kernel_size=3, stride=1, padding=1)
        net.set_submodule(pool, nn.Identity())
    else:
        _adapt(net, convolution, in_channels=channels)


def _adapt(net: nn.Module, path: str, **changes: Any) -> None:
    """Put a new convolution in the place of another, with some of its arguments changed."""
    old: Any = net.get_submodule(path)
    arguments = {name: getattr(old, name) for name in ("out_channels", "kernel_size", "stride", "padding")}
    net.set_submodule(path, nn.Conv2d(**{**arguments, "bias": old.bias is not None, **changes}))
