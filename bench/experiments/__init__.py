"""The suite's experiments by name: `experiments.find("mlp")`, `experiments.names()`."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from bench.cases.case import Case, Experiment
from bench.cases.recipe import Recipe


def names() -> list[str]:
    """Of all that a `test_<name>.py` declares."""
    files = [module.name for module in pkgutil.iter_modules(__path__) if module.name.startswith("test_")]
    return [name for file in files if find(name := file.removeprefix("test_"))]


@functools.cache
def find(name: str) -> Experiment | None:
    """The experiment that `test_<name>.py` declares, or None where there is none."""
    try:
        module = importlib.import_module(f"bench.experiments.test_{name}")
    except ModuleNotFoundError as error:
        if error.name != f"bench.experiments.test_{name}":
            raise
        return None
    experiment: Experiment | None = getattr(module, "EXPERIMENT", None)
    return experiment


def recipe_of(case: Case, scale: str) -> Recipe | None:
    """Today's recipe of a case, or None where its experiment is not one of the suite's."""
    experiment = find(case.experiment)
    return experiment.recipe(case, scale) if experiment else None
