"""Any numbers, any shapes, any strides: hypothesis looks for what the contract's grid and shapes have missed."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import activations
from activations.contract import accuracy, subject, truth

NAMES = [name for name in activations.names() if activations.info(name).formula]
OF_ONE_NUMBER = [name for name in NAMES if truth.inputs_of(activations.info(name)) == 1]
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@functools.cache
def call_of(name: str, dtype: str) -> truth.Call:
    return subject.call(activations.info(name), subject.DTYPES[dtype])


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None, database=None, derandomize=True)
@given(data=st.data())
def test_values_and_derivatives_of_any_numbers_are_within_the_bounds(name: str, data: st.DataObject) -> None:
    entry = activations.info(name)
    points = st.tuples(*[FINITE] * truth.inputs_of(entry))
    grid = np.array(data.draw(st.lists(points, min_size=1, max_size=6)), dtype=np.float64)
    excused = entry.exceptions.keys()
    for dtype in ("float32", "float64"):
        errors = accuracy.measure_errors(call_of(name, dtype), entry, subject.DTYPES[dtype], grid=grid)
        if f"{dtype}_values_are_exact" not in excused:
            assert not errors.wrong_values, errors
            assert not errors.nan_values, errors
        if f"{dtype}_derivatives_are_exact" not in excused:
            assert not errors.wrong_derivatives, errors
        if "gradients_are_finite" not in excused:
            assert not errors.nan_derivatives, errors


@functools.cache
def modules() -> dict[str, torch.nn.Module]:
    return {name: subject.module(activations.info(name)) for name in OF_ONE_NUMBER}


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(shape=array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=5), data=st.data())
def test_any_shape_in_any_order_of_memory_gives_the_same_numbers(shape: tuple[int, ...], data: st.DataObject) -> None:
    flat = torch.randn(math.prod(shape), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = flat.reshape(shape).permute(data.draw(st.permutations(range(len(shape)))))
    for name, made in modules().items():
        same = (made(x), made(x.flatten()).reshape(x.shape))
        torch.testing.assert_close(*same, rtol=1e-15, atol=1e-15, msg=functools.partial("{}: {}".format, name))
