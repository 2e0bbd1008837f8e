"""The experiments: their cases, recipes and recorded baselines, and the literature's rows that they reproduce."""

from __future__ import annotations

import importlib
import math
import re
import statistics
from collections.abc import Iterator

import pytest
import torch

import activations
import models
from bench import data, experiments
from bench.cases.case import Case
from bench.cases.recipe import SCALES, Recipe
from bench.data import made_rows
from bench.data.parts import stand_in
from bench.records import baseline, reported
from bench.reporting.plan.estimate import rows_of
from bench.training import optimizers, setup, train
from bench.training.device import threads
from bench.training.step import TrainingStep

EXPERIMENTS = {name: experiments.find(name) for name in experiments.names()}
CASES = {scale: [(one, case) for one in EXPERIMENTS.values() for case in one.cases(scale)] for scale in SCALES}


@pytest.fixture(scope="module")
def baselines() -> dict[Case, baseline.Baseline]:
    return {row.key.case: row for row in baseline.read(baseline.FOLDER).values() if row.key.scale == "tiny"}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_is_named_after_its_file_and_lists_registered_names_only(name: str):
    experiment = EXPERIMENTS[name]
    assert importlib.import_module(f"bench.experiments.test_{experiment.name}").EXPERIMENT is experiment
    assert set(experiment.activations) <= set(activations.names())
    assert set(experiment.models) <= set(models.names())
    assert set(experiment.datasets) <= set(data.DATASETS)
    assert set(experiment.optimizers) <= set(optimizers.OPTIMIZERS)
    for scale in SCALES:
        cases = list(experiment.cases(scale))
        assert len(cases) == len(set(cases)) > 0


@pytest.mark.parametrize("scale", SCALES)
def test_every_case_has_a_recipe_at_every_scale_that_its_data_can_fill(scale):
    for experiment, case in CASES[scale]:
        recipe = experiment.recipe(case, scale)
        train_rows, test_rows = data.info(case.dataset).rows
        assert (recipe.train_size or 1) + (recipe.validation_size or 0) <= train_rows
        assert (recipe.test_size or 1) <= test_rows
        assert recipe.initialisation in models.INITIALISATIONS
        assert (scale == "tiny") == (recipe.threads == 1)


@pytest.mark.parametrize("scale", ["small", "paper"])
def test_cnn_follows_the_source_in_full_beyond_tiny(scale):
    for case in EXPERIMENTS["cnn"].cases(scale):
        recipe = EXPERIMENTS["cnn"].recipe(case, scale)
        assert (recipe.epochs, recipe.patience, recipe.train_size, recipe.test_size) == (50, 5, None, None)


def test_at_paper_every_training_image_is_used_and_the_whole_test_part():
    for experiment, case in CASES["paper"]:
        recipe = experiment.recipe(case, "paper")
        assert (recipe.train_size, recipe.test_size) == (None, None), case.id


# What a word of a variant sets in the recipe, whatever the experiment; other words are the experiment's own.
SETS = {
    "lr": lambda recipe: recipe.learning_rate,
    "psi": lambda recipe: recipe.psi,
    "epochs": lambda recipe: recipe.epochs,
    "momentum": lambda recipe: recipe.momentum,
    "hinges": lambda recipe: recipe.activation_arguments["hinges"],
    "dropout": lambda recipe: recipe.model_arguments["dropout"],
    "zoneout": lambda recipe: recipe.model_arguments["zoneout"],
    "fixed": lambda recipe: recipe.schedule == "constant",
    "triangular": lambda recipe: recipe.schedule == "triangular",
    "dyt": lambda recipe: recipe.model_arguments["norm"] == "dyt",
    "derf": lambda recipe: recipe.model_arguments["norm"] == "derf",
}


@pytest.mark.parametrize("scale", SCALES)
def test_a_recipe_does_what_its_variant_says(scale):
    for experiment, case in CASES[scale]:
        recipe = experiment.recipe(case, scale)
        for word, value in case.settings.items():
            assert word not in SETS or SETS[word](recipe) == value, (case.id, word)


