"""Learned shapes: PAU's two versions and their coefficients, and the hypernetwork behind a hyperactivation."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import activations
import models
from activations import reference
from activations._catalogue.learned import PAU_DENOMINATOR, PAU_NUMERATOR
from activations.contract.memory import bytes_saved
from activations.learned import Hyperactivation

LEARNED = [
    ("pau", {"version": "A"}),
    ("pau", {"version": "B"}),
    ("gr_kan", {}),
    ("poly_relu", {}),
    ("hyperactivation", {}),
]


@pytest.mark.parametrize(("version", "start", "near"), [("A", F.leaky_relu, 0.03), ("B", F.silu, 1e-4)])
def test_pau_starts_near_what_it_was_fitted_to(version: str, start: Any, near: float) -> None:
    x = torch.linspace(-3, 3, 601)
    assert (activations.build("pau", version=version)(x) - start(x)).abs().max() <= near


def test_pau_gives_the_values_of_rational_activations() -> None:
    """Its version A with leaky_relu's coefficients, by mpmath."""
    x = torch.tensor([-5, -3, -1, 0, 1, 5], dtype=torch.float64)
    known = [-0.412536421, -0.0418098527, -0.0106802184, 0.0297927787, 1.00078333, 4.87159109]
    found = activations.function("pau")(x, *PAU_NUMERATOR["A"], *PAU_DENOMINATOR["A"])
    torch.testing.assert_close(found, torch.tensor(known, dtype=torch.float64), rtol=0, atol=1e-8)


def test_gr_kan_starts_as_the_authors_kernels_do_near_silu_but_not_near_gelu() -> None:
    """Their gelu is a fit with Q = 1 + |b_1 x + ... + b_4 x^4|, which their kernels do not compute."""
    x = torch.linspace(-3, 3, 601)
    assert (activations.build("gr_kan", init="swish")(x) - F.silu(x)).abs().max() <= 1e-4
    started = activations.build("gr_kan")(torch.tensor([-1.0, 0.5, 3.0]))
    torch.testing.assert_close(started, torch.tensor([-0.14244229, 0.34625327, 1.53105190]))


@pytest.mark.parametrize(("channels", "groups"), [(16, 8), (12, 4), (7, 1), (4, 4)])
def test_groups_of_neighbouring_channels_share_a_denominator_and_all_share_the_numerator(
    channels: int, groups: int
) -> None:
    images = activations.build("gr_kan", shape=(channels, 2, 3))
    tokens = activations.build("gr_kan", shape=(6, channels), channel_dim=-1)
    assert images.numerator.shape == (6,)
    assert images.denominator.shape == (4, groups, 1, 1)
    with torch.no_grad():
        images.denominator += 0.1 * torch.randn_like(images.denominator)
        tokens.denominator.copy_(images.denominator.reshape(tokens.denominator.shape))
    x = torch.randn(5, channels, 2, 3)
    torch.testing.assert_close(tokens(x.flatten(2).mT), images(x).flatten(2).mT)
    same = x[:, :1].expand_as(x)
    found = images(same)[0, :, 0, 0]
    assert found.unique().numel() == groups
    assert (found.unflatten(0, (groups, -1)).diff(dim=1) == 0).all()


@pytest.mark.parametrize("version", ["A", "B"])
def test_pau_neither_overflows_nor_gives_nan_far_out(version: str) -> None:
    module = activations.build("pau", version=version)
    x = torch.tensor([-3e38, -1e9, -6e7, -1.0, 0.0, 1.0, 6e7, 1e9], requires_grad=True)
    y = module(x)
    coefficients = {name: value.tolist() for name, value in module.named_parameters()}
    truth = reference.value("pau", x.detach().double().numpy(), version=version, **coefficients)
    torch.testing.assert_close(y.double(), torch.from_numpy(truth), rtol=1e-6, atol=1e-6)
    y.sum().backward()
    assert x.grad.isfinite().all()
    assert not any(parameter.grad.isnan().any() for parameter in module.parameters())


@pytest.mark.parametrize(("name", "arguments"), LEARNED, ids=str)
def test_all_derivatives_are_right_twice_on_both_sides_of_one(name: str, arguments: dict[str, str]) -> None:
    few = {"hidden": 3, "embedding": 2} if name == "hyperactivation" else {}  # finite differences by each weight
    module = activations.build(name, **arguments, **few).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    x = torch.tensor([-30.0, -2.1, -0.7, 0.4, 0.9, 1.3, 11.0], dtype=torch.float64, requires_grad=True)
    names = [key for key, _ in module.named_parameters()]

    def call(x: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(module, dict(zip(names, parameters, strict=True)), x)

    inputs = (x, *module.parameters())
    assert torch.autograd.gradcheck(call, inputs)
    assert torch.autograd.gradgradcheck(call, inputs)


@pytest.mark.parametrize(("name", "arguments"), LEARNED, ids=str)
def test_one_tensor_is_kept_for_backward_however_many_terms_there_are(name: str, arguments: dict[str, str]) -> None:
    module = activations.build(name, **arguments)
    x = torch.randn(100, 100, requires_grad=True)
    assert x.nbytes <= bytes_saved(lambda: module(x), excluded=module.parameters()) < 1.05 * x.nbytes


@pytest.mark.parametrize(("name", "arguments"), [one for one in LEARNED if one[0] != "gr_kan"], ids=str)
def test_one_set_a_channel_is_one_function_a_channel(name: str, arguments: dict[str, str]) -> None:
    module = activations.build(name, shape=(3, 4, 4), parameters_per="channel", **arguments)
    x = torch.randn(2, 3, 4, 4)
    x[:, 1] = x[:, 0]
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    y = module(x)
    assert y.shape == x.shape
    assert not torch.equal(y[:, 0], y[:, 1])


def test_a_hyperactivation_starts_as_relu_and_learns_from_there() -> None:
    module = activations.build("hyperactivation")
    x = torch.randn(200)
    assert torch.equal(module(x), x.relu())
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-2)
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        loss = F.mse_loss(module(x), x.abs())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 10


