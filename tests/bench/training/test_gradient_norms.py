"""Gradient norms: what is kept equals a plain computation, leaves the run as it was, and survives the way to a file."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import activations
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data.parts import stand_in
from bench.records import record
from bench.training import setup, train
from bench.training.gradient_norms import SAMPLES, Gradients
from made import record as made
from written import records_in

CPU = torch.device("cpu")
RECIPE = Recipe(
    version=1,
    epochs=2,
    batch_size=64,
    learning_rate=1e-3,
    initialisation="kaiming",
    train_size=256,
    validation_size=64,
    threads=1,
)


def run(activation="relu", gradients=True, **changes):
    case = Case("mlp", "mlp", "digits", activation, "adam")
    recipe = dataclasses.replace(RECIPE, **changes)
    (found,) = train.run(case, recipe, "tiny", [0], CPU, gradients=gradients)
    return found


def stepped(net, sites=(), inputs=None, steps=1):
    """A watch after some steps of plain gradient descent."""
    watch = Gradients(net, sites, steps)
    inputs = torch.randn(8, 4, generator=torch.Generator().manual_seed(0)) if inputs is None else inputs
    for _ in range(steps):
        net.zero_grad()
        net(inputs).square().sum().backward()
        watch.step()
        with torch.no_grad():
            for parameter in net.parameters():
                parameter -= 1e-3 * (0 if parameter.grad is None else parameter.grad)
    return watch


class Reversed(nn.Module):
    """Makes its layers in another order than it uses them, and uses one of them twice."""

    def __init__(self):
        super().__init__()
        self.last, self.unused, self.twice, self.first = (nn.Linear(4, 4) for _ in range(4))

    def forward(self, x):
        return self.last(self.twice(self.twice(self.first(x))))


class Step(nn.Module):
    def forward(self, x):
        return (x > 0).float()


def test_the_norms_are_those_of_a_plain_loop_in_double_precision():
    net = nn.Sequential(nn.Embedding(10, 3), nn.Flatten(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2, bias=False))
    ids = torch.randint(0, 10, (8, 2), generator=torch.Generator().manual_seed(0))
    plain = copy.deepcopy(net).double()
    expected = {name: [] for name in ("0", "2", "4")}
    ratios = []
    for _ in range(3):
        loss = plain[4](torch.tanh(plain[2](plain[0](ids).flatten(1)))).square().sum()
        parameters = list(plain.parameters())
        gradients = torch.autograd.grad(loss, parameters)
        embedding, weight, bias, last = gradients
        layers = (embedding.flatten(), torch.cat([weight.flatten(), bias]), last.flatten())
        for name, gradient in zip(expected, layers, strict=True):
            expected[name].append(gradient.norm().item())
        first, last = (gradient.square().mean().sqrt() for gradient in layers[1:])
        ratios.append((first / last).item())
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.data -= 1e-3 * gradient
    watch = stepped(net, inputs=ids, steps=3)
    assert watch.steps == [1, 2, 3]
    assert list(watch.norms()) == list(expected)
    for name, norms in watch.norms().items():
        assert norms == pytest.approx(expected[name], rel=1e-4)
    assert watch.vanishing_ratio() == pytest.approx(sorted(ratios)[1], rel=1e-4)  # the embedding is not its first layer


@pytest.mark.parametrize("dead", [Step(), nn.Threshold(1e9, 0.0)])
def test_below_a_dead_activation_every_norm_is_zero(dead):
    watch = stepped(nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), dead, nn.Linear(4, 4)))
    below, beside, above = watch.norms().values()
    assert below == beside == [0]
    assert above[0] > 0
    assert watch.vanishing_ratio() == 0


def test_sigmoid_loses_what_relu_keeps_on_the_way_through_a_deep_network():
    sigmoid, relu = (run(name).metrics["vanishing_ratio"] for name in ("sigmoid", "relu"))
    assert 0 < sigmoid < 0.01 < 0.1 < relu


def test_layers_go_by_their_first_use_and_what_is_not_used_is_left_out():
    assert list(stepped(Reversed()).norms()) == ["first", "twice", "last"]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("rnn", ["input", "cell.recurrent", "output"]),
        ("resnet18", ["conv1", "layer1.0.conv1", ..., "layer2.0.conv2", "layer2.0.downsample.0", ..., "fc"]),
    ],
)
def test_networks_show_their_layers_from_the_input_to_the_output(model, expected):
    case = Case("any", model, "digits", "prelu", "adam")
    parts = stand_in("digits", RECIPE, (1, 28, 28), rows=4)
    recipe = dataclasses.replace(RECIPE, model_arguments={"width": 0.125})
    built = setup.build(case, recipe, 0, CPU, parts)
    found = list(stepped(built.net, built.sites, parts.train.inputs).norms())
    places = [found.index(name) for name in expected if name is not ...]
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] == len(found) - 1
    assert ... in expected or found == expected


def test_what_belongs_to_an_activation_is_no_layer():
    prelu = activations.build("prelu", shape=(4, 1, 1))
    assert any(parameter.dim() > 1 for parameter in prelu.parameters())
    net = nn.Sequential(nn.Linear(4, 4), nn.Unflatten(1, (4, 1, 1)), prelu, nn.Flatten(), nn.Linear(4, 4))
    assert list(stepped(net, [prelu]).norms()) == ["0", "4"]


def test_a_layer_that_is_not_trained_is_no_layer():
    net = nn.Sequential(nn.Linear(4, 4).requires_grad_(False), nn.Linear(4, 4))
    assert list(stepped(net).norms()) == ["1"]


@pytest.mark.parametrize("steps", [1, 7, SAMPLES, 1234])
def test_norms_are_taken_evenly_over_the_run_from_the_first_step_to_the_last(steps):
    kept = stepped(nn.Linear(4, 1), steps=steps).steps
    assert len(kept) == min(steps, SAMPLES)
    assert (kept[0], kept[-1]) == (1, steps)
    gaps = [after - before for before, after in pairwise(kept)]
    assert max(gaps, default=1) - min(gaps, default=1) <= 1


def test_a_watched_network_is_left_as_it_was_without_hooks():
    net = Reversed()
    stepped(net)
    assert not any(module._forward_pre_hooks for module in net.modules())


@pytest.mark.parametrize("activation", ["relu", "rrelu", "prelu"])  # rrelu draws at every step
def test_a_run_stays_the_same_to_the_bit(activation):
    dropout = {"model_arguments": {"dropout": 0.2, "depth": 3}}
    with_gradients, without = (run(activation, gradients, **dropout) for gradients in (True, False))
    assert with_gradients.digest == without.digest
    assert with_gradients.curves == without.curves
    assert with_gradients.metrics == without.metrics | {"vanishing_ratio": with_gradients.metrics["vanishing_ratio"]}
    assert (without.gradients, without.gradient_steps) == ({}, [])
    assert with_gradients.gradient_steps == list(range(1, 9))
    assert {len(norms) for norms in with_gradients.gradients.values()} == {8}


def test_a_run_that_stops_early_keeps_the_steps_it_took():
    found = run(epochs=200, patience=1, learning_rate=1e-2)
    epochs = len(found.curves["train_loss"])
    assert epochs < 200
    assert epochs * 4 - 8 < found.gradient_steps[-1] <= epochs * 4


def test_a_run_that_diverges_keeps_its_gradients_and_its_record_comes_back(tmp_path):
    found = run(learning_rate=1e30, epochs=5)
    assert found.outcome == "diverged"
    assert not all(math.isfinite(norm) for norms in found.gradients.values() for norm in norms)
    record.save(found, tmp_path)
    (path,) = (tmp_path / "runs").iterdir()
    assert json.loads(path.read_text(), parse_constant=pytest.fail)
    back = record.load(path)
    for name, norms in found.gradients.items():
        finite = [norm if math.isfinite(norm) else math.nan for norm in norms]
        assert back.gradients[name] == pytest.approx(finite, nan_ok=True)


def test_steps_without_a_finite_gradient_do_not_count_and_without_any_the_ratio_is_unknown():
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    watch = Gradients(net, [], steps=3)
    ratios = []
    for inputs in (torch.ones(2, 4), torch.full((2, 4), math.nan), torch.zeros(2, 4)):
        net.zero_grad()
        F.mse_loss(net(inputs), torch.zeros(2, 4)).backward()
        watch.step()
        ratios.append(watch.vanishing_ratio())
    assert ratios[0] == ratios[1] != ratios[2]
    lost = stepped(nn.Sequential(nn.Linear(4, 4)), inputs=torch.full((2, 4), math.nan))
    assert math.isnan(lost.vanishing_ratio())


def test_a_record_that_was_written_before_there_were_gradients_still_loads(tmp_path):
    old = made(0, 0.5)
    record.save(old, tmp_path)
    (path,) = (tmp_path / "runs").iterdir()
    fields = json.loads(path.read_text())
    del fields["gradients"], fields["gradient_steps"]
    path.write_text(json.dumps(fields))
    assert record.load(path) == old


ONE_CASE = ("-k", "digits and elu and sgd", "--baseline=ignore")


def test_a_resumed_session_trains_anew_what_has_no_gradients_and_nothing_else(micro):
    digests, dates = [], []
    for more in ((), ("--resume", "--gradients"), ("--resume", "--gradients"), ("--resume",)):
        micro.runpytest_inprocess(*ONE_CASE, *more).assert_outcomes(passed=1)
        (path,) = (micro.path / "results" / "runs").iterdir()
        (one,) = records_in(micro.path / "results")
        assert bool(one["gradients"]) == bool(digests)
        digests.append(one["digest"])
        dates.append(path.stat().st_mtime_ns)
    assert len(set(digests)) == 1
    assert dates[0] < dates[1] == dates[2] == dates[3]


def test_a_session_shows_and_keeps_what_it_was_asked_for(micro):
    result = micro.runpytest_inprocess("-k", "digits and elu", "--baseline=ignore", "--gradients", "--seeds", "2")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["micro * adam * tiny: gradients", "activation *vanishing ratio*", "elu *"])
    for one in records_in(micro.path / "results"):
        assert list(one["gradients"]) == [str(place) for place in range(1, 18, 2)]
        assert one["gradient_steps"] == [1, 2]
        assert 0 < one["metrics"]["vanishing_ratio"] < 100
