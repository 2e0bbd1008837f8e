"""Measured beside reported (A1 and all others): every metric that `reported.csv` has, with Spearman's correlation."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import stats

from bench.observation import Observation, grouped
from bench.views._table import INTERVAL, Table, cell, heading, number, runs, seeds, source

# As in the papers; whatever else is reported comes after.
ORDER = ("test_accuracy", "test_top3_accuracy", "test_f1", "test_loss", "epochs_to_stop")
FEWEST = 3  # a correlation of two ranks says nothing


def tables(observations: Sequence[Observation]) -> list[Table]:
    """One a block in which something is reported; one for all variants where these are what differs."""
    reported = [one for one in observations if _metrics(one)]
    found = []
    for family in grouped(reported, _family).values():
        apart = len({one.activation for one in family}) > 1
        found += [_table(members) for members in grouped(family, lambda one: one.block).values()] * apart
        found += [_table(family)] * (not apart)
    return found


def reproduces(one: Observation) -> bool:
    """Whether figures compare, and not only orders: the source's recipe on all of the data."""
    return one.key.scale != "tiny" and one.recipe["train_size"] is None


def _metrics(one: Observation) -> list[str]:
    """What is both measured and reported of a case."""
    shared = [name for name in one.reported if name in one.metrics]
    return sorted(shared, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def _family(one: Observation) -> tuple[object, ...]:
    """Everything but activation and variant."""
    return (one.case.experiment, one.case.model, one.case.dataset, one.case.optimizer, one.environment)


def _table(members: Sequence[Observation]) -> Table:
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
    notes = [text for metric in metrics if (text := _correlation(shown, metric))]
    if not reproduces(shown[0]):
        notes.append("not the source's recipe on all of its data: orders compare, figures do not")
    return Table(shown[0].title(*["variant"] * variants), columns, (*notes, INTERVAL, source(shown)))


def _correlation(members: Sequence[Observation], metric: str) -> str:
    pairs = [(one.figure(metric), one.reported[metric]) for one in members if metric in _metrics(one)]
    pairs = [pair for pair in pairs if all(map(math.isfinite, pair))]
    if len(pairs) < FEWEST or any(len(set(side)) == 1 for side in zip(*pairs, strict=True)):
        return ""
    ours, theirs = zip(*pairs, strict=True)
    found = stats.spearmanr(ours, theirs)
    name = metric.replace("_", " ")
    return f"{name}: Spearman's rank correlation {found.statistic:+.2f} over {len(pairs)} rows"
