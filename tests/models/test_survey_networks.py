"""Tests of the classifiers that are written here to their papers: nin, zfnet, mobilenet_v1."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from made_networks import network


def _parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def _shapes(net: nn.Module, kind: type[nn.Module], x: torch.Tensor) -> list[tuple[int, ...]]:
    """What every layer of a kind gives for one batch."""
    shapes: list[tuple[int, ...]] = []
    for module in net.modules():
        if isinstance(module, kind):
            module.register_forward_hook(lambda module, inputs, output: shapes.append(tuple(output.shape[1:])))
    net.eval()(x)
    return shapes


def test_zfnet_has_the_parameters_and_the_feature_maps_of_its_figure() -> None:
    """Figure 3 of arXiv 1311.2901: 110, 55, 26, 13, 13, 13, 13 and 6 pixels a side."""
    convolutions = [(3, 96, 7), (96, 256, 5), (256, 384, 3), (384, 384, 3), (384, 256, 3)]
    linears = [(6 * 6 * 256, 4096), (4096, 4096), (4096, 1000)]
    expected = sum((inputs * size**2 + 1) * outputs for inputs, outputs, size in convolutions)
    expected += sum((inputs + 1) * outputs for inputs, outputs in linears)
    with torch.device("meta"):
        net = network("zfnet", (3, 224, 224), 1000)
        assert _parameters(net) == expected == 62_357_608
        maps = _shapes(net, nn.Conv2d | nn.MaxPool2d, torch.zeros(1, 3, 224, 224))
    sides = [110, 55, 26, 13, 13, 13, 13, 6]
    assert maps == [(c, s, s) for c, s in zip([96, 96, 256, 256, 384, 384, 256, 256], sides, strict=True)]


def test_mobilenet_v1_has_the_papers_parameters() -> None:
    """4.2 million in table 8 of arXiv 1704.04861, and 2.6 and 1.3 million at 0.75 and 0.5 of the width (table 6)."""
    with torch.device("meta"):
        net = network("mobilenet_v1", (3, 224, 224), 1000, stem="imagenet")
    blocks = [(32, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), *[(512, 512)] * 5]
    blocks += [(512, 1024), (1024, 1024)]
    convolutions = 3 * 9 * 32 + sum(9 * inputs + inputs * outputs for inputs, outputs in blocks)
    norms = 2 * 32 + sum(2 * inputs + 2 * outputs for inputs, outputs in blocks)
    assert _parameters(net) == convolutions + norms + 1025 * 1000 == 4_231_976
    for width, millions in ((0.75, 2.6), (0.5, 1.3)):
        net = network("mobilenet_v1", (3, 64, 64), 1000, width=width, stem="imagenet")
        assert _parameters(net) / 1e6 == pytest.approx(millions, abs=0.05)


def test_mobilenet_v1_ends_at_7_pixels_of_224_and_at_2_of_32_with_the_cifar_stem() -> None:
    with torch.device("meta"):
        for stem, pixels, end in (("imagenet", 224, 7), ("cifar", 32, 2)):
            net = network("mobilenet_v1", (3, pixels, pixels), 10, stem=stem)
            assert _shapes(net, nn.Conv2d, torch.zeros(1, 3, pixels, pixels))[-1] == (1024, end, end)


def test_depth_multiplies_the_blocks_of_mobilenet_v1() -> None:
    with torch.device("meta"):
        depthwise = [
            sum(
                layer.groups > 1
                for layer in network("mobilenet_v1", (3, 32, 32), 10, depth=depth)
                if isinstance(layer, nn.Conv2d)
            )
            for depth in (1.0, 0.5, 0.01)
        ]
    assert depthwise == [13, 1 + 1 + 1 + 3 + 1, 5]


def test_nin_has_the_layers_of_the_authors_cifar10_model_and_no_linear_one() -> None:
    """966,986 parameters: the convolutions of github.com/mavenlin/cuda-convnet, NIN, counted."""
    convolutions = [(3, 192, 5), (192, 160, 1), (160, 96, 1), (96, 192, 5), (192, 192, 1), (192, 192, 1)]
    convolutions += [(192, 192, 3), (192, 192, 1), (192, 10, 1)]
    net = network("nin", (3, 32, 32), 10)
    assert _parameters(net) == sum((i * size**2 + 1) * o for i, o, size in convolutions) == 966_986
    assert not [module for module in net.modules() if isinstance(module, nn.Linear)]
    poolings = nn.MaxPool2d | nn.AvgPool2d | nn.AdaptiveAvgPool2d
    assert _shapes(net, poolings, torch.zeros(1, 3, 32, 32)) == [(96, 16, 16), (192, 8, 8), (10, 1, 1)]
    assert [type(layer) for layer in net[-4:]] == [nn.Conv2d, nn.ReLU, nn.AdaptiveAvgPool2d, nn.Flatten]


@pytest.mark.parametrize("name", ["nin", "zfnet"])
def test_dropout_is_an_argument(name: str) -> None:
    with torch.device("meta"):
        rates = [
            [m.p for m in network(name, (3, 64, 64), **s) if isinstance(m, nn.Dropout)] for s in ({}, {"dropout": 0.1})
        ]
    assert rates == [[0.5, 0.5], [0.1, 0.1]]
