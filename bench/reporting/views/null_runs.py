"""Null runs (D6): how often an activation's runs collapse or diverge, and the accuracy with and without them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.display.tables import Table, heading, number, percent, runs, seeds, source
from bench.records.case_runs import CaseRuns, grouped
from bench.stats import intervals
from bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class NullRuns:
    """Runs of one activation, of one case or several."""

    runs: int
    collapsed: int
    diverged: int

    @property
    def nulls(self) -> int:
        return self.collapsed + self.diverged

    @property
    def rate(self) -> Estimate:
        """The share of null runs, with Clopper and Pearson's exact interval."""
        return intervals.share(self.nulls, self.runs)


def counted(cases: Iterable[CaseRuns]) -> NullRuns:
    """Null runs among all runs of some cases."""
    outcomes = [outcome for one in cases for outcome in one.outcomes]
    return NullRuns(len(outcomes), outcomes.count("collapsed"), outcomes.count("diverged"))


def tables(cases: Sequence[CaseRuns]) -> list[Table]:
    """One a block, and one over all variants that have every activation, where there are several."""
    found = []
    for family in grouped(cases, _family).values():
        blocks = list(grouped(family, lambda one: one.block).values())
        found += [_block(members) for members in blocks]
        most = max(map(len, blocks))
        whole = [members for members in blocks if len(members) == most]  # else an easy variant could favour one
        if len(whole) > 1:
            found.append(_pooled([one for members in whole for one in members], len(whole)))
    return found


def figure(cases: Sequence[CaseRuns]) -> Figure | None:
    """The rate of each activation with its exact interval, one panel a block."""
    from bench.display import figures

    blocks = list(grouped(cases, lambda one: one.block).values())
    if not blocks:
        return None
    tallest = max(map(len, blocks))
    drawing, places = figures.panel_grid(len(blocks), height=0.9 + 0.24 * tallest)
    for axes, members in zip(places, blocks, strict=True):
        for height, one in enumerate(members):
            rate = counted([one]).rate
            axes.plot([rate.low * 100, rate.high * 100], [height, height], color="#0072B2", linewidth=1.2)
            axes.plot(rate.value * 100, height, "o", color="#0072B2", markersize=4)
        axes.set_yticks(range(len(members)), [one.activation for one in members])
        axes.invert_yaxis()
        axes.set_xlim(-2, 102)
        axes.set_xlabel("null runs %, exact 95 % interval")
        figures.title(axes, members[0].title(), members)
    return drawing


def _family(one: CaseRuns) -> tuple[object, ...]:
    """Everything but activation and variant."""
    return (one.case.experiment, one.case.model, one.case.dataset, one.case.optimizer, one.environment)


def _block(members: Sequence[CaseRuns]) -> Table:
    metric = members[0].metric
    columns = {
        "activation": [one.activation for one in members],
        **_counted([counted([one]) for one in members]),
        f"{heading(metric)}, all runs": [number(one.aggregate(metric), metric) for one in members],
        "without null runs": [_trained(one) for one in members],
        "n": [runs(one) for one in members],
        "seeds": [seeds(one) for one in members],
    }
    notes = (f"{members[0].recipe['aggregate']} over runs; {_RATE}", source(members))
    return Table(members[0].title(), columns, notes)


def _pooled(family: Sequence[CaseRuns], blocks: int) -> Table:
    by_name = grouped(family, lambda one: one.activation)
    columns = {"activation": list(by_name), **_counted([counted(members) for members in by_name.values()])}
    return Table(f"{family[0].title('variant')}: all {blocks} variants", columns, (_RATE, source(family)))


_RATE = "null runs: collapsed or diverged, share with the exact 95 % interval (Clopper-Pearson)"


def _counted(counts: Sequence[NullRuns]) -> dict[str, list[str]]:
    return {
        "runs": [str(one.runs) for one in counts],
        "collapsed": [str(one.collapsed) for one in counts],
        "diverged": [str(one.diverged) for one in counts],
        "null runs": [percent(one.rate) for one in counts],
    }


def _trained(one: CaseRuns) -> str:
    pairs = zip(one.metrics[one.metric], one.outcomes, strict=True)
    values = [value for value, outcome in pairs if outcome == "trained"]
    return number(intervals.mean(values).value if values else math.nan, one.metric)
