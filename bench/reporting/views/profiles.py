"""Performance profiles: how often is an activation how close to the best?

A run's score is Dolan and More's performance ratio (2002, doi 10.1007/s101070100263), taken over runs as by rliable
(arXiv 2108.13264): its error over the lowest mean error of the block. The error is 1 less an accuracy (or another
share), or else the loss, so no level of chance and no unit has to be known. The profile of an activation is the share
of its runs within a factor tau of the best, each block counting alike. Where one profile lies above another for all
tau, that activation is the better one for every taste.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.display.tables import Table, interval, source, spans
from bench.ranking.problems import ByActivation, Family, families
from bench.records.case_runs import CaseRuns
from bench.stats import intervals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = (1.0, 1.1, 1.5, 2.0)  # factors in the tables
TICKS = (1, 1.5, 2, 3, 4)  # in the picture
ROUNDING = 1e-9  # equal runs are as good as their mean
TOGETHER = 6  # more bands hide each other
NOTES = (
    "within tau: share of runs whose error is at most tau times the lowest mean error of their block, blocks alike",
    "ratio: interquartile mean over all runs of that error ratio; 1 is as good as the best of each block",
    "[ ]: 95 %, bootstrap over the runs of each block (stratified, seeded): another seed, not another problem",
)


def tables(cases: Sequence[CaseRuns]) -> list[Table]:
    """One a family (see `bench.ranking.problems`), the lowest interquartile ratio first."""
    return [_table(family) for family in families(cases) if _scores(family)]


def figure(cases: Sequence[CaseRuns]) -> Figure | None:
    """Profiles with their bootstrap bands, a panel a family; bands are left out where there are too many."""
    from bench.display import figures

    found = [(family, scores) for family in families(cases) if (scores := _scores(family))]
    if not found:
        return None
    looks = figures.looks(name for _, scores in found for name in scores)
    drawing, places = figures.panel_grid(len(found), height=3.0)
    taus = np.geomspace(TICKS[0], TICKS[-1], 61)
    for axes, (family, scores) in zip(places, found, strict=True):
        for name, blocks in scores.items():
            axes.plot(taus, _share_within(taus)(*blocks, axis=-1), **looks[name], linewidth=1.5)
            if len(scores) <= TOGETHER and min(map(len, blocks)) > 1:
                band = intervals.resampled(blocks, _share_within(taus))
                axes.fill_between(taus, *band, color=looks[name]["color"], alpha=0.13, linewidth=0)
        axes.set_xscale("log")
        axes.set_xticks(TICKS, [f"{tau:g}" for tau in TICKS])
        axes.minorticks_off()
        axes.set_xlim(TICKS[0], TICKS[-1])
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("tau: error within this factor of the best")
        axes.set_ylabel("share of runs")
        figures.title(axes, family.title, family.cases)
    figures.legend(drawing, looks)
    return drawing


def _scores(family: Family) -> dict[str, list[NDArray[np.float64]]]:
    """Ratios by activation, block by block; blocks in which the best makes no error are left out."""
    best = [(block, _lowest(block)) for block in family.blocks]
    measured = [(block, lowest) for block, lowest in best if 0 < lowest < math.inf]
    return {name: [_errors(block[name]) / lowest for block, lowest in measured] for name in family.names if measured}


def _lowest(block: ByActivation) -> float:
    return min(float(_errors(one).mean()) for one in block.values())


def _errors(one: CaseRuns) -> NDArray[np.float64]:
    """Of each run; infinite where there is no value."""
    values = np.asarray(one.values)
    return np.where(np.isfinite(values), 1 - values if one.measured.higher_is_better else values, np.inf)


def _share_within(taus: NDArray[np.float64] | float) -> intervals.Statistic:
    """The profile at some factors, as a statistic of the scores of the blocks."""

    def share(*blocks: Any, axis: int) -> Any:
        at = np.reshape(taus, (*np.shape(taus), *[1] * blocks[0].ndim))
        return np.mean([(scores <= at + ROUNDING).mean(axis) for scores in blocks], axis=0)

    return share


def _table(family: Family) -> Table:
    scores = _scores(family)
    ratios = {name: intervals.bootstrap(blocks, intervals.interquartile_mean) for name, blocks in scores.items()}
    ordered = sorted(ratios, key=lambda name: ratios[name].value)
    columns = {"activation": ordered, "ratio": [interval(ratios[name], "{:.2f}") for name in ordered]}
    for tau in SHOWN:
        shares = [intervals.bootstrap(scores[name], _share_within(tau)) for name in ordered]
        columns[f"within {tau:g}"] = [interval(share, "{:.2f}") for share in shares]
    members = family.cases
    return Table(family.title, columns, (*NOTES, family.note, spans(members), source(members)))
