"""The networks written here for the documents' experiments: parameter counts and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import nn

import models
from made_networks import network

NAMES = (
    *("senet18", "wrn_40_4", "wrn_22", "xresnet18", "xresnet34", "xresnet50"),
    *("gelu_cnn", "apl_cnn3", "apl_cnn5", "apl_cnn7", "autoencoder", "rnn"),
)

RESIDUAL = ("senet18", "wrn_40_4", "wrn_22", "xresnet18", "xresnet34", "xresnet50")


def _shapes(name: str, **sizes: float) -> list[tuple[int, ...]]:
    """What a network asks for, site by site, on the meta device: nothing is drawn or computed."""
    shapes: list[tuple[int, ...]] = []
    with torch.device("meta"):
        models.build(
            name,
            input_shape=(3, 32, 32),
            num_classes=10,
            activation=lambda shape: shapes.append(shape) or nn.ReLU(),
            **sizes,
        )
    return shapes


def _parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def _linear(units: Sequence[int]) -> int:
    return sum((inputs + 1) * outputs for inputs, outputs in pairwise(units))


def _convolutions(channels: Sequence[int], sizes: Sequence[int], bias: bool) -> int:
    layers = zip(pairwise(channels), sizes, strict=True)
    return sum((inputs * size**2 + bias) * outputs for (inputs, outputs), size in layers)


def _senet18() -> int:
    """Layer by layer, from the notebook."""
    total, inputs = _convolutions([3, 64], [3], bias=True) + 2 * 64, 64
    for outputs in (64, 128, 256, 516):
        for entering in (inputs, outputs):
            total += _convolutions([entering, outputs, outputs], [3, 3], bias=True) + 2 * 2 * outputs
            total += _linear([outputs, outputs // 16, outputs])
            if entering != outputs:
                total += _convolutions([entering, outputs], [1], bias=True) + 2 * outputs
        inputs = outputs
    return total + _linear([516, 10])


def _wrn_22() -> int:
    """Layer by layer, from fastai's wrn.py: 16 channels, then three groups of three blocks with k = 6."""
    total, inputs = _convolutions([3, 16], [3], bias=False), 16
    for outputs in (96, 192, 384):
        total += _convolutions([inputs, outputs], [1], bias=False)
        for entering in (inputs, outputs, outputs):
            total += 2 * entering + 2 * outputs + _convolutions([entering, outputs, outputs], [3, 3], bias=False)
        inputs = outputs
    return total + 2 * 384 + _linear([384, 10])


def _gelu_cnn() -> int:
    """Table 1 of arXiv 1606.08415."""
    channels = [3, *[96] * 3, *[192] * 6]
    return _convolutions(channels, [3] * 7 + [1] * 2, bias=False) + 2 * sum(channels[1:]) + _linear([192, 10])


def _apl_cnn(convolutions: int) -> int:
    channels = [3, 96, 128, *[256] * (convolutions - 2)]
    return _convolutions(channels, [5] * convolutions, bias=True) + _linear([256 * 4 * 4, 2048, 2048, 10])


@pytest.mark.parametrize(
    ("name", "sizes", "shape", "expected"),
    [
        ("senet18", {}, (3, 32, 32), _senet18()),
        ("wrn_40_4", {}, (3, 32, 32), 8_949_754),  # 8.9 M in Table 4 of arXiv 1605.07146
        ("wrn_22", {}, (3, 32, 32), _wrn_22()),
        ("gelu_cnn", {}, (3, 32, 32), _gelu_cnn()),
        ("apl_cnn3", {}, (3, 32, 32), _apl_cnn(3)),
        ("apl_cnn5", {}, (3, 32, 32), _apl_cnn(5)),
        ("apl_cnn7", {}, (3, 32, 32), _apl_cnn(7)),
        ("autoencoder", {}, (1, 28, 28), _linear([784, 1000, 500, 250, 30, 250, 500, 1000, 784])),
        ("rnn", {}, (1, 28, 28), _linear([28, 128]) + 128 * 128 + _linear([128, 10])),
    ],
    ids=str,
)
def test_a_full_network_has_the_published_number_of_parameters(
    name: str, sizes: dict[str, Any], shape: tuple[int, ...], expected: int
) -> None:
    with torch.device("meta"):
        assert _parameters(network(name, shape, **sizes)) == expected


@pytest.mark.parametrize(("layers", "millions"), [(18, 11.71), (34, 21.82), (50, 25.58)])
def test_an_xresnet_for_imagenet_has_the_parameters_of_timms_resnet_d(layers: int, millions: float) -> None:
    """resnet18d, resnet34d and resnet50d in the tables of timm's documentation: the same three tricks."""
    with torch.device("meta"):
        net = network(f"xresnet{layers}", (3, 224, 224), 1000, stem="imagenet")
    assert round(_parameters(net) / 1e6, 2) == millions


@pytest.mark.parametrize("name", NAMES)
def test_width_multiplies_the_channels_of_all_sites(name: str) -> None:
    full, half = ([shape[0] for shape in _shapes(name, width=width)] for width in (1.0, 0.5))
    assert half == [channels // 2 for channels in full]


@pytest.mark.parametrize("name", RESIDUAL)
def test_depth_multiplies_the_blocks_and_leaves_one_in_each_stage(name: str) -> None:
    full, half, least = (len(_shapes(name, width=0.0625, depth=depth)) for depth in (1.0, 0.5, 0.01))
    assert full > half >= least > 4


@pytest.mark.parametrize("name", NAMES)
def test_a_size_that_a_network_does_not_have_is_a_type_error(name: str) -> None:
    with pytest.raises(TypeError, match="kernel_size"):
        network(name, kernel_size=3)


@pytest.mark.parametrize("name", NAMES)
def test_a_width_that_is_not_positive_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must be positive, not 0"):
        network(name, width=0)
