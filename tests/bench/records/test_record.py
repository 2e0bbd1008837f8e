"""Records: only builtin types leave them, and what is written comes back."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.records import record
from made import record as made
from made import runs


class Fraction(float):
    """A subclass of float, as numpy.float64 is one: xdist cannot send it."""


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Fraction(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (torch.tensor(2.0), 2.0),
        ((1, [np.int8(2)]), [1, [2]]),
        ({"a": (np.float64(1.5),)}, {"a": [1.5]}),
        (None, None),
    ],
)
def test_the_gate_lets_only_builtin_types_through(value, plain):
    passed = record.builtin(value)
    assert passed == plain
    assert type(passed) is type(plain)


def test_the_gate_names_what_has_no_builtin_form():
    with pytest.raises(TypeError, match="of type object cannot cross from a worker"):
        record.builtin({"a": [object()]})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists))
def test_builtin_values_pass_the_gate_unchanged(value):
    assert record.builtin(value) == value


def test_a_record_comes_back_from_its_file(tmp_path):
    one = made(3, 0.9)
    record.save(one, tmp_path)
    assert record.load(record.path_of(one.key, 3, tmp_path)) == one


def test_a_file_is_strict_json_and_what_is_not_finite_comes_back_as_nan(tmp_path):
    one = made(0, math.inf, "diverged")
    record.save(one, tmp_path)
    (path,) = (tmp_path / "runs").iterdir()
    assert json.loads(path.read_text(), parse_constant=pytest.fail)["metrics"]["test_accuracy"] is None
    back = record.load(path)
    assert math.isnan(back.value)


def test_no_half_written_file_is_left_behind(tmp_path):
    for one in runs([0.1, 0.2]):
        record.save(one, tmp_path)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "cnn-cnn-mnist-elu-sgd-tiny-v1-0-cpu-seed0.json",
        "cnn-cnn-mnist-elu-sgd-tiny-v1-0-cpu-seed1.json",
    ]


def test_a_missing_record_is_none_and_a_broken_one_is_named(tmp_path):
    path = record.path_of(made(0, 0.5).key, 0, tmp_path)
    assert record.load(path) is None
    path.parent.mkdir()
    path.write_text('{"case": 1')
    with pytest.raises(record.ResultsError, match=f"{path.name} is not a record"):
        record.load(path)
