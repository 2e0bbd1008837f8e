"""The training loop on digits: repeatable, seeded by purpose, stopped early, and never ended by an exception."""

from __future__ import annotations

import copy
import dataclasses
import math

import pytest
import torch

import activations
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data.parts import prepare
from bench.training import setup, train
from bench.training.device import threads
from bench.training.evaluation import autocast_of, evaluate
from bench.training.objectives import OBJECTIVES
from bench.training.step import TrainingStep

CPU = torch.device("cpu")
CASE = Case("mlp", "mlp", "digits", "relu", "adam")
RECIPE = Recipe(
    version=1,
    epochs=3,
    batch_size=64,
    learning_rate=1e-3,
    initialisation="kaiming",
    train_size=512,
    validation_size=128,
    target_accuracy=0.5,
    threads=1,
)


def run(case=CASE, seeds=(0,), **changes):
    return list(train.run(case, dataclasses.replace(RECIPE, **changes), "tiny", seeds, CPU))


def built(activation, **changes):
    recipe = dataclasses.replace(RECIPE, **changes)
    parts = prepare("digits", recipe, CPU)
    return setup.build(dataclasses.replace(CASE, activation=activation), recipe, 0, CPU, parts), recipe, parts


def test_a_run_repeats_bit_for_bit_whatever_ran_before_it():
    alone = run(seeds=[1])
    torch.manual_seed(99)
    beside = run(seeds=[0, 1])
    assert alone[0].digest == beside[1].digest != beside[0].digest
    assert alone[0].curves == beside[1].curves


def test_training_leaves_torchs_own_generator_and_thread_count_alone():
    torch.manual_seed(5)
    expected, threads = torch.rand(3), torch.get_num_threads()
    torch.manual_seed(5)
    run()
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


def test_two_activations_with_one_seed_start_from_the_same_weights():
    relu, tact = (built(name)[0].net for name in ("relu", "tact"))
    weights = {name: value for name, value in tact.state_dict().items() if value.dim()}
    assert weights
    for name, value in weights.items():
        assert torch.equal(relu.state_dict()[name], value)


def test_trainable_activations_draw_at_every_place_anew_and_by_seed():
    alphas = [site.alpha.item() for site in built("tact")[0].sites]
    assert len(set(alphas)) == len(alphas) == 8
    assert alphas == [site.alpha.item() for site in built("tact")[0].sites]


@pytest.mark.parametrize(("activation", "decay"), [("apl", 1e-3), ("prelu", 0.0), ("tact", 0.5)])
def test_parameters_of_an_activation_decay_as_its_source_asks(activation, decay):
    made, _, _ = built(activation, weight_decay=0.5)
    others, own = made.optimizer.param_groups
    assert own["weight_decay"] == decay
    assert others["weight_decay"] == 0.5
    assert {id(p) for p in own["params"]} == {id(p) for site in made.sites for p in site.parameters()}
    assert sum(len(group["params"]) for group in (others, own)) == len(list(made.net.parameters()))
    assert activations.info(activation).weight_decay == (None if activation == "tact" else decay)


@pytest.mark.parametrize("decay_biases", [True, False])
def test_weights_decay_and_biases_where_the_recipe_says_so(decay_biases):
    made, _, _ = built("prelu", weight_decay=0.5, decay_biases=decay_biases)
    decayed = {id(one): group["weight_decay"] for group in made.optimizer.param_groups for one in group["params"]}
    found = {name: decayed[id(one)] for name, one in made.net.named_parameters()}
    assert len(found) == len(decayed)
    own = {id(one) for site in made.sites for one in site.parameters()}
    for name, one in made.net.named_parameters():
        wanted = 0.0 if id(one) in own else 0.5 if decay_biases or name.endswith("weight") else 0.0
        assert found[name] == wanted, name


def test_every_place_of_a_trainable_activation_trains():
    made, recipe, parts = built("apl")
    before = [copy.deepcopy(site.state_dict()) for site in made.sites]
    train.train_epoch(TrainingStep(made, parts.train, recipe), torch.Generator(), torch.Generator())
    for old, site in zip(before, made.sites, strict=True):
        assert all(not torch.equal(old[name], value) for name, value in site.state_dict().items())


def test_the_loop_computes_what_a_plain_loop_computes():
    made, recipe, parts = built("elu")
    other, _, _ = built("elu")
    generators = torch.Generator(), torch.Generator()
    total, correct = train.train_epoch(TrainingStep(made, parts.train, recipe), *generators)
    order = torch.randperm(len(parts.train), generator=torch.Generator())
    losses, hits = 0.0, 0
    for rows in order.split(64):
        other.optimizer.zero_grad()
        logits = other.net(parts.train.inputs[rows])
        loss = torch.nn.functional.cross_entropy(logits, parts.train.labels[rows])
        loss.backward()
        other.optimizer.step()
        losses += loss.item() * len(rows)
        hits += int((logits.argmax(1) == parts.train.labels[rows]).sum())
    assert total.item() == pytest.approx(losses, rel=1e-5)
    assert correct.item() == hits
    for one, two in zip(made.net.parameters(), other.net.parameters(), strict=True):
        torch.testing.assert_close(one, two)


def test_a_record_tells_what_happened():
    (record,) = run()
    assert record.outcome == "trained"
    assert {name: len(curve) for name, curve in record.curves.items()} == dict.fromkeys(
        ("train_loss", "train_accuracy", *(f"validation_{name}" for name in ("loss", "accuracy", "top3_accuracy"))), 3
    )
    assert record.metrics["epochs_to_stop"] == 3
    assert 0 < record.metrics["test_accuracy"] <= record.metrics["test_top3_accuracy"] <= 1
    assert record.seconds > 0
    assert record.num_parameters == sum(p.numel() for p in built("relu")[0].net.parameters())
    assert record.recipe["batch_size"] == 64
    assert record.peak_bytes is None