def test_rates_are_compared_on_a_validation_part_never_on_the_test_part():
    for scale in SCALES:
        for experiment, case in CASES[scale]:
            if "lr" in case.settings:
                assert experiment.recipe(case, scale).validation_size != 0, case.id


def test_a_recipe_has_the_rate_and_the_number_of_runs_that_the_literature_reports(request):
    for row in reported.rows(request.config.rootpath / "baselines"):
        experiment = EXPERIMENTS.get(row["experiment"])
        if experiment and row["aggregate"]:
            case = next(case for case in experiment.cases("paper") if reports(row, case))
            recipe = experiment.recipe(case, "paper")
            assert recipe.learning_rate == float(row["learning_rate"] or recipe.learning_rate), case.id
            assert recipe.recorded_seeds == int(row["runs"]), case.id
            assert recipe.aggregate == row["aggregate"], case.id


def test_corruption_and_null_runs_have_as_many_runs_as_the_source():
    runs = {("corruption", True): 3, ("corruption", False): 5, ("null_runs", True): 10}
    for name, simple in runs:
        cases = [case for case in EXPERIMENTS[name].cases("paper") if (case.model == "resnet18") == simple]
        assert {EXPERIMENTS[name].recipe(case, "paper").recorded_seeds for case in cases} == {runs[name, simple]}


def test_corruption_and_null_runs_differ_from_the_clean_experiments_in_what_they_are_about_only():
    clean = {"resnet18": EXPERIMENTS["schedules"], "senet18": EXPERIMENTS["complex"]}
    own = {"psi", "seeds", "recorded_seeds", "validation_size"}
    for scale in SCALES:
        for experiment in (EXPERIMENTS["corruption"], EXPERIMENTS["null_runs"]):
            for case in experiment.cases(scale):
                if case.model in clean and "lr" not in case.settings:
                    noisy = experiment.recipe(case, scale).fields
                    without = clean[case.model].recipe(case, scale).fields
                    assert {name for name in noisy if noisy[name] != without[name]} <= own, case.id


def recipes(name: str, scale: str) -> dict[Case, Recipe]:
    return {case: EXPERIMENTS[name].recipe(case, scale) for case in EXPERIMENTS[name].cases(scale)}


def test_resnet50_follows_the_source_at_paper():
    for recipe in recipes("resnet50", "paper").values():
        assert (recipe.epochs, recipe.patience, recipe.model_arguments) == (50, 5, {"stem": "imagenet"})


def test_the_rates_of_the_gelu_paper_are_those_that_it_lists():
    rates = {"mlp": {1e-3, 1e-4, 1e-5}, "gelu_cnn": {1e-3, 1e-4, 1e-5}, "autoencoder": {1e-2, 1e-3, 1e-4}}
    for name, listed in rates.items():
        found = recipes(name, "paper").items()
        assert {recipe.learning_rate for case, recipe in found if case.optimizer == "adam"} == listed


@pytest.mark.parametrize("scale", SCALES)
def test_mlp_is_tested_under_noise_up_to_3_on_mnist_alone(scale):
    for case, recipe in recipes("mlp", scale).items():
        assert recipe.test_noise == ((0, 0.5, 1, 1.5, 2, 2.5, 3) if case.dataset == "mnist" else ()), case.id


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", ["mlp", "gelu_forms", "pos", "timit", "autoencoder"])
def test_the_fully_connected_networks_of_the_gelu_paper_start_from_rows_of_length_one(name, scale):
    for case, recipe in recipes(name, scale).items():
        if case.optimizer != "sgd":  # the paper has none
            assert recipe.initialisation == "unit_norm_rows", case.id
        if data.info(case.dataset).kind == "images":
            assert recipe.preprocessing == "unit_range", case.id


@pytest.mark.parametrize("scale", SCALES)
def test_the_final_training_of_gelu_cnn_has_the_images_that_chose_its_rate_too(scale):
    by_variant = {case.variant: (case, recipe) for case, recipe in recipes("gelu_cnn", scale).items()}
    case, final = by_variant.pop("")
    assert final.validation_size == 0
    for _, choice in by_variant.values():
        rows = data.info(case.dataset).rows[0]
        assert (final.train_size or rows) == (
            choice.train_size or rows - choice.validation_size
        ) + choice.validation_size


