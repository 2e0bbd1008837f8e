"""Probes: the first steps of a case in float64, the same at every call, which leave everything else as it was."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from bench import experiments
from bench.cases.case import Case
from bench.cases.recipe import SCALES
from bench.data import DATASETS, made_rows
from bench.records.probes import MOST, SERIES
from bench.regression.probes import TOLERANCE, VALUES_MARGIN, distance, first_difference, with_tolerances
from bench.training import float64, probe, train
from bench.training.figures import figure, sample
from bench.training.learned_functions import Functions

CPU = torch.device("cpu")
ELU = Case("mlp", "mlp", "digits", "elu", "adam")


def recipe(case, scale="tiny"):
    return experiments.find(case.experiment).recipe(case, scale)


def taken(case=ELU, scale="tiny", **changes):
    return probe.take_probe(case, dataclasses.replace(recipe(case, scale), **changes), scale, CPU)


def test_a_probe_repeats_bit_for_bit():
    assert taken() == taken()


def test_a_probe_leaves_training_and_torchs_state_as_they_were():
    def run():
        return next(train.run(ELU, dataclasses.replace(recipe(ELU), epochs=1), "tiny", [0], CPU)).digest

    alone, threads = run(), torch.get_num_threads()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    taken()
    taken(Case("stochastic", "mlp", "mnist", "relu", "adam", "dropout0.5"))
    assert torch.equal(torch.rand(3), expected)
    assert (torch.get_num_threads(), torch.get_default_dtype()) == (threads, torch.float32)
    assert run() == alone


def test_all_steps_are_taken_in_float64_and_the_first_in_float32_too(monkeypatch):
    seen = []
    build = probe.setup.build

    def watched(*args):
        network = build(*args)

        def dtypes(net, inputs, output):
            own = [tensor for tensor in net.state_dict().values() if tensor.is_floating_point()]
            seen.append({tensor.dtype for tensor in (*own, *inputs, output)})

        network.net.register_forward_hook(dtypes)
        return network

    monkeypatch.setattr(probe.setup, "build", watched)
    taken()
    assert len(seen) > 4
    assert seen == [{torch.float64}] * (len(seen) - 1) + [{torch.float32}]


def test_no_step_is_taken_in_tf32_which_is_as_it_was_after(monkeypatch):
    """A card takes it for convolutions by default, and is thousands of epsilons off."""

    def precisions():
        return [place.fp32_precision for place in (torch.backends.cudnn.conv, torch.backends.cuda.matmul)]

    seen, fit, before = [], train.fit, precisions()

    def watched(*args, **options):
        seen.append(precisions())
        return fit(*args, **options)

    monkeypatch.setattr(train, "fit", watched)
    taken(Case("cnn", "cnn", "digits", "elu", "adam"))
    assert seen == [["ieee"] * 2] * 2
    assert "tf32" in before
    assert precisions() == before


def test_what_is_wrong_in_float32_alone_is_a_difference(monkeypatch):
    recorded = taken()
    elu = torch.nn.functional.elu

    def rough(x, alpha=1.0, inplace=False):
        return elu(x, alpha, inplace) * (1 + 1e-4 * (x.dtype == torch.float32))

    monkeypatch.setattr(torch.nn.functional, "elu", rough)
    assert "in float64 they are as recorded" in first_difference(recorded, taken())


def test_cases_that_differ_in_their_data_alone_share_their_first_steps():
    known = {}
    first, second, other = (
        probe.take_probe(ELU, dataclasses.replace(recipe(ELU), **changes), "tiny", CPU, known=known)
        for changes in ({}, {"train_size": 600}, {"learning_rate": 0.1})
    )
    assert len(known) == 2
    assert first.series["losses"] == second.series["losses"] != other.series["losses"]
    assert first_difference(first, second).startswith("first steps differ from the recipe's steps on")


def test_the_first_step_is_measured_in_full_and_of_the_others_loss_and_update():
    found = taken()
    assert found.num_sites == len(found.series["sites"]) == MOST
    assert len(found.series["losses"]) == len(found.series["updates"]) == 2 * probe.EPOCHS["tiny"] == 4
    assert set(found.series) <= set(SERIES)
    assert set(found.evaluation) >= {"test_loss", "test_accuracy", "validation_loss", "outcome"}
    assert found.recipe == {
        "steps": 150,
        "epochs": 15,
        "batch_size": 128,
        "train_size": 1200,
        "validation_size": 237,
        "preprocessing": "unit_range",
    }


def test_of_a_trained_activation_its_parameters_are_measured_by_themselves():
    found = taken(Case("mlp", "mlp", "digits", "apl", "adam"))
    assert {"activation_parameters", "activation_gradients", "activation_updates"} <= set(found.series)


STEEP = Case("rates", "senet18", "digits", "silu", "adam", "lr0.1")  # its evaluation's loss is 60 times the first one


def test_where_a_nudge_moves_much_much_is_allowed():
    def nudged(case):
        return probe.take_probe(case, recipe(case), "tiny", CPU, nudged=True)

    calm, steep = with_tolerances(taken(), nudged(ELU)), with_tolerances(taken(STEEP), nudged(STEEP))
    assert max(calm.tolerances.values(), default=TOLERANCE) < 1e-8
    assert max(steep.tolerances.values()) > 1e-7
    assert first_difference(steep, nudged(STEEP)) == ""
    assert distance(steep, nudged(STEEP)) <= TOLERANCE / VALUES_MARGIN


def test_rates_are_of_the_whole_run():
    found = taken(schedule="linear_from_half").series["rates"]
    assert found[0] == found[4] == 1e-3 > found[5] > found[8] > 0
    assert found[-1] == pytest.approx(0.75e-3, rel=0.01)
    assert taken().series["rates"] == (1e-3,)


def test_seeds_of_dropout_and_noise_do_not_depend_on_the_memory_format(monkeypatch):
    case = Case("gelu_cnn", "gelu_cnn", "digits", "relu", "adam")
    contiguous = taken(case)
    monkeypatch.setattr("bench.cases.recipe.Recipe.on", lambda self, device: self)
    assert first_difference(contiguous, taken(case, memory_format="channels_last")) == ""


def test_what_torch_draws_is_drawn_on_the_cpu_in_float64():
    x = torch.ones(1000)

    def drawn():
        torch.manual_seed(0)
        dropped = torch.nn.functional.dropout(x, 0.25)
        return dropped, torch.rand_like(x), torch.randn_like(x), torch.rand(3), torch.empty(3).normal_()

    with float64.default_dtype(torch.float64), float64.drawn_on_the_cpu():
        x = x.double()
        one, other = drawn(), drawn()
        torch.manual_seed(0)
        kept = torch.rand(1000) < 0.75
    assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))
    assert torch.equal(one[0] != 0, kept)
    assert {tensor.dtype for tensor in one} == {torch.float64}


@pytest.mark.parametrize("name", DATASETS)
def test_made_rows_look_like_the_data(name):
    entry = DATASETS[name]
    of = dataclasses.replace(recipe(ELU), preprocessing="standard", validation_size=None)
    with float64.default_dtype(torch.float64):
        parts = made_rows.parts(name, of, made_rows.Sizes(20, 8, 16), CPU, 12)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (20, 8, 16)
    assert parts.num_classes == entry.num_classes > parts.train.labels.max()
    inputs = parts.train.inputs
    assert inputs.dtype == (torch.int64 if entry.vocab_size or entry.kind == "text" else torch.float64)
    if entry.kind == "sentences":
        assert list(parts.train.lengths) == sorted((inputs != 0).sum(1).tolist())
    elif entry.kind == "images":
        assert parts.input_shape == (entry.shape[0], *(max(12, side) for side in entry.shape[1:]))
    elif entry.kind == "text":
        assert parts.input_shape == (min(*entry.shape, made_rows.STRETCH),)
        assert parts.train.labels.shape == inputs.shape
    else:
        assert parts.input_shape == entry.shape


def test_a_figure_sees_size_sign_order_and_number_and_cannot_cancel():
    x = torch.linspace(-1, 2, 50, dtype=torch.float64)
    assert figure([x]) == pytest.approx(x.square().mean().sqrt().item(), rel=0.1)
    for other in (1.001 * x, -x, x.flip(0), x[:-1], x.roll(1)):
        assert abs(figure([other]) / figure([x]) - 1) > 1e-6
    assert figure([x, x]) != figure([x])
    assert figure([torch.zeros(3)]) == figure([]) == 0.0


def test_of_a_large_tensor_a_figure_sees_samples_of_all_of_it():
    x = torch.zeros(100_000)
    assert 10_000 < len(sample(x)) < len(x)
    x[-50_000:] = 1
    assert figure([x]) == pytest.approx(math.sqrt(0.5), rel=0.01)


@pytest.mark.parametrize("scale", SCALES)
def test_every_case_has_fewer_made_rows_than_data(scale):
    rows = 2 * probe.BATCH[scale]
    assert all(rows < entry.rows[1] for entry in DATASETS.values())


@pytest.mark.parametrize(
    "measure",
    [
        lambda x: figure([x]),
        lambda x: Functions().sample([torch.nn.PReLU()], [(4,)]),
    ],
    ids=["figure", "learned function"],
)
def test_what_is_measured_in_float64_is_on_the_cpu_by_then(measure, monkeypatch):
    """MPS has none."""
    made, done = {"cpu": Tensor.cpu, "double": Tensor.double}, []
    for name, method in made.items():
        monkeypatch.setattr(Tensor, name, lambda x, name=name, method=method: done.append(name) or method(x))
    measure(torch.linspace(-1, 1, 8))
    assert done[:2] == ["cpu", "double"]
