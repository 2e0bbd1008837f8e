"""Tests of every network but those for ids: its sites, its outputs at all shapes, and an optimisation step."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import activations
import models
from made_networks import SMALL, Sine, network, recorded

NAMES = [name for name in models.names() if models.info(name).takes == "numbers" and name != "tagger"]
WIDENING = [name for name in NAMES if models.info(name).widens]
WIDTHS = {"cnn": {}, **{name: {"width": 64} for name in ("mlp", "timit_mlp", "vit")}}


def _shape(name: str, least: int = 16) -> tuple[int, int, int]:
    pixels = max(least, models.info(name).minimum_image_size or 0)
    return 3, pixels, pixels


def test_all_are_here() -> None:
    assert list(SMALL) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_sites_of_a_slot_are_those_that_swap_finds_and_compute_the_same(name: str) -> None:
    """In the order in which they run, with the shapes that arrive."""
    shape = _shape(name)
    x = torch.randn(2, *shape)
    asked: list[tuple[int, ...]] = []
    found: list[tuple[int, ...]] = []
    swapped = models.swap(network(name, shape, **SMALL[name]), lambda shape: found.append(shape) or Sine(), x)
    built = models.build(
        name,
        input_shape=shape,
        num_classes=10,
        activation=lambda shape: asked.append(shape) or Sine(),
        **SMALL[name],
    )
    assert asked == [shape[-1:] if name == "vit" else shape for shape in found]  # alike for all tokens
    assert len(asked) > (name != "rnn")
    assert list(built.state_dict()) == list(swapped.state_dict())
    built.load_state_dict(swapped.state_dict())
    assert torch.equal(built.eval()(x), swapped.eval()(x))
    with torch.device("meta"):
        ran = recorded(built.to("meta"), x.to("meta"))
    assert ran.pop("sin") == (shape[1] if name == "rnn" else len(asked))  # its cell runs for every row
    assert {kernel.rstrip("_") for kernel in ran} <= ({"relu"} if name in ("nin", "squeezenet") else set())


@pytest.mark.parametrize("name", NAMES)
def test_each_site_has_an_activation_of_its_own_that_is_found_again(name: str) -> None:
    made: list[nn.Module] = []
    with torch.device("meta"):
        net = models.build(
            name,
            input_shape=_shape(name),
            num_classes=10,
            activation=lambda shape: made.append(Sine()) or made[-1],
            **SMALL[name],
        )
    assert [id(module) for module in net.modules() if isinstance(module, Sine)] == list(map(id, made))
    if name not in ("googlenet", "densenet121", "vgg16", "mobilenet_v2"):  # deep, and no other kind of block
        sites = models.sites(net, torch.empty(2, *_shape(name), device="meta"))
        assert [site.op for site in sites if site.role == "hidden"] == ["sine"] * len(made)


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 40, 33)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_a_network_gives_its_outputs_at_every_shape(name: str, shape: tuple[int, ...]) -> None:
    channels, *pixels = shape
    shape = (channels, *(max(side, models.info(name).minimum_image_size or 1) for side in pixels))
    with torch.device("meta"):
        net = models.build(name, input_shape=shape, num_classes=10, activation="relu", **SMALL[name])
        outputs = net(torch.empty(2, *shape)).shape
    assert outputs == {"autoencoder": (2, math.prod(shape)), "segnet": (2, 10, *shape[1:])}.get(name, (2, 10))


@pytest.mark.parametrize("name", NAMES)
def test_training_steps_are_finite_and_reach_every_weight_and_activation(name: str) -> None:
    torch.manual_seed(0)
    shape = _shape(name, least=8)
    net = models.build(name, input_shape=shape, num_classes=10, activation="prelu", **SMALL[name])
    models.initialise(net, "kaiming", torch.Generator().manual_seed(0))
    before = {key: value.clone() for key, value in net.named_parameters()}
    x, labels = torch.randn(4, *shape), torch.arange(4)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
    for _ in range(2):  # the first step only opens the residuals of xresnets, whose last norm starts at 0
        optimizer.zero_grad()
        outputs = net(x)
        if name == "segnet":
            outputs = outputs.mean((2, 3))
        loss = F.mse_loss(outputs, x.flatten(1)) if name == "autoencoder" else F.cross_entropy(outputs, labels)
        loss.backward()
        optimizer.step()
    assert all(value.isfinite().all() for value in net.parameters())
    assert [key for key, value in net.named_parameters() if value.grad is None] == []
    first = next(iter(before))
    assert not torch.equal(before[first], net.get_parameter(first))


def _wide(name: str, activation: str, **sizes: object) -> nn.Module:
    with torch.device("meta"):
        return models.build(
            name, input_shape=_shape(name), num_classes=10, activation=activation, **{**SMALL[name], **sizes}
        )


@pytest.mark.parametrize("name", [name for name in WIDENING if name != "vit"])  # which has layers without a site
def test_a_network_that_widens_gives_gates_twice_the_width_and_its_outputs(name: str) -> None:
    plain, wide = _wide(name, "relu"), _wide(name, "swiglu", equal="width")
    layers = [[m for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d)][:-1] for net in (plain, wide)]
    for thin, twice in zip(*layers, strict=True):
        assert twice.weight.shape == (2 * len(thin.weight), *thin.weight.shape[1:])
    x = torch.empty(2, *_shape(name), device="meta")
    assert wide(x).shape == plain(x).shape


@pytest.mark.parametrize("name", WIDENING)
def test_gates_keep_the_number_of_parameters_and_train(name: str) -> None:
    sizes = WIDTHS.get(name, {"width": 0.5})
    plain, wide = (sum(p.numel() for p in _wide(name, kind, **sizes).parameters()) for kind in ("relu", "glu"))
    assert wide == pytest.approx(plain, rel=0.02)
    shape = _shape(name)
    net = models.build(name, input_shape=shape, num_classes=10, activation="swiglu", **SMALL[name])
    net(torch.randn(2, *shape)).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WIDENING])
def test_a_network_that_does_not_widen_refuses_gates_and_names_those_that_do(name: str) -> None:
    with pytest.raises(ValueError, match=f"model '{name}' takes activations of one input .*: mlp, .*autoencoder"):
        models.build(name, input_shape=_shape(name), num_classes=10, activation="swiglu")


def test_a_source_s_own_activation_is_a_name_of_the_registry() -> None:
    assert {models.info(name).activation for name in models.names()} <= set(activations.names())
