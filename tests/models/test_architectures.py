"""The architectures of transformers and timm, tiny or without content: what runs in each before and after a swap."""

from __future__ import annotations

import copy
import io
from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

import models
from made_architectures import of_timm, of_transformers
from made_networks import KERNELS, Recorder

pytestmark = pytest.mark.slow
_COUNTED = (*KERNELS, "sigmoid", "log_sigmoid", "clamp_min", "asinh")


class Marker(nn.Module):
    """No network computes an inverse hyperbolic sine of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * torch.asinh(x)


def ran(net: nn.Module, x: Any, training: bool) -> Counter[str]:
    """The activations that one forward pass runs, and how often."""
    with Recorder() as recorder, torch.no_grad():
        run(net.train(training), x)
    return Counter({name: n for name, n in recorder.ran.items() if name.strip("_").startswith(_COUNTED)})


def run(net: nn.Module, x: Any) -> list[Tensor]:
    """What it gives, as floating tensors."""
    torch.manual_seed(0)
    result = net(**x) if isinstance(x, dict) else net(x)
    return [
        value
        for value in tree_leaves(dict(result) if isinstance(x, dict) else result)
        if torch.is_tensor(value) and value.is_floating_point()
    ]


def check(net: nn.Module, x: Any, expected: dict[str, int], record: Any) -> None:
    """One architecture.

    Args:
        net, x: the network and its input.
        expected: how many sites of each role it has.
        record: pytest's `record_property`.
    """
    original = copy.deepcopy(net)
    before, names = {training: ran(net, x, training) for training in (True, False)}, set(net.state_dict())
    sites = models.sites(net, x)
    roles = Counter(site.role for site in sites)
    record("places", dict(roles))
    assert roles == expected

    put: list[nn.Module] = []
    models.swap(net, lambda shape: put.append(Marker()) or put[-1], x)
    assert len(put) == roles["hidden"]
    assert {id(part) for part in net.modules() if isinstance(part, Marker)} == set(map(id, put))
    kept = [(site.op, site.role) for site in models.sites(net, x) if site.role != "hidden"]
    assert kept == [(site.op, site.role) for site in sites if site.role != "hidden"]

    for training, counts in before.items():
        after = ran(net, x, training)
        swapped = after.pop("asinh")
        assert all(after[name] <= counts[name] for name in after)
        assert swapped > 0 == (counts - after).total() % swapped  # some run several kernels

    for parameter in net.parameters():
        parameter.grad = None
    sum(value.float().sum() for value in run(net.train(), x)).backward()
    assert all(part.scale.grad is not None for part in put)

    state = net.state_dict()
    assert set(state) - names == {
        name for name in state if isinstance(net.get_submodule(name.rpartition(".")[0]), Marker)
    }
    replaced = tuple(f"{site.name}." for site in sites if site.role == "hidden" and site.kind == "module")
    assert {name for name in names if not name.startswith(replaced)} <= set(state)
    if any(value.is_meta for value in net.parameters()):
        return
    other = models.swap(original, lambda shape: Marker(), x)
    with torch.no_grad():
        for part in put:
            part.scale.fill_(0.5)
    other.load_state_dict(net.state_dict())
    file = io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    results = [run(one.eval(), x) for one in (net, other, torch.load(file, weights_only=False))]
    assert all(torch.equal(a, b) for result in results[1:] for a, b in zip(results[0], result, strict=True))


# By `model_type`, two layers each: hidden sites, and those of other roles.
TRANSFORMERS: dict[str, dict[str, int]] = {}
# The smallest of a module of timm each.
TIMM: dict[str, dict[str, int]] = {}


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_an_architecture_of_transformers_is_swapped_in_every_place(kind: str, record_property: Any) -> None:
    net, x = of_transformers(kind)
    check(net, x, TRANSFORMERS[kind], record_property)


@pytest.mark.parametrize("name", TIMM)
def test_an_architecture_of_timm_is_swapped_in_every_place(name: str, record_property: Any) -> None:
    pytest.importorskip("timm")
    net, x = of_timm(name)
    check(net, x, TIMM[name], record_property)
