"""Tests of activations that are written out with clamp, maximum and where: they are found, and swapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import models
from made_networks import Body, recorded, sine

X = torch.randn(4, 8)
RELUS: dict[str, Callable[[Tensor], Tensor]] = {
    "clamp": lambda x: x.clamp(min=0),
    "clamp positional": lambda x: torch.clamp(x, 0.0),
    "clamp_": lambda x: x.clamp_(min=0),
    "clamp_min": lambda x: x.clamp_min(0),
    "clip": lambda x: torch.clip(input=x, min=0),
    "maximum": lambda x: torch.maximum(x, torch.zeros_like(x)),
    "maximum, turned round": lambda x: torch.maximum(torch.zeros(1), x),
    "maximum of new zeros": lambda x: x.maximum(x.new_zeros(())),
    "max": lambda x: torch.max(x, torch.tensor(0.0)),
    "fmax": lambda x: torch.fmax(x, torch.full((8,), 0.0)),
    "where": lambda x: torch.where(x > 0, x, 0.0),
    "where of zeros": lambda x: torch.where(x > 0, x, torch.zeros_like(x)),
    "times its mask": lambda x: x * (x > 0),
    "times its mask in numbers": lambda x: (x > 0).float() * x,
    "times its mask in place": lambda x: x.mul_((x > 0).to(x.dtype)),
    "heaviside": lambda x: x * torch.heaviside(x, torch.zeros(())),
    "masked_fill": lambda x: x.masked_fill(x < 0, 0.0),
    "masked_fill_": lambda x: x.masked_fill_(x.lt(0), 0),
    "set by a mask": lambda x: _set_to_zero(x.clone()),
    "where, turned round": lambda x: torch.where(x <= 0, 0.0, x),
    "where as a method": lambda x: x.where(x.ge(0), 0.0),
}
OTHERS: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "relu6": ("relu6", lambda x: x.clamp(0, 6)),
    "leaky relu": ("where", lambda x: torch.where(x > 0, x, 0.1 * x)),
    "elu": ("where", lambda x: torch.where(x > 0, x, torch.expm1(x))),
    "softplus": ("where", lambda x: torch.where(x > 20.0, x, torch.log1p(torch.exp(x)))),
    "expit": ("sigmoid", torch.special.expit),
    "of aten": ("relu", torch.ops.aten.relu),
    "leaky relu, the larger": ("leaky_relu", lambda x: torch.maximum(0.1 * x, x)),
    "logaddexp": ("softplus", lambda x: torch.logaddexp(x, torch.zeros_like(x))),
}
# Of these no function of torch is an activation; a module of its own they are one in.
CURVES: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": lambda x: 0.5 * x * (1 + torch.erf(x / 2**0.5)),
    "swish": lambda x: x / (1 + torch.exp(-x)),
    "relu": lambda x: (x + x.abs()) / 2,
    "hard tanh": lambda x: x.clamp(-1, 1),
    "leaky relu of a minimum": lambda x: x - 0.9 * torch.minimum(x, torch.zeros_like(x)),
    "snake": lambda x: x + torch.sin(x) ** 2,
    "square": lambda x: x * x,
}
STRAIGHT: dict[str, Callable[[Tensor], Tensor]] = {
    "scale": lambda x: 3 * x - 1,
    "root mean square": lambda x: x * torch.rsqrt((x * x).mean(-1, keepdim=True)),
    "turn": lambda x: x.flip(-1),
    "largest first": lambda x: x.sort(-1).values,
    "sums": lambda x: x.cumsum(-1),
}


def _set_to_zero(x: Tensor) -> Tensor:
    x[x < 0] = 0
    return x


class Written(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


@pytest.mark.parametrize(
    ("op", "function"),
    [*(("relu", function) for function in RELUS.values()), *OTHERS.values()],
    ids=[*RELUS, *OTHERS],
)
def test_an_activation_that_is_written_out_is_found_and_swapped(op: str, function: Callable[[Tensor], Tensor]) -> None:
    net = Body(lambda net, x: function(x))
    assert [(site.op, site.role) for site in models.sites(net, X)] == [(op, "hidden")]
    for _ in range(2):
        models.swap(net, sine, X)
        torch.testing.assert_close(net(X), net.last(torch.sin(net.first(X))))
    net = models.swap(Body(lambda net, x: net.act(x), act=Written(function)), sine, X)
    assert recorded(net, X)["sin"] == 1
    assert isinstance(net.act, type(sine(())))


@pytest.mark.parametrize(
    "function",
    [
        lambda net, x: x.clamp(min=1e-6),
        lambda net, x: x.clamp(max=0),
        lambda net, x: x.clamp(0, 1),
        lambda net, x: x.clamp(min=-1, max=1),
        lambda net, x: torch.maximum(x, torch.ones_like(x)),
        lambda net, x: torch.maximum(x, 2 * x),
        lambda net, x: x.max(1, keepdim=True).values + x,
        lambda net, x: torch.where(x > 0, 2 * x, 0.0),
        lambda net, x: torch.where(torch.ones(8, dtype=torch.bool), x, 0.0),
        lambda net, x: torch.where(x > 1e-6, x, 1e-6),
        lambda net, x: x * x.sum(1).clamp(min=0).mean(),
        lambda net, x: x * torch.arange(-4, 4).clamp(min=0).unsqueeze(0).clamp(min=0),
        lambda net, x: x * net.scale.clamp(min=0),
        lambda net, x: x * (net.scale > 0),
        lambda net, x: x * (x.roll(1) > 0),
        lambda net, x: x.masked_fill(x < 0, 1.0),
        lambda net, x: x.masked_fill(torch.ones(8, dtype=torch.bool), 0.0),
        lambda net, x: torch.maximum(x, 0.1 * x.roll(1)),
        lambda net, x: torch.logaddexp(x, 2 * x),
        lambda net, x: x * torch.tanh(2 * net.scale) + torch.nn.functional.softplus(-net.scale.squeeze(0)),
    ],
)
def test_other_clamps_maxima_and_choices_are_none(function: Callable[[Any, Tensor], Tensor]) -> None:
    class Scaled(Body):
        def __init__(self) -> None:
            super().__init__(function)
            self.scale = nn.Parameter(torch.ones(1, 8))

    assert models.sites(Scaled(), X) == []


@pytest.mark.parametrize("name", CURVES)
def test_arithmetic_in_a_module_of_its_own_is_an_activation_by_what_it_computes(name: str) -> None:
    net = Body(lambda net, x: net.act(net.relu(x)), relu=nn.ReLU(), act=Written(CURVES[name]))
    assert [(site.kind, site.name) for site in models.sites(net, X)] == [("module", "relu"), ("module", "act")]
    models.swap(net, sine, X)
    torch.testing.assert_close(net(X), net.last(net.first(X).sin().sin()))


@pytest.mark.parametrize("name", STRAIGHT)
def test_a_module_of_straight_lines_or_of_whole_rows_is_none(name: str) -> None:
    net = Body(lambda net, x: net.act(net.relu(x)), relu=nn.ReLU(), act=Written(STRAIGHT[name]))
    assert [site.name for site in models.sites(net, X)] == ["relu"]


def test_a_module_with_a_slope_for_each_channel_is_one_and_before_any_layer_none_is() -> None:
    class Snake(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.slope = nn.Parameter(torch.ones(1, 8))

        def forward(self, x: Tensor) -> Tensor:
            return x + torch.sin(self.slope * x) ** 2 / self.slope

    net = nn.Sequential(Written(torch.log1p), nn.Linear(8, 8), Snake(), nn.Linear(8, 2))
    before = torch.random.get_rng_state()
    assert [(site.name, site.op) for site in models.sites(net, X)] == [("2", "snake")]
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_bounded_one_that_scales_is_a_gate() -> None:
    net = Body(lambda net, x: net.act(x) * net.gate(x), act=nn.ReLU(), gate=Written(lambda x: 1 / (1 + torch.exp(-x))))
    assert [(site.name, site.role) for site in models.sites(net, X)] == [("act", "hidden"), ("gate", "gate")]
