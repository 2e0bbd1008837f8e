"""Tests of what models.swap leaves as it was: bits, gradients, copies, state dicts, dtype and mode."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch
from torch import nn

import activations
import models
from made_networks import NASTY, Reuse, nasty

RELU_NETS = [name for name in NASTY if name != "hand_made"]


@pytest.mark.parametrize("name", RELU_NETS)
def test_relu_for_relu_changes_no_bit(name: str) -> None:
    net, x = nasty(name)
    swapped = models.swap(copy.deepcopy(net), "relu", x)
    results = []
    for one in (net, swapped):
        leaf = x.clone().requires_grad_()
        result = one(leaf)
        result.square().sum().backward()
        results.append([result, leaf.grad, *(p.grad for p in one.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("activation", ["prelu", "apl"])
@pytest.mark.parametrize("name", NASTY)
def test_trainable_parameters_fit_their_sites_and_all_train(name: str, activation: str) -> None:
    net, x = nasty(name)
    before = {id(p) for p in net.parameters()}
    wanted = [site for site in models.sites(net, x) if site.role == "hidden"]
    models.swap(net, activation, x)
    net(x).square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    own = sum(p.numel() for p in net.parameters() if id(p) not in before)
    one = {"prelu": lambda s: activations.build("prelu", shape=s.shape[s.channel_dim :][:1])}.get(
        activation, lambda s: activations.build(activation, shape=s.shape if s.channel_dim == 0 else s.shape[-1:])
    )
    assert own == sum(p.numel() for site in wanted for p in one(site).parameters())


@pytest.mark.parametrize("name", NASTY)
def test_copies_are_equal_and_their_own(name: str) -> None:
    net, x = nasty(name)
    models.swap(net, "prelu", x)
    file = io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    expected = net(x)
    copies = [copy.deepcopy(net), pickle.loads(pickle.dumps(net)), torch.load(file, weights_only=False)]
    for other in copies:
        assert torch.equal(other(x), expected)
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.zero_()
        assert not torch.equal(other(x), expected)
    assert torch.equal(net(x), expected)


@pytest.mark.parametrize("name", NASTY)
def test_a_state_dict_goes_from_one_swapped_network_to_another(name: str) -> None:
    net, x = nasty(name)
    other = copy.deepcopy(net)
    for one in (net, other):
        models.swap(one, "prelu", x)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.uniform_(-1, 1)
    assert not torch.equal(other(x), net(x))
    other.load_state_dict(net.state_dict())
    assert torch.equal(other(x), net(x))


@pytest.mark.parametrize("name", NASTY)
def test_to_reaches_the_new_activations(name: str) -> None:
    net, x = nasty(name)
    assert models.swap(net, "prelu", x).double()(x.double()).dtype == torch.float64


def test_new_activations_have_dtype_and_mode_of_the_network() -> None:
    net = models.swap(Reuse().double().eval(), "prelu")
    assert {p.dtype for p in net.parameters()} == {torch.float64}
    assert not any(module.training for module in net.modules())


def test_module_sites_keep_the_names_of_the_state_dict() -> None:
    net = nn.Sequential(nn.Linear(6, 6), nn.PReLU(6), nn.Linear(6, 2))
    names = list(net.state_dict())
    assert list(models.swap(net, "prelu").state_dict()) == names