@pytest.mark.parametrize("scale", SCALES)
def test_gelu_cnn_whitens_its_images_and_lets_the_rate_fall_from_half_time(scale):
    for recipe in recipes("gelu_cnn", scale).values():
        assert (recipe.preprocessing, recipe.schedule) == ("zca", "linear_from_half")


@pytest.mark.parametrize("scale", SCALES)
def test_wrn_goes_down_half_a_cosine_from_a_tenth_with_one_architecture_for_all_activations(scale):
    found = recipes("wrn", scale)
    assert len(found) == 3
    assert len({repr(recipe) for recipe in found.values()}) == 1
    for recipe in found.values():
        assert (recipe.schedule, recipe.learning_rate, recipe.momentum) == ("cosine", 0.1, 0.9)


@pytest.mark.parametrize("scale", SCALES)
def test_wrn_decays_its_weights_and_not_its_biases(scale):
    assert {(recipe.weight_decay, recipe.decay_biases) for recipe in recipes("wrn", scale).values()} == {(1e-3, False)}


@pytest.mark.parametrize("scale", ["small", "paper"])
def test_xresnet_crops_out_of_mirror_images_as_fastai_does(scale):
    assert {recipe.augmentation for recipe in recipes("xresnet", scale).values()} == {"reflect_crop_flip"}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", ["complex", "rates", "corruption"])
def test_the_mobilenet_of_the_report_has_no_dropout(name, scale):
    for case, recipe in recipes(name, scale).items():
        if case.model == "mobilenet_v2":
            assert recipe.model_arguments["dropout"] == 0, case.id


@pytest.mark.parametrize("scale", SCALES)
def test_sgd_with_and_without_momentum_makes_steps_of_one_length(scale):
    sgd = [recipe for case, recipe in recipes("momentum", scale).items() if case.optimizer == "sgd"]
    assert {recipe.momentum for recipe in sgd} == {0, 0.9}
    assert {round(recipe.learning_rate / (1 - recipe.momentum), 9) for recipe in sgd} == {0.05}


@pytest.mark.parametrize("scale", SCALES)
def test_the_forms_of_gelu_are_trained_as_gelu_is_in_mlp(scale):
    gelu = Case("mlp", "mlp", "mnist", "gelu", "adam")
    for recipe in recipes("gelu_forms", scale).values():
        assert recipe == EXPERIMENTS["mlp"].recipe(gelu, scale)


@pytest.mark.parametrize("scale", SCALES)
def test_dropout_zoneout_and_the_stochastic_map_stand_beside_gelu_without_noise_in_their_networks(scale):
    found = {(case.model, case.variant, case.activation) for case in recipes("stochastic", scale)}
    dense = {("", "gelu_stochastic"), *((variant, name) for variant in ("", "dropout0.5") for name in ("gelu", "relu"))}
    recurrent = {(variant, name) for variant in ("", "zoneout0.15") for name in ("gelu", "relu", "tanh")}
    assert found == {("mlp", *rest) for rest in dense} | {("rnn", *rest) for rest in recurrent}


@pytest.mark.parametrize("scale", SCALES)
def test_what_apl_has_learned_is_kept_at_all_depths_and_for_it_alone(scale):
    for case, recipe in recipes("apl_depth", scale).items():
        assert recipe.keep_functions == (case.activation == "apl"), case.id


def reports(row: dict[str, str], case: Case) -> bool:
    return all(row[axis] == value for axis, value in case.fields.items())


def test_every_row_of_the_literature_resolves_to_a_case_of_its_experiment(request):
    rows = reported.rows(request.config.rootpath / "baselines")
    known = {case for _, case in CASES["paper"]}
    mine = [row for row in rows if row["experiment"] in EXPERIMENTS]
    assert mine
    for row in mine:
        assert any(reports(row, case) for case in known), row
        assert math.isfinite(float(row["value"]))


def test_every_tiny_case_has_a_recorded_baseline_of_its_recipe_version_and_no_row_is_an_orphan(baselines):
    versions = {case: experiment.recipe(case, "tiny").version for experiment, case in CASES["tiny"]}
    assert {case: row.key.recipe_version for case, row in baselines.items()} == versions


