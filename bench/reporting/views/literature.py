"""Measured beside reported (A1 and all others): every metric that `reported.csv` has, with rank correlations.

Two things are unsure in a correlation, and each is said: how far our seeds might have ordered the activations otherwise
(an interval), and how often so few rows agree as much by chance (p).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from bench.display.tables import INTERVAL, Table, axis_label, cell, heading, interval, number, runs, seeds, source
from bench.records.case_runs import CaseRuns, grouped
from bench.stats import intervals
from bench.stats.intervals import Estimate

# As in the papers; whatever else is reported comes after.
ORDER = ("test_accuracy", "test_top3_accuracy", "test_f1", "test_loss", "epochs_to_stop")
FEWEST = 3  # a correlation of two ranks says nothing
PERMUTATIONS = 999  # of the rows; all of them where there are no more, as of six rows
CORRELATIONS = (
    "[ ]: 95 %, bootstrap over our runs (seeded); p: how often rows in a random order agree or disagree as much, "
    "which is 0.33 of 3 rows at best, 0.083 of 4 and 0.017 of 5"
)


def tables(cases: Sequence[CaseRuns]) -> list[Table]:
    """One a block in which something is reported; one for all variants where these are what differs."""
    reported = [one for one in cases if _metrics(one)]
    found = []
    for family in grouped(reported, _family).values():
        apart = len({one.activation for one in family}) > 1
        found += [_table(members) for members in grouped(family, lambda one: one.block).values()] * apart
        found += [_table(family)] * (not apart)
    return found


def _metrics(one: CaseRuns) -> list[str]:
    """What is both measured and reported of a case."""
    shared = [name for name in one.reported if name in one.metrics]
    return sorted(shared, key=place_of)


def place_of(metric: str) -> tuple[int, str]:
    """By which metrics are sorted as the papers have them."""
    return (ORDER.index(metric) if metric in ORDER else len(ORDER), metric)


def _family(one: CaseRuns) -> tuple[object, ...]:
    """Everything but activation and variant."""
    return (one.case.experiment, one.case.model, one.case.dataset, one.case.optimizer, one.environment)


def _table(members: Sequence[CaseRuns]) -> Table:
    metrics = list(dict.fromkeys(name for one in members for name in _metrics(one)))
    shown = sorted(members, key=lambda one: one.reported.get(metrics[0], -math.inf), reverse=True)
    variants = len({one.case.variant for one in members}) > 1
    columns: dict[str, list[str]] = {
        "activation": [one.activation for one in shown],
        "variant": [one.case.variant for one in shown] if variants else [],
    }
    for metric in metrics:
        columns[heading(metric)] = [cell(one, metric) for one in shown]
        columns[f"{heading(metric)}, reported"] = [number(one.reported.get(metric, math.nan), metric) for one in shown]
    columns |= {"n": [runs(one) for one in shown], "seeds": [seeds(one) for one in shown]}
    notes = [line for metric in metrics for line in _correlations(shown, metric)]
    notes += [CORRELATIONS] if notes else []
    if not shown[0].reproduces:
        notes.append("not the source's recipe on all of its data: orders compare, figures do not")
    return Table(shown[0].title(*["variant"] * variants), columns, (*notes, INTERVAL, source(shown)))


def _correlations(members: Sequence[CaseRuns], metric: str) -> list[str]:
    """A line for each coefficient; none where there is nothing to correlate."""
    shown = [one for one in members if metric in _metrics(one)]
    found = [(name, rank_correlation(shown, metric, name)) for name in COEFFICIENTS]
    return [
        f"{axis_label(metric)}: {name} {interval(one, '{:+.2f}')} over {len(shown)} rows, p = {one.p:.2g}"
        for name, one in found
        if one
    ]


def rank_correlation(shown: Sequence[CaseRuns], metric: str, name: str) -> Estimate | None:
    """Of our order with the reported one, by a name of `COEFFICIENTS`; its n is the fewest runs of a row.

    Its interval is over our runs alone, its p the chance that rows in a random order agree or disagree as much. None
    with fewer than three rows, where all of a side are equal, and where a value is not finite.
    """
    sides = [one.aggregate(metric) for one in shown], [one.reported[metric] for one in shown]
    if len(shown) < FEWEST or any(len(set(side)) == 1 or not all(map(math.isfinite, side)) for side in sides):
        return None
    by_order = _by_order(COEFFICIENTS[name], [one.reported[metric] for one in shown])
    aggregate = np.median if shown[0].recipe["aggregate"] == "median" else np.mean

    def over_runs(*runs: Any, axis: int) -> Any:
        return by_order(np.stack([aggregate(each, axis=axis) for each in runs], axis=-1), axis=-1)

    paired = len({one.seeds for one in shown}) == 1
    found = intervals.bootstrap([one.metrics[metric] for one in shown], over_runs, paired=paired)
    chance = stats.permutation_test(
        [[one.aggregate(metric) for one in shown]],
        by_order,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        rng=np.random.default_rng(0),
    )
    return replace(found, p=float(chance.pvalue))


def _centred(ranks: Any) -> Any:
    return ranks - ranks.mean(axis=-1, keepdims=True)


def _signs(ranks: Any) -> Any:
    one, other = np.triu_indices(ranks.shape[-1], k=1)
    return np.sign(ranks[..., one] - ranks[..., other])


# Each coefficient is the cosine of two such vectors (Daniels 1944), one for our order and one for theirs.
COEFFICIENTS: dict[str, Callable[[Any], Any]] = {
    "Spearman's rank correlation": _centred,
    "Kendall's tau": _signs,  # tau-b, which has ties
}


def _by_order(vector: Callable[[Any], Any], reported: Sequence[float]) -> Callable[..., Any]:
    """A coefficient of rank correlation with what is reported, vectorized."""
    theirs = vector(stats.rankdata(reported))

    def statistic(values: Any, axis: int) -> Any:
        ours = vector(stats.rankdata(np.moveaxis(values, axis, -1), axis=-1))
        return ours @ theirs / (np.linalg.norm(ours, axis=-1) * np.linalg.norm(theirs))

    return statistic
