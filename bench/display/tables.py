"""A table of a view and its cells: `Table(title, columns, notes).render()`."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tabulate import tabulate

from bench.cases.metric import Measured
from bench.records.case_runs import CaseRuns
from bench.stats import intervals
from bench.stats.intervals import Estimate

INTERVAL = "± is the mean's 95 % interval over runs, brackets a median's"
UNKNOWN = "–"
WIDTH = 110  # of a note in the terminal


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        title: experiment, model, data by its label, optimizer, variant and scale.
        columns: cells as text, by heading; columns without any text are left out.
        notes: lines below, such as what the intervals are.
    """

    title: str
    columns: Mapping[str, Sequence[str]]
    notes: tuple[str, ...] = ()

    def render(self, style: str = "simple") -> str:
        """As text; `style` is one of tabulate's."""
        shown = {heading: cells for heading, cells in self.columns.items() if any(cells)}
        body = tabulate(shown, headers="keys", tablefmt=style, disable_numparse=True)
        if style == "github":
            return "\n\n".join([f"### {self.title}", body, "  \n".join(self.notes)]).rstrip()
        notes = [textwrap.fill(note, WIDTH, break_on_hyphens=False, subsequent_indent="  ") for note in self.notes]
        return "\n".join([self.title, body, *notes])


def heading(metric: str) -> str:
    """`test accuracy %`, `test loss`."""
    return Measured.parse(metric).heading


def axis_label(metric: str) -> str:
    """`test accuracy`: for axes, where values are not in per cent."""
    return Measured.parse(metric).label


def number(value: float, metric: str) -> str:
    """A value of a metric with the digits that it is shown with, a fraction in per cent; a dash where it is none."""
    measured = Measured.parse(metric)
    return f"{value * measured.factor:.{measured.metric.digits}f}" if math.isfinite(value) else UNKNOWN


def cell(one: CaseRuns, metric: str) -> str:
    """`97.04 ± 0.85`, of a median `97.04 [96.10, 97.90]`: the aggregate and its interval; a dash where it is none."""
    if metric not in one.metrics or not math.isfinite(one.aggregate(metric)):
        return UNKNOWN
    found = replace(intervals.centre(one.metrics[metric], one.recipe["aggregate"]), value=one.aggregate(metric))
    if one.recipe["aggregate"] == "median":
        return between(found, metric)
    half = f" ± {number(found.half, metric)}" if found.known else ""
    return number(found.value, metric) + half


def interval(found: Estimate, form: str) -> str:
    """`0.61 [0.52, 0.70]`; the value alone where there is no interval, a dash where there is no value."""
    if not math.isfinite(found.value):
        return UNKNOWN
    ends = f" [{form.format(found.low)}, {form.format(found.high)}]" if found.known else ""
    return form.format(found.value) + ends


def between(found: Estimate, metric: str) -> str:
    """`97.04 [96.10, 97.90]`: an estimate of a metric and its interval."""
    ends = f" [{number(found.low, metric)}, {number(found.high, metric)}]" if found.known else ""
    return number(found.value, metric) + ends


def percent(found: Estimate) -> str:
    """`10 % [1, 44]`: a share and its interval."""
    return f"{found.value:.0%}".replace("%", " %") + f" [{found.low * 100:.0f}, {found.high * 100:.0f}]"


def runs(one: CaseRuns) -> str:
    """`20 (2 collapsed)`."""
    return f"{one.n} ({one.runs.untrained})" if one.runs.untrained else str(one.n)


def seeds(one: CaseRuns) -> str:
    """`0–19`, or each of them where some between are missing."""
    first, last = min(one.seeds), max(one.seeds)
    if last - first + 1 != one.n:
        return " ".join(map(str, sorted(one.seeds)))
    return str(first) if first == last else f"{first}–{last}"


def spans(cases: Iterable[CaseRuns]) -> str:
    """`n = 10–20 runs an activation and block, seeds 0–19`: of a table over many blocks."""
    members = list(cases)
    sizes = sorted({one.n for one in members})
    n = f"{sizes[0]}–{sizes[-1]}" if len(sizes) > 1 else str(sizes[0])
    every = [seed for one in members for seed in one.seeds]
    return f"n = {n} runs an activation and block, seeds {min(every)}–{max(every)}"


def how_many(number: int, noun: str) -> str:
    """`1 case`, `2 cases`."""
    return f"{number} {noun}{'s' * (number != 1)}"


def source(cases: Iterable[CaseRuns]) -> str:
    """Where the runs of a table come from."""
    counts = Counter(one.provenance for one in cases)
    words = {"results": "records", "baseline": "recorded baselines"}
    return "from " + " and ".join(f"{words[kind]} of {how_many(n, 'case')}" for kind, n in sorted(counts.items()))
