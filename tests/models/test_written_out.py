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
}


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
    ],
)
def test_other_clamps_maxima_and_choices_are_none(function: Callable[[Any, Tensor], Tensor]) -> None:
    class Scaled(Body):
        def __init__(self) -> None:
            super().__init__(function)
            self.scale = nn.Parameter(torch.ones(1, 8))

    assert models.sites(Scaled(), X) == []
