"""Observations: all runs of one case in one environment, be they records or a recorded baseline.

observation.gather(Path("results"), Path("baselines"))
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, TypeVar

from bench import data, experiments
from bench.cases.case import Case
from bench.records import baseline, record, reported
from bench.records.baseline import Baseline, Key
from bench.records.record import OWN_CODE, Outcome, Record, ResultsError
from bench.records.reported import Reported

_Key = TypeVar("_Key", bound=Hashable)
ROUNDING = 1e-9  # relative: a drop of exactly one example must not fail by the last bit of a difference
LEAST_RATIO = 1e-30  # what is smaller has vanished as much: a ratio of 0 has no logarithm


@dataclass(frozen=True)
class Observation:
    """The runs of one case in one environment; its sequences run parallel.

    Attributes:
        key: case, scale, recipe version, data hash and device class: what must be equal to be one observation.
        recipe: its fields.
        seeds, outcomes: of each run.
        metrics: by name, run by run.
        curves, functions, gradients, gradient_steps: as in the records, run by run; empty for a baseline, which keeps
            none.
        seconds: of training, run by run; empty for a baseline.
        bytes_saved: kept for backward by one training batch; None for a baseline.
        reported: the literature's figures for the case, by metric.
        provenance: `results`, the records of a folder or session, or `baseline`, a recorded row.
    """

    key: Key
    recipe: Mapping[str, Any]
    seeds: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    metrics: Mapping[str, tuple[float, ...]]
    provenance: Literal["results", "baseline"]
    curves: tuple[Mapping[str, Sequence[float]], ...] = ()
    functions: tuple[Mapping[str, Sequence[Sequence[float]]], ...] = ()
    gradients: tuple[Mapping[str, Sequence[float]], ...] = ()
    gradient_steps: tuple[Sequence[int], ...] = ()
    seconds: tuple[float, ...] = ()
    bytes_saved: int | None = None
    reported: Mapping[str, float] = field(default_factory=dict)

    @property
    def case(self) -> Case:
        return self.key.case

    @property
    def activation(self) -> str:
        return self.key.case.activation

    @property
    def metric(self) -> str:
        """The judged one."""
        return str(self.recipe["metric"])

    @property
    def n(self) -> int:
        return len(self.seeds)

    @property
    def data_label(self) -> str:
        """What the data is called, an inexact copy by its name."""
        return data.label_of(self.case.dataset, self.key.data_hash)

    @property
    def environment(self) -> tuple[str, str, str]:
        """Scale, data hash and device class: observations of different ones are never mixed."""
        return (self.key.scale, self.key.data_hash, self.key.device_class)

    @property
    def block(self) -> tuple[Any, ...]:
        """What the activations that are compared with each other share."""
        return (self.case.block, self.environment)

    @property
    def values(self) -> tuple[float, ...]:
        """Of the judged metric, run by run."""
        return self.metrics[self.metric]

    def of(self, metric: str) -> dict[int, float]:
        """The values of a metric by seed; empty where it was not measured."""
        return dict(zip(self.seeds, self.metrics[metric], strict=True)) if metric in self.metrics else {}

    def compared(self, metric: str) -> dict[int, float]:
        """As `of`, on the scale on which differences of the metric mean something: decimal logarithms of ratios."""
        values = self.of(metric)
        if not is_ratio(metric):
            return values
        return {seed: math.log10(max(value, LEAST_RATIO)) for seed, value in values.items()}

    def figure(self, metric: str) -> float:
        """A metric as the recipe aggregates it, over all runs, those that did not train included."""
        aggregate = statistics.median if self.recipe["aggregate"] == "median" else statistics.fmean
        return float(aggregate(self.metrics[metric]))

    @property
    def reproduces(self) -> bool:
        """Whether its figures compare with those reported, and not only orders: the recipe in full, on all data."""
        return self.key.scale != "tiny" and self.recipe["train_size"] is None

    def title(self, *without: str) -> str:
        """`mlp · MNIST · adam · lr0.01 · tiny`: what it is a row of, some axes left out."""
        axes = {**self.case.fields, "dataset": self.data_label, "scale": self.key.scale}
        axes |= {"device": "" if self.key.device_class == "cpu" else self.key.device_class}
        shown = [value for axis, value in axes.items() if axis not in ("activation", *without) and value]
        return " · ".join(dict.fromkeys(shown))  # `mlp · mlp` reads as a misprint


def higher_is_better(metric: str) -> bool:
    """The direction of any metric: losses and epochs are better low, fractions and the vanishing ratio high."""
    return "loss" not in metric and "epochs" not in metric


def is_fraction(metric: str) -> bool:
    """Whether a metric is a fraction of right answers, which is shown in per cent."""
    return "accuracy" in metric or "f1" in metric


def is_ratio(metric: str) -> bool:
    """Whether a metric is a ratio: 0.1 and 10 are then as far from 1."""
    return metric.endswith("ratio")


def step_of(metric: str, dataset: str, test_size: int | None) -> float:
    """In which a metric moves: one test example for an accuracy, nothing for a loss.

    Args:
        test_size: of the recipe; None for the data set's own.
    """
    if not metric.endswith("accuracy"):
        return 0.0
    return (1 + ROUNDING) / (test_size or data.info(dataset).rows[1])


def grouped(observations: Iterable[Observation], by: Callable[[Observation], _Key]) -> dict[_Key, list[Observation]]:
    """Observations by a key, in order of first appearance."""
    groups: dict[_Key, list[Observation]] = {}
    for one in observations:
        groups.setdefault(by(one), []).append(one)
    return groups


def gather(results_dir: Path, baseline_dir: Path) -> tuple[list[Observation], list[str]]:
    """All observations of a results and a baseline folder, and what was left out, one line a reason.

    Where both have a case in the same environment, the newer recipe version counts, and of equal ones the records.

    Raises:
        BaselineError: a malformed row.
    """
    records, left_out = read_records(results_dir)
    rows, notes = recorded(baseline_dir)
    return _newest([*rows, *from_records(records, reported.read(baseline_dir))]), left_out + notes


def recorded(baseline_dir: Path) -> tuple[list[Observation], list[str]]:
    """Those of a baseline folder alone, and what was left out, as `gather` says it.

    Raises:
        BaselineError: a malformed row.
    """
    figures = reported.read(baseline_dir)
    rows, stale = _current(baseline.read(baseline_dir).values())
    left = f"left out {stale} recorded baselines of older recipes, or of experiments that are not bench's"
    return _newest(_from_baseline(row, recipe, figures) for row, recipe in rows), [left] * bool(stale)


def from_records(records: Iterable[Record], figures: Reported) -> list[Observation]:
    """Observations of records, in the order of their first."""
    groups: dict[Key, list[Record]] = {}
    for one in records:
        groups.setdefault(baseline.key_of(one), []).append(one)
    return [_from_runs(key, sorted(runs, key=lambda run: run.seed), figures) for key, runs in groups.items()]


def read_records(folder: Path) -> tuple[list[Record], list[str]]:
    """The records of a results folder, and a note on what was left out of it, if anything was.

    Left out are files that are no records, and runs of a user's own activation from before its file was changed.
    """
    found, left_out = [], []
    for path in sorted((folder / "runs").glob("*.json")):
        try:
            one = record.load(path)
        except ResultsError as error:
            left_out.append(str(error))
        else:
            found += [one] if one else []
    latest = {baseline.key_of(one): one.fingerprint.get(OWN_CODE) for one in sorted(found, key=lambda one: one.date)}
    todays = []
    for one in found:
        if one.fingerprint.get(OWN_CODE) == latest[baseline.key_of(one)]:
            todays.append(one)
        else:
            left_out.append(f"{one.case.id}, seed {one.seed}, ran before the file of {one.case.activation} changed")
    if not left_out:
        return todays, []
    return todays, [f"left out {len(left_out)} files that are not today's records, the first: {left_out[0]}"]


def _current(rows: Iterable[Baseline]) -> tuple[list[tuple[Baseline, Mapping[str, Any]]], int]:
    """The rows of today's recipes, with these, and how many others there are."""
    found: list[tuple[Baseline, Mapping[str, Any]]] = []
    stale = 0
    for row in rows:
        recipe = experiments.recipe_of(row.key.case, row.key.scale)
        if recipe is None or recipe.version != row.key.recipe_version:
            stale += 1
        else:
            found.append((row, recipe.fields))
    return found, stale


