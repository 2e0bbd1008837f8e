"""Accuracy at equal cost: what each activation reaches in the time relu takes, and beside the memory it needs.

Epochs are an unequal budget: some activations take twice the time of relu and keep twice the bytes. Time is that of
training steps, by the median run, and compares within one session on one idle machine only.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.display.tables import Table, between, heading, runs, seeds, source
from bench.records.case_runs import Observation, grouped
from bench.reporting.views.curves import averaged
from bench.stats import intervals, ties
from bench.stats.intervals import LEVEL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OPPONENT = "relu"
CURVE = "validation_accuracy"
MEGABYTE = 1e6
NOTES = (
    f"in {OPPONENT}'s time: where each curve was when {OPPONENT}'s median run ended, or its end if earlier",
    "beaten by: activations that keep no more bytes and end better (Games-Howell, 5 %)",
    "times are those of one session on one machine; mean [95 % interval over runs, Student's]",
)


def tables(observations: Sequence[Observation]) -> list[Table]:
    """One a block with relu whose records have curves of the validation accuracy; the most accurate first."""
    return [_table(members) for members in _blocks(observations)]


def figure(observations: Sequence[Observation]) -> Figure | None:
    """A row a block: mean accuracy against seconds on the left, final accuracy by ascending memory on the right."""
    from bench.display import figures

    blocks = _blocks(observations)
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
        left.set_xlabel(f"seconds of training (dotted: {OPPONENT}'s)")
        left.set_ylabel(CURVE.replace("_", " "))
        _draw_memory(right, members)
        figures.title(left, members[0].title(), members)
    figures.legend(drawing, looks)
    return drawing


def within(one: Observation, seconds: float) -> dict[int, float]:
    """Validation accuracy by seed after so many seconds of training; NaN before the end of the first epoch."""
    epochs = seconds / _pace(one)
    return {
        seed: float(np.interp(epochs, range(1, len(curve) + 1), curve, left=np.nan))
        for seed, curve in zip(one.seeds, _curves(one), strict=True)
    }


def beaten(members: Sequence[Observation]) -> dict[str, list[str]]:
    """By activation, those that keep no more bytes for backward and end better: what is not on the Pareto front."""
    finals = [_finals(one) for one in members]
    p = ties.p_values(finals)
    means = [statistics.fmean(values) for values in finals]
    return {
        one.activation: [
            other.activation
            for j, other in enumerate(members)
            if p[i, j] < LEVEL and means[j] > means[i] and (other.bytes_saved or 0) <= (one.bytes_saved or 0)
        ]
        for i, one in enumerate(members)
    }


def _blocks(observations: Sequence[Observation]) -> list[list[Observation]]:
    """With relu and another, the best at the end first."""
    timed = [one for one in observations if one.bytes_saved and one.seconds and all(map(_has_curve, one.curves))]
    blocks = grouped([one for one in timed if one.curves], lambda one: one.block).values()
    return [
        sorted(members, key=lambda one: -_final(one).value)
        for members in blocks
        if len(members) > 1 and OPPONENT in {one.activation for one in members}
    ]


def _has_curve(curves: Mapping[str, Sequence[float]]) -> bool:
    return bool(curves.get(CURVE))


def _curves(one: Observation) -> list[Sequence[float]]:
    return [curves[CURVE] for curves in one.curves]


def _pace(one: Observation) -> float:
    """Seconds an epoch, of the median run."""
    return statistics.median(seconds / len(curve) for seconds, curve in zip(one.seconds, _curves(one), strict=True))


def _budget(members: Sequence[Observation]) -> float:
    """Seconds that relu's median run took."""
    return next(statistics.median(one.seconds) for one in members if one.activation == OPPONENT)


def _finals(one: Observation) -> list[float]:
    return [curve[-1] for curve in _curves(one)]


def _final(one: Observation) -> intervals.Estimate:
    return intervals.mean(_finals(one))


def _some(names: Sequence[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 2 else ", ".join(names)


def _table(members: Sequence[Observation]) -> Table:
    budget, lost = _budget(members), beaten(members)
    columns = {
        "activation": [one.activation for one in members],
        heading(CURVE): [between(_final(one), CURVE) for one in members],
        f"in {OPPONENT}'s time": [
            between(intervals.mean(list(within(one, budget).values())), CURVE) for one in members
        ],
        "s a run": [f"{statistics.median(one.seconds):.2f}" for one in members],
        "MB for backward": [f"{(one.bytes_saved or 0) / MEGABYTE:.2f}" for one in members],
        "beaten by": [_some(lost[one.activation]) for one in members],
        "n": [runs(one) for one in members],
        "seeds": [seeds(one) for one in members],
    }
    return Table(members[0].title(), columns, (*NOTES, source(members)))


def _draw_memory(axes: Axes, members: Sequence[Observation]) -> None:
    """Final accuracies, the least memory at the top; full dots are beaten by none."""
    lost = beaten(members)
    ordered = sorted(members, key=lambda one: (one.bytes_saved, -_final(one).value))
    for place, one in enumerate(ordered):
        found = _final(one)
        axes.plot([found.low, found.high], [place, place], color="#0072B2", linewidth=1.2)
        face = "white" if lost[one.activation] else "#0072B2"
        axes.plot(found.value, place, "o", color="#0072B2", markerfacecolor=face, markersize=4.5)
    labels = [f"{one.activation}  {(one.bytes_saved or 0) / MEGABYTE:.2f} MB" for one in ordered]
    axes.set_yticks(range(len(ordered)), labels)
    axes.set_ylim(len(ordered) - 0.5, -0.5)
    axes.set_xlabel("final validation accuracy (hollow: beaten)")
