"""What all judges are made of: blocks of observations, figures by seed, and their differences as comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from bench.ranking import learning_rates
from bench.records.case_runs import Observation, grouped, higher_is_better, is_fraction, is_ratio
from bench.reporting.claims._judgement import Comparison
from bench.reporting.views import noise
from bench.stats import intervals

Block: TypeAlias = Mapping[str, Observation]  # by activation
Runs: TypeAlias = Mapping[int, float]  # a figure by seed, of a ratio its logarithm


def blocks(observations: Sequence[Observation]) -> list[tuple[str, Block]]:
    """The activations that are compared with each other, with the title of each such group."""
    groups = grouped(observations, lambda one: one.block).values()
    return [(members[0].title("scale"), {one.activation: one for one in members}) for members in groups]


def at_best_rates(observations: Sequence[Observation]) -> list[tuple[str, Block]]:
    """Blocks over a sweep of the rate: each activation at its best one by validation."""
    return [(setting.title, setting.chosen()) for setting in learning_rates.settings(observations)]


def better(label: str, ones: Runs, others: Runs, metric: str) -> Comparison:
    """How much better the first is, whatever the metric's direction: in points, or for logarithms of ratios decades."""
    found = intervals.difference(ones, others).times(1.0 if higher_is_better(metric) else -1.0)
    if is_fraction(metric):
        return Comparison(label, found.times(100), " points")
    return Comparison(label, found, " decades" if is_ratio(metric) else "")


def within(title: str, block: Block, name: str, rival: str, metric: str | None = None) -> Comparison:
    """One activation of a block less another, by the block's judged metric unless another is given."""
    chosen = metric or block[name].metric
    ones, others = block[name].compared(chosen), block[rival].compared(chosen)
    return better(f"{name} over {rival} ({title})", ones, others, chosen)


def over_all(
    pairs: Sequence[tuple[str, str]], found: Sequence[tuple[str, Block]], metric: str | None = None
) -> tuple[list[Comparison], list[str]]:
    """Every pair in every block, and which of them lack observations."""
    comparisons, missing = [], []
    for title, block in found:
        for name, rival in pairs:
            chosen = metric or next(iter(block.values())).metric if block else ""
            if all(one in block and chosen in block[one].metrics for one in (name, rival)):
                comparisons.append(within(title, block, name, rival, metric))
            else:
                missing.append(f"{name} beside {rival} ({title})")
    return comparisons, missing


def average(sides: Sequence[Runs]) -> Runs:
    """The mean figure of each seed that all sides have."""
    shared = sorted(set.intersection(*(set(side) for side in sides)))
    return {seed: float(np.mean([side[seed] for side in sides])) for seed in shared}


def mean_under_noise(one: Observation, metric: str) -> Runs:
    """Mean over all amplitudes above 0, by seed; empty where none was measured."""
    names = [name for amplitude, name in noise.amplitudes(one, metric).items() if amplitude > 0]
    return average([one.of(name) for name in names]) if names else {}
