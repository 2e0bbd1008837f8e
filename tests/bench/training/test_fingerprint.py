"""Tests of bench.training.fingerprint: equal while nothing changes, different when something does, and naming what."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench.cases.recipe import Recipe
from bench.training import fingerprint

CPU = torch.device("cpu")
RECIPE = Recipe(version=1, epochs=1, batch_size=8, learning_rate=0.1, initialisation="torch")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    fingerprint._canary.cache_clear()
    yield
    torch.set_num_threads(before)


def test_it_repeats_whatever_was_drawn_before() -> None:
    one = fingerprint.take(CPU, RECIPE)
    fingerprint._canary.cache_clear()
    torch.rand(5)
    assert fingerprint.take(CPU, RECIPE) == one
    assert fingerprint.differences(one, one) == ""


def test_taking_it_leaves_threads_and_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    fingerprint.take(CPU, RECIPE)
    assert torch.get_num_threads() == 1
    assert torch.equal(torch.get_rng_state(), before)


def test_its_values_are_builtin_so_that_they_cross_to_other_processes() -> None:
    assert {type(value) for value in fingerprint.take(CPU, RECIPE).values()} <= {str, int, bool}


def test_another_number_of_threads_is_another_fingerprint_and_is_named() -> None:
    one = fingerprint.take(CPU, RECIPE)
    torch.set_num_threads(2)
    two = fingerprint.take(CPU, RECIPE)
    assert one != two
    assert "threads 1 -> 2" in fingerprint.differences(one, two)


@pytest.mark.parametrize(("field", "value"), [("precision", "bfloat16"), ("memory_format", "channels_last")])
def test_what_the_recipe_changes_is_named_alone(field: str, value: str) -> None:
    one, other = (fingerprint.take(CPU, recipe) for recipe in (RECIPE, replace(RECIPE, **{field: value})))
    assert fingerprint.differences(one, other) == f"{field} {getattr(RECIPE, field)} -> {value}"


def test_a_graph_is_named_and_what_is_recorded_without_one_stays_as_it_is() -> None:
    one, other = (fingerprint.take(CPU, RECIPE, graph=graph) for graph in (False, True))
    assert "graph" not in one
    assert fingerprint.differences(one, other) == "graph None -> True"


def test_differences_name_each_that_differs_and_each_that_is_missing() -> None:
    one = {"torch": "2.9", "threads": 1, "device": "cpu"}
    other = {"torch": "2.10", "threads": 2, "device": "cpu"}
    assert fingerprint.differences(one, other) == "threads 1 -> 2, torch 2.9 -> 2.10"
    assert fingerprint.differences(one, {"torch": "2.9", "threads": 1}) == "device cpu -> None"
    assert fingerprint.differences({}, {"device": "cpu"}) == "device None -> cpu"


@pytest.mark.fresh_process
def test_the_canary_is_the_same_in_a_fresh_process() -> None:
    code = (
        "import torch; torch.set_num_threads(1)\n"
        "from bench.training import fingerprint\n"
        "print(fingerprint._canary(torch.device('cpu'), 1))\n"
    )
    root = Path(fingerprint.__file__).parents[2]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, env=environment, check=True
    )
    assert done.stdout.strip() == fingerprint.take(CPU, RECIPE)["canary"]


@pytest.mark.parametrize("kernel", ["exp", "tanh"])
def test_the_canary_sees_one_bit_of_one_kernel(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint.take(CPU, RECIPE)
    real = getattr(torch, kernel)

    def one_unit_up(x: torch.Tensor) -> torch.Tensor:
        y = real(x)
        unit = torch.zeros_like(y)
        first = y.detach().flatten()[0]
        unit.view(-1)[0] = torch.nextafter(first, torch.tensor(9.0)) - first
        return y + unit

    monkeypatch.setattr(torch, kernel, one_unit_up)
    fingerprint._canary.cache_clear()
    after = fingerprint.take(CPU, RECIPE)
    fingerprint._canary.cache_clear()
    assert fingerprint.differences(before, after) == f"canary {before['canary']} -> {after['canary']}"


def test_the_device_class_is_the_type_and_on_cuda_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fingerprint.device_class(CPU) == "cpu"
    assert fingerprint.device_class(torch.device("mps")) == "mps"
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA A100-SXM4-40GB")
    assert fingerprint.device_class(torch.device("cuda", 0)) == "cuda_nvidia_a100_sxm4_40gb"


def test_tf32_is_read_for_convolutions_and_products_however_it_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    conv, matmul = torch.backends.cudnn.conv, torch.backends.cuda.matmul
    before = conv.fp32_precision, matmul.fp32_precision
    try:
        for convolutions, products, said in (
            ("tf32", "ieee", "convolution"),
            ("ieee", "tf32", "matmul"),
            ("ieee",) * 2 + ("",),
        ):
            conv.fp32_precision, matmul.fp32_precision = convolutions, products
            assert fingerprint._of_cuda()["tf32"] == said
        matmul.allow_tf32 = True
        assert fingerprint._of_cuda()["tf32"] == "matmul"
    finally:
        conv.fp32_precision, matmul.fp32_precision = before
