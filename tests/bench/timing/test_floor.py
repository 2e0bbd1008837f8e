"""What a compiled kernel does is counted from its own operations, and no more of them than it does."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import activations
from activations import fused
from bench.timing.kernels.kernel import MODES
from bench.timing.kernels.measurement import prepare_module
from bench.timing.peers import floor
from bench.timing.peers.floor import Operations, OperationTimes, floor_seconds, operation_times_on, operations_of

EXAMPLE = (8, 4, 4)
EXAMPLES = 4
ELEMENTS = EXAMPLES * 8 * 4 * 4
# bytes: of a tensor of the input's size
TENSOR = 4 * ELEMENTS


def prepared(name, mode="forward"):
    shape = None if "dim" in activations.info(name).arguments else EXAMPLE
    return prepare_module(activations.build(name, shape=shape, fused=True), torch.randn(EXAMPLES, *EXAMPLE), mode)


@pytest.mark.parametrize(
    ("name", "mode", "arithmetic", "divisions"),
    [
        # 6 times the larger of 0 and a number, 5 differences, 5 products that are added
        ("apl", "forward", 16, 0),
        # x times its own square where it is above 0
        ("relu_squared", "forward", 2, 0),
        # two bounds, |x| and 1 + |x|; then x by that
        ("softsign", "forward", 4, 1),
        ("relu", "forward_backward", 0, 0),
    ],
)
def test_operations_are_counted_by_element(name, mode, arithmetic, divisions):
    found = operations_of(prepared(name, mode).call)
    assert found == Operations(arithmetic * ELEMENTS, divisions * ELEMENTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", activations.names())
def test_a_derivative_adds_to_what_a_function_does(name):
    forward, both = (operations_of(prepared(name, mode).call) for mode in MODES)
    assert both.arithmetic >= forward.arithmetic >= 0
    assert both.divisions >= forward.divisions >= 0


def test_what_a_module_of_torchs_does_is_not_counted():
    call = prepare_module(nn.GELU(), torch.randn(4), "forward").call
    assert operations_of(call) == Operations(0, 0)


def test_looking_at_kernels_leaves_those_that_are_called_alone():
    call = prepared("mish").call
    found = call()
    operations_of(call)
    assert fused._backend == "inductor"
    assert torch.equal(call(), found)


@pytest.mark.parametrize(
    ("bandwidth", "times", "seconds"),
    [
        (1.0, OperationTimes(0.0, 0.0), 2.0 * TENSOR),
        (1e9, OperationTimes(1.0, 1.0), 4.0 * ELEMENTS),
        (1e9, OperationTimes(0.0, 5.0), 5.0 * ELEMENTS),
    ],
    ids=["bytes", "arithmetic", "divisions"],
)
def test_the_slowest_of_bytes_arithmetic_and_divisions_is_the_floor(bandwidth, times, seconds, monkeypatch):
    monkeypatch.setattr(floor, "operation_times_on", lambda device: times)
    one = prepared("softsign")
    assert one.bytes_moved == 2 * TENSOR
    assert floor_seconds(one.call, one.bytes_moved, bandwidth, torch.device("cpu")) == seconds


def test_where_nothing_of_ours_is_compiled_bytes_are_all_and_no_operation_is_timed(monkeypatch):
    monkeypatch.setattr(floor, "operation_times_on", None)
    one = prepared("relu")
    assert floor_seconds(one.call, one.bytes_moved, 1.0, torch.device("cpu")) == 2.0 * TENSOR


@pytest.mark.parametrize(("name", "tensors"), [("mish", (2.0, 5.0)), ("glu", (1.5, 4.0))])
def test_what_is_half_as_large_as_the_input_is_moved_as_such(name, tensors):
    assert tuple(prepared(name, mode).bytes_moved / TENSOR for mode in MODES) == tensors


@pytest.mark.slow
def test_a_division_takes_longer_than_a_product():
    times = operation_times_on(torch.device("cpu"))
    assert 0 < times.arithmetic < times.division
