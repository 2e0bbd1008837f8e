"""Tests of models.torchvision_nets: torchvision's own networks, and what the stem for small images changes."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

import models
from made_networks import network

# What torchvision documents as num_params of the weights trained on ImageNet.
PUBLISHED = {
    "resnet18": ("resnet18", 11_689_512),
    "resnet50": ("resnet50", 25_557_032),
    "resnext50": ("resnext50_32x4d", 25_028_904),
    "densenet121": ("densenet121", 7_978_856),
    "mobilenet_v2": ("mobilenet_v2", 3_504_872),
    "alexnet": ("alexnet", 61_100_840),
    "vgg16": ("vgg16", 138_357_544),
    "googlenet": ("googlenet", 6_624_904),
    "squeezenet": ("squeezenet1_1", 1_235_496),
}
WITH_STEM = ("resnet18", "resnet50", "resnext50", "densenet121", "mobilenet_v2")
WITHOUT_STEM = tuple(name for name in PUBLISHED if name not in WITH_STEM)
WITH_DROPOUT = ("mobilenet_v2", *WITHOUT_STEM)


def _imagenet(name: str, channels: int = 3) -> nn.Module:
    sizes = {"stem": "imagenet"} if name in WITH_STEM else {}
    return network(name, (channels, 224, 224), 1000, **sizes)


def _torchvisions(name: str) -> nn.Module:
    heads = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    return torchvision.models.get_model(PUBLISHED[name][0], weights=None, **heads)


def _layers(net: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
    return [module for module in net.modules() if isinstance(module, kind)]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_full_network_has_torchvisions_parameters(name: str) -> None:
    with torch.device("meta"):
        net, own = _imagenet(name), _torchvisions(name)
    assert sum(parameter.numel() for parameter in net.parameters()) == PUBLISHED[name][1]
    assert {key: value.shape for key, value in net.state_dict().items()} == {
        key: value.shape for key, value in own.state_dict().items()
    }


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "densenet121", "mobilenet_v2", "googlenet", "squeezenet"])
def test_with_torchvisions_weights_a_network_computes_what_torchvisions_does(name: str) -> None:
    own = _torchvisions(name).eval()
    net = _imagenet(name).eval()
    net.load_state_dict(own.state_dict())
    x = torch.randn(2, 3, 64, 64)
    assert torch.equal(net(x), own(x))


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_first_convolution_takes_the_channels_of_the_image(name: str) -> None:
    with torch.device("meta"):
        grey, colour = (_layers(_imagenet(name, channels), nn.Conv2d) for channels in (1, 3))
    assert [layer.in_channels for layer in (grey[0], colour[0])] == [1, 3]
    assert [repr(layer) for layer in grey[1:]] == [repr(layer) for layer in colour[1:]]


@pytest.mark.parametrize("name", WITH_STEM)
def test_the_cifar_stem_halves_a_small_image_three_times_only(name: str) -> None:
    """32 pixels end as 4, where the stem for ImageNet leaves 1."""
    for stem, pixels in (("cifar", 4), ("imagenet", 1)):
        net = network(name, (3, 32, 32), 10, width=0.125, stem=stem)
        arrived: list[torch.Size] = []
        last = _layers(net, nn.Conv2d)[-1]
        last.register_forward_hook(lambda module, inputs, output, arrived=arrived: arrived.append(output.shape))
        net(torch.randn(2, 3, 32, 32))
        assert arrived[0][2:] == (pixels, pixels)


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnext50", "densenet121"])
def test_the_cifar_stem_is_a_3x3_convolution_of_stride_1_without_pooling(name: str) -> None:
    with torch.device("meta"):
        small, large = (network(name, (3, 32, 32), 10, stem=stem) for stem in ("cifar", "imagenet"))
    first = _layers(small, nn.Conv2d)[0]
    assert (first.kernel_size, first.stride, first.padding) == ((3, 3), (1, 1), (1, 1))
    assert not _layers(small, nn.MaxPool2d)
    assert len(_layers(large, nn.MaxPool2d)) == 1
    assert {path for path, _ in small.named_modules()} == {path for path, _ in large.named_modules()}


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("resnet18", [1, 1, 1, 1]),
        ("resnet50", [2, 2, 3, 2]),
        ("resnext50", [2, 2, 3, 2]),
        ("densenet121", [3, 6, 12, 8]),
    ],
)
def test_depth_multiplies_the_blocks_of_each_stage(name: str, blocks: list[int]) -> None:
    with torch.device("meta"):
        half, least = (network(name, (3, 32, 32), 10, depth=depth) for depth in (0.5, 0.01))
    stages = [f"features.denseblock{stage}" if name == "densenet121" else f"layer{stage}" for stage in (1, 2, 3, 4)]
    assert [len(list(half.get_submodule(stage).children())) for stage in stages] == blocks
    assert [len(list(least.get_submodule(stage).children())) for stage in stages] == [1, 1, 1, 1]


def test_depth_multiplies_the_inverted_residuals_of_each_stage() -> None:
    kind = torchvision.models.mobilenetv2.InvertedResidual
    with torch.device("meta"):
        counts = [
            len(_layers(network("mobilenet_v2", (3, 32, 32), 10, depth=depth), kind)) for depth in (1.0, 0.5, 0.01)
        ]
    assert counts == [17, 1 + 1 + 2 + 2 + 2 + 2 + 1, 7]


@pytest.mark.parametrize("name", WITH_DROPOUT)
def test_dropout_is_an_argument_of_those_that_have_it(name: str) -> None:
    with torch.device("meta"):
        nets = (_torchvisions(name), network(name, (3, 64, 64), 10), network(name, (3, 64, 64), 10, dropout=0.125))
    theirs, own, other = ([layer.p for layer in _layers(net, nn.Dropout)] for net in nets)
    assert own == theirs
    assert other == [0.125] * len(theirs)


@pytest.mark.parametrize(
    ("name", "size"),
    [*((name, "dropout") for name in PUBLISHED if name not in WITH_DROPOUT), *((n, "depth") for n in WITHOUT_STEM)],
)
def test_a_size_that_a_network_does_not_have_is_refused(name: str, size: str) -> None:
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{size}'"):
        network(name, (3, 64, 64), 10, **{size: 0.5})


@pytest.mark.parametrize("name", WITH_STEM)
def test_an_unknown_stem_lists_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match="unknown stem 'mnist'; known: imagenet, cifar"):
        network(name, (3, 32, 32), 10, stem="mnist")


def test_densenet_refuses_images_too_small_for_the_imagenet_stem_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"29 pixels or more a side, not \(1, 28, 28\); .* stem='cifar'"):
        network("densenet121", (1, 28, 28), 10, stem="imagenet")
    net = network("densenet121", (1, 29, 29), 10, width=0.125, depth=0.1, stem="imagenet")
    assert net(torch.randn(2, 1, 29, 29)).shape == (2, 10)


@pytest.mark.parametrize("name", ["resnet18", "googlenet"])
def test_a_network_gives_logits_only_in_both_modes(name: str) -> None:
    net = network(name, (1, 32, 32), 10, width=0.125)
    for training in (True, False):
        output = net.train(training)(torch.randn(2, 1, 32, 32))
        assert isinstance(output, Tensor)
        assert output.shape == (2, 10)


@pytest.mark.parametrize("name", ["densenet121", *WITHOUT_STEM, "nin", "zfnet", "segnet"])
def test_one_pixel_less_than_the_minimum_image_size_fails(name: str) -> None:
    """So the minimum of the record is not larger than it need be."""
    pixels = models.info(name).minimum_image_size
    with torch.device("meta"):
        net = network(name, (1, pixels, pixels), 10).eval()
        net(torch.zeros(1, 1, pixels, pixels))
        with pytest.raises(RuntimeError):
            net(torch.zeros(1, 1, pixels - 1, pixels - 1))