def test_hyperactivations_of_one_network_share_a_hypernetwork_and_differ_by_their_embeddings() -> None:
    at_site = activations.per_site("hyperactivation")
    first, second = at_site((4,)), at_site((5,))
    assert first.hypernetwork is second.hypernetwork
    assert not torch.equal(first.embedding, second.embedding)
    with torch.no_grad():
        first.hypernetwork[1].weight.normal_(std=0.1)
    x = torch.randn(100)
    assert not torch.equal(first(x), second(x))
    assert activations.per_site("hyperactivation")((4,)).hypernetwork is not first.hypernetwork


def test_a_shared_hypernetwork_learns_from_every_site_and_counts_once() -> None:
    at_site = activations.per_site("hyperactivation", hidden=4, embedding=6)
    net = models.build("mlp", input_shape=(8,), num_classes=2, activation=at_site, depth=3, width=16)
    sites = [module for module in net if isinstance(module, Hyperactivation)]
    hypernetwork = sites[0].hypernetwork
    weights = [parameter for layer in net if isinstance(layer, nn.Linear) for parameter in layer.parameters()]
    own = [*hypernetwork.parameters(), *(site.embedding for site in sites)]
    assert sum(value.numel() for value in own) == 6 * 10 + 10 + (10 + 1) * (3 * 4 + 1) + len(sites) * 6
    assert {id(value) for value in net.parameters()} == {id(value) for value in (*own, *weights)}
    with torch.no_grad():
        hypernetwork[1].weight.normal_(std=0.1)
    x = torch.randn(32, 8)
    gradients = []
    for silent in (None, *sites):  # a site without gradient takes its part of the hypernetwork's away
        net.zero_grad()
        handle = silent and silent.register_forward_hook(lambda module, inputs, output: inputs[0])
        net(x).square().sum().backward()
        if handle:
            handle.remove()
        else:
            assert all(site.embedding.grad.count_nonzero() for site in sites)
        gradients.append(hypernetwork[1].weight.grad.clone())
    assert all(not torch.allclose(gradients[0], without) for without in gradients[1:])


@pytest.mark.parametrize("name", ["relu", "apl", "swish"])
def test_activations_that_share_nothing_are_built_per_site_as_alone(name: str) -> None:
    torch.manual_seed(0)
    at_site = activations.per_site(name)
    first, second = at_site((3, 4, 4)), at_site((3, 4, 4))
    torch.manual_seed(0)
    alone = activations.build(name, shape=(3, 4, 4))
    assert type(first) is type(alone)
    assert all(torch.equal(one, other) for one, other in zip(first.parameters(), alone.parameters(), strict=True))
    assert {id(value) for value in first.parameters()}.isdisjoint(id(value) for value in second.parameters())


def test_arguments_that_an_activation_does_not_take_are_refused_before_any_site_is_built() -> None:
    with pytest.raises(ValueError, match="'hyperactivation' takes no argument 'units'"):
        activations.per_site("hyperactivation", units=3)
    with pytest.raises(ValueError, match="'relu' takes no argument 'hypernetwork'"):
        activations.build("relu", hypernetwork=nn.Identity())


def test_a_hyperactivation_computes_its_weights_in_full_under_autocast() -> None:
    module = activations.build("hyperactivation")
    with torch.no_grad():
        module.hypernetwork[1].weight.normal_()
    x = torch.randn(100)
    with torch.autocast("cpu", torch.bfloat16):
        inside = module(x)
    assert torch.equal(inside, module(x))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "arguments"), LEARNED, ids=str)
def test_the_fused_form_agrees_with_the_eager_one(name: str, arguments: dict[str, str]) -> None:
    module = activations.build(name, **arguments)
    fused = activations.build(name, fused=True, **arguments)
    fused.load_state_dict(module.state_dict())
    x = torch.randn(1000, requires_grad=True)
    results = []
    for one in (module, fused):
        y = one(x)
        results.append((y, *torch.autograd.grad(y.square().sum(), (x, *one.parameters()))))
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-4)
