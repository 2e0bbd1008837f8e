"""Activations on a card: the contract of their numbers and tensors, eager and fused, and a network given another."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import nn

import activations
import models
from activations import _registry, contract, fused

pytestmark = pytest.mark.gpu

# One of torch's own, of each parametrization, and of each way to compute: a kink, exp, erf, tanh, a series, a gate.
KINDS = ("relu", "elu", "gelu", "gelu_tanh", "mish", "prelu", "apl", "tact", "snake", "swiglu")
FUSED = ("mish", "tact", "swiglu")
OF_TENSORS = (
    *("gradients_are_finite", "infinity_gives_the_limit", "nan_stays_nan", "is_elementwise", "dtype_is_kept"),
    *("strided_input_agrees", "channels_last_is_kept", "empty_input_works", "zero_dimensional_input_works"),
)
OF_NUMBERS = [f"{dtype}_{what}_are_exact" for dtype in contract.DTYPES for what in ("values", "derivatives")]


@pytest.fixture
def built_there(card: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract's modules compute on the card, whatever device their input is on."""
    build = _registry.build

    def build_there(name: str, **settings: object) -> nn.Module:
        made = build(name, **settings).to(card)
        made.register_forward_pre_hook(lambda _, args: tuple(x.to(card) for x in args))
        made.register_forward_hook(lambda _, args, output: output.cpu())
        return made

    monkeypatch.setattr(_registry, "build", build_there)


def hold(name: str, checks: list[str] | tuple[str, ...]) -> None:
    entry = activations.info(name)
    for check in checks:
        if check not in entry.exceptions:
            try:
                contract.CHECKS[check](entry)
            except contract.NotApplicable:
                continue


@pytest.mark.usefixtures("built_there")
@pytest.mark.parametrize("name", KINDS)
def test_values_and_derivatives_are_as_near_to_the_formula_as_the_record_says(name: str) -> None:
    hold(name, OF_NUMBERS)


@pytest.mark.usefixtures("built_there")
@pytest.mark.parametrize("name", KINDS)
def test_ends_dtypes_and_layouts_are_kept(name: str) -> None:
    hold(name, OF_TENSORS)


@pytest.mark.usefixtures("built_there")
@pytest.mark.parametrize("name", FUSED)
def test_so_are_those_of_fused_kernels(name: str) -> None:
    hold(name, ["fused_float32_values_are_exact", "fused_float32_derivatives_are_exact"])
    assert fused.applies(torch.ones(2, device="cuda")), "no kernel could be compiled, so none was seen"


def test_a_network_on_a_card_takes_an_activation_with_parameters_of_its_own(card: torch.device) -> None:
    net = torchvision.models.resnet18(num_classes=10).to(card)
    x = torch.randn(2, 3, 64, 64, device=card)
    before = {name: one.detach().clone() for name, one in net.named_parameters()}
    models.swap(net, "prelu", x)
    own = [one for name, one in net.named_parameters() if name not in before]
    assert len(own) == 1 + 2 * 8
    assert {one.device for one in net.parameters()} == {card}
    net(x).sum().backward()
    assert all(one.grad is not None for one in own)
    assert all(torch.equal(net.get_parameter(name), one) for name, one in before.items())
