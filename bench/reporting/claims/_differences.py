"""What all judges are made of: blocks of cases, values by seed, and their differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from bench.cases.metric import Measured
from bench.ranking import learning_rates
from bench.ranking.problems import ByActivation
from bench.records.case_runs import LEAST_RATIO, CaseRuns, grouped
from bench.reporting.claims._judgement import Contrast
from bench.reporting.views import noise
from bench.stats import intervals
from bench.stats.intervals import Estimate

BySeed: TypeAlias = Mapping[int, float]  # a value by seed, of a ratio its logarithm


def titled_blocks(cases: Sequence[CaseRuns]) -> list[tuple[str, ByActivation]]:
    """The activations that are compared with each other, with the title of each such group."""
    groups = grouped(cases, lambda one: one.block).values()
    return [(members[0].title("scale"), {one.activation: one for one in members}) for members in groups]


def at_best_rates(cases: Sequence[CaseRuns]) -> list[tuple[str, ByActivation]]:
    """Blocks over a sweep of the rate: each activation at its best one by validation."""
    return [(sweep.title, sweep.chosen()) for sweep in learning_rates.sweeps(cases)]


def better(label: str, ones: BySeed, others: BySeed, metric: str, step: float = 0.0) -> Contrast:
    """How much better the first is, whatever the metric's direction: in points, or for logarithms of ratios decades."""
    measured = Measured.parse(metric)
    return contrast(label, intervals.difference(ones, others, step).times(measured.sign), measured)


def contrast(label: str, found: Estimate, measured: Measured) -> Contrast:
    """A difference in the unit in which those of the metric are shown."""
    unit = " decades" if measured.metric.unit == "ratio" else measured.points
    return Contrast(label, found.times(measured.factor), unit)


def within_block(title: str, block: ByActivation, name: str, rival: str, metric: str | None = None) -> Contrast:
    """One activation of a block less another, by the block's judged metric unless another is given."""
    chosen = metric or block[name].metric
    ones, others = block[name].compared(chosen), block[rival].compared(chosen)
    return better(f"{name} over {rival} ({title})", ones, others, chosen, block[name].step(chosen))


def over_all(
    pairs: Sequence[tuple[str, str]], found: Sequence[tuple[str, ByActivation]], metric: str | None = None
) -> tuple[list[Contrast], list[str]]:
    """Every pair in every block, and which of them lack cases."""
    comparisons, missing = [], []
    for title, block in found:
        for name, rival in pairs:
            chosen = metric or next(iter(block.values())).metric if block else ""
            if all(one in block and chosen in block[one].metrics for one in (name, rival)):
                comparisons.append(within_block(title, block, name, rival, metric))
            else:
                missing.append(f"{name} versus {rival} ({title})")
    return comparisons, missing


def average(sides: Sequence[BySeed]) -> BySeed:
    """The mean value of each seed that all sides have."""
    shared = sorted(set.intersection(*(set(side) for side in sides)))
    return {seed: float(np.mean([side[seed] for side in sides])) for seed in shared}


def gains(one: CaseRuns, other: CaseRuns, metric: str) -> BySeed:
    """How much better the first is by each seed that both have, in decades where it has no scale.

    What is not finite is worst.
    """
    ones, others = ({seed: _score(value, metric) for seed, value in runs.of(metric).items()} for runs in (one, other))
    shared = sorted(ones.keys() & others.keys())
    return {seed: 0.0 if ones[seed] == others[seed] else ones[seed] - others[seed] for seed in shared}


def _score(value: float, metric: str) -> float:
    """More is better; of what has no scale its decimal logarithm, turned."""
    measured = Measured.parse(metric)
    if not math.isfinite(value):
        return -math.inf
    return -math.log10(max(value, LEAST_RATIO)) if _has_no_scale(measured) else measured.sign * value


def _has_no_scale(measured: Measured) -> bool:
    """A loss, say: twice another is as much worse wherever both lie."""
    return measured.metric.unit == "number" and not measured.metric.higher_is_better


def middle(label: str, sides: Sequence[BySeed], metric: str) -> Contrast:
    """The median over several sides of each seed that all have."""
    measured = Measured.parse(metric)
    shared = sorted(set.intersection(*(set(side) for side in sides)))
    medians = {seed: float(np.median([side[seed] for side in sides])) for seed in shared}
    found = intervals.difference(medians, dict.fromkeys(medians, 0.0))
    return Contrast(label, found, " decades") if _has_no_scale(measured) else contrast(label, found, measured)


def mean_under_noise(one: CaseRuns, metric: str) -> BySeed:
    """Mean over all amplitudes above 0, by seed; empty where none was measured."""
    names = [name for amplitude, name in noise.amplitudes(one, metric).items() if amplitude > 0]
    return average([one.of(name) for name in names]) if names else {}
