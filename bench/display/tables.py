"""A table of a view and its cells: `Table(title, columns, notes).render()`."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from bench.records.case_runs import Observation, is_fraction
from bench.records.record import untrained
from bench.stats import intervals
from bench.stats.intervals import Estimate

INTERVAL = "± is the mean's 95 % interval over runs"
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
    return metric.replace("_", " ") + (" %" if is_fraction(metric) else "")


def number(value: float, metric: str) -> str:
    """A figure of a metric, fractions in per cent."""
    if not math.isfinite(value):
        return UNKNOWN
    if is_fraction(metric):
        return f"{value * 100:.2f}"
    return f"{value:.1f}" if "epochs" in metric else f"{value:.4f}"


def cell(one: Observation, metric: str) -> str:
    """`97.04 ± 0.85`: the figure and its interval; a dash where it was not measured."""
    if metric not in one.metrics:
        return UNKNOWN
    found = intervals.mean(one.metrics[metric])
    half = f" ± {number(found.half, metric)}" if found.known else ""
    return number(one.figure(metric), metric) + half


def interval(found: Estimate, form: str) -> str:
    """`0.61 [0.52, 0.70]`; the figure alone where there is no interval, a dash where there is no figure."""
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


def runs(one: Observation) -> str:
    """`20 (2 collapsed)`."""
    named = untrained(one.outcomes)
    return f"{one.n} ({named})" if named else str(one.n)


def seeds(one: Observation) -> str:
    """`0–19`, or each of them where some between are missing."""
    first, last = min(one.seeds), max(one.seeds)
    if last - first + 1 != one.n:
        return " ".join(map(str, sorted(one.seeds)))
    return str(first) if first == last else f"{first}–{last}"


def spans(observations: Iterable[Observation]) -> str:
    """`n = 10–20 runs an activation and block, seeds 0–19`: of a table over many blocks."""
    members = list(observations)
    sizes = sorted({one.n for one in members})
    n = f"{sizes[0]}–{sizes[-1]}" if len(sizes) > 1 else str(sizes[0])
    every = [seed for one in members for seed in one.seeds]
    return f"n = {n} runs an activation and block, seeds {min(every)}–{max(every)}"


def source(observations: Iterable[Observation]) -> str:
    """Where the runs of a table come from."""
    counts = Counter(one.provenance for one in observations)
    words = {"results": "records", "baseline": "recorded baselines"}
    return "from " + " and ".join(f"{words[kind]} of {n} case{'s' * (n > 1)}" for kind, n in sorted(counts.items()))