def test_baselines_are_recorded_with_as_many_seeds_as_the_recipe_asks_for(baselines):
    for experiment, case in CASES["tiny"]:
        assert baselines[case].runs.n == experiment.recipe(case, "tiny").recorded_seeds


# What guessing reaches where it is not an even chance of each class: the squared error of MNIST's mean picture, pixels
# in [-1, 1], on the 2000 test images of `tiny`; the most frequent class of SST-2; the entropy of CoLA's classes in
# nats, and of the characters of texts in bits.
GUESSING = {"mnist": 0.2690, "sst2": 0.558, "cola": 0.607, "made_text": 3.98, "tiny_shakespeare": 4.77}
# That nothing is learned there is what the source found, and what is recorded.
NOTHING_LEARNED = {("autoencoder", "lr0.01")}


def test_relu_lands_five_standard_deviations_clear_of_chance_or_the_assertion_would_guard_nothing(baselines):
    for case, row in baselines.items():
        listed = EXPERIMENTS[case.experiment].activations
        reference = "relu" if "relu" in listed else listed[0]
        if case.activation == reference and (case.experiment, case.variant) not in NOTHING_LEARNED:
            uneven = row.metric.endswith(("loss", "character")) or case.dataset == "sst2"
            chance = GUESSING[case.dataset] if uneven else 1 / data.info(case.dataset).num_classes
            assert set(row.runs.outcomes) == {"trained"}, case.id
            assert abs(statistics.fmean(row.runs.values) - chance) > 5 * statistics.stdev(row.runs.values), case.id


# Of a recipe, what shows in no single step.
NOT_IN_A_STEP = {
    *("version", "epochs", "patience", "learning_rate", "schedule", "psi", "seeds", "recorded_seeds"),
    *("train_size", "validation_size", "test_size", "test_noise", "target_accuracy", "batch_size"),
    *("keep_functions", "hidden_zeros"),
}


def _different_steps() -> Iterator[object]:
    """The paper cases, one of those whose steps are alike.

    A day tries each activation once, and each network with each optimizer, each data set and each kind of unit, gated
    or not; of BERT one, since drawing it takes seconds.
    """
    steps, pairs = set(), set()
    for experiment, case in sorted(CASES["paper"], key=lambda pair: pair[1].model == "bert"):
        recipe = experiment.recipe(case, "paper").fields
        step = repr(
            (
                case.model,
                case.dataset,
                case.activation,
                case.optimizer,
                {name: recipe[name] for name in sorted(recipe.keys() - NOT_IN_A_STEP)},
            )
        )
        if step in steps:
            continue
        steps.add(step)
        gates = activations.info(case.activation).in_features_multiplier
        kinds = [case.optimizer] if case.model == "bert" else [case.optimizer, case.dataset, gates]
        mine = {(case.model, kind) for kind in kinds} | {case.activation}
        yield pytest.param(experiment.name, case, id=case.id, marks=[] if mine - pairs else pytest.mark.slow)
        pairs |= mine


@pytest.mark.parametrize(("name", "case"), list(_different_steps()))
def test_every_case_takes_one_real_step_of_its_paper_recipe(name: str, case: Case):
    recipe = made_rows.smaller(EXPERIMENTS[name].recipe(case, "paper"), case.model)
    parts = stand_in(case.dataset, recipe, rows_of(case, recipe).shape, rows=2)
    cpu = torch.device("cpu")
    with threads(1):  # on two images a second thread only waits, on a busy machine for minutes
        built = setup.build(case, recipe, 0, cpu, parts)
        before = [parameter.clone() for parameter in built.net.parameters()]
        generators = torch.Generator(), torch.Generator()
        loss, _ = train.train_epoch(TrainingStep(built, parts.train, recipe), *generators)
    assert torch.isfinite(loss)
    assert any(not torch.equal(old, new) for old, new in zip(before, built.net.parameters(), strict=True))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_docstring_says_how_to_run_it(name):
    module = importlib.import_module(f"bench.experiments.test_{name}")
    assert re.search(r"^\s*pytest bench -k ", module.__doc__, re.MULTILINE)
