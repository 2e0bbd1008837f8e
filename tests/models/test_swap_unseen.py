"""Tests of models.swap where activations are out of sight, and of parts that only look like one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize
from transformers.activations import ACT2FN

import models
from made_networks import Body, recorded, sine

X = torch.randn(4, 8)


@pytest.mark.parametrize(
    ("layer", "op"),
    [
        (nn.RNNCell(8, 8, nonlinearity="relu"), "relu"),
        (nn.RNNCell(8, 8), "tanh"),
        (nn.RNN(8, 8, nonlinearity="relu"), "relu"),
    ],
    ids=["relu cell", "tanh cell", "layer"],
)
def test_a_recurrent_layer_with_an_activation_in_its_kernel_is_refused_with_the_remedy(
    layer: nn.Module, op: str
) -> None:
    def between(net: Any, x: Tensor) -> Tensor:
        out = net.layer(net.relu(x))
        return out[0] if isinstance(out, tuple) else out

    net = Body(between, relu=nn.ReLU(), layer=layer)
    with pytest.raises(ValueError, match=f"layer runs {op} in one kernel with a layer .*as it is written in Python"):
        models.swap(net, sine, X)
    assert isinstance(net.relu, nn.ReLU)


def test_the_gates_of_an_lstm_are_no_hindrance() -> None:
    net = Body(lambda net, x: net.lstm(net.relu(x))[0], relu=nn.ReLU(), lstm=nn.LSTM(8, 8))
    assert recorded(models.swap(net, sine, X), X)["sin"] == 1


def test_functions_that_torch_cond_runs_are_refused() -> None:
    def between(net: Any, x: Tensor) -> Tensor:
        x = net.act(x)
        chosen: Tensor = torch.cond(x.sum() > 0, lambda x: F.relu(x), lambda x: F.gelu(x), (x,))
        return chosen

    net = Body(between, act=nn.ReLU())
    with pytest.raises(ValueError, match=r"does not run what replaces relu .*torch.cond .*or a module"):
        models.swap(net, sine, X)
    assert isinstance(net.act, nn.ReLU)


class Layers(nn.Sequential):
    """The usual perceptron of few lines."""

    def forward(self, x: Tensor) -> Tensor:
        for layer in self[:1]:
            x = F.relu(layer(x))
        return self[-1](x)


class Named(nn.ModuleDict):
    def forward(self, x: Tensor) -> Tensor:
        for layer in self.values():
            x = F.relu(layer(x))
        return x


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Layers(nn.Linear(8, 8), nn.Linear(8, 8)), "part is a Layers, a kind of nn.Sequential, that calls relu"),
        (Named({"one": nn.Linear(8, 8)}), "part is a Named, a kind of nn.ModuleDict, that calls relu"),
    ],
    ids=["sequential", "dict"],
)
def test_a_container_that_calls_functions_is_refused_with_the_remedy(part: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=f"{message} .*make the call a module"):
        models.swap(Body(lambda net, x: net.part(x), part=part), sine, X)
    assert len(list(part.children())) == len(part)


class Half(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return weight / 2


@pytest.mark.parametrize(
    "parametrization", [nn.ReLU(), nn.Sequential(Half(), nn.Tanh())], ids=["module", "behind arithmetic"]
)
def test_what_makes_a_weight_positive_is_no_activation(parametrization: nn.Module) -> None:
    net = Body(lambda net, x: net.act(x), act=nn.GELU())
    parametrize.register_parametrization(net.first, "weight", parametrization)
    assert [site.name for site in models.sites(net, X)] == ["act"]


def test_what_a_layer_is_added_to_is_no_parameter_any_more() -> None:
    class Added(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last, self.start = nn.Linear(8, 8), nn.Linear(8, 2), nn.Parameter(torch.ones(4, 8))

        def forward(self, x: Tensor) -> Tensor:
            y = self.start * 2
            y += self.first(x)
            return self.last(F.relu(y) + F.relu(self.start * 2))

    assert [site.op for site in models.sites(Added(), X)] == ["relu"]


def test_experts_to_which_nothing_is_routed_after_the_swap_are_swapped() -> None:
    """In Switch Transformers the layers before a router decide where its tokens go."""

    class Expert(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up, self.act = nn.Linear(8, 8), nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.act(self.up(x))

    def between(net: Any, x: Tensor) -> Tensor:
        x = net.act(x)
        y = torch.zeros_like(x)
        for positive, expert in ((True, net.one), (False, net.other)):
            if (mine := (x[:, 0] >= 0) == positive).any():
                y[mine] = expert(x[mine])
        return y

    class Below(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return -torch.ones_like(x)

    torch.manual_seed(0)
    net = Body(between, act=nn.Tanh(), one=Expert(), other=Expert())
    models.swap(net, lambda shape: Below(), torch.randn(64, 8))
    assert [type(part).__name__ for part in (net.act, net.one.act, net.other.act)] == ["Below"] * 3


def test_scores_of_a_router_by_the_root_of_softplus_are_gates() -> None:
    """DeepSeek-V4's."""
    net = Body(lambda net, x: x * net.score(net.router(x)), router=nn.Linear(8, 8), score=ACT2FN["sqrtsoftplus"])
    assert [(site.op, site.role) for site in models.sites(net, X)] == [("sqrtsoftplus", "gate")]


@pytest.mark.parametrize("given", ["resnet18", nn.ReLU, F.relu, None], ids=["name", "class", "function", "none"])
def test_what_is_no_network_is_named_with_an_example_of_one(given: Any) -> None:
    for call in (lambda: models.swap(given, "prelu"), lambda: models.sites(given)):
        with pytest.raises(TypeError, match=r"the network is .*, not an nn.Module: give an instance, such as"):
            call()


def test_one_role_may_be_given_by_its_name() -> None:
    net = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2), nn.Sigmoid())
    assert recorded(models.swap(net, sine, X, roles="output"), X) == {"relu": 1, "sin": 1}
