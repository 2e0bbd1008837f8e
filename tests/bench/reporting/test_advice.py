"""Three sentences of which activation to take, on the page and in the terminal, and why there are none."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from bench import __main__
from bench.cases.case import Case
from bench.records import record
from bench.reporting import advice, advising
from bench.timing.kernels.recorded import RecordedKernel
from command_lines import one_line_error
from made import runs, runs_of_case
from made_views import problems

LUCK = [-0.01, -0.005, 0.0, 0.005, 0.01]


def measured(name, mean, optimizer="adam", model="cnn", dataset="mnist", scale="small", outcomes=None, luck=LUCK):
    case = Case("cnn", model, dataset, name, optimizer)
    return runs_of_case(case, {"test_accuracy": [mean + one for one in luck]}, scale, outcomes=outcomes)


def kernel(name, ratio):
    axes = ("cpu", name, *advice.TIMED, "a machine", "2.14", 1, 10)
    return RecordedKernel(*axes, math.log(ratio), 0.1, 9.0, 1, "2026-11-21")


def sentences(cases, kernels=()):
    found = advice.advised(cases, kernels)
    assert found is not None
    return {one.title: one.text for one in found.sentences}


def test_over_many_networks_it_speaks_of_networks_in_general():
    found = advice.advised(list(problems(8)), [])
    best, *_ = found.sentences
    assert best.title == "Best"
    assert best.text.startswith("1 of 3 activations could be the best (95 % confidence, sign tests over 8 networks")
    assert "sigmoid (elu beat it on 8, lost on 0)" in best.text
    assert "most often unbeaten is elu, in 100 % [63, 100] of 8 rankings" in best.text
    assert found.basis.startswith("8 rankings at paper: net0 on CIFAR-10, ")


def test_over_few_networks_it_speaks_of_these():
    cases = [measured(name, mean) for name, mean in (("elu", 0.8), ("relu", 0.801), ("tanh", 0.5))]
    found = sentences(cases, [kernel("elu", 2.0), kernel("relu", 1.0)])
    assert found["Tied at the top"].startswith(
        "relu and elu: nothing is significantly better in this ranking"
    ) or found["Tied at the top"].startswith("elu and relu")
    assert "the cheapest is relu, the others take 2.0 times relu's time" in found["Tied at the top"]
    assert found["Avoid"].startswith("tanh (in 1): significantly worse than relu")


def test_a_tie_of_all_says_so_and_how_many_seeds_a_point_takes():
    cases = [measured(name, 0.8, dataset=data) for name in ("elu", "relu") for data in ("mnist", "cifar10")]
    found = sentences(cases)
    assert "in 2 of 2 rankings" in found["It is a tie"]
    assert "to tell a difference of 1 point takes 11 seeds" in found["It is a tie"]
    assert found["Avoid"].startswith("nothing")
    assert "one optimizer and one learning rate" in found["Matters more than the activation"]


def test_what_fails_to_train_where_relu_trains_is_to_be_avoided():
    seeds = [0.0] * 12
    cases = [
        measured("relu", 0.8, "sgd", luck=seeds),
        measured("sigmoid", 0.1, "sgd", luck=seeds, outcomes=["collapsed"] * 12),
        measured("elu", 0.8, "sgd", luck=seeds, outcomes=["collapsed", *["trained"] * 11]),
    ]
    said = sentences(cases)["Avoid"]
    assert said.startswith("sigmoid with sgd: 12 of 12 of their runs did not train, and of relu's 0 of 12")


def test_without_relu_there_is_nothing_to_be_worse_than():
    assert "no relu to compare with" in sentences([measured("elu", 0.8), measured("tanh", 0.5)])["Avoid"]


def test_what_matters_more_is_counted_both_ways():
    rng = np.random.default_rng(0)
    cases = [
        measured(name, mean + gain, optimizer, dataset=data, luck=rng.normal(0, 0.01, 5))
        for data, gains in (("mnist", (0.0, 0.3)), ("cifar10", (0.0, 0.0)))
        for optimizer, gain in zip(("adam", "sgd"), gains, strict=True)
        for name, mean in (("relu", 0.5), ("elu", 0.6))
    ]
    said = sentences(cases)["Matters more than the activation"]
    assert said.startswith("the optimizer in 1 of 2 comparisons, and less in 1")


def test_the_largest_scale_speaks_and_nothing_does_of_one_activation():
    cases = [measured(name, 0.8, scale=scale) for name in ("elu", "relu") for scale in ("tiny", "small")]
    assert advice.advised(cases, []).scale == "small"
    assert advice.advised([cases[0]], []) is None


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Records of two activations in the small CNN, and no baselines."""
    for name in ("relu", "elu"):
        for one in runs(
            [0.8, 0.81, 0.79], case=Case("cnn", "cnn", "mnist", name, "sgd"), learning_rate=0.01, validation_size=9
        ):
            record.save(one, tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def advise(line):
    return f"advise --baseline-dir none {line}".strip()


def test_the_command_says_it_of_the_selected_records(folder, capsys):
    assert __main__.main(advise("--model cnn --optimizer sgd").split()) == 0
    said = capsys.readouterr().out
    assert said.startswith("1 ranking at tiny: cnn on MNIST; n = 3 runs a mean.")
    assert "It is a tie" in said
    assert max(map(len, said.splitlines())) <= advising.WIDTH


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--model resnet", "unknown model 'resnet'; known: mlp, "),
        ("--optimizer sdg", "unknown optimizer 'sdg'; known: "),
        ("--activation rellu", "unknown activation 'rellu'"),
        ("--model resnet50", "make it with: pytest bench --model resnet50 --scale tiny"),
        ("--model cnn --scale paper", "at paper, but at tiny; make it with: pytest bench --model cnn --scale paper"),
        ("--model senet18 --variant lr0.1", 'make it with: pytest bench --model senet18 -k "lr0.1" --scale tiny'),
        ("--model alexnet", "no experiment trains --model alexnet; recorded are the networks cnn"),
        ("--activation relu", "leaves one activation in each ranking (relu)"),
    ],
)
def test_where_the_records_do_not_tell_it_says_why_and_what_to_run(folder, capsys, line, said):
    assert said in one_line_error(__main__.main, advise(line), capsys)


def test_an_alias_is_its_activation(folder):
    found = [replace(measured("silu", 0.8), provenance="results"), measured("relu", 0.7)]
    assert "silu" in advising.text(found, {"activation": ["swish", "relu"]}, None, [])
