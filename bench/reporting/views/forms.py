"""Forms of GELU (B8): how far each is off the exact one, how fast it is, and what networks learn with it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

import activations
from activations import reference
from bench.display.tables import INTERVAL, UNKNOWN, Table, cell, heading, runs, seeds, source
from bench.records.case_runs import CaseRuns, grouped
from bench.timing.kernels.recorded import RecordedKernel

EXACT = "gelu"
# Beyond it all forms are 0 or x to float32; 0.01 apart is fine enough for the largest difference to four digits.
WINDOW, POINTS = 6.0, 1201
SPEED = ("float32", "cache")  # of the recorded kernels: what a small network does


def tables(cases: Sequence[CaseRuns], kernels: Sequence[RecordedKernel] = ()) -> list[Table]:
    """One a block of an experiment that trains a form of GELU beside the exact one; their speed by recorded kernels."""
    blocks = grouped(cases, lambda one: one.block).values()
    rows = [row for row in kernels if (row.dtype, row.size) == SPEED]
    return [_table(members, rows) for members in blocks if _compares({one.activation for one in members})]


def error(name: str) -> float:
    """The largest distance from exact GELU."""
    x = np.linspace(-WINDOW, WINDOW, POINTS)
    return float(np.abs(reference.value(name, x) - reference.value(EXACT, x)).max())


def is_form(name: str) -> bool:
    """Whether an activation is a deterministic approximation of GELU."""
    if name not in activations.names():  # a user's own, of an earlier session
        return False
    entry = activations.info(name)
    return entry.variant_of == EXACT and entry.formula is not None and not entry.stochastic


def _compares(names: set[str]) -> bool:
    return EXACT in names and any(map(is_form, names))


def _table(members: Sequence[CaseRuns], rows: Sequence[RecordedKernel]) -> Table:
    metric = members[0].metric
    columns = {
        "activation": [one.activation for one in members],
        heading(metric): [cell(one, metric) for one in members],
        "test loss": [cell(one, "test_loss") for one in members] if metric != "test_loss" else [],
        "off GELU": [f"{error(one.activation):.2g}" if is_form(one.activation) else "" for one in members],
        "forward / relu": [_speed(rows, one.activation, "forward") for one in members],
        "with backward / relu": [_speed(rows, one.activation, "forward_backward") for one in members],
        "n": [runs(one) for one in members],
        "seeds": [seeds(one) for one in members],
    }
    notes = (
        f"{members[0].recipe['aggregate']} over runs; {INTERVAL}",
        f"off GELU: largest difference of the exact formulas for x in [-{WINDOW:g}, {WINDOW:g}]",
        f"times: recorded kernels, {', '.join(SPEED)}; {UNKNOWN} where pytest bench/timing/test_kernels.py has none",
        source(members),
    )
    return Table(members[0].title(), columns, notes)


def _speed(rows: Sequence[RecordedKernel], name: str, mode: str) -> str:
    """The geometric mean over the machines that have a row."""
    found = [row.mean_log_ratio_relu for row in rows if row.activation == name and row.mode == mode]
    return f"{math.exp(float(np.mean(found))):.2f}" if found else UNKNOWN
