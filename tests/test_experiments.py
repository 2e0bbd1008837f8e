"""The experiments: their cases, recipes and recorded baselines, and the literature's rows that they reproduce."""

from __future__ import annotations

import importlib
import math
import pkgutil
import re
import statistics

import pytest
import torch

import activations
import bench
import models
from bench import baseline, data, optimizers, rank, train
from bench.case import Experiment
from bench.data.parts import Part, Parts
from bench.evaluation import autocast_of
from bench.recipe import SCALES

MODULES = [
    importlib.import_module(f"bench.{name}") for _, name, _ in pkgutil.iter_modules(bench.__path__) if "test_" in name
]
EXPERIMENTS = {module.EXPERIMENT.name: module.EXPERIMENT for module in MODULES if hasattr(module, "EXPERIMENT")}
CASES = [(one, case) for one in EXPERIMENTS.values() for case in one.cases()]
BASELINES = {row.key.case: row for row in baseline.read(baseline.FOLDER).values() if row.key.scale == "tiny"}


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=list(EXPERIMENTS))
def test_an_experiment_is_named_after_its_file_and_lists_registered_names_only(experiment: Experiment):
    assert importlib.import_module(f"bench.test_{experiment.name}").EXPERIMENT is experiment
    assert set(experiment.activations) <= set(activations.names())
    assert set(experiment.models) <= set(models.names())
    assert set(experiment.datasets) <= set(data.DATASETS)
    assert set(experiment.optimizers) <= set(optimizers.OPTIMIZERS)
    assert len(list(experiment.cases())) == len(set(experiment.cases()))


@pytest.mark.parametrize("scale", SCALES)
def test_every_case_has_a_recipe_at_every_scale_that_its_data_can_fill(scale):
    for experiment, case in CASES:
        recipe = experiment.recipe(case, scale)
        train_rows, test_rows = data.info(case.dataset).rows
        assert (recipe.train_size or 1) + recipe.validation_size <= train_rows
        assert (recipe.test_size or 1) <= test_rows
        assert recipe.initialisation in models.INITIALISATIONS
        assert (scale == "tiny") == (recipe.threads == 1)


@pytest.mark.parametrize("scale", ["small", "paper"])
def test_cnn_follows_the_source_in_full_beyond_tiny(scale):
    for case in EXPERIMENTS["cnn"].cases():
        recipe = EXPERIMENTS["cnn"].recipe(case, scale)
        assert (recipe.epochs, recipe.patience, recipe.train_size, recipe.test_size) == (50, 5, None, None)


def test_every_row_of_the_literature_resolves_to_a_case_of_its_experiment(request):
    rows = rank.read_reported(request.config.rootpath / "baselines")
    known = {case for _, case in CASES}
    mine = [row for row in rows if row["experiment"] in EXPERIMENTS]
    assert mine
    for row in mine:
        axes = [row[axis] for axis in ("experiment", "model", "dataset", "activation", "optimizer", "variant")]
        assert any(list(case.fields.values()) == axes for case in known), row
        assert math.isfinite(float(row["value"]))


def test_every_tiny_case_has_a_recorded_baseline_of_its_recipe_version_and_no_row_is_an_orphan():
    versions = {case: experiment.recipe(case, "tiny").version for experiment, case in CASES}
    assert {case: row.key.recipe_version for case, row in BASELINES.items()} == versions


@pytest.mark.parametrize("scale", ["tiny"])
def test_baselines_are_recorded_with_as_many_seeds_as_the_recipe_asks_for(scale):
    for experiment, case in CASES:
        assert len(BASELINES[case].seeds) == experiment.recipe(case, scale).recorded_seeds


def test_relu_lands_five_standard_deviations_clear_of_chance_or_the_assertion_would_guard_nothing():
    for case, row in BASELINES.items():
        if case.activation == "relu":
            chance = 1 / data.info(case.dataset).num_classes
            assert set(row.outcomes) == {"trained"}, case.id
            assert statistics.fmean(row.values) - chance > 5 * statistics.stdev(row.values), case.id


@pytest.mark.parametrize(("experiment", "case"), [pytest.param(e, c, id=c.id) for e, c in CASES])
def test_every_case_takes_one_real_step_of_its_paper_recipe(experiment: Experiment, case):
    recipe = experiment.recipe(case, "paper")
    size = max(data.info(case.dataset).shape[1], models.info(case.model).minimum_image_size or 0)
    inputs = torch.randn(2, data.info(case.dataset).shape[0], size, size)
    part = Part(inputs, torch.tensor([0, 1]))
    parts = Parts(part, None, part, num_classes=10, data_hash="")
    network = train.build(case, recipe, 0, torch.device("cpu"), parts)
    before = [parameter.clone() for parameter in network.net.parameters()]
    loss, _ = train.train_epoch(network, part, torch.arange(2), 2, autocast_of(recipe, torch.device("cpu")))
    assert torch.isfinite(loss)
    assert any(not torch.equal(old, new) for old, new in zip(before, network.net.parameters(), strict=True))


@pytest.mark.parametrize("module", [module for module in MODULES if hasattr(module, "EXPERIMENT")])
def test_a_docstring_says_how_to_run_it(module):
    assert re.search(r"^\s*pytest bench -k ", module.__doc__, re.MULTILINE)
