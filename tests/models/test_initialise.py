"""Tests of models.initialise: the same weights for every activation, with the variance that the name promises."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import nn

import activations
import models

NAMES = [name for name, draw in models.INITIALISATIONS.items() if draw]


# Fully connected, convolutional, and with batch norm.
SIZES = {"mlp": {}, "cnn": {}, "resnet18": {"width": 0.125, "depth": 0.01}}


def _net(activation: str, model: str = "cnn") -> nn.Module:
    sites: list[nn.Module] = []

    def site(shape: tuple[int, ...]) -> nn.Module:
        sites.append(activations.build(activation, shape=shape))
        return sites[-1]

    net = models.build(model, input_shape=(3, 32, 32), num_classes=10, activation=site, **SIZES[model])
    net.sites = sites
    return net


def _sites(net: nn.Module) -> list[nn.Module]:
    return getattr(net, "sites", [])


def _layers(net: nn.Module) -> list[nn.Linear | nn.Conv2d]:
    """Those of the network itself: some activations have layers of their own."""
    inside = {part for site in _sites(net) for part in site.modules()}
    return [layer for layer in net.modules() if isinstance(layer, nn.Linear | nn.Conv2d) and layer not in inside]


def _initialised(net: nn.Module, name: str, seed: int = 1) -> nn.Module:
    models.initialise(net, name, torch.Generator().manual_seed(seed), keep=_sites(net))
    return net


@pytest.mark.parametrize("model", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_nets_of_all_activations_start_from_equal_weights(name: str, model: str) -> None:
    wanted = [(layer.weight, layer.bias) for layer in _layers(_initialised(_net("relu", model), name))]
    for activation in activations.names():
        if activations.info(activation).in_features_multiplier > 1:
            continue  # its layers have other widths
        layers = _layers(_initialised(_net(activation, model), name))
        for layer, (weight, bias) in zip(layers, wanted, strict=True):
            assert torch.equal(layer.weight, weight), activation
            assert layer.bias is bias is None or torch.equal(layer.bias, bias), activation


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_draws_other_weights(name: str) -> None:
    one, other = (_layers(_initialised(_net("relu"), name, seed)) for seed in (1, 2))
    assert all(not torch.equal(a.weight, b.weight) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_the_global_generator_is_not_touched(name: str) -> None:
    net = _net("relu")
    before = torch.get_rng_state()
    _initialised(net, name)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("activation", activations.names(trainable=True))
def test_activations_keep_the_parameters_that_they_drew(name: str, activation: str) -> None:
    net = _net(activation)
    own = {id(parameter) for layer in _layers(net) for parameter in layer.parameters()}
    before = {key: value.clone() for key, value in net.named_parameters() if id(value) not in own}
    _initialised(net, name)
    assert before
    assert all(torch.equal(net.get_parameter(key), value) for key, value in before.items())


@pytest.mark.parametrize(
    "layer", [nn.Linear(300, 400), nn.Conv2d(12, 400, 5), nn.Conv2d(12, 400, (3, 7), groups=2)], ids=str
)
def test_kaiming_has_variance_two_over_fan_in_and_no_bias(layer: nn.Linear | nn.Conv2d) -> None:
    """Within five standard errors, sqrt(2 / n) of the variance and sqrt(var / n) of the mean of n normal draws."""
    weight = _layers(_initialised(nn.Sequential(layer), "kaiming"))[0].weight
    n, variance = weight.numel(), 2 / weight[0].numel()
    assert weight.var().item() == pytest.approx(variance, rel=5 * (2 / n) ** 0.5)
    assert abs(weight.mean().item()) < 5 * (variance / n) ** 0.5
    assert not layer.bias.any()


def test_a_residual_network_starts_with_the_spreads_of_torchvisions() -> None:
    """Convolutions within five standard errors of the fan_out's 2 / (out_channels * area); the head as nn.Linear."""
    theirs = torchvision.models.resnet18(num_classes=400)
    ours = _initialised(torchvision.models.resnet18(num_classes=400), "torchvision_resnet")
    for mine, own in zip(_layers(ours), _layers(theirs), strict=True):
        tolerance = 5 * 2 * mine.weight.numel() ** -0.5
        assert mine.weight.std().item() == pytest.approx(own.weight.std().item(), rel=tolerance)
        if isinstance(mine, nn.Conv2d):
            fan_out = mine.weight[:, 0].numel()
            assert mine.weight.var().item() == pytest.approx(2 / fan_out, rel=tolerance)
    assert ours.fc.bias.std().item() == pytest.approx(theirs.fc.bias.std().item(), rel=5 * 2 * 400**-0.5)


@pytest.mark.parametrize("layer", [nn.Linear(300, 400), nn.Conv2d(12, 400, 5)], ids=str)
def test_unit_norm_rows_point_anywhere_with_length_one_and_have_no_bias(layer: nn.Linear | nn.Conv2d) -> None:
    weight = _layers(_initialised(nn.Sequential(layer), "unit_norm_rows"))[0].weight
    torch.testing.assert_close(weight.flatten(1).norm(dim=1), torch.ones(400))
    fan_in = weight[0].numel()
    assert weight.var().item() == pytest.approx(1 / fan_in, rel=5 * (2 / weight.numel()) ** 0.5)
    assert abs(weight.mean().item()) < 5 * (fan_in * weight.numel()) ** -0.5
    assert not layer.bias.any()


@pytest.mark.parametrize("make", [lambda: nn.Linear(300, 400), lambda: nn.Conv2d(12, 400, 5)])
def test_torch_draws_from_the_layers_own_distribution(make: type[nn.Linear]) -> None:
    """Bound and spread of weights and biases as nn.Linear and nn.Conv2d draw them: U(±1/sqrt(fan_in))."""
    own = make()
    ours = _initialised(nn.Sequential(make()), "torch")[0]
    for mine, theirs in ((ours.weight, own.weight), (ours.bias, own.bias)):
        bound = own.weight[0].numel() ** -0.5
        assert 0.98 * bound < mine.abs().max() <= bound * (1 + 1e-6)
        assert mine.abs().max().item() == pytest.approx(theirs.abs().max().item(), rel=0.02)
        assert mine.std().item() == pytest.approx(theirs.std().item(), rel=5 * (2 / mine.numel()) ** 0.5)


@pytest.mark.parametrize("name", NAMES)
def test_a_layer_without_bias_is_initialised_too(name: str) -> None:
    layer = nn.Linear(30, 40, bias=False)
    before = layer.weight.clone()
    _initialised(layer, name)
    assert not torch.equal(layer.weight, before)


def test_own_leaves_a_network_as_it_was_built() -> None:
    net = _net("relu")
    before = [parameter.clone() for parameter in net.parameters()]
    _initialised(net, "own")
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_an_unknown_initialisation_lists_the_known_ones() -> None:
    net = _net("relu")
    before = [parameter.clone() for parameter in net.parameters()]
    with pytest.raises(ValueError, match="unknown initialisation 'xavier'; known: ") as caught:
        _initialised(net, "xavier")
    assert all(name in str(caught.value) for name in NAMES)
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
