"""What equal cost buys: what each activation reaches in the time relu takes, and for the memory it needs.

Epochs are an unequal budget: some activations take twice the time of relu and keep twice the bytes. Time is that of
training steps, by the median run, and compares within one session on one idle machine only.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.cases.case import REFERENCE
from bench.display.tables import Table, axis_label, between, heading, runs, seeds, source
from bench.records.case_runs import CaseRuns, grouped
from bench.reporting.views.curves import averaged
from bench.stats import intervals, ties
from bench.stats.intervals import LEVEL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEGABYTE = 1e6
NOTES = (
    f"in {REFERENCE}'s time: where each curve was when {REFERENCE}'s median run ended, or its end if earlier",
    "beaten by: activations that keep no more bytes and end better (Games-Howell, 5 %)",
    "times are those of one session on one machine; mean [95 % interval over runs, Student's]",
)


def tables(cases: Sequence[CaseRuns]) -> list[Table]:
    """One a block with relu whose records have curves of the validation metric; the best at the end first."""
    return [_table(members) for members in _blocks(cases)]


def figure(cases: Sequence[CaseRuns]) -> Figure | None:
    """A row a block: the mean curve against seconds on the left, its end by ascending memory on the right."""
    from bench.display import figures

    blocks = _blocks(cases)
    if not blocks:
        return None
    looks = figures.looks(one.activation for members in blocks for one in members)
    tallest = max(map(len, blocks))
    drawing, grid = figures.panels(len(blocks), 2, width=4.0, height=max(2.8, 0.9 + 0.2 * tallest))
    for (left, right), members in zip(grid, blocks, strict=True):
        for one in members:
            curve = averaged(_curves(one))[0]
            left.plot(_pace(one) * np.arange(1, len(curve) + 1), curve, **looks[one.activation], linewidth=1.4)
        left.axvline(_budget(members), color="#555555", linewidth=0.8, linestyle=":")
        left.set_xscale("log")
        left.set_xlabel(f"seconds of training (dotted: {REFERENCE}'s)")
        left.set_ylabel(axis_label(_curve(members[0])))
        _draw_memory(right, members)
        figures.title(left, members[0].title(), members)
    figures.legend(drawing, looks)
    return drawing


def after(one: CaseRuns, seconds: float) -> dict[int, float]:
    """The validation metric by seed after so many seconds of training; NaN before the end of the first epoch."""
    epochs = seconds / _pace(one)
    return {
        seed: float(np.interp(epochs, range(1, len(curve) + 1), curve, left=np.nan))
        for seed, curve in zip(one.seeds, _curves(one), strict=True)
    }


def beaten(members: Sequence[CaseRuns]) -> dict[str, list[str]]:
    """By activation, those that keep no more bytes for backward and end better: what is not on the Pareto front."""
    sign = members[0].measured.sign
    finals = {one.activation: [sign * value for value in _finals(one)] for one in members}
    ordered = sorted(members, key=lambda one: -_worst_if_lost(finals[one.activation]))
    p = ties.p_values([finals[one.activation] for one in ordered])
    return {
        one.activation: [
            other.activation
            for j, other in enumerate(ordered[:i])
            if p[i, j] < LEVEL and (other.bytes_saved or 0) <= (one.bytes_saved or 0)
        ]
        for i, one in enumerate(ordered)
    }


def _worst_if_lost(values: Sequence[float]) -> float:
    """The mean, minus infinity where a run is not finite."""
    return statistics.fmean(values) if all(map(math.isfinite, values)) else -math.inf


def _blocks(cases: Sequence[CaseRuns]) -> list[list[CaseRuns]]:
    """With relu and another, the best at the end first."""
    timed = [
        one
        for one in cases
        if one.bytes_saved and one.seconds and all(curves.get(_curve(one)) for curves in one.curves)
    ]
    blocks = grouped([one for one in timed if one.curves], lambda one: one.block).values()
    return [
        sorted(members, key=lambda one: -one.measured.sign * _final(one).value)
        for members in blocks
        if len(members) > 1 and REFERENCE in {one.activation for one in members}
    ]


def _curve(one: CaseRuns) -> str:
    """The metric that stands for the judged one epoch by epoch."""
    return one.measured.chosen_by.name


def _curves(one: CaseRuns) -> list[Sequence[float]]:
    return [curves[_curve(one)] for curves in one.curves]


def _pace(one: CaseRuns) -> float:
    """Seconds an epoch, of the median run."""
    return statistics.median(seconds / len(curve) for seconds, curve in zip(one.seconds, _curves(one), strict=True))


def _budget(members: Sequence[CaseRuns]) -> float:
    """Seconds that relu's median run took."""
    return next(statistics.median(one.seconds) for one in members if one.activation == REFERENCE)


def _finals(one: CaseRuns) -> list[float]:
    return [curve[-1] for curve in _curves(one)]


def _final(one: CaseRuns) -> intervals.Estimate:
    return intervals.mean(_finals(one))


def _some(names: Sequence[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 2 else ", ".join(names)


def _table(members: Sequence[CaseRuns]) -> Table:
    budget, lost, metric = _budget(members), beaten(members), _curve(members[0])
    columns = {
        "activation": [one.activation for one in members],
        heading(metric): [between(_final(one), metric) for one in members],
        f"in {REFERENCE}'s time": [
            between(intervals.mean(list(after(one, budget).values())), metric) for one in members
        ],
        "s a run": [f"{statistics.median(one.seconds):.2f}" for one in members],
        "MB for backward": [f"{(one.bytes_saved or 0) / MEGABYTE:.2f}" for one in members],
        "beaten by": [_some(lost[one.activation]) for one in members],
        "n": [runs(one) for one in members],
        "seeds": [seeds(one) for one in members],
    }
    return Table(members[0].title(), columns, (*NOTES, source(members)))


def _draw_memory(axes: Axes, members: Sequence[CaseRuns]) -> None:
    """Final values, the least memory at the top; full dots are beaten by none."""
    lost = beaten(members)
    ordered = sorted(members, key=lambda one: (one.bytes_saved, -one.measured.sign * _final(one).value))
    for place, one in enumerate(ordered):
        found = _final(one)
        axes.plot([found.low, found.high], [place, place], color="#0072B2", linewidth=1.2)
        face = "white" if lost[one.activation] else "#0072B2"
        axes.plot(found.value, place, "o", color="#0072B2", markerfacecolor=face, markersize=4.5)
    labels = [f"{one.activation}  {(one.bytes_saved or 0) / MEGABYTE:.2f} MB" for one in ordered]
    axes.set_yticks(range(len(ordered)), labels)
    axes.set_ylim(len(ordered) - 0.5, -0.5)
    axes.set_xlabel(f"final {axis_label(_curve(members[0]))} (hollow: beaten)")
