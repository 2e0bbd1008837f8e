"""Tests of models.narrow: the same layers with fewer channels."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import models
from made_networks import network
from models.narrow import narrow, scaled

NETS = (
    *("resnet18", "resnet50", "resnext50", "densenet121", "mobilenet_v2", "googlenet", "squeezenet", "alexnet"),
    *("nin", "zfnet", "mobilenet_v1", "segnet", "vgg16"),
)


def _make(name: str, **sizes: float) -> nn.Module:
    """One of the networks, for the smallest images that it takes."""
    return network(name, _shape(name), **sizes)


def _shape(name: str) -> tuple[int, int, int]:
    pixels = max(8, models.info(name).minimum_image_size)
    return (2, pixels, pixels)


def _types(net: nn.Module) -> dict[str, type[nn.Module]]:
    return {path: type(module) for path, module in net.named_modules()}


def _outputs(net: nn.Module) -> dict[str, int]:
    """Channels or units that each convolution and linear layer gives."""
    return {path: len(m.weight) for path, m in net.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}


@pytest.mark.parametrize("name", NETS)
def test_a_narrowed_network_has_the_same_layers_with_a_share_of_the_channels(name: str) -> None:
    width = 0.125
    with torch.device("meta"):  # nothing is computed, and AlexNet has 60 million weights
        full = _make(name)
    net = _make(name, width=width)
    assert _types(net) == _types(full)
    *_, last = _outputs(full)
    assert _outputs(net) == {
        path: 10 if path == last else scaled(outputs, width) for path, outputs in _outputs(full).items()
    }
    first = next(m for m in net.modules() if isinstance(m, nn.Conv2d))
    assert first.in_channels == 2
    assert net(torch.randn(2, *_shape(name))).shape[:2] == (2, 10)


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenet_v2", "googlenet", "squeezenet", "segnet"])
def test_a_width_that_leaves_remainders_trains_all_the_same(name: str) -> None:
    """0.3 of 64 and of 32 channels, one behind the other, is not 0.3 of 96: the layer behind takes what arrives."""
    net = _make(name, width=0.3)
    net(torch.randn(2, *_shape(name))).square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in net.parameters())


def test_a_width_of_one_leaves_the_network_as_it_is() -> None:
    net = _make("resnet18")
    before = dict(net.state_dict())
    assert narrow(net, 1.0, _shape("resnet18")) is net
    after = net.state_dict()
    assert list(before) == list(after)
    assert all(before[key].data_ptr() == after[key].data_ptr() for key in before)


def test_grouped_convolutions_keep_the_channels_of_a_group() -> None:
    full, net = (_make("resnext50", width=width, depth=0.1) for width in (1.0, 0.25))
    for path, layer in net.named_modules():
        if isinstance(layer, nn.Conv2d) and path.endswith("conv2"):
            assert (layer.groups, full.get_submodule(path).groups) == (8, 32)
            assert layer.weight.shape[1] == full.get_submodule(path).weight.shape[1]
    for name in ("mobilenet_v1", "mobilenet_v2"):
        groups = [
            (layer.groups, layer.in_channels, layer.out_channels)
            for layer in _make(name, width=0.3).modules()
            if isinstance(layer, nn.Conv2d) and layer.groups > 1
        ]
        assert len(groups) >= 13
        assert all(len(set(one)) == 1 for one in groups)  # depthwise


@pytest.mark.parametrize("width", [0.1, 1 / 64])
def test_a_width_that_splits_a_group_names_the_layer_and_widths_that_fit(width: float) -> None:
    with pytest.raises(ValueError, match=r"fails at 'layer1\.0\.conv2': .* multiples of 1/32"):
        _make("resnext50", width=width)
    _make("resnext50", width=3 / 32, depth=0.1)


class _Branches(nn.Module):
    """Two branches one behind the other, added to one of as many channels."""

    def __init__(self) -> None:
        super().__init__()
        self.whole, self.one, self.other = (nn.Conv2d(3, channels, 1) for channels in (10, 5, 5))
        self.last = nn.Conv2d(10, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.whole(x) + torch.cat([self.one(x), self.other(x)], 1))


def test_branches_that_no_longer_add_up_name_the_layer_and_widths_that_fit() -> None:
    with pytest.raises(ValueError, match=r"_Branches of width 0\.3 fails at 'last': .* multiples of 1/5"):
        narrow(_Branches(), 0.3, (3, 4, 4))
    net = narrow(_Branches(), 3 / 5, (3, 4, 4))
    assert net(torch.randn(2, 3, 4, 4)).shape == (2, 4, 4, 4)


def test_narrowing_counts_nothing_in_batch_norm_and_keeps_the_mode() -> None:
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8, eps=0.1, momentum=0.3), nn.Flatten(), nn.Linear(32, 2))
    for training in (True, False):
        narrowed = narrow(net.train(training), 0.5, (1, 4, 4))
        assert all(module.training is training for module in narrowed.modules())
        norm = narrowed[1]
        assert (norm.num_features, norm.eps, norm.momentum) == (4 if training else 2, 0.1, 0.3)
        assert norm.num_batches_tracked == 0
        assert not norm.running_mean.any()


@pytest.mark.parametrize("width", [0, -0.5, float("nan")])
def test_a_width_that_is_not_positive_is_refused(width: float) -> None:
    with pytest.raises(ValueError, match=f"must be positive, not {width}"):
        _make("resnet18", width=width)


def test_scaled_counts_are_rounded_and_at_least_one() -> None:
    assert [scaled(count, 0.3) for count in (1, 2, 10, 64)] == [1, 1, 3, 19]
