"""Runs of a case: all of one case in one environment, be they records or a recorded baseline.

case_runs.gather(Path("results"), Path("baselines"))
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
from bench.cases.metric import Measured
from bench.records import baseline, reported
from bench.records.baseline import Baseline
from bench.records.record import Key, Outcome, Record
from bench.records.reported import Reported
from bench.records.results_folder import read_records
from bench.records.runs import Runs

_Item = TypeVar("_Item")
_Key = TypeVar("_Key", bound=Hashable)
LEAST_RATIO = 1e-30  # what is smaller has vanished as much: a ratio of 0 has no logarithm


@dataclass(frozen=True)
class CaseRuns:
    """The runs of one case in one environment, with all that is known of them.

    Attributes:
        key: case, scale, recipe version, data hash and device class: what all runs share.
        recipe: its fields.
        runs: seeds, judged values, outcomes and digests.
        metrics: every metric that all runs have, by name, run by run.
        curves, functions, gradients, gradient_steps: as in the records, run by run; empty for a baseline, which keeps
            none.
        seconds: of training, run by run; empty for a baseline.
        bytes_saved: kept for backward by one training batch; None for a baseline.
        reported: what the literature reports of the case, by metric.
        provenance: `results`, the records of a folder or session, or `baseline`, a recorded row.
    """

    key: Key
    recipe: Mapping[str, Any]
    runs: Runs
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
    def measured(self) -> Measured:
        """The judged metric, with its direction, unit and digits."""
        return Measured.parse(self.metric)

    @property
    def seeds(self) -> tuple[int, ...]:
        return self.runs.seeds

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return self.runs.outcomes

    @property
    def n(self) -> int:
        return self.runs.n

    @property
    def data_label(self) -> str:
        """What the data is called, an inexact copy by its name."""
        return data.label_of(self.case.dataset, self.key.data_hash)

    @property
    def environment(self) -> tuple[str, str, str]:
        """Scale, data hash and device class: runs of different ones are never mixed."""
        return (self.key.scale, self.key.data_hash, self.key.device_class)

    @property
    def block(self) -> tuple[Any, ...]:
        """What the activations that are compared with each other share."""
        return (self.case.block, self.environment)

    @property
    def values(self) -> tuple[float, ...]:
        """Of the judged metric, run by run."""
        return self.runs.values

    def of(self, metric: str) -> dict[int, float]:
        """The values of a metric by seed; empty where it was not measured."""
        return dict(zip(self.seeds, self.metrics[metric], strict=True)) if metric in self.metrics else {}

    def compared(self, metric: str) -> dict[int, float]:
        """As `of`, on the scale on which differences of the metric mean something: decimal logarithms of ratios."""
        values = self.of(metric)
        if Measured.parse(metric).metric.unit != "ratio":
            return values
        return {seed: math.log10(max(value, LEAST_RATIO)) for seed, value in values.items()}

    def step(self, metric: str) -> float:
        """See `step_of`; 0 for a metric of another part than the test part."""
        if Measured.parse(metric).part != "test":
            return 0.0
        return step_of(metric, self.case.dataset, self.recipe.get("test_size"))

    def aggregate(self, metric: str) -> float:
        """A metric as the recipe aggregates it, over all runs, those that did not train included.

        What is not finite counts as the worst there can be, which is infinite.
        """
        worst = -math.inf * Measured.parse(metric).sign
        values = [value if math.isfinite(value) else worst for value in self.metrics[metric]]
        middle = statistics.median if self.recipe["aggregate"] == "median" else statistics.fmean
        return float(middle(values))

    def score(self, metric: str) -> float:
        """The aggregate, turned so that more is better whatever the direction; minus infinity if it is not finite."""
        return Measured.parse(metric).sign * self.aggregate(metric)

    @property
    def reproduces(self) -> bool:
        """Whether its numbers compare with those reported, and not only orders: the recipe in full, on all data."""
        return self.key.scale != "tiny" and self.recipe["train_size"] is None

    def title(self, *without: str) -> str:
        """`mlp · MNIST · adam · lr0.01 · tiny`: what it is a row of, some axes left out."""
        axes = {**self.case.fields, "dataset": self.data_label, "scale": self.key.scale}
        axes |= {"device": "" if self.key.device_class == "cpu" else self.key.device_class}
        shown = [value for axis, value in axes.items() if axis not in ("activation", *without) and value]
        return " · ".join(dict.fromkeys(shown))  # `mlp · mlp` reads as a misprint


def step_of(metric: str, dataset: str, test_size: int | None) -> float:
    """The least by which a metric of the test part can move: one example for an accuracy, 0 for a loss.

    Args:
        test_size: of the recipe; None for the data set's own.
    """
    return Measured.parse(metric).step(test_size or data.info(dataset).rows[1])


def grouped(items: Iterable[_Item], by: Callable[[_Item], _Key]) -> dict[_Key, list[_Item]]:
    """Runs of cases, or what else there is, by a key, in order of first appearance."""
    groups: dict[_Key, list[_Item]] = {}
    for one in items:
        groups.setdefault(by(one), []).append(one)
    return groups


def gather(results_dir: Path, baseline_dir: Path) -> tuple[list[CaseRuns], list[str]]:
    """The runs of all cases of a results and a baseline folder, and what was left out, one line a reason.

    Where both have a case in the same environment, the records count.

    Raises:
        BaselineError: a malformed row.
    """
    records, left_out = read_records(results_dir)
    rows, notes = recorded_runs(baseline_dir)
    found, stale = of_one_recipe([*rows, *from_records(records, reported.read(baseline_dir))])
    return _newest(found), [*left_out, *notes, *stale]


def recorded_runs(baseline_dir: Path) -> tuple[list[CaseRuns], list[str]]:
    """Those of a baseline folder alone, and what was left out, as `gather` says it.

    Raises:
        BaselineError: a malformed row.
    """
    published = reported.read(baseline_dir)
    rows, stale = _current(baseline.read(baseline_dir).values())
    left = f"left out {stale} recorded baselines of older recipes, or of experiments that are not bench's"
    return _newest(_from_baseline(row, recipe, published) for row, recipe in rows), [left] * bool(stale)


def from_records(records: Iterable[Record], published: Reported) -> list[CaseRuns]:
    """The runs of the cases that records are of, in the order of their first."""
    groups: dict[Key, list[Record]] = {}
    for one in records:
        groups.setdefault(one.key, []).append(one)
    return [_from_runs(key, sorted(runs, key=lambda run: run.seed), published) for key, runs in groups.items()]


def of_one_recipe(cases: Iterable[CaseRuns]) -> tuple[list[CaseRuns], list[str]]:
    """Those that may be compared with each other, and a note on the others, if there are any.

    Of a block the cases of today's recipes count; where it has none, as that of an experiment that is not loaded,
    those of the newest version.
    """
    found = list(cases)
    kept: set[Key] = set()
    for members in grouped(found, lambda one: one.block).values():
        keys = [one.key for one in members]
        newest = max(key.recipe_version for key in keys)
        kept.update(list(filter(_is_todays, keys)) or (key for key in keys if key.recipe_version == newest))
    others = [one for one in found if one.key not in kept]
    if not others:
        return found, []
    runs = sum(one.n for one in others)
    named = f"{others[0].case.id}, version {others[0].key.recipe_version}"
    return [one for one in found if one.key in kept], [
        f"left out {runs} runs of {len(others)} cases by another version of their recipes, the first: {named}"
    ]


def _is_todays(key: Key) -> bool:
    recipe = experiments.recipe_of(key.case, key.scale)
    return recipe is not None and recipe.version == key.recipe_version


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


def _from_runs(key: Key, runs: Sequence[Record], published: Reported) -> CaseRuns:
    shared = [name for name in runs[0].metrics if all(name in run.metrics for run in runs)]
    return CaseRuns(
        key=key,
        recipe=runs[0].recipe,
        runs=Runs.of(runs),
        metrics={name: tuple(run.metrics[name] for run in runs) for name in shared},
        provenance="results",
        curves=tuple(run.curves for run in runs),
        functions=tuple(run.functions for run in runs),
        gradients=tuple(run.gradients for run in runs),
        gradient_steps=tuple(run.gradient_steps for run in runs),
        seconds=tuple(run.seconds for run in runs),
        bytes_saved=runs[0].bytes_saved,
        reported=published.get(key.case, {}),
    )


def _from_baseline(row: Baseline, recipe: Mapping[str, Any], published: Reported) -> CaseRuns:
    return CaseRuns(
        key=row.key,
        recipe=recipe,
        runs=row.runs,
        metrics={row.metric: row.runs.values, **{name: tuple(values) for name, values in row.metrics.items()}},
        provenance="baseline",
        reported=published.get(row.key.case, {}),
    )


def _newest(cases: Iterable[CaseRuns]) -> list[CaseRuns]:
    def place(one: CaseRuns) -> tuple[Any, ...]:
        return (one.case, one.environment)

    ordered = sorted(cases, key=place)
    return [max(group, key=lambda one: one.provenance == "results") for _, group in groupby(ordered, key=place)]
