"""Tests of the memory count: bytes saved for backward are counted by storage, once each, parameters left out."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import Tensor, nn

import activations
from activations.contract.memory import bytes_saved


def _input(*shape: int) -> Tensor:
    return torch.randn(shape, requires_grad=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_relu_keeps_one_tensor_of_its_outputs_size(dtype: torch.dtype) -> None:
    x = torch.randn(7, 5, dtype=dtype, requires_grad=True)
    assert bytes_saved(lambda: activations.build("relu")(x)) == x.nbytes


def test_nothing_is_kept_where_no_gradient_is_asked_for() -> None:
    x = torch.randn(7, 5)
    assert bytes_saved(lambda: x.relu()) == 0
    x.requires_grad_()
    with torch.no_grad():
        assert bytes_saved(lambda: x.relu()) == 0
    assert bytes_saved(lambda: x + 1) == 0


def test_excluded_parameters_do_not_count() -> None:
    layer, x = nn.Linear(5, 3), _input(7, 5)
    everything = bytes_saved(lambda: layer(x))
    assert everything == x.nbytes + layer.weight.nbytes
    assert bytes_saved(lambda: layer(x), excluded=layer.parameters()) == x.nbytes
    assert bytes_saved(lambda: layer(x), excluded=[x, *layer.parameters()]) == 0


def test_a_storage_that_is_shared_counts_once() -> None:
    x, other = _input(7, 5), _input(7, 5)
    assert bytes_saved(lambda: x * x) == x.nbytes
    assert bytes_saved(lambda: x * other) == 2 * x.nbytes
    # relu's output, kept by relu and by the two that follow it
    assert bytes_saved(lambda: (lambda y: (y.relu(), y.square()))(x.relu())) == 2 * x.nbytes


def test_a_view_counts_as_the_whole_storage_that_it_keeps_alive() -> None:
    x = _input(8, 6)
    assert bytes_saved(lambda: x[::2].square()) == x.nbytes
    assert bytes_saved(lambda: (x[:4].square(), x[4:].square(), x.T.square())) == x.nbytes


def test_a_tensor_that_is_freed_underway_does_not_hide_the_next_one() -> None:
    """Each result is dropped at once, so an allocator would hand out its address again."""
    x = _input(1000)

    def forward() -> None:
        for _ in range(5):
            x.exp()

    assert bytes_saved(forward) == 5 * x.nbytes


def test_a_network_keeps_the_sum_of_its_layers() -> None:
    net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4), nn.Sigmoid())
    x = _input(10, 6)
    hidden, out = 10 * 8 * 4, 10 * 4 * 4  # tanh's output is also the next layer's input
    assert bytes_saved(lambda: net(x), excluded=net.parameters()) == x.nbytes + hidden + out


def test_counting_does_not_change_what_is_computed() -> None:
    x = _input(7, 5)
    results: list[Tensor] = []
    bytes_saved(lambda: results.append(x.tanh().square().sum()))
    (gradient,) = torch.autograd.grad(results[0], x)
    torch.testing.assert_close(gradient, torch.autograd.grad(x.tanh().square().sum(), x)[0])


def test_nothing_lives_on_once_it_is_counted() -> None:
    nets = [nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4))]
    weight = weakref.ref(nets[0][0].weight)
    bytes_saved(lambda: nets[0](_input(10, 6)), excluded=nets[0].parameters())
    nets.clear()
    gc.collect()
    assert weight() is None
