"""Tests of models.segnet: the paper's layers, and that it learns to label pixels."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import models
from made_networks import network


def _convolutions(net: nn.Module) -> list[nn.Conv2d]:
    return [module for module in net.modules() if isinstance(module, nn.Conv2d)]


def test_the_full_network_has_the_papers_parameters() -> None:
    """14.7 million in the encoder (arXiv 1511.00561, section 3), twice as many with the decoder.

    Paszke et al. 2016, arXiv 1606.02147, table 3, counts 29.46 million for the 11 classes of CamVid.
    """
    channels = [3, 64, 64, 128, 128, 256, 256, 256, *[512] * 6]
    encoder = sum((9 * inputs + 1) * outputs + 2 * outputs for inputs, outputs in pairwise(channels))
    mirrored = [*channels[:0:-1], 11]
    decoder = sum((9 * inputs + 1) * outputs + 2 * outputs for inputs, outputs in pairwise(mirrored)) - 2 * 11
    with torch.device("meta"):
        net = network("segnet", (3, 360, 480), 11)
    counts = [sum(p.numel() for p in part.parameters()) for part in (net.encoder, net.decoder)]
    assert counts == [encoder, decoder]
    assert encoder / 1e6 == pytest.approx(14.7, abs=0.05)
    assert sum(counts) / 1e6 == pytest.approx(29.46, abs=0.02)


def test_the_encoder_has_vgg16s_convolutions_and_the_decoder_mirrors_them() -> None:
    with torch.device("meta"):
        net, vgg = network("segnet", (3, 64, 64), 11), network("vgg16", (3, 64, 64), 10)
    encoder = [layer.weight.shape for layer in _convolutions(net.encoder)]
    assert encoder == [layer.weight.shape for layer in _convolutions(vgg)]
    decoder = [(layer.in_channels, layer.out_channels) for layer in _convolutions(net.decoder)]
    mirrored = [(outputs, inputs) for outputs, inputs, *_ in reversed(encoder)]
    assert decoder == [*mirrored[:-1], (64, 11)]
    assert isinstance(net.decoder[-1][-1], nn.Conv2d)  # logits


def test_every_pixel_gets_logits_whatever_the_size_of_the_image() -> None:
    for shape in ((1, 32, 32), (3, 37, 50), (2, 63, 32)):
        net = network("segnet", shape, 5, width=0.0625)
        assert net(torch.randn(2, *shape)).shape == (2, 5, *shape[1:])


def test_unpooling_puts_features_back_where_the_maxima_were() -> None:
    net = network("segnet", (1, 32, 32), 2, width=0.0625).eval()
    inputs: list[Tensor] = []
    net.encoder[0].register_forward_hook(lambda module, arguments, output: inputs.append(output))
    net.decoder[-1].register_forward_hook(lambda module, arguments, output: inputs.append(arguments[0]))
    net(torch.randn(2, 1, 32, 32))
    pooled, unpooled = inputs
    _, maxima = F.max_pool2d(pooled, 2, return_indices=True)
    inside = torch.zeros_like(pooled).flatten(2).scatter(2, maxima.flatten(2), 1.0).view_as(pooled)
    assert unpooled.any()
    assert not (unpooled * (1 - inside)).any()


def test_depth_multiplies_the_convolutions_of_each_stage() -> None:
    with torch.device("meta"):
        counts = [len(_convolutions(network("segnet", (1, 32, 32), 2, depth=depth))) for depth in (1.0, 0.5, 0.01)]
    assert counts == [26, 2 * (1 + 1 + 2 + 2 + 2), 10]


def _scenes(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A disc (class 1) and a square (class 2) of different greys on noise (class 0), 32 x 32 pixels, and the labels."""
    y, x = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    labels = torch.zeros(count, 32, 32, dtype=torch.long)
    for label in labels:
        centre = torch.randint(8, 24, (2, 2), generator=generator)
        label[(y - centre[0, 0]) ** 2 + (x - centre[0, 1]) ** 2 < 9**2] = 1
        label[((y - centre[1, 0]).abs() < 8) & ((x - centre[1, 1]).abs() < 8)] = 2
    greys = torch.tensor([0.0, 1.0, -1.0])[labels]
    return (greys + 0.5 * torch.randn(count, 32, 32, generator=generator)).unsqueeze(1), labels


@pytest.mark.parametrize("activation", ["relu", "mish", "prelu"])
def test_it_learns_to_label_pixels_with_any_activation(activation: str) -> None:
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    inputs, labels = _scenes(96, generator)
    net = models.build(
        "segnet",
        input_shape=(1, 32, 32),
        num_classes=3,
        activation=activation,
        width=0.125,
        depth=0.01,
    )
    models.initialise(net, "kaiming", generator)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(9):
        for batch in torch.randperm(64, generator=generator).split(8):
            optimizer.zero_grad()
            F.cross_entropy(net(inputs[batch]), labels[batch]).backward()
            optimizer.step()
    with torch.no_grad():
        accuracy = (net.eval()(inputs[64:]).argmax(1) == labels[64:]).float().mean()
    majority = (labels[64:] == 0).float().mean()
    assert majority < 0.7
    assert accuracy > majority + 0.15
