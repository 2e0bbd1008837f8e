"""Tests of models.swap: what runs at the sites of nasty networks, torchvision's and transformers' after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
import transformers
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

import models
from made_networks import NASTY, Body, Recorder, Reuse, Sine, nasty, recorded, sine


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("name", NASTY)
def test_every_hidden_site_of_a_nasty_network_runs_what_was_put_there(name: str, training: bool) -> None:
    net, x = nasty(name)
    sites = NASTY[name][2]
    made = []

    def factory(shape: tuple[int, ...]) -> nn.Module:
        made.append(Sine())
        return made[-1]

    net = models.swap(net, factory, x).train(training)
    for _ in range(2):
        ran = recorded(net, x)
        assert ran.pop("sin") == sites == len(made)
        assert set(ran) <= ({"tanh"} if name == "recurrent" else set())


# Torchvision's kinds of networks, one or two blocks a stage, and the activations that run in training.
TORCHVISION: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "basic": (lambda: ResNet(BasicBlock, [1, 2, 1, 1]), 1 + 5 * 2),
    "bottleneck": (lambda: ResNet(Bottleneck, [1, 2, 1, 1], groups=32, width_per_group=4), 1 + 5 * 3),
    "densenet": (lambda: torchvision.models.DenseNet(block_config=(2, 1)), 1 + 2 * 2 + 1 + 2 + 1),
    "mobilenet": (lambda: torchvision.models.MobileNetV2(inverted_residual_setting=[[1, 16, 1, 1], [6, 24, 2, 2]]), 7),
    "alexnet": (torchvision.models.AlexNet, 7),
    "vgg": (torchvision.models.vgg11, 10),
    "googlenet": (lambda: torchvision.models.GoogLeNet(init_weights=False), 57 + 2 * 2),
    "squeezenet": (lambda: torchvision.models.SqueezeNet("1_1"), 26),
}


@pytest.mark.parametrize("name", TORCHVISION)
def test_no_activation_is_left_in_torchvisions_networks(name: str) -> None:
    make, count = TORCHVISION[name]
    with torch.device("meta"):  # shapes are all that counts
        net, x = make(), torch.empty(2, 3, 64, 64)
    models.swap(net, sine, x, roles=("hidden", "output"))
    assert recorded(net.train(), x) == {"sin": count}
    assert set(recorded(net.eval(), x)) == {"sin"}


def bert() -> tuple[nn.Module, dict[str, Tensor]]:
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12
    )
    return transformers.BertModel(config), {"input_ids": torch.randint(20, (2, 7))}


def gpt2() -> tuple[nn.Module, dict[str, Tensor]]:
    config = transformers.GPT2Config(vocab_size=20, n_positions=16, n_embd=8, n_layer=2, n_head=2)
    return transformers.GPT2LMHeadModel(config), {"input_ids": torch.randint(20, (2, 7))}


def vit() -> tuple[nn.Module, dict[str, Tensor]]:
    config = transformers.ViTConfig(
        hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12, image_size=8, patch_size=4
    )
    return transformers.ViTForImageClassification(config), {"pixel_values": torch.randn(2, 3, 8, 8)}


@pytest.mark.parametrize("make", [bert, gpt2, vit])
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_transformers_keep_their_pooler_only(
    make: Callable[[], tuple[nn.Module, dict[str, Tensor]]], training: bool
) -> None:
    net, inputs = make()
    models.swap(net, sine)
    assert recorded(net.train(training), **inputs) == {"sin": 2, **({"tanh": 1} if make is bert else {})}


def test_berts_pooler_is_swapped_when_asked_for() -> None:
    net, inputs = bert()
    models.swap(net, sine, roles=("pooler",))
    assert recorded(net.eval(), **inputs) == {"sin": 1, "gelu": 2}


def test_trainable_activations_of_a_transformer_are_sized_by_features_whatever_the_number_of_tokens() -> None:
    net, _ = bert()
    models.swap(net, "apl")
    sizes = {tuple(p.shape) for name, p in net.named_parameters() if "intermediate_act_fn" in name}
    assert {shape[-1] for shape in sizes} == {12}
    for tokens in (1, 5, 9):
        assert net(torch.randint(20, (3, tokens))).last_hidden_state.shape == (3, tokens, 8)


class BatchNormRelu(nn.BatchNorm1d):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(super().forward(x))


class ReluDropout(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(F.relu(x), 0.5, self.training)


@pytest.mark.parametrize(("kind", "kept"), [(lambda: BatchNormRelu(8), "batch_norm"), (ReluDropout, "bernoulli")])
def test_a_module_that_does_more_than_activate_keeps_the_rest(kind: Callable[[], nn.Module], kept: str) -> None:
    net = models.swap(Body(lambda net, x: net.inner(x), inner=kind()), sine).train()
    with Recorder() as recorder:
        net(torch.randn(4, 8))
    assert any(kept in name for name in recorder.ran)
    assert recorder.activations() == {"sin": 1}


@pytest.mark.parametrize("name", NASTY)
def test_a_swapped_network_is_swapped_again(name: str) -> None:
    net, x = nasty(name)
    first = models.sites(net, x)
    models.swap(net, sine, x)
    again = models.sites(net, x)
    assert [(s.path, s.index, s.shape, s.role) for s in again] == [(s.path, s.index, s.shape, s.role) for s in first]
    models.swap(net, "elu", x)
    ran = recorded(net, x)
    assert ran.pop("elu") == NASTY[name][2]
    assert set(ran) <= ({"tanh"} if name == "recurrent" else set())


def test_roles_are_swapped_one_after_the_other() -> None:
    net, x = nasty("squeeze_excite")
    gates = []
    models.swap(net, lambda shape: gates.append(nn.Hardsigmoid()) or gates[-1], x, roles=("gate",))
    models.swap(net, sine, x)
    assert recorded(net, x) == {"sin": 2}
    assert len(gates) == 1
    assert [(site.role, site.op) for site in models.sites(net, x)] == [
        ("hidden", "sine"),
        ("hidden", "sine"),
        ("gate", "hardsigmoid"),
    ]


def test_a_caller_named_after_the_function_that_it_calls_is_swapped() -> None:
    class Pooling(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.relu(x).mean(1, keepdim=True)

    net = nn.Sequential()
    net.add_module("first", nn.Linear(4, 4))
    net.add_module("relu", Pooling())
    net.add_module("last", nn.Linear(1, 2))
    assert recorded(models.swap(net, sine), torch.zeros(2, 4)) == {"sin": 1}


def test_a_root_that_is_an_activation_is_replaced() -> None:
    assert isinstance(models.swap(nn.ReLU(), "elu", torch.zeros(2, 3)), nn.ELU)


def test_a_padding_mask_gives_the_same_in_training_and_evaluation() -> None:
    mask = torch.tensor([[False, False, True], [False, False, False]])
    net, x = nasty("encoder")  # without dropout
    models.swap(net, "apl", (x, mask))
    with torch.no_grad():  # else torch takes no fast path
        torch.testing.assert_close(net.eval()(x, mask), net.train()(x, mask))


@pytest.mark.parametrize("given", [nn.Softplus(beta=2.0), lambda shape: nn.Softplus(beta=2.0)], ids=["module", "made"])
def test_a_module_is_copied_to_each_site_as_one_that_is_made_there(given: Any) -> None:
    net = models.swap(Reuse(), given)
    copies = [module for module in net.modules() if isinstance(module, nn.Softplus)]
    assert [copy.beta for copy in copies] == [2.0] * 3
    assert given not in copies


def test_a_class_is_built_without_arguments_whatever_its_first_one_is() -> None:
    """A shape would be ReLU's `inplace` and GELU's `approximate`."""
    for kind in (nn.ReLU, nn.GELU, nn.LeakyReLU, nn.PReLU):
        net = models.swap(Reuse(), kind)
        assert [str(module) for module in net.modules() if isinstance(module, kind)] == [str(kind())] * 3
        net(torch.randn(2, 6)).sum().backward()


def test_what_the_sites_of_a_network_share_is_shared_by_swap_too() -> None:
    net = models.swap(
        nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)), "hyperactivation"
    )
    one, other = (set(net[layer].parameters()) for layer in (1, 3))
    assert one & other


def test_a_name_counts_as_the_registrys() -> None:
    net = models.swap(Reuse(), "lrelu")
    assert {site.op for site in models.sites(net)} == {"leaky_relu"}
