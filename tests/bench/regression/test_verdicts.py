"""Each verdict, shown by a real training run against the recorded baselines of this project.

The verdicts are as found, not as hoped. Where this machine's fingerprint is not the recorded one, what would be
SAME or MOVED is WITHIN; what must fail, fails on any machine.
"""

from __future__ import annotations

import dataclasses
import shutil

import pytest
import torch
from torch import nn

from activations import _registry
from bench.experiments import test_mlp
from bench.records import baseline
from bench.training import fingerprint

RELU = "mlp-mlp-digits-relu-adam"
ELU = "mlp-mlp-digits-elu-adam"
SIGMOID = "mlp-mlp-digits-sigmoid-adam"
FEW = ("--confirm", "4")  # of 28 fresh seeds, where these show it already


class StraightThrough(torch.autograd.Function):
    """relu whose backward lets everything through."""

    @staticmethod
    def forward(ctx, x):
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, grad):
        return grad


class WrongSigmoidGradient(torch.autograd.Function):
    """sigmoid with the sign of its gradient turned."""

    @staticmethod
    def forward(ctx, x):
        y = torch.sigmoid(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return -grad * y * (1 - y)


class Elementwise(nn.Module):
    """A function as a module."""

    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class ReorderedELU(torch.autograd.Function):
    """ELU as a product of hyperbolic functions: the same function of one tensor that is kept, and other bits."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        half = x.clamp(max=0) / 2
        return x.clamp(min=0) + 2 * torch.exp(half) * torch.sinh(half)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * torch.exp(x.clamp(max=0))


@pytest.fixture
def broken(monkeypatch):
    """Puts another function in the place of a registered activation."""

    def put(name, function):
        entry = dataclasses.replace(
            _registry.info(name), module=lambda **_: Elementwise(function), arguments={}, parameters_per=None
        )
        monkeypatch.setitem(_registry._REGISTRY, name, entry)

    return put


@pytest.fixture
def verdict_of(pytester, request):
    """The verdict of a case of the real experiment, and the session's output."""

    def run(case, *arguments):
        root = f"--rootdir={request.config.rootpath}"
        result = pytester.runpytest_inprocess(test_mlp.__file__, "-k", case, root, "--results-dir=results", *arguments)
        line = next(line for line in result.outlines if f"1/1  {case}  " in line)
        return line.split(")  ")[1].split()[0], result

    return run


@pytest.fixture(scope="module")
def as_recorded() -> bool:
    """Whether this machine computes the bits that are recorded of relu and ELU."""
    recipe = test_mlp.EXPERIMENT.recipe(next(test_mlp.EXPERIMENT.cases("tiny")), "tiny")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    here = fingerprint.take(torch.device("cpu"), recipe)
    torch.set_num_threads(before)
    rows = [row for row in baseline.read(baseline.FOLDER).values() if row.key.scale == "tiny"]
    return all(row.fingerprint == here for row in rows if row.key.case.id in (RELU, ELU))


def test_an_untouched_run_is_the_same(verdict_of, as_recorded):
    verdict, result = verdict_of(RELU)
    assert verdict == ("SAME" if as_recorded else "WITHIN")
    assert result.ret == 0


def test_a_straight_through_relu_fails(verdict_of, broken):
    broken("relu", StraightThrough.apply)
    verdict, result = verdict_of(RELU, *FEW)
    assert verdict in ("REGRESSED", "COLLAPSED", "DIVERGED")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            f"*{verdict} {RELU} at tiny:*",
            "test_accuracy by seed: 0: *",
            "false-alarm level: 1% a session, cases selected: 1",
            "fingerprint: *",
            f"reproduce: pytest *test_mlp.py -k {RELU} --scale tiny --seeds 3 --confirm 4",
            f"re-record: pytest *test_mlp.py -k {RELU} --scale tiny --record",
        ]
    )


def test_a_wrong_sigmoid_gradient_fails(verdict_of, broken):
    broken("sigmoid", WrongSigmoidGradient.apply)
    verdict, result = verdict_of(SIGMOID, *FEW)
    assert verdict in ("REGRESSED", "COLLAPSED", "DIVERGED")
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_an_elu_that_rounds_otherwise_is_moved_and_fails_with_strict(verdict_of, broken, as_recorded):
    broken("elu", ReorderedELU.apply)
    verdict, result = verdict_of(ELU)
    assert verdict == ("MOVED" if as_recorded else "WITHIN")
    assert result.ret == 0
    strict_verdict, strict = verdict_of(ELU, "--strict", "--resume")
    assert strict_verdict == verdict
    assert strict.ret == (pytest.ExitCode.TESTS_FAILED if as_recorded else 0)


def test_an_elu_of_another_alpha_is_changed_on_every_machine(verdict_of, broken):
    broken("elu", lambda x: torch.nn.functional.elu(x, alpha=0.99))
    verdict, result = verdict_of(ELU)
    assert verdict == "CHANGED"
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"CHANGED {ELU} at tiny: first steps differ from activation 1 of 8 on, forward, *"])


def test_a_constant_activation_collapses_and_is_given_no_fresh_seeds_where_its_first_steps_tell(verdict_of, broken):
    broken("relu", torch.zeros_like)
    verdict, result = verdict_of(RELU)
    assert verdict == "COLLAPSED"
    result.stdout.fnmatch_lines(
        [f"*{RELU}*(n=3, 3 collapsed)*", f"COLLAPSED {RELU} at tiny: first steps differ from *"]
    )


@pytest.mark.parametrize(("confirm", "runs"), [("0", 3), ("2", 5)])
def test_a_suspicious_case_gets_no_more_fresh_seeds_than_allowed(verdict_of, broken, pytester, confirm, runs):
    shutil.copytree(baseline.FOLDER / "measured", pytester.path / "without_probes" / "measured")
    broken("relu", torch.zeros_like)
    verdict, result = verdict_of(RELU, "--confirm", confirm, "--baseline-dir=without_probes")
    assert verdict == "COLLAPSED"
    result.stdout.fnmatch_lines(
        [f"*{RELU}*(n={runs}, {runs} collapsed)*", f"reproduce: *{RELU} --scale tiny * --confirm {confirm}"]
    )


def test_a_rate_of_a_million_diverges_without_a_traceback(verdict_of, monkeypatch):
    recipe = test_mlp.EXPERIMENT.recipe

    def hot(case, scale):
        return dataclasses.replace(recipe(case, scale), learning_rate=1e6)

    monkeypatch.setattr(test_mlp, "EXPERIMENT", dataclasses.replace(test_mlp.EXPERIMENT, recipe=hot))
    verdict, result = verdict_of("mlp-mlp-digits-relu-sgd")
    assert verdict == "DIVERGED"
    assert "Traceback" not in result.stdout.str()
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_training_where_the_baseline_collapsed_is_improved(verdict_of, broken, tmp_path):
    """Where no first steps are recorded: they would say that it is another function."""
    (tmp_path / "measured").mkdir()
    shutil.copy(baseline.FOLDER / "measured" / "mlp.tiny.cpu.csv", tmp_path / "measured")
    broken("sigmoid", torch.tanh)
    verdict, result = verdict_of("mlp-mlp-digits-sigmoid-sgd", "--seeds", "6", "--baseline-dir", str(tmp_path))
    assert verdict == "IMPROVED"
    assert result.ret == 0