def test_the_metrics_are_those_of_the_network_on_the_test_part():
    made, recipe, parts = built("relu")
    found = evaluate(made.net, parts.test, OBJECTIVES["classification"], autocast_of(recipe, CPU))
    with torch.no_grad():
        logits = made.net(parts.test.inputs)
    ranks = (logits > logits.gather(1, parts.test.labels[:, None])).sum(1)
    assert found.metrics["accuracy"] == pytest.approx((ranks == 0).double().mean().item())
    assert found.metrics["top3_accuracy"] == pytest.approx((ranks < 3).double().mean().item())
    assert found.loss == pytest.approx(torch.nn.functional.cross_entropy(logits, parts.test.labels).item(), rel=1e-6)


def test_hidden_zeros_are_those_of_the_trained_activations_on_the_test_part_and_change_no_bit():
    (without,), (told,) = run(), run(hidden_zeros=True)
    assert told.digest == without.digest
    share = told.metrics.pop("hidden_zeros")
    assert told.metrics == without.metrics
    network, recipe, parts = built("relu")
    with threads(1):
        train.fit(TrainingStep(network, parts.train, recipe), 0, parts)
    seen: list[torch.Tensor] = []
    for site in network.sites:
        site.register_forward_hook(lambda _, __, output: seen.append(output == 0))
    network.net.eval()(parts.test.inputs)
    assert share == torch.cat([one.flatten() for one in seen]).double().mean().item()
    assert 0.2 < share < 0.8


def test_the_training_loss_of_a_record_is_that_of_the_whole_network_without_dropout():
    """In the curve dropout is on, as the weights still move: arXiv 1606.08415's own code shows the whole network."""
    still = {"learning_rate": 1e-12, "epochs": 1}
    (whole,), (thinned,) = run(**still), run(**still, model_arguments={"dropout": 0.9})
    assert whole.metrics["train_loss"] == pytest.approx(whole.curves["train_loss"][0], rel=1e-4)
    assert thinned.metrics["train_loss"] == pytest.approx(whole.metrics["train_loss"], rel=1e-4)
    assert thinned.curves["train_loss"][0] != pytest.approx(whole.metrics["train_loss"], rel=1e-2)


@pytest.mark.parametrize(("preprocessing", "contrast"), [("range", 2), ("unit_range", 1)])
def test_noise_on_test_images_is_as_strong_as_its_name_says_on_pixels_in_0_to_1(preprocessing, contrast, monkeypatch):
    drawn = []
    monkeypatch.setattr(train, "uniform_noise", lambda inputs, amplitude, _: drawn.append(amplitude) or inputs)
    (record,) = run(preprocessing=preprocessing, test_noise=(0.5, 3.0), epochs=1)
    assert drawn == [0.5 * contrast, 3.0 * contrast]
    assert record.metrics["test_loss_noise0.5"] == record.metrics["test_loss"]


def test_time_to_target_is_when_validation_first_reached_it_and_none_if_never():
    (reached,) = run(target_accuracy=0.2)
    (missed,) = run(target_accuracy=1.1)
    assert 0 < reached.seconds_to_target <= reached.seconds
    assert missed.seconds_to_target is None


def test_early_stopping_ends_a_run_and_puts_the_best_weights_back():
    (record,) = run(epochs=60, patience=2, learning_rate=3e-3)
    losses = record.curves["validation_loss"]
    best = losses.index(min(losses))
    assert len(losses) == best + 1 + 2 < 60
    (until_best,) = run(epochs=best + 1, learning_rate=3e-3)
    assert record.metrics["test_loss"] == until_best.metrics["test_loss"]
    assert record.metrics["epochs_to_stop"] == len(losses)


def test_a_loss_that_is_not_finite_ends_the_run_as_diverged():
    (record,) = run(learning_rate=1e30, epochs=5)
    assert record.outcome == "diverged"
    assert len(record.curves["train_loss"]) < 5
    assert not math.isfinite(record.curves["train_loss"][-1])


def test_a_network_that_only_guesses_is_collapsed():
    (record,) = run(learning_rate=1e-12, epochs=1, initialisation="torch")
    assert record.outcome == "collapsed"


def test_an_empty_validation_part_leaves_its_curves_out():
    (record,) = run(validation_size=0)
    assert set(record.curves) == {"train_loss", "train_accuracy"}


def test_bfloat16_is_cast_on_cuda_and_never_on_the_cpu():
    recipe = dataclasses.replace(RECIPE, precision="bfloat16", memory_format="channels_last")
    (on_cpu,) = train.run(CASE, recipe, "tiny", [0], CPU)
    assert on_cpu.recipe["precision"] == on_cpu.fingerprint["precision"] == "float32"
    assert on_cpu.digest == run()[0].digest
    with autocast_of(recipe.on("cpu"), CPU)():
        assert not torch.is_autocast_enabled("cpu")
    with pytest.warns(UserWarning, match="CUDA is not available"):
        context = autocast_of(recipe.on("cuda"), torch.device("cuda"))()
    assert (context.device, context.fast_dtype) == ("cuda", torch.bfloat16)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"initialisation": "orthogonal"}, "unknown initialisation 'orthogonal'"),
        ({"train_size": 5000}, "the recipe asks digits for"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_named(change, message):
    with pytest.raises((ValueError, RuntimeError), match=message):
        run(**change)
