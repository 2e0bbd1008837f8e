"""Number of hinges (A5): accuracy against it, and the lack-of-fit test of a straight line through the accuracies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.display.tables import INTERVAL, Table, cell, heading, runs, seeds, source
from bench.records.case_runs import CaseRuns, grouped
from bench.stats import intervals
from bench.stats.intervals import LEVEL, Line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Ladder = Mapping[int, CaseRuns]


def ladders(cases: Sequence[CaseRuns]) -> list[Ladder]:
    """Cases that differ in the number of hinges alone, by that number, ascending; two numbers or more."""

    def others(one: CaseRuns) -> tuple[object, ...]:
        return (one.case.without("hinges"), one.environment)

    hinged = [one for one in cases if "hinges" in one.case.settings]
    found = [{int(one.case.settings["hinges"]): one for one in members} for members in grouped(hinged, others).values()]
    return [dict(sorted(ladder.items())) for ladder in found if len(ladder) > 1]


def straight_line(ladder: Ladder) -> Line | None:
    """The straight line through all runs of a ladder; None where it cannot be tested."""
    return intervals.line({hinges: one.metrics[one.metric] for hinges, one in ladder.items()})


def tables(cases: Sequence[CaseRuns]) -> list[Table]:
    """One a ladder."""
    return [_table(ladder) for ladder in ladders(cases)]


def figure(cases: Sequence[CaseRuns]) -> Figure | None:
    """One panel a ladder: means with 95 % intervals, and the line."""
    from bench.display import figures

    found = ladders(cases)
    if not found:
        return None
    drawing, grid = figures.panels(1, len(found))
    for axes, ladder in zip(grid[0], found, strict=True):
        first = next(iter(ladder.values()))
        means = [intervals.mean(one.metrics[first.metric]) for one in ladder.values()]
        halves = [one.half if one.known else 0.0 for one in means]
        axes.errorbar(
            list(ladder), [one.value for one in means], halves, fmt="o", color="#0072B2", markersize=4, capsize=2
        )
        said = ""
        if fit := straight_line(ladder):
            ends = np.array([min(ladder), max(ladder)])
            axes.plot(ends, fit.intercept + fit.slope * ends, color="#D55E00", linewidth=1.2)
            verdict = "not a line" if fit.p < LEVEL else "a line is not refuted"
            said = f"\n{verdict}: lack of fit p = {fit.p:.2g}"
        axes.set_xticks(list(ladder))
        axes.set_xlabel(f"hinges{said}")
        axes.set_ylabel(first.measured.label)
        figures.title(axes, first.title("variant"), ladder.values())
    return drawing


def _table(ladder: Ladder) -> Table:
    first = next(iter(ladder.values()))
    columns = {
        "hinges": list(map(str, ladder)),
        heading(first.metric): [cell(one, first.metric) for one in ladder.values()],
        "n": [runs(one) for one in ladder.values()],
        "seeds": [seeds(one) for one in ladder.values()],
    }
    fit = straight_line(ladder)
    said = "no lack-of-fit test: it takes three numbers of hinges, and two runs of one of them"
    if fit:
        verdict = "a straight line does not suffice" if fit.p < LEVEL else "the runs do not refute a straight line"
        said = f"{verdict}: lack-of-fit F test, p = {fit.p:.2g}, n={fit.n}"
    return Table(first.title("variant"), columns, (said, INTERVAL, source(ladder.values())))
