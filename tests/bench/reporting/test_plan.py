"""Tests of `--plan`: what is counted on fake tensors is what a real step costs, and nothing is trained."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torchvision
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

import activations
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data.parts import Part, Parts, prepare
from bench.records import baseline
from bench.records.baseline import Baseline
from bench.reporting.plan import cost, devices, estimate
from bench.stats import power
from bench.training import optimizers, setup
from bench.training.memory import bytes_saved
from made import runs

CPU = torch.device("cpu")
RECIPE = Recipe(1, epochs=3, batch_size=4, learning_rate=1e-3, initialisation="kaiming", momentum=0.9)
SMALL = Recipe(1, epochs=3, batch_size=4, learning_rate=1e-3, initialisation="torch", model_arguments={"depth": 2})
SHAPE = (1, 8, 8)
ALL = activations.names()


def case(activation: str = "relu", model: str = "mlp", dataset: str = "digits", optimizer: str = "sgd") -> Case:
    return Case("made", model, dataset, activation, optimizer)


def built(of: Case, recipe: Recipe, part: Part) -> setup.Network:
    made = setup.build(of, recipe, 0, CPU, Parts(part, None, part, 10, ""))
    made.net.train()
    return made


def part(rows: int, shape: tuple[int, ...] = SHAPE) -> Part:
    return Part(torch.randn(rows, *shape), torch.arange(rows) % 10)


@pytest.mark.parametrize("activation", ALL)
def test_what_is_counted_of_an_activation_is_what_a_real_batch_keeps_and_computes(activation):
    step = cost.step(case(activation), SMALL, SHAPE, 4)
    real = part(4)
    net = built(case(activation), SMALL, real).net
    losses = []
    with FlopCounterMode(display=False) as counter:
        saved = bytes_saved(
            lambda: losses.append(F.cross_entropy(net(real.inputs), real.labels)), excluded=net.parameters()
        )
        losses[0].backward()
    assert step.saved == saved
    assert cost.flops(step.forward) + cost.flops(step.backward) == counter.get_total_flops()
    assert sum(step.parameters) == sum(parameter.numel() for parameter in net.parameters())


def test_an_mlps_flops_are_those_of_its_matrix_products():
    step = cost.step(case(), RECIPE, SHAPE, 32)
    widths = [64, *[128] * 8, 10]
    products = [2 * 32 * one * other for one, other in pairwise(widths)]
    assert cost.flops(step.forward) == sum(products)
    assert cost.flops(step.backward) == 2 * sum(products) - products[0]  # the images need no gradient
    assert step.buffers == 0


def test_counting_allocates_nothing_and_takes_any_batch():
    step = cost.step(case(model="cnn"), RECIPE, (3, 32, 32), 2**20)
    assert step.saved > 2**35
    assert cost.flops(step.forward) == 2**18 * cost.flops(cost.step(case(model="cnn"), RECIPE, (3, 32, 32), 4).forward)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("optimizer", optimizers.OPTIMIZERS)
def test_an_optimizers_state_is_as_large_as_a_real_one(optimizer, momentum):
    if optimizer == "nesterov" and not momentum:
        pytest.skip("torch asks nesterov for a momentum")
    recipe = Recipe(1, epochs=1, batch_size=4, learning_rate=1e-3, initialisation="torch", momentum=momentum)
    made = built(case(optimizer=optimizer), recipe, part(4))
    F.cross_entropy(made.net(part(4).inputs), part(4).labels).backward()
    made.optimizer.step()
    state = sum(
        value.nbytes for one in made.optimizer.state.values() for value in one.values() if torch.is_tensor(value)
    )
    sizes = tuple(parameter.numel() for parameter in made.net.parameters())
    update = cost.update(optimizer, momentum, sizes)
    assert update.state == state
    touched = sum(count * kernel.moved for kernel, count in update.kernels.items())
    assert touched >= 2 * 4 * sum(sizes) + state  # weights, gradients, state


@pytest.mark.parametrize(("model", "side"), [("mlp", 8), ("cnn", 28)])
def test_rows_and_shapes_are_those_that_a_run_would_see(model, side):
    recipe = Recipe(1, epochs=1, batch_size=4, learning_rate=1.0, initialisation="torch", validation_size=100)
    parts = prepare("digits", recipe, CPU, 28 if model == "cnn" else None)
    rows = estimate.rows_of(case(model=model), recipe)
    assert rows.shape == parts.input_shape == (1, side, side)
    assert (rows.train, rows.validation, rows.test) == (len(parts.train), len(parts.validation), len(parts.test))
    every = (parts.train, parts.validation, parts.test)
    assert rows.bytes == sum(one.inputs.nbytes + one.labels.nbytes for one in every)


def test_cases_that_differ_in_rate_schedule_or_optimizer_are_counted_once(monkeypatch):
    monkeypatch.setattr(cost, "_STEPS", {})
    one = cost.step(case(), RECIPE, SHAPE, 4)
    other = Recipe(2, epochs=9, batch_size=8, learning_rate=1.0, initialisation="torch", schedule="cosine")
    assert cost.step(case(optimizer="adam"), other, SHAPE, 4) is one
    assert cost.step(case("elu"), RECIPE, SHAPE, 4) is not one
    assert cost.step(case(), SMALL, SHAPE, 4) is not one


def test_hours_are_runs_times_steps_and_evaluations():
    recipe = Recipe(
        *(1, 3, 100, 1e-3, "torch"), train_size=250, validation_size=100, test_size=300, test_noise=(0.5, 1.0)
    )
    one = estimate.of(case(), recipe, runs=5, device_names=["NVIDIA T4"])
    ((device, times),) = one.times.items()
    assert one.steps == 3 * 3
    launched = sum((one.step.forward + one.step.backward + one.update.kernels).values()) * devices.LAUNCH
    assert times.step == pytest.approx(launched)  # so small that nothing but launches shows
    forward = sum(one.step.forward.values()) * devices.LAUNCH
    assert times.evaluations == pytest.approx((3 + 1 + 2) * forward)
    assert one.hours(device) == pytest.approx(5 * (9 * times.step + times.evaluations) / 3600)
    assert one.peak == sum(one.memory.values()) > 2 * 4 * one.parameters


def test_a_batch_is_never_larger_than_what_there_is_to_train_on():
    recipe = Recipe(1, epochs=2, batch_size=512, learning_rate=1e-3, initialisation="torch", train_size=100)
    one = estimate.of(case(), recipe, runs=1, device_names=["NVIDIA T4"])
    assert (one.batch, one.steps) == (100, 2)


@pytest.mark.parametrize(
    ("name", "precision", "published"),
    [("NVIDIA A100", "float32", 938), ("NVIDIA V100", "float32", 356), ("NVIDIA A100", "bfloat16", 2470)],
)
def test_resnet50_trains_as_fast_as_nvidia_measured_within_a_quarter(monkeypatch, name, precision, published):
    """github.com/NVIDIA/DeepLearningExamples, resnet50v1.5: images a second on one GPU, batch 256, 224 pixels."""
    monkeypatch.setattr(setup, "build", lambda *_: setup.Network(torchvision.models.resnet50(), [], [], None, None))
    recipe = Recipe(1, 90, 256, 0.256, "torch", precision=precision)
    step = cost.step(case("relu", "imagenet"), recipe, (3, 224, 224), 256)
    update = cost.update("sgd", 0.875, step.parameters)
    device = devices.device(name, threads=1)
    seconds = cost.seconds(step.forward + step.backward + update.kernels, device, step.precision)
    assert 4 / 5 < 256 / seconds / published < 5 / 4


def test_a_device_is_found_by_any_part_of_its_name_that_fits_no_other():
    assert [devices.find(text) for text in ("a100", "NVIDIA A100", " cpu", "4090")] == [
        *("NVIDIA A100", "NVIDIA A100", "cpu", "NVIDIA RTX 4090")
    ]
    for text in ("b200", "NVIDIA", ""):
        with pytest.raises(ValueError, match=rf"unknown device '{text}' to plan for; known: NVIDIA A100, .*, cpu"):
            devices.find(text)


@pytest.mark.parametrize("name", devices.NAMES)
def test_a_devices_figures_make_sense_and_have_a_source(name):
    device = devices.device(name, threads=1)
    assert device.name == name
    assert device.source
    tensor_cores = [peak for peak in (device.tf32, device.bfloat16) if peak]
    assert all(peak >= device.float32 for peak in tensor_cores)
    assert device.float32 > 1e9
    assert device.memory > 1e9
    assert 1e8 < device.bandwidth < device.float32
    assert 1e-7 < device.launch <= device.convolution_launch < 1e-1


def test_a_kernel_takes_the_longest_of_launch_arithmetic_and_traffic():
    launches = {"launch": 1e-6, "convolution_launch": 1e-3}
    device = devices.Device(
        *("made", 1e12, 4e13, None, 1e12, 1e9, "made"), **launches, core_share=0.5, bandwidth_share=0.5
    )
    assert device.seconds(0, 4, "elementwise", "float32") == 1e-6
    assert device.seconds(0, 4, "convolution", "float32") == 1e-3
    assert device.seconds(0, 1e12, "elementwise", "float32") == 2
    assert device.seconds(1e12, 4, "matmul", "float32") == 2
    assert device.seconds(1e12, 4, "convolution", "float32") == pytest.approx(1 / (40 * devices.TENSOR_CORE_SHARE))


def plan_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "results" / "plan.csv")


def test_a_plan_is_printed_and_written_and_nothing_is_trained(micro):
    result = micro.runpytest_inprocess("--plan", "--on", "a100,V100", "--seeds", "4")
    result.stdout.re_match_lines(
        [
            r"estimates at tiny; nothing was trained",
            r"experiment +model +cases +runs +steps a run .*hours on NVIDIA A100 +hours on NVIDIA V100",
            r"micro +mlp +24 +96 +2 ",
            r"schedule +steps +first rate % +highest % +last %",
            r"constant +2 +100 +100 +100",
            r"NVIDIA V100: float32 15\.7 TFLOP/s, 900 GB/s, 32 GB \(NVIDIA V100 data sheet",
            r"written to .*plan\.csv",
        ],
        consecutive=False,
    )
    assert result.ret == pytest.ExitCode.OK
    plan = plan_of(micro.path)
    assert len(plan) == 24
    assert set(plan.runs) == {4}
    assert (plan.total_flops == plan.runs * plan.steps * plan.step_flops).all()
    assert (plan["hours on NVIDIA A100"] > 0).all()
    assert not (micro.path / "results" / "runs").exists()


def test_a_plan_says_how_many_seeds_a_difference_takes_by_the_recorded_spread(micro):
    values = np.random.default_rng(0).normal(0.9, 0.02, 20).tolist()
    rows = [Baseline.of(runs(values, case=Case("micro", "mlp", "digits", name, "sgd"))) for name in ("relu", "elu")]
    baseline.write(rows, micro.path / "own_baselines")
    asked = ("--plan", "-k", "digits and sgd", "--baseline-dir", "own_baselines", "--seeds", "5", "--difference")
    sd = np.std(values, ddof=1)
    for points in (1, 5):
        result = micro.runpytest_inprocess(*asked, str(points))
        found, needed = power.detectable(sd, 5, 6), power.seeds_for(points / 100, sd, 6)
        row = rf"micro +mlp +test_accuracy +tiny +{sd * 100:.2g} +5 +{found * 100:.2g} +{needed}$"
        result.stdout.re_match_lines([row])


def test_without_a_recorded_spread_a_plan_says_so(micro):
    result = micro.runpytest_inprocess("--plan", "-k", "digits and sgd", "--baseline-dir", "own_baselines")
    result.stdout.re_match_lines([r"micro +mlp +test_accuracy +nothing +– +1 +– +–$"])


def test_a_plan_needs_no_data(micro, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("ACTBENCH_CACHE", str(micro.path / "nowhere"))
    result = micro.runpytest_inprocess("--plan", "--on", "t4", "-k", "mnist and elu and sgd")
    assert result.ret == pytest.ExitCode.OK
    (row,) = plan_of(micro.path).itertuples()
    assert (row.dataset, row.activation, row.optimizer) == ("mnist", "elu", "sgd")


def test_what_does_not_fit_a_device_is_named(micro, monkeypatch):
    small = devices.Device("NVIDIA T4", 1e12, None, None, 1e11, 1e5, "made")
    monkeypatch.setattr(devices, "device", lambda name, threads: small)
    result = micro.runpytest_inprocess("--plan", "--on", "t4", "-k", "digits and elu and sgd")
    result.stdout.fnmatch_lines(["more memory than NVIDIA T4 has: 1 cases, such as micro-mlp-digits-elu-sgd"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plan", "--record"], "--plan trains nothing that --record could write; give one of them"),
        (["--plan", "--on", "b200"], "unknown device 'b200' to plan for; known: NVIDIA A100, *"),
        (["--plan", "-n2"], "--plan trains nothing and needs no workers: leave -n out, or give -n0"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_a_remedy(micro, arguments, message):
    result = micro.runpytest_inprocess(*arguments)
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_plan_without_a_case_is_an_error(micro):
    micro.makepyfile(test_other="def test_other(): raise AssertionError('it ran')")
    result = micro.runpytest_inprocess("--plan", "-k", "test_other")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert micro.runpytest_inprocess("--plan", "-k", "nothing_like_it").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_case_that_cannot_be_built_is_named(micro):
    micro.makepyfile(broken="def broken(x):\n    return x[0]\n")
    choice = ["--activation", "broken.py:broken", "--dataset", "digits", "--optimizer", "sgd"]
    result = micro.runpytest_inprocess("--plan", *choice)
    result.stderr.fnmatch_lines(["ERROR: micro-mlp-digits-broken-sgd cannot be planned: *"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
