"""Tests of activations.build: arguments, and the trainable parameters that a site gets."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

import activations

TRAINABLE = activations.names(trainable=True)


def test_a_keyword_reaches_the_module_and_outranks_the_default() -> None:
    assert activations.build("elu", alpha=2.0)(torch.tensor(-100.0)).item() == -2.0
    assert activations.build("leaky_relu", negative_slope=0.5)(torch.tensor(-1.0)).item() == -0.5
    assert activations.build("apl", shape=(6, 5, 4), hinges=2).a.shape == (2, 6, 5, 4)


@pytest.mark.parametrize("shape", [(6, 5, 4), (7,)], ids=str)
@pytest.mark.parametrize("per", ["channel", "unit", "layer"])
def test_parameters_come_once_a_channel_a_unit_or_a_layer(per: str, shape: tuple[int, ...]) -> None:
    sets = {"channel": shape[0], "unit": math.prod(shape), "layer": 1}[per]
    assert activations.build("prelu", shape=shape, parameters_per=per).weight.numel() == sets
    assert activations.build("apl", shape=shape, parameters_per=per).a.numel() == 5 * sets


def test_the_channels_may_come_last() -> None:
    module = activations.build("prelu", shape=(10, 4), channel_dim=-1)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([0.1, 0.2, 0.3, 0.4]))
    assert torch.equal(module(-torch.ones(2, 10, 4)), -module.weight.expand(2, 10, 4))


@pytest.mark.parametrize("name", TRAINABLE)
def test_the_order_of_tokens_is_nothing_to_channels_that_come_last_and_are_as_many(name: str) -> None:
    module = activations.build(name, shape=(1, 4), channel_dim=-1).double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.rand_like(parameter) / 8)
    x = torch.randn(2, 4, 4 * activations.info(name).in_features_multiplier, dtype=torch.float64)
    torch.testing.assert_close(module(x.flip(1)).flip(1), module(x))


def test_a_channel_dimension_that_the_shape_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'prelu': channel_dim 3 is no dimension of the shape \(6, 5, 4\)"):
        activations.build("prelu", shape=(6, 5, 4), channel_dim=3)


OF_A_NETWORK = ("meta_acon", "hyperactivation")  # which makes them from other parameters


@pytest.mark.parametrize("name", [name for name in TRAINABLE if name not in OF_A_NETWORK])
def test_a_parameter_acts_on_its_own_channel_or_unit_alone(name: str) -> None:
    record = activations.info(name)
    shape = (3, 4, 5)
    for parameter in record.parameters:
        module = activations.build(name, shape=shape)
        for one in module.parameters():
            nn.init.uniform_(one, 0.2, 0.8)  # at initial values some have no effect: srelu starts as leaky relu
        own = module.get_parameter(parameter).shape[-len(shape) :] if module.get_parameter(parameter).ndim >= 3 else ()
        touched = torch.zeros(shape, dtype=torch.bool)
        touched[tuple(0 if size > 1 else slice(None) for size in own) or ...] = True
        x = torch.cat([torch.full((1, *shape), value) for value in (-2.5, 2.5)])
        before = module(x)
        with torch.no_grad():
            module.get_parameter(parameter).view(-1)[0] += 0.25
        changed = (module(x) != before).any(0)
        assert torch.equal(changed, touched), parameter
