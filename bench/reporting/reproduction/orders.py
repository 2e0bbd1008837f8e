"""Do the runs order the cells of a table as its document does? `orders.orders_of(table)`, in words for each cell.

Pairs of cells are told apart by their differences seed by seed, Holm over all pairs of a metric at 5 %, as the claims
are judged: unlike the ranking's Games-Howell procedure it holds its level with three runs too. What the document prints
is taken as it stands, since it has no intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations

from bench.cases.metric import Measured
from bench.display.tables import UNKNOWN
from bench.records.case_runs import CaseRuns, grouped
from bench.records.reported import ReportedCell
from bench.reporting.reproduction.tables import AnsweredCell, ReportedTable
from bench.reporting.views import literature
from bench.stats import intervals
from bench.stats.intervals import LEVEL, Estimate

COEFFICIENT = "Kendall's tau"
FEWEST_RUNS = 5  # a bootstrap of three runs covers 54 to 76 % (see the view `aggregates`), which is no interval


def orders_of(table: ReportedTable) -> dict[ReportedCell, str]:
    """`yes 1, tied 3`, `no 1, tied 3` or `tied`: by the other cells of its metric and environment."""
    pairs = (pair for cells in _compared(table) for pair in zip(cells, _said(cells), strict=True))
    return {cell.reported: said for cell, said in pairs}


def correlations(table: ReportedTable) -> list[str]:
    """A line for each metric that has three cells or more from one environment."""
    lines = []
    for cells in _compared(table):
        runs = [one.runs for one in cells if one.runs]
        found = literature.rank_correlation(runs, cells[0].metric, COEFFICIENT) if runs else None
        if found:
            ends = f" [{found.low:+.2f}, {found.high:+.2f}]" if found.known and found.n >= FEWEST_RUNS else ""
            label = Measured.parse(cells[0].metric).label
            lines.append(f"{label}: {COEFFICIENT} {found.value:+.2f}{ends} over {len(runs)} cells, p = {found.p:.2g}")
    return lines


def _compared(table: ReportedTable) -> list[list[AnsweredCell]]:
    """The cells that compare: of one metric, measured at one scale, on the same data, on one kind of device."""

    def place(one: AnsweredCell) -> tuple[object, ...]:
        return (one.metric, one.runs and (one.runs.environment, one.runs.case.dataset))

    return list(grouped(table.cells, place).values())


def _said(cells: Sequence[AnsweredCell]) -> list[str]:
    if len(cells) < 2 or cells[0].runs is None:
        return [UNKNOWN] * len(cells)
    ahead = _ahead([one.runs for one in cells if one.runs], cells[0].metric)
    sign = Measured.parse(cells[0].metric).sign
    same, contrary = [0] * len(cells), [0] * len(cells)
    for one, other in permutations(range(len(cells)), 2):
        if (one, other) in ahead:
            gap = sign * (cells[one].reported.value - cells[other].reported.value)
            counts = same if gap > 0 else contrary if gap < 0 else [0] * len(cells)
            counts[one] += 1
            counts[other] += 1
    return [_words(yes, no, len(cells) - 1 - yes - no) for yes, no in zip(same, contrary, strict=True)]


def _words(yes: int, no: int, tied: int) -> str:
    said = {"yes": yes, "no": no, "tied": tied}
    counted = [f"{word} {count}" for word, count in said.items() if count]
    return ", ".join(counted) if len(counted) > 1 else counted[0].split()[0]


def _ahead(runs: Sequence[CaseRuns], metric: str) -> set[tuple[int, int]]:
    """Pairs of positions of which the first is significantly better."""
    pairs = list(combinations(range(len(runs)), 2))
    gains = [_gain(runs[one], runs[other], metric) for one, other in pairs]
    adjusted = intervals.holm([gain.p for gain in gains])
    told = [(pair, gain.value) for pair, gain, p in zip(pairs, gains, adjusted, strict=True) if p < LEVEL]
    return {pair if gain > 0 else pair[::-1] for pair, gain in told}


def _gain(one: CaseRuns, other: CaseRuns, metric: str) -> Estimate:
    found = intervals.difference(one.compared(metric), other.compared(metric), one.step(metric))
    return found.times(Measured.parse(metric).sign)
