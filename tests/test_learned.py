"""Learned shapes: PAU's two versions and their coefficients, and the hypernetwork behind a hyperactivation."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

import activations
from activations import reference
from activations._catalogue.learned import PAU_DENOMINATOR, PAU_NUMERATOR
from activations.learned import Hyperactivation, make_hypernetwork
from bench.memory import bytes_saved

LEARNED = [("pau", {"version": "A"}), ("pau", {"version": "B"}), ("hyperactivation", {})]


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
    torch.manual_seed(0)
    module = activations.build(name, **arguments).double()
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


@pytest.mark.parametrize(("name", "arguments"), LEARNED, ids=str)
def test_one_set_a_channel_is_one_function_a_channel(name: str, arguments: dict[str, str]) -> None:
    torch.manual_seed(0)
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
    torch.manual_seed(0)
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


def test_hyperactivations_can_share_a_hypernetwork_and_differ_by_their_embeddings() -> None:
    torch.manual_seed(0)
    shared = make_hypernetwork()
    with torch.no_grad():
        shared[1].weight.normal_(std=0.1)
    first, second = Hyperactivation(hypernetwork=shared), Hyperactivation(hypernetwork=shared)
    x = torch.randn(100)
    assert not torch.equal(first(x), second(x))
    (first(x).sum() + second(x).sum()).backward()
    assert shared[0].weight.grad.count_nonzero()
    assert first.embedding.grad.count_nonzero()
    assert second.embedding.grad.count_nonzero()


def test_a_hyperactivation_computes_its_weights_in_full_under_autocast() -> None:
    module = activations.build("hyperactivation")
    with torch.no_grad():
        module.hypernetwork[1].weight.normal_()
    x = torch.randn(100)
    with torch.autocast("cpu", torch.bfloat16):
        inside = module(x)
    assert torch.equal(inside, module(x))


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
