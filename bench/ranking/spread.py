"""What moves a result more, the activation or what surrounds it? `spread.beyond_activation(rows)`, seed by seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from bench.ranking import learning_rates
from bench.records.case_runs import CaseRuns, grouped
from bench.stats import intervals
from bench.stats.intervals import Estimate

Table: TypeAlias = Sequence[Sequence[CaseRuns]]  # a row an activation, a column a level of what surrounds it


def beyond_activation(table: Table) -> Estimate | None:
    """Standard deviation over the columns less that over the activations, of the judged metric, over shared seeds.

    The spread over columns is the mean of that within each activation, and the other way round. None where nothing
    crosses, or where no seed is in all cells.
    """
    if len(table) < 2 or len(table[0]) < 2 or len({len(row) for row in table}) > 1:
        return None
    cells = [[one.of(one.metric) for one in row] for row in table]
    seeds = set.intersection(*(set(runs) for row in cells for runs in row))
    tables = {seed: np.array([[runs[seed] for runs in row] for row in cells]) for seed in sorted(seeds)}
    over_columns = {seed: float(values.std(axis=1, ddof=1).mean()) for seed, values in tables.items()}
    over_activations = {seed: float(values.std(axis=0, ddof=1).mean()) for seed, values in tables.items()}
    return intervals.difference(over_columns, over_activations) if seeds else None


def by_rate(cases: Iterable[CaseRuns]) -> list[Table]:
    """A table a sweep, of the activations that were trained at each of its rates."""
    found: list[Table] = []
    for sweep in learning_rates.sweeps(cases):
        most = max(len(rates) for rates in sweep.rates.values())
        rows = [[rates[rate] for rate in sorted(rates)] for rates in sweep.rates.values() if len(rates) == most]
        found.append(rows)
    return found


def by_optimizer(cases: Iterable[CaseRuns]) -> list[Table]:
    """A table a network, data set and variant, each activation at its best rate, of those with every optimizer."""
    chosen = [one for sweep in learning_rates.sweeps(cases) for one in sweep.chosen().values()]
    found: list[Table] = []
    for members in grouped(chosen, _all_but_optimizer).values():
        rows = grouped(sorted(members, key=lambda one: one.case.optimizer), lambda one: one.activation).values()
        most = max(map(len, rows))
        found.append([row for row in rows if len(row) == most])
    return found


def _all_but_optimizer(one: CaseRuns) -> tuple[object, ...]:
    case = one.case.without("lr")
    return (case.experiment, case.model, case.dataset, case.variant, one.environment, one.metric)
