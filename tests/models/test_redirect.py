"""Tests of redirected uses and calls: failures, checkpointing, compile, and a forward that takes another way."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

import models
from made_networks import Body, nasty, recorded, sine


@pytest.mark.parametrize("name", ["loop", "nested", "reuse", "encoder"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_forward_pass_works_after_one_that_failed(name: str, error: type[BaseException]) -> None:
    net, x = nasty(name)
    models.swap(net, "elu", x)
    expected = net(x)
    layers = [module for module in net.modules() if isinstance(module, nn.Linear)]
    for layer in layers:

        def fail(*_: Any) -> None:
            raise error

        hook = layer.register_forward_hook(fail)
        try:
            with pytest.raises(error):
                net(x)
        except pytest.fail.Exception:  # MultiheadAttention reads its projection without calling it
            assert name == "encoder"
        hook.remove()
        assert torch.equal(net(x), expected)
        assert torch.equal(F.relu(x), x.clamp(min=0))  # nothing outside is redirected


def test_an_error_that_the_caller_catches_leaves_its_later_calls_swapped() -> None:
    class Forgiving(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.last = nn.Linear(6, 6), nn.Linear(6, 2)

        def forward(self, x: Tensor) -> Tensor:
            try:
                self.layer(x[:, 1:])
            except RuntimeError:  # of its shape
                x = F.relu(self.layer(x))
            return self.last(x)

    net, x = Forgiving(), torch.zeros(2, 6)
    assert recorded(models.swap(net, sine, x), x) == {"sin": 1}


def test_a_part_of_a_swapped_network_runs_alone() -> None:
    net, x = nasty("nested")
    whole = models.swap(net, sine, x)
    expected = whole(x)
    assert recorded(net.inner, x) == {"sin": 3}
    assert recorded(net.inner.layers[0], x) == {}
    assert torch.equal(whole(x), expected)


def test_checkpointed_callers_compute_the_same_gradients() -> None:
    net, x = nasty("nested")
    models.swap(net, "prelu", x)
    net(x).sum().backward()
    expected = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    checkpoint(net, x, use_reentrant=False).sum().backward()
    for p, grad in zip(net.parameters(), expected, strict=True):
        torch.testing.assert_close(p.grad, grad)


@pytest.mark.parametrize("name", ["reuse", "shared", "sequential", "hand_made"])
def test_module_sites_compile_to_one_graph(name: str) -> None:
    net, x = nasty(name)
    models.swap(net, "prelu", x)
    compiled = torch.compile(net, backend="eager", fullgraph=True)
    for _ in range(2):
        torch.testing.assert_close(compiled(x), net(x))


@pytest.mark.parametrize("name", ["nested", "spellings"])  # one in another, and one after another
def test_function_sites_compute_the_same_under_compile(name: str) -> None:
    net, x = nasty(name)
    models.swap(net, "prelu", x)
    compiled = torch.compile(net, backend="eager")
    for _ in range(2):
        torch.testing.assert_close(compiled(x), net(x))


def test_a_caller_that_takes_another_way_is_named_with_both_counts() -> None:
    net, x = nasty("loop")
    models.swap(net, "elu", x)
    net.layers.append(nn.Linear(3, 3))
    with pytest.raises(RuntimeError, match=r"the network called relu, relu, relu and now calls relu as number 4"):
        net(x)
    block = nn.Sequential(nasty("reuse")[0])
    models.swap(block, "elu", x)
    block[0].last = block[0].relu
    with pytest.raises(RuntimeError, match=r"0\.relu has 3 swapped activations and is now used once more"):
        block(x)


def test_a_function_call_that_checkpointing_would_repeat_is_refused() -> None:
    net = Body(lambda net, x: checkpoint(lambda y: F.relu(net.inner(y)), x, use_reentrant=False), inner=nn.Linear(8, 8))
    with pytest.raises(ValueError, match=r"calls relu in a checkpointed part .* checkpoint whole modules, or make the"):
        models.swap(net, "silu")


def test_a_reused_module_that_checkpointing_repeats_is_an_error_and_no_other_gradient() -> None:
    def between(net: Any, x: Tensor) -> Tensor:
        return checkpoint(lambda y: net.relu(net.inner(net.relu(y))), x, use_reentrant=False)

    net = models.swap(Body(between, inner=nn.Linear(8, 8), relu=nn.ReLU()), "silu")
    with pytest.raises(
        RuntimeError, match=r"relu has 2 swapped activations .* or another method or checkpointing runs"
    ):
        net(torch.randn(4, 8)).sum().backward()


def test_a_call_that_is_another_one_in_evaluation_is_refused() -> None:
    net = Body(lambda net, x: torch.sigmoid(F.relu(F.gelu(x) if net.training else x)))
    with pytest.raises(ValueError, match=r"called gelu, relu, sigmoid and now calls relu as number 1"):
        models.swap(net, "silu")


def test_a_reused_module_lent_between_two_of_its_uses_has_its_site_in_each_caller() -> None:
    class Borrower(nn.Module):
        def forward(self, x: Tensor, relu: nn.Module) -> Tensor:
            return relu(x + 1) + relu(x + 2)

    net = Body(
        lambda net, x: net.relu(net.two(net.one(net.relu(x), net.relu), net.relu)),
        relu=nn.ReLU(),
        one=Borrower(),
        two=Borrower(),
    )
    models.swap(net, "prelu", torch.randn(4, 8))
    ran: list[nn.Module] = []
    for site in net.relu.sites:
        site.register_forward_hook(lambda module, args, output: ran.append(module))
    for _ in range(2):
        net(torch.randn(4, 8))
    assert len(set(ran[:6])) == 6
    assert ran[:6] == ran[6:]
