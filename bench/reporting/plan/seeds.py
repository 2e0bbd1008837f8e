"""How many seeds a difference needs, by the spread that was recorded: `seeds.seeds_table(cases, settings)`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from tabulate import tabulate

from bench.cases.case import Case, Experiment
from bench.cases.metric import Measured
from bench.cases.recipe import SCALES
from bench.records import baseline
from bench.records.baseline import Baseline
from bench.records.record import Key
from bench.session.settings import Settings
from bench.stats import power


@dataclass(frozen=True)
class Plan:
    """The seeds of an experiment's cases on one network, judged by one metric.

    Attributes:
        seeds: planned runs a case.
        activations: in its largest block.
        recorded: rows of its cases, of one scale.
    """

    seeds: int
    activations: int
    recorded: Sequence[Baseline]

    @property
    def unit(self) -> float:
        """A point of accuracy, or one per cent of a loss."""
        measured = Measured.parse(self.recorded[0].metric)
        return 0.01 if measured.points else 0.01 * abs(fmean(self._means))

    @property
    def _means(self) -> list[float]:
        return [one.runs.mean for one in self.recorded if one.runs.trained]

    @property
    def sd(self) -> float:
        """Of the median case, between the runs that trained; NaN where no case has two of them."""
        found = [one.runs.sd for one in self.recorded if len(one.runs.trained) > 1]
        return median(found) if found else math.nan


def seeds_table(cases: Sequence[tuple[Experiment, Case]], settings: Settings) -> str:
    """Spread, what the planned seeds tell apart, and the seeds that `settings.difference` takes; as text."""
    recorded = baseline.read(settings.baseline_dir)
    groups: dict[tuple[str, str, str], list[tuple[Experiment, Case]]] = {}
    for experiment, case in cases:
        metric = experiment.recipe(case, settings.scale).metric
        groups.setdefault((case.experiment, case.model, metric), []).append((experiment, case))
    lines = [[*names, *_line(_plan(group, settings, recorded), settings.difference)] for names, group in groups.items()]
    titles = ("experiment", "model", "metric", "recorded at", "sd", "seeds", "tell apart")
    wanted = f"{settings.difference:g} needs"
    text = tabulate(lines, headers=(*titles, wanted), disable_numparse=True, colalign=("left",) * 4 + ("right",) * 4)
    return (
        f"{text}\n"
        "sd: between runs, in points of accuracy or per cent of a loss, as all differences here; of the median case.\n"
        f"tell apart: the smallest difference of two activations that the planned seeds show with {power.POWER:.0%} "
        "power,\nat 5 % for all pairs of a block; needs: the seeds that show the wanted one (--difference)."
    )


def _plan(group: Sequence[tuple[Experiment, Case]], settings: Settings, recorded: Mapping[Key, Baseline]) -> Plan:
    chosen = {case for _, case in group}
    experiment, case = group[0]
    recipe = experiment.recipe(case, settings.scale)
    rows = [row for row in recorded.values() if row.key.case in chosen and row.metric == recipe.metric]
    nearest = min((_distance(row, settings.scale) for row in rows), default=0)
    blocks: dict[tuple[str, ...], set[str]] = {}
    for case in chosen:
        blocks.setdefault(case.block, set()).add(case.activation)
    return Plan(
        seeds=settings.seeds or recipe.seeds,
        activations=max(map(len, blocks.values())),
        recorded=[row for row in rows if _distance(row, settings.scale) == nearest],
    )


def _distance(row: Baseline, scale: str) -> int:
    """Between the scale of a row and the planned one; of two equally far ones the larger is nearer."""
    steps = SCALES.index(row.key.scale) - SCALES.index(scale)
    return 2 * abs(steps) - (steps > 0)


def _line(plan: Plan, difference: float) -> list[str]:
    if math.isnan(plan.sd):
        return ["nothing", "–", str(plan.seeds), "–", "–"]
    found = power.detectable(plan.sd, plan.seeds, plan.activations)
    return [
        plan.recorded[0].key.scale,
        f"{plan.sd / plan.unit:.2g}",
        str(plan.seeds),
        "–" if math.isnan(found) else f"{found / plan.unit:.2g}",
        f"{power.seeds_for(difference * plan.unit, plan.sd, plan.activations):,}",
    ]
