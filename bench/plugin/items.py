"""Items: what pytest has collected, as cases and timings, and how some of them are selected."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from _pytest.mark.expression import Expression  # -k is given to it in other words

from bench.cases.case import Case, Experiment
from bench.cases.recipe import SCALES
from bench.session import selection
from bench.session.settings import Settings


@contextmanager
def exactly(config: pytest.Config, words: set[str]) -> Iterator[None]:
    """The expressions of `-k` and `-m` as pytest is to understand them, while it selects.

    Raises:
        UsageError: what is behind `-k` is no expression; it is quoted as it was typed.
    """
    typed = config.option.keyword, config.option.markexpr
    try:
        Expression.compile(typed[0])
    except SyntaxError as error:
        said = f"at column {error.offset}: {error.msg}; words are joined by and, or, not"
        raise pytest.UsageError(f"Wrong expression passed to '-k': {typed[0]}: {said}") from None
    exact, unknown = selection.exact(typed[0], words), None
    try:
        marked = selection.marked(typed[1])
    except ValueError as error:
        marked, unknown = "", error
    try:
        config.option.keyword, config.option.markexpr = exact, marked
        yield
    finally:
        config.option.keyword, config.option.markexpr = typed
    if unknown:
        raise unknown


def why_no_item(option: argparse.Namespace, settings: Settings, parameters: dict[pytest.Item, Any]) -> str:
    """Why none of the collected items is selected by pytest's own options, in a line."""
    declared = {case.experiment: experiment for experiment, case in cases_of(parameters)}

    def collected(scale: str) -> Iterable[Any]:
        if scale == settings.scale:
            return parameters.values()
        return (one for each in declared.values() for one in each.cases(scale, settings.choice.added))

    exactly = selection.exact_words(option.keyword, parameters.values(), declared.values())
    left: dict[str, list[Any]] = {scale: [one for one in collected(scale) if settings.selects(one)] for scale in SCALES}
    given = [f"{name} {value!r}" for name, value in (("-k", option.keyword), ("-m", option.markexpr)) if value]
    given += [f"--deselect {prefix}" for prefix in option.deselect or ()]
    given += ["--last-failed"] if getattr(option, "lf", False) else []
    names = [item.nodeid for item in parameters]
    return selection.why_nothing(option.keyword, exactly, names, left, settings.scale, given)


def deselect(config: pytest.Config, items: list[pytest.Item], keep: Callable[[pytest.Item], bool]) -> int:
    """Leave out the items that are not to be kept, as pytest counts them; how many there were."""
    left_out = [item for item in items if not keep(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if keep(item)]
    return len(left_out)


def parameters_of(item: pytest.Item) -> list[Any]:
    """The cases, kernels and the like that an item is parametrized with."""
    callspec = getattr(item, "callspec", None)
    return [one for one in callspec.params.values() if selection.is_selectable(one)] if callspec else []


def experiments_of(items: Iterable[pytest.Item]) -> set[str]:
    """Names of the experiments that items are of.

    Raises:
        ValueError: two files declare experiments of one name.
    """
    found: dict[str, Experiment] = {}
    for item in items:
        experiment = experiment_of(item.module)  # type: ignore[attr-defined]
        if experiment and found.setdefault(experiment.name, experiment) is not experiment:
            raise ValueError(f"{item.path}: another file declares an experiment {experiment.name!r} too; rename one")
    return set(found)


def cases_of(items: Iterable[pytest.Item]) -> list[tuple[Experiment, Case]]:
    """Those of the items that are an experiment's, each beside it: unit tests take cases too."""
    found = [(experiment_of(item.module), one) for item in items for one in parameters_of(item)]  # type: ignore[attr-defined]
    return [(experiment, one) for experiment, one in found if experiment and isinstance(one, Case)]


def experiment_of(module: Any) -> Experiment | None:
    """The `EXPERIMENT` of a test module; None where it has none."""
    found = getattr(module, "EXPERIMENT", None)
    return found if isinstance(found, Experiment) else None


def is_timing(item: pytest.Item) -> bool:
    """Whether an item asks for the fixture `timing`."""
    return "timing" in getattr(item, "fixturenames", ())
