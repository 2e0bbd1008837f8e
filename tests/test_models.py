"""Tests of models: every registered network at every image size, and the activations in its slots."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import pytest
import torch
from torch import Tensor, nn

import activations
import models

NAMES = models.names()
SHAPES = ((1, 28, 28), (3, 32, 32), (3, 40, 33))


def relu(shape: tuple[int, ...]) -> nn.Module:
    return nn.ReLU()


def _parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


class _Slot(nn.Module):
    """Remembers the shape that it was promised and those that arrive."""

    def __init__(self, promised: tuple[int, ...]) -> None:
        super().__init__()
        self.promised = promised
        self.arrived: list[tuple[int, ...]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.arrived.append(tuple(x.shape[1:]))
        return x.relu()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_a_network_gives_one_logit_a_class(name: str, shape: tuple[int, ...]) -> None:
    net = models.build(name, input_shape=shape, num_classes=7, activation=relu)
    assert net(torch.randn(2, *shape)).shape == (2, 7)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_each_place_has_an_activation_of_its_own_for_the_shape_that_arrives(name: str, shape: tuple[int, ...]) -> None:
    made: list[_Slot] = []

    def factory(promised: tuple[int, ...]) -> nn.Module:
        made.append(_Slot(promised))
        return made[-1]

    net = models.build(name, input_shape=shape, num_classes=10, activation=factory)
    assert [id(slot) for slot in net.modules() if isinstance(slot, _Slot)] == [id(slot) for slot in made]
    assert len(made) > 1
    net(torch.randn(2, *shape))
    for slot in made:
        assert slot.arrived == [slot.promised]  # once a forward pass


@pytest.mark.parametrize("name", NAMES)
def test_every_linear_layer_but_the_last_is_followed_by_an_activation(name: str) -> None:
    net = models.build(name, input_shape=(3, 32, 32), num_classes=10, activation=_Slot)
    order = [type(layer) for layer in net.modules() if isinstance(layer, nn.Linear | nn.Conv2d | _Slot)]
    weighted = sum(kind is not _Slot for kind in order)
    assert order.count(_Slot) == weighted - 1
    assert order[-1] is nn.Linear
    assert all((one is _Slot) != (other is _Slot) for one, other in pairwise(order))


@pytest.mark.parametrize("activation", activations.names(trainable=True))
@pytest.mark.parametrize("name", NAMES)
def test_trainable_activations_fit_every_slot_and_train_there(name: str, activation: str) -> None:
    net = models.build(
        name,
        input_shape=(3, 32, 32),
        num_classes=10,
        activation=lambda shape: activations.build(activation, shape=shape),
    )
    net(torch.randn(2, 3, 32, 32)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_cnn_has_the_tutorials_number_of_parameters() -> None:
    """62,006: printed in many a summary of the tutorial's Net; here counted from its layers."""
    layers = [(3 * 25, 6), (6 * 25, 16), (16 * 5 * 5, 120), (120, 84), (84, 10)]
    net = models.build("cnn", input_shape=(3, 32, 32), num_classes=10, activation=relu)
    assert _parameters(net) == sum((inputs + 1) * outputs for inputs, outputs in layers) == 62_006


def test_cnn_computes_what_the_tutorials_net_computes() -> None:
    from torch.nn import functional as F

    net = models.build("cnn", input_shape=(3, 32, 32), num_classes=10, activation=relu)
    conv1, conv2, fc1, fc2, fc3 = (layer for layer in net.modules() if isinstance(layer, nn.Linear | nn.Conv2d))
    x = torch.randn(4, 3, 32, 32)
    hidden = F.max_pool2d(F.relu(conv1(x)), 2)
    hidden = torch.flatten(F.max_pool2d(F.relu(conv2(hidden)), 2), 1)
    torch.testing.assert_close(net(x), fc3(F.relu(fc2(F.relu(fc1(hidden))))))


@pytest.mark.parametrize("sizes", [{}, {"width": 16}, {"depth": 3}, {"width": 5, "depth": 1}], ids=str)
def test_mlp_has_the_layers_asked_for(sizes: dict[str, int]) -> None:
    shape = (1, 28, 28)
    width, depth = sizes.get("width", 128), sizes.get("depth", 8)  # 8 layers of 128 in the paper
    units = [prod(shape), *[width] * depth, 10]
    net = models.build("mlp", input_shape=shape, num_classes=10, activation=relu, **sizes)
    assert _parameters(net) == sum((inputs + 1) * outputs for inputs, outputs in pairwise(units))
    assert [layer.out_features for layer in net.modules() if isinstance(layer, nn.Linear)] == units[1:]


@pytest.mark.parametrize("shape", [(5,), (2, 3), (1, 8, 8)], ids=str)
def test_mlp_takes_any_shape(shape: tuple[int, ...]) -> None:
    net = models.build("mlp", input_shape=shape, num_classes=3, activation=relu, depth=1)
    assert net(torch.randn(2, *shape)).shape == (2, 3)


@pytest.mark.parametrize("shape", [(1, 27, 27), (1, 28, 27), (1, 27, 28), (784,), (28, 28)], ids=str)
def test_an_image_that_is_too_small_names_model_and_size(shape: tuple[int, ...]) -> None:
    smallest = models.info("cnn").minimum_image_size
    with pytest.raises(ValueError, match="model 'cnn' takes") as caught:
        models.build("cnn", input_shape=shape, num_classes=10, activation=relu)
    assert f"{smallest} pixels" in str(caught.value)
    assert str(shape) in str(caught.value)


@pytest.mark.parametrize("name", [name for name in NAMES if models.info(name).minimum_image_size])
def test_the_minimum_image_size_is_enough(name: str) -> None:
    shape = (1, models.info(name).minimum_image_size, models.info(name).minimum_image_size)
    net = models.build(name, input_shape=shape, num_classes=10, activation=relu)
    assert net(torch.randn(2, *shape)).shape == (2, 10)


def test_an_unknown_model_lists_the_known_ones() -> None:
    for door in (models.info, lambda name: models.build(name, input_shape=(1,), num_classes=2, activation=relu)):
        with pytest.raises(ValueError, match="unknown model 'cnnn'; known: ") as caught:
            door("cnnn")
        assert all(name in str(caught.value) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_record_names_itself_and_its_source(name: str) -> None:
    assert models.info(name).name == name
    assert models.info(name).source
