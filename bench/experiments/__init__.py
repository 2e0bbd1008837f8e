"""Experiments: one question each, a `test_<name>.py` that declares an `EXPERIMENT`. `experiments.find("mlp")`."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from pathlib import Path

from activations._user import code_beside, import_file
from bench.cases.case import Case, Experiment
from bench.cases.recipe import Recipe

_OWN: dict[str, Experiment] = {}  # of users' files, by name
_FILES: dict[str, Path] = {}  # where these are declared
_CODE: dict[str, str] = {}  # digests of these files, taken when they were imported
RESERVED = "kernels"  # what the files of recorded kernels are called, `kernels.<device class>.csv`


@functools.cache
def names() -> tuple[str, ...]:
    """Of all that the suite declares: each `test_<name>.py` here declares one."""
    return tuple(module.name.removeprefix("test_") for module in pkgutil.iter_modules(__path__))


def find(name: str) -> Experiment | None:
    """The experiment of a name, the suite's or a registered one of a user's; None where there is none."""
    return _declared(name) or _OWN.get(name)


def register(experiment: Experiment, file: Path) -> None:
    """Make a user's own experiment known by its name; one registered before under that name gives way.

    Args:
        file: that declares it.

    Raises:
        ValueError: the suite has another experiment of that name, or the name is taken.
    """
    if experiment.name == RESERVED:
        raise ValueError(
            f"experiment {RESERVED!r}: the files of recorded kernels are called so; give yours another name"
        )
    declared = _declared(experiment.name)
    if declared and declared is not experiment:
        raise ValueError(f"experiment {experiment.name!r} is one of the suite's; give yours another name")
    if not declared:
        _OWN[experiment.name], _FILES[experiment.name] = experiment, file
        with_it = [
            path for path in (file.parent / "conftest.py",) if path.is_file()
        ]  # pytest imports it before the file
        _CODE[experiment.name] = code_beside(file, *with_it)


def file_of(name: str) -> Path | None:
    """The file that declares a user's own experiment; None for one of the suite's."""
    return _FILES.get(name)


def own_code_of(name: str) -> str:
    """A digest of what a user's own experiment is made of beside the suite; empty for one of the suite's."""
    return _CODE.get(name, "")


def load(file: Path) -> None:
    """Import a user's file, which registers what it registers, and its `EXPERIMENT`.

    Raises:
        ValueError: no such file, or it does not import.
    """
    if not file.is_file():
        raise ValueError(f"there is no file {str(file)!r} to load")
    if isinstance(found := getattr(import_file(file), "EXPERIMENT", None), Experiment):
        register(found, file)


def recipe_of(case: Case, scale: str) -> Recipe | None:
    """Today's recipe of a case, or None where its experiment is not known here, or declares no such case any more."""
    experiment = find(case.experiment)
    if experiment is None:
        return None
    declared = {
        "model": experiment.models,
        "dataset": experiment.datasets,
        "optimizer": experiment.optimizers,
        "variant": experiment.variants,
    }
    known = all(case.fields[axis] in values for axis, values in declared.items())
    return experiment.recipe(case, scale) if known else None


def _declared(name: str) -> Experiment | None:
    """What the suite's `test_<name>.py` declares."""
    if name not in names():
        return None
    experiment: Experiment = importlib.import_module(f"bench.experiments.test_{name}").EXPERIMENT
    return experiment
