"""What distinguishes the residual networks written here: gates, where norms and dropout stand, shortcuts, stems."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import models
from made_networks import RELU, network
from models.senet import SEBlock
from models.slot import Slot
from models.wrn import EndNormBlock, FastaiBlock
from models.xresnet import Block

SHAPE = (3, 32, 32)


def _randomise_norms(net: nn.Module) -> None:
    """Weights and biases as after training, so that a norm more or less, or one in another place, shows."""
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias)


@pytest.mark.parametrize("stride", [1, 2])
def test_an_se_block_multiplies_each_channel_by_a_gate_from_0_to_1(stride: int) -> None:
    torch.manual_seed(0)
    block = RELU.fill(SEBlock(32, 32, stride), (32, 8, 8)).eval()
    x = torch.randn(2, 32, 8, 8)
    nn.init.zeros_(block.gate.fc2.weight)
    gates = torch.linspace(-20, 20, 32)
    block.gate.fc2.bias.data.copy_(gates)
    expected = block.residual(x) * gates.sigmoid()[:, None, None] + block.shortcut(x)
    torch.testing.assert_close(block(x), expected.relu())


def test_senets_gates_squeeze_by_16_and_stay_sigmoids_when_swapped() -> None:
    net = network("senet18")
    blocks = [module for module in net if isinstance(module, SEBlock)]
    assert [(block.gate.fc1.in_channels, block.gate.fc1.out_channels) for block in blocks[::2]] == [
        (64, 4),
        (128, 8),
        (256, 16),
        (516, 32),
    ]
    roles = [site.role for site in models.sites(net)]
    assert (roles.count("gate"), roles.count("hidden")) == (8, 1 + 8 * 4)
    models.swap(net, "gelu")
    assert all(isinstance(block.gate.scale_activation, nn.Sigmoid) for block in blocks)
    assert not any(isinstance(module, nn.ReLU) for module in net.modules())


@pytest.mark.parametrize("inputs", [8, 4])
def test_fastais_block_adds_a_fifth_of_the_residual_to_what_is_activated(inputs: int) -> None:
    torch.manual_seed(0)
    block = RELU.fill(FastaiBlock(inputs, 8, 1), (inputs, 6, 6)).eval()
    _randomise_norms(block)
    x = torch.randn(2, inputs, 6, 6)
    conv1, norm2, _, _, conv2 = block.residual
    active = block.norm(x).relu()
    residual = conv2(norm2(conv1(active)).relu())
    torch.testing.assert_close(block(x), block.shortcut(active) + residual / 5)
    assert isinstance(block.shortcut, nn.Identity) == (inputs == 8)


def test_gelus_block_ends_with_a_norm_and_begins_with_a_convolution() -> None:
    torch.manual_seed(0)
    block = RELU.fill(EndNormBlock(8, 8, 1, dropout=0.3), (8, 6, 6)).eval()
    _randomise_norms(block)
    conv1, _, _, conv2, _, norm = block.residual
    x = torch.randn(2, 8, 6, 6)
    torch.testing.assert_close(block(x), x + norm(conv2(conv1(x).relu()).relu()))


def test_wrn_40_4_drops_out_between_the_convolutions_of_each_block() -> None:
    net = network("wrn_40_4", width=0.0625, dropout=0.4)
    blocks = [module for module in net if isinstance(module, EndNormBlock)]
    assert len(blocks) == 3 * 6
    for block in blocks:
        kinds = [type(layer) for layer in block.residual]
        assert kinds.index(nn.Conv2d) < kinds.index(nn.Dropout) < 5 - kinds[::-1].index(nn.Conv2d)
        assert block.residual[kinds.index(nn.Dropout)].p == 0.4


@pytest.mark.parametrize(("name", "layers"), [("wrn_40_4", 40), ("wrn_22", 22)])
def test_a_wide_network_has_the_convolutions_of_its_name(name: str, layers: int) -> None:
    net = network(name, width=0.0625)
    assert sum(isinstance(layer, nn.Conv2d) for layer in net.modules()) == layers


def test_a_norm_at_the_end_of_its_blocks_keeps_elu_from_exploding() -> None:
    """Shah et al. 2016, arXiv 1604.04112, the reason for these blocks: without any norm in them, the sum grows."""
    torch.manual_seed(0)
    blocks = [EndNormBlock(16, 16, 1, dropout=0.0) for _ in range(18)]
    net = Slot(lambda shape: nn.ELU()).fill(nn.Sequential(*blocks), (16, 8, 8))
    models.initialise(net, "kaiming", torch.Generator().manual_seed(0))
    x = torch.randn(8, 16, 8, 8)
    assert net(x).std() < 10
    for block in blocks:
        block.residual[-1] = nn.Identity()
    assert net(x).std() > 100


@pytest.mark.parametrize("name", ["xresnet18", "xresnet50"])
def test_an_xresnets_block_starts_as_its_shortcut_also_when_initialised(name: str) -> None:
    net = network(name, width=0.0625)
    models.initialise(net, "kaiming", torch.Generator().manual_seed(0))
    blocks = [module for module in net if isinstance(module, Block)]
    assert blocks
    for block in blocks:
        x = torch.randn(2, block.residual[0].in_channels, 8, 8)
        assert torch.equal(block(x), block.shortcut(x).relu())
        nn.init.ones_(block.residual[-1].weight)
        assert not torch.equal(block(x), block.shortcut(x).relu())


@pytest.mark.parametrize("name", ["xresnet18", "xresnet50"])
def test_an_xresnet_strides_in_3x3_convolutions_and_means_before_the_1x1_of_a_shortcut(
    name: str,
) -> None:
    net = network(name, width=0.125)
    striding = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2)]
    assert [layer.kernel_size for layer in striding] == [(3, 3)] * 3
    pooled = [block.shortcut for block in net if isinstance(block, Block) and len(block.shortcut) == 3]
    assert [type(layer) for shortcut in pooled for layer in shortcut] == [nn.AvgPool2d, nn.Conv2d, nn.BatchNorm2d] * 3


@pytest.mark.parametrize(("stem", "pixels"), [("cifar", 32), ("imagenet", 8)])
def test_an_xresnets_stem_has_three_convolutions_and_for_imagenet_leaves_a_quarter(stem: str, pixels: int) -> None:
    net = network("xresnet18", stem=stem)
    first = next(number for number, module in enumerate(net) if isinstance(module, Block))
    stem_layers = nn.Sequential(*list(net)[:first])
    assert [layer.out_channels for layer in stem_layers if isinstance(layer, nn.Conv2d)] == [32, 32, 64]
    assert stem_layers(torch.randn(2, *SHAPE)).shape == (2, 64, pixels, pixels)


def test_an_unknown_stem_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown stem 'mnist'; known: imagenet, cifar"):
        network("xresnet18", stem="mnist")


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 33, 39)], ids=str)
def test_an_xresnet_for_imagenet_takes_small_and_odd_images(shape: tuple[int, ...]) -> None:
    assert network("xresnet18", shape, width=0.125, stem="imagenet")(torch.randn(2, *shape)).shape == (2, 10)
