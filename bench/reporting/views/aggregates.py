"""Aggregates (rliable, arXiv 2108.13264): mean, interquartile mean and probability of improvement over relu.

A mean moves with one run that collapses, an interquartile mean does not, and the probability of improvement says how
often a run of one activation is better than a run of the other, however far.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from bench.cases.case import REFERENCE
from bench.display.tables import Table, axis_label, between, heading, interval, runs, seeds, source
from bench.records.case_runs import CaseRuns, grouped
from bench.stats import intervals
from bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Pairs: TypeAlias = tuple[tuple[int, float], ...]  # seeds and values
MARGIN = 0.04  # of the axis, beside its outermost intervals
# How often they hold the truth was simulated: 2000 times each, normal runs, the reference's mean equal or 1 sd lower.
NOTE = (
    "[ ]: 95 % interval, of the mean Student's, else percentile bootstrap over runs (seeded), which covers less with "
    "few runs: 54 to 76 % with 3, 86 to 90 % with 5, 92 to 94 % with 10 or 20"
)
BETTER = (
    f"better than {REFERENCE}: chance that a run is better than one of {REFERENCE}'s, a tie counts half; 0.5 is a draw"
)


def tables(cases: Sequence[CaseRuns]) -> list[Table]:
    """One a block of two activations or more, the best interquartile mean first."""
    return [_table(members) for members in _blocks(cases)]


def figure(cases: Sequence[CaseRuns]) -> Figure | None:
    """Interquartile means on the left, probabilities of improvement over relu on the right, a row a block.

    A triangle at the edge is a mean beyond the axis.
    """
    from matplotlib.ticker import MaxNLocator

    from bench.display import figures

    blocks = _blocks(cases)
    if not blocks:
        return None
    tallest = max(map(len, blocks))
    drawing, grid = figures.panels(len(blocks), 2, height=0.9 + 0.2 * tallest)
    for (left, right), members in zip(grid, blocks, strict=True):
        metric, places = members[0].metric, range(len(members))
        means = [_interquartile_mean(one) for one in members]
        low, high = figures.limits(means)
        for axes, found in ((left, means), (right, [_improvement(one, members) for one in members])):
            for place, one in zip(places, found, strict=True):
                if one:
                    axes.plot([one.low, one.high], [place, place], color="#0072B2", linewidth=1.2)
                    axes.plot(one.value, place, "o", color="#0072B2", markersize=4)
            axes.set_yticks(places, [one.activation for one in members])
            axes.set_ylim(len(members) - 0.5, -0.5)
        left.set_xlim(low - MARGIN * (high - low), high + MARGIN * (high - low))
        left.xaxis.set_major_locator(MaxNLocator(5))
        for place, one in enumerate(means):
            if not low <= one.value <= high:
                edge, arrow = (0.02, "<") if one.value < low else (0.98, ">")
                left.plot(edge, place, arrow, color="#0072B2", markersize=4, transform=left.get_yaxis_transform())
        left.set_xlabel(f"interquartile mean of {axis_label(metric)}")
        right.set_xlabel(f"probability of improvement over {REFERENCE}")
        right.axvline(0.5, color="#555555", linewidth=0.8, linestyle=":")
        right.set_xlim(-0.03, 1.03)
        figures.title(left, members[0].title(), members)
    return drawing


def _blocks(cases: Sequence[CaseRuns]) -> list[list[CaseRuns]]:
    blocks = grouped(cases, lambda one: one.block).values()
    return [_ordered(members) for members in blocks if len(members) > 1]


def _ordered(members: Sequence[CaseRuns]) -> list[CaseRuns]:
    return sorted(members, key=lambda one: -one.measured.sign * _interquartile_mean(one).value)


def _table(members: Sequence[CaseRuns]) -> Table:
    metric = members[0].metric
    columns = {
        "activation": [one.activation for one in members],
        f"{heading(metric)}, mean": [between(intervals.mean(one.values), metric) for one in members],
        "interquartile mean": [between(_interquartile_mean(one), metric) for one in members],
        f"better than {REFERENCE}": [_cell(_improvement(one, members)) for one in members],
        "n": [runs(one) for one in members],
        "seeds": [seeds(one) for one in members],
    }
    return Table(members[0].title(), columns, (BETTER, NOTE, source(members)))


def _interquartile_mean(one: CaseRuns) -> Estimate:
    """Runs that diverged are the worst, and so the first to be left out."""
    return _resampled_mean(tuple(intervals.lost_as_worst(one.values, higher_is_better=one.measured.higher_is_better)))


def _improvement(one: CaseRuns, members: Sequence[CaseRuns]) -> Estimate | None:
    """None for the reference itself, and in blocks without it."""
    reference = next((other for other in members if other.activation == REFERENCE), None)
    if reference is None or reference is one:
        return None
    pair = (tuple(each.of(one.metric).items()) for each in (one, reference))
    return _resampled_improvement(*pair, one.measured.higher_is_better)


# A page asks for the same interval in its table, its picture, and once for every way to cut a picture that is too tall.
@lru_cache(maxsize=4096)
def _resampled_mean(values: tuple[float, ...]) -> Estimate:
    return intervals.bootstrap([values], intervals.interquartile_mean)


@lru_cache(maxsize=4096)
def _resampled_improvement(ones: Pairs, others: Pairs, high: bool) -> Estimate:
    return intervals.improvement(dict(ones), dict(others), higher_is_better=high)


def _cell(found: Estimate | None) -> str:
    return interval(found, "{:.2f}") if found else ""
