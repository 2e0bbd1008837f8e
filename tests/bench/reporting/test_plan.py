"""Tests of `--plan`: what is counted on fake tensors is what a real step costs, and nothing is trained."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torchvision
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

import activations
from activations.contract.memory import bytes_saved
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data.parts import Part, Parts, prepare
from bench.records import baseline
from bench.records.baseline import Baseline
from bench.reporting.plan import cost, devices
from bench.reporting.plan.estimate import estimated, rows_of
from bench.stats import power
from bench.training import optimizers, setup, train
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
    step = cost.Costs().step(case(activation), SMALL, SHAPE, 4)
    real = part(4)
    net = built(case(activation), SMALL, real).net
    losses = []
    with FlopCounterMode(display=False) as counter:
        saved = bytes_saved(
            lambda: losses.append(F.cross_entropy(net(real.inputs), real.labels)), excluded=net.parameters()
        )
        losses[0].backward()
    assert step.saved == saved
    assert step.flops == counter.get_total_flops()
    assert sum(step.parameters) == sum(parameter.numel() for parameter in net.parameters())


def test_an_mlps_flops_are_those_of_its_matrix_products():
    step = cost.Costs().step(case(), RECIPE, SHAPE, 32)
    widths = [64, *[128] * 8, 10]
    products = [2 * 32 * one * other for one, other in pairwise(widths)]
    assert step.flops == 3 * sum(products) - products[0]  # the images need no gradient
    assert (step.convolution_flops, step.buffers) == (0, 0)


def test_counting_allocates_nothing_and_takes_any_batch():
    large, small = (cost.Costs().step(case(model="cnn"), RECIPE, (3, 32, 32), batch) for batch in (2**20, 4))
    assert large.saved > 2**35
    assert large.flops == 2**18 * small.flops
    assert 0 < large.convolution_flops < large.flops


def test_a_network_that_was_counted_can_be_timed():
    """What the fake tensors left in it is gone."""
    costs = cost.Costs()
    for model, shape in (("mlp", SHAPE), ("cnn", (3, 32, 32))):
        costs.step(case(model=model), RECIPE, shape, 4)
        assert costs.seconds(case(model=model), RECIPE, shape, 4) > 0


def test_every_tensor_that_an_operation_reads_or_writes_is_moved_once_and_a_view_moves_nothing():
    with FakeTensorMode():
        x, y = torch.ones(1000), torch.ones(1000)
        with cost._Counting() as counted:
            (x + y).view(10, 100).t()
            torch.empty(10)
            assert x.device.type == "cpu"
            assert not x.is_contiguous(memory_format=torch.channels_last_3d)
    assert (counted.kernels, counted.moved) == (1, 3 * 4000)


def test_a_step_is_as_many_kernels_as_its_operations_compute():
    """Of three layers and two activations, forward and backward, loss and its gradient; sums of the biases as well."""
    forward, backward = 3 + 2 + 2, 2 * 3 - 1 + 3 + 2 + 2 + 1
    assert cost.Costs().step(case(), SMALL, SHAPE, 4).kernels == forward + backward


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
    orthogonal = {id(matrix) for matrix in setup.matrices_of(made.net, made.sites)}
    matrices = tuple(id(parameter) in orthogonal for parameter in made.net.parameters())
    assert any(matrices)
    assert cost.optimizer_state(optimizer, momentum, sizes, matrices) == state


@pytest.mark.parametrize(("model", "side"), [("mlp", 8), ("cnn", 28)])
def test_rows_and_shapes_are_those_that_a_run_would_see(model, side):
    recipe = Recipe(1, epochs=1, batch_size=4, learning_rate=1.0, initialisation="torch", validation_size=100)
    parts = prepare("digits", recipe, CPU, 28 if model == "cnn" else None)
    rows = rows_of(case(model=model), recipe)
    assert rows.shape == parts.input_shape == (1, side, side)
    assert (rows.train, rows.validation, rows.test) == (len(parts.train), len(parts.validation), len(parts.test))
    every = (parts.train, parts.validation, parts.test)
    assert rows.bytes == sum(one.inputs.nbytes + one.labels.nbytes for one in every)


def test_cases_that_differ_in_rate_schedule_or_optimizer_are_counted_once():
    costs = cost.Costs()
    one = costs.step(case(), SMALL, SHAPE, 4)
    other = replace(SMALL, epochs=9, batch_size=8, learning_rate=1.0, schedule="cosine")
    assert costs.step(case(optimizer="adam"), other, SHAPE, 4) is one
    assert costs.step(case("elu"), SMALL, SHAPE, 4) is not one
    assert costs.step(case(), replace(SMALL, model_arguments={"depth": 3}), SHAPE, 4) is not one


def test_a_network_is_timed_once_for_all_activations_and_a_large_step_on_few_examples(monkeypatch):
    timed = []
    monkeypatch.setattr(cost, "time_step", lambda *arguments: timed.append(arguments[-1]) or 2.0)
    costs = cost.Costs()
    assert costs.seconds(case(), SMALL, SHAPE, 128) == costs.seconds(case("elu"), SMALL, SHAPE, 128) == 2.0
    batch = 2**20
    assert costs.seconds(case(), SMALL, SHAPE, batch) == 2.0 * batch / timed[-1]
    assert timed[0] == 128
    flops = costs.step(case(), SMALL, SHAPE, batch).flops
    assert timed[1:] == [pytest.approx(batch * cost.TIMED_FLOPS / flops, abs=1)]


def test_a_step_is_timed_in_the_loop_of_a_run_with_its_threads(monkeypatch):
    seen, loop = [], train.train_epoch

    def epoch(step, *rest):
        seen.append((len(step.part), torch.get_num_threads()))
        return loop(step, *rest)

    monkeypatch.setattr(train, "train_epoch", epoch)
    assert cost.Costs().seconds(case(), replace(SMALL, threads=2, schedule="one_cycle"), SHAPE, 4) > 0
    assert set(seen) == {(4, 2)}


def test_a_step_takes_no_longer_where_other_processes_have_the_processor(monkeypatch):
    loop = train.train_epoch

    def waiting(*arguments):
        time.sleep(0.2)
        return loop(*arguments)

    monkeypatch.setattr(train, "train_epoch", waiting)
    assert cost.Costs().seconds(case(), SMALL, SHAPE, 4) < 0.2


@pytest.mark.parametrize(
    ("taken", "least"),
    [([0.01, 0.01, 0.01, 0.01, 0.001, 0.0], 0.001), ([0.3, 0.1, 0.2, 0.0], 0.1), ([0.6, 0.1, 0.0], 0.1)],
)
def test_the_least_of_five_steps_counts_or_of_two_and_more_that_take_half_a_second(taken, least, monkeypatch):
    now, left = [0.0], iter(taken)

    def epoch(*arguments):
        now[0] += next(left)

    monkeypatch.setattr(train, "train_epoch", epoch)
    monkeypatch.setattr(cost, "clock", lambda: now[0])
    monkeypatch.setattr(time, "process_time", lambda: now[0])
    assert cost.Costs().seconds(case(), SMALL, SHAPE, 4) == pytest.approx(least)


def test_hours_are_runs_times_steps_and_evaluations():
    recipe = Recipe(
        *(1, 3, 100, 1e-3, "torch"), train_size=250, validation_size=100, test_size=300, test_noise=(0.5, 1.0)
    )
    one = estimated(case(), recipe, runs=5, device_names=["NVIDIA A100"], costs=cost.Costs())
    (seconds,) = one.step_seconds.values()
    assert one.steps == 3 * 3
    assert seconds == pytest.approx(one.step.kernels * devices.LAUNCH)  # so small that nothing but launches shows
    batches = 9 + (3 * 1 + (1 + 2) * 3) / 3
    assert one.hours == {"NVIDIA A100": pytest.approx(5 * batches * seconds / 3600)}
    assert one.peak == sum(one.memory.values()) > 2 * 4 * one.parameters


def test_a_batch_is_never_larger_than_what_there_is_to_train_on():
    recipe = replace(SMALL, epochs=2, batch_size=512, train_size=100)
    one = estimated(case(), recipe, runs=1, device_names=["NVIDIA A100"], costs=cost.Costs())
    assert (one.batch, one.steps) == (100, 2)


@pytest.mark.parametrize(("precision", "published"), [("float32", 938), ("bfloat16", 2470)])
def test_resnet50_trains_as_fast_as_nvidia_measured_within_a_quarter(precision, published):
    """github.com/NVIDIA/DeepLearningExamples, resnet50v1.5: images a second on one A100, batch 256, 224 pixels."""
    with torch.device("meta"):
        network = torchvision.models.resnet50()
    network.to_empty(device="cpu")  # no weight is looked at
    recipe = Recipe(1, 90, 256, 0.256, "torch", precision=precision)
    made = setup.Network(network, [], [], None, None)
    step = cost.count_step(made, case("relu", "imagenet"), recipe, (3, 224, 224), 256)
    seconds = devices.DEVICES["NVIDIA A100"].seconds(step, precision)
    assert 4 / 5 < 256 / seconds / published < 5 / 4


def test_a_device_is_found_by_any_part_of_its_name_that_fits_no_other():
    assert [devices.find(text) for text in ("a100", "NVIDIA H100", " cpu")] == ["NVIDIA A100", "NVIDIA H100", "cpu"]
    for text in ("b200", "NVIDIA", ""):
        with pytest.raises(ValueError, match=rf"unknown device '{text}' to plan for; known: NVIDIA A100, .*, cpu"):
            devices.find(text)


@pytest.mark.parametrize("device", devices.DEVICES.values(), ids=list(devices.DEVICES))
def test_a_devices_figures_make_sense_and_have_a_source(device):
    assert device.source
    assert 1e9 < device.bandwidth < device.float32 < device.tf32 < device.bfloat16
    assert device.memory > 1e9


def test_a_step_takes_its_arithmetic_and_traffic_or_its_launches():
    device = devices.Device("made", 1e12, 4e12, 8e12, 1e12, 1e9, "made")
    idle = cost.Step(0, 0, kernels=10, moved=0, saved=0, parameters=(), matrices=(), buffers=0)
    arithmetic = replace(idle, flops=3 * 10**12, convolution_flops=10**12)
    assert device.seconds(idle, "float32") == 10 * devices.LAUNCH
    assert device.seconds(replace(idle, moved=10**12), "float32") == 1 / devices.BANDWIDTH_SHARE
    tensor_cores, cores = 1 / (4 * devices.TENSOR_CORE_SHARE), 2 / devices.CORE_SHARE
    assert device.seconds(arithmetic, "float32") == pytest.approx(tensor_cores + cores)
    assert device.seconds(arithmetic, "bfloat16") == pytest.approx(3 / (8 * devices.TENSOR_CORE_SHARE))
    both = device.seconds(replace(arithmetic, moved=10**12), "float32")
    assert both == pytest.approx(tensor_cores + cores + 1 / devices.BANDWIDTH_SHARE)


def plan_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "results" / "plan.csv")


def test_a_plan_is_printed_and_written_and_nothing_is_trained(micro):
    result = micro.runpytest_inprocess("--plan", "--on", "a100,H100", "--seeds", "4")
    result.stdout.re_match_lines(
        [
            r"estimates at tiny; nothing was trained",
            r"experiment +model +cases +runs +steps a run .*hours on NVIDIA A100 +hours on NVIDIA H100",
            r"micro +mlp +24 +96 +2 ",
            r"NVIDIA H100: float32 67, TF32 494\.7, bfloat16 989\.4 TFLOP/s, 3350 GB/s, 80 GB \(NVIDIA H100 data sheet",
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
    result = micro.runpytest_inprocess("--plan", "--on", "a100", "-k", "mnist and elu and sgd")
    assert result.ret == pytest.ExitCode.OK
    (row,) = plan_of(micro.path).itertuples()
    assert (row.dataset, row.activation, row.optimizer) == ("mnist", "elu", "sgd")


def test_what_does_not_fit_a_device_is_named(micro, monkeypatch):
    small = replace(devices.DEVICES["NVIDIA A100"], memory=1e5)
    monkeypatch.setitem(devices.DEVICES, "NVIDIA A100", small)
    result = micro.runpytest_inprocess("--plan", "--on", "a100", "-k", "digits and elu and sgd")
    result.stdout.fnmatch_lines(["more memory than NVIDIA A100 has: 1 cases, such as micro-mlp-digits-elu-sgd"])


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
