"""Tests of models.build and the networks whose shapes it is told: mlp, timit_mlp, cnn and the tagger on vectors."""

from __future__ import annotations

import copy
from itertools import pairwise
from math import prod

import pytest
import torch
from torch import Tensor, nn

import activations
import models
from models.slot import equal_parameters

# The others are in test_networks.py and have tests of their own.
NAMES = ("mlp", "timit_mlp", "cnn", "tagger")
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
def test_each_site_has_an_activation_of_its_own_for_the_shape_that_arrives(name: str, shape: tuple[int, ...]) -> None:
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
    net = models.build(name, input_shape=(3, 32, 32), num_classes=10, activation=lambda shape: _Slot(shape))
    order = [type(layer) for layer in net.modules() if isinstance(layer, nn.Linear | nn.Conv2d | _Slot)]
    weighted = sum(kind is not _Slot for kind in order)
    assert order.count(_Slot) == weighted - 1
    assert order[-1] is nn.Linear
    assert all((one is _Slot) != (other is _Slot) for one, other in pairwise(order))


@pytest.mark.parametrize("activation", activations.names(trainable=True))
@pytest.mark.parametrize("name", NAMES)
def test_trainable_activations_fit_every_site_and_train_there(name: str, activation: str) -> None:
    net = models.build(
        name,
        input_shape=(3, 32, 32),
        num_classes=10,
        activation=activation,
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


def test_timit_mlp_has_five_layers_of_2048_with_dropout_for_11_frames_of_26_features() -> None:
    net = models.build("timit_mlp", input_shape=(11 * 26,), num_classes=39, activation=relu)
    units = [11 * 26, *5 * [2048], 39]
    assert _parameters(net) == sum((inputs + 1) * outputs for inputs, outputs in pairwise(units)) == 17_453_095
    assert [layer.p for layer in net.modules() if isinstance(layer, nn.Dropout)] == 5 * [0.5]


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
        assert all(name in str(caught.value) for name in models.names())


@pytest.mark.parametrize("name", models.names())
def test_a_record_names_itself_and_its_source(name: str) -> None:
    assert models.info(name).name == name
    assert models.info(name).source


def _wide(model: str, activation: str, equal: models.Equal, arguments: dict[str, int], **sizes: float) -> nn.Module:
    """A network whose layers give an activation the inputs that it takes."""
    sample = activations.build(activation, **arguments)
    return models.build(
        model,
        input_shape=(1, 28, 28),
        num_classes=10,
        activation=lambda shape: activations.build(activation, shape=shape, **arguments),
        in_features_multiplier=sample.in_features_multiplier,
        equal=equal,
        **sizes,
    )


# Of narrow rows such as these, its own sparsity of 0.95 leaves nothing.
SPARSE = {"gelu_topk_glu": {"sparsity": 0.25}}
WIDE = [
    *(
        (name, SPARSE.get(name, {}))
        for name in activations.names()
        if activations.info(name).in_features_multiplier > 1
    ),
    *(("maxout", {"num_pieces": pieces}) for pieces in (3, 4)),
]


@pytest.mark.parametrize(("activation", "arguments"), WIDE, ids=str)
@pytest.mark.parametrize("model", NAMES)
def test_activations_that_narrow_train_at_every_site(model: str, activation: str, arguments: dict[str, int]) -> None:
    torch.manual_seed(0)
    # Eight products of halves, one behind the other and without normalisation, vanish or explode.
    sizes = {"depth": 2, "width": 128, "dropout": 0.0} if "mlp" in model else {}
    net = _wide(model, activation, "parameters", arguments, **sizes)
    inputs, labels = torch.randn(16, 1, 28, 28), torch.arange(16) % 10
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(inputs), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        assert all(parameter.grad is not None for parameter in net.parameters())
    assert losses[-1] < losses[0] - 0.05


@pytest.mark.parametrize(("activation", "arguments"), WIDE, ids=str)
@pytest.mark.parametrize("model", NAMES)
def test_equal_parameters_are_met_within_two_percent(model: str, activation: str, arguments: dict[str, int]) -> None:
    plain = models.build(model, input_shape=(1, 28, 28), num_classes=10, activation=relu)
    assert _parameters(_wide(model, activation, "parameters", arguments)) == pytest.approx(_parameters(plain), rel=0.02)


@pytest.mark.parametrize("model", NAMES)
def test_equal_width_keeps_the_hidden_units_and_widens_the_layers_before_them(model: str) -> None:
    shapes: list[tuple[int, ...]] = []

    def plain(shape: tuple[int, ...]) -> nn.Module:
        shapes.append(shape)
        return nn.ReLU()

    thin = models.build(model, input_shape=(1, 28, 28), num_classes=10, activation=plain)
    wide = _wide(model, "maxout", "width", {"num_pieces": 3})
    layers = [[m for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d)] for net in (thin, wide)]
    for one, other in zip(*(kinds[:-1] for kinds in layers), strict=True):
        assert other.weight.shape == (3 * one.weight.shape[0], *one.weight.shape[1:])
    assert layers[0][-1].weight.shape == layers[1][-1].weight.shape


def test_a_gated_feed_forward_block_gets_two_thirds_of_the_width() -> None:
    """Shazeer 2020, arXiv 2002.05202, section 2: three matrices instead of two, hence 2/3 of the hidden units."""
    block = models.build(
        "mlp",
        input_shape=(768,),
        num_classes=768,
        activation=lambda shape: activations.build("swiglu", shape=shape),
        in_features_multiplier=2,
        width=3072,
        depth=1,
    )
    assert block[1].out_features == 2 * 2048


@pytest.mark.parametrize("name", NAMES)
def test_a_multiplier_of_one_changes_nothing_whatever_is_to_stay_equal(name: str) -> None:
    nets = []
    for equal in ("parameters", "width"):
        torch.manual_seed(0)
        nets.append(models.build(name, input_shape=(1, 28, 28), num_classes=10, activation=relu, equal=equal))
    one, other = (net.state_dict() for net in nets)
    assert list(one) == list(other)
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_counting_parameters_draws_no_random_numbers() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    equal_parameters(lambda slot: nn.Linear(4, slot.inputs(slot.units(100))), 2)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("activation", "multiplier", "needed"), [("glu", 1, 2), ("maxout", 3, 2), ("relu", 2, 1)], ids=str
)
@pytest.mark.parametrize("name", NAMES)
def test_a_multiplier_that_is_not_the_activations_is_refused_with_the_remedy(
    name: str, activation: str, multiplier: int, needed: int
) -> None:
    with pytest.raises(ValueError, match=f"call models.build with in_features_multiplier={needed}"):
        models.build(
            name,
            input_shape=(1, 28, 28),
            num_classes=10,
            activation=activation,
            in_features_multiplier=multiplier,
        )


def test_an_unknown_word_for_what_stays_equal_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown equal 'size'; known: parameters, width"):
        models.build("mlp", input_shape=(4,), num_classes=2, activation=relu, equal="size")


def test_initialisation_leaves_the_layers_inside_activations_alone() -> None:
    sites = [activations.build("hyperactivation") for _ in range(2)]
    net = nn.Sequential(nn.Linear(4, 4), *sites)
    before = [copy.deepcopy(site.state_dict()) for site in sites]
    weight = net[0].weight.clone()
    models.initialise(net, "kaiming", torch.Generator().manual_seed(0), keep=sites)
    assert not torch.equal(net[0].weight, weight)
    for old, site in zip(before, sites, strict=True):
        assert all(torch.equal(old[name], value) for name, value in site.state_dict().items())
