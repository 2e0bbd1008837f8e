"""Experiments: one question each, a `test_<name>.py` that declares an `EXPERIMENT`. `experiments.find("mlp")`."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from pathlib import Path

from activations._user import import_file
from bench.cases.case import Case, Experiment
from bench.cases.recipe import Recipe

_OWN: dict[str, Experiment] = {}  # of users' files, by name


@functools.cache
def names() -> tuple[str, ...]:
    """Of all that the suite declares: each `test_<name>.py` here declares one."""
    return tuple(module.name.removeprefix("test_") for module in pkgutil.iter_modules(__path__))


def find(name: str) -> Experiment | None:
    """The experiment of a name, the suite's or a registered one of a user's; None where there is none."""
    return _declared(name) or _OWN.get(name)


def register(experiment: Experiment) -> None:
    """Make a user's own experiment known by its name; one registered before under that name gives way.

    Raises:
        ValueError: the suite has another experiment of that name.
    """
    declared = _declared(experiment.name)
    if declared and declared is not experiment:
        raise ValueError(f"experiment {experiment.name!r} is one of the suite's; give yours another name")
    if not declared:
        _OWN[experiment.name] = experiment


def load(file: Path) -> None:
    """Import a user's file, which registers what it registers, and its `EXPERIMENT`.

    Raises:
        ValueError: no such file, or it does not import.
    """
    if not file.is_file():
        raise ValueError(f"there is no file {str(file)!r} to load")
    if isinstance(found := getattr(import_file(file), "EXPERIMENT", None), Experiment):
        register(found)


def recipe_of(case: Case, scale: str) -> Recipe | None:
    """Today's recipe of a case, or None where its experiment is not known here."""
    experiment = find(case.experiment)
    return experiment.recipe(case, scale) if experiment else None


def _declared(name: str) -> Experiment | None:
    """What the suite's `test_<name>.py` declares."""
    if name not in names():
        return None
    experiment: Experiment = importlib.import_module(f"bench.experiments.test_{name}").EXPERIMENT
    return experiment