def _from_runs(key: Key, runs: Sequence[Record], figures: Reported) -> Observation:
    shared = [name for name in runs[0].metrics if all(name in run.metrics for run in runs)]
    return Observation(
        key=key,
        recipe=runs[0].recipe,
        seeds=tuple(run.seed for run in runs),
        outcomes=tuple(run.outcome for run in runs),
        metrics={name: tuple(run.metrics[name] for run in runs) for name in shared},
        provenance="results",
        curves=tuple(run.curves for run in runs),
        functions=tuple(run.functions for run in runs),
        gradients=tuple(run.gradients for run in runs),
        gradient_steps=tuple(run.gradient_steps for run in runs),
        seconds=tuple(run.seconds for run in runs),
        bytes_saved=runs[0].bytes_saved,
        reported=figures.get(key.case, {}),
    )


def _from_baseline(row: Baseline, recipe: Mapping[str, Any], figures: Reported) -> Observation:
    return Observation(
        key=row.key,
        recipe=recipe,
        seeds=row.seeds,
        outcomes=row.outcomes,
        metrics={row.metric: row.values, **{name: tuple(values) for name, values in row.metrics.items()}},
        provenance="baseline",
        reported=figures.get(row.key.case, {}),
    )


def _newest(observations: Iterable[Observation]) -> list[Observation]:
    def place(one: Observation) -> tuple[Any, ...]:
        return (one.case, one.environment)

    def freshness(one: Observation) -> tuple[int, bool]:
        return (one.key.recipe_version, one.provenance == "results")

    ordered = sorted(observations, key=place)
    return [max(group, key=freshness) for _, group in groupby(ordered, key=place)]
