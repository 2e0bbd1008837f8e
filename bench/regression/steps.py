"""Steps: where a case changed from session to session. `python -m bench history`.

Sessions of equal bits are one state, however often they were run; where the states' means step is found by the best of
all partitions, with the spread of the runs as the noise and their numbers as the weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from tabulate import tabulate

from bench.cases.metric import Measured
from bench.records.history import Entry

# What a further step must save of the squared deviations, in variances of a mean, beyond 2 log(states). Simulated with
# three runs a state, and with one state of 1 to 31 among them, and normal noise: at most 2 % of histories of 5 to 30
# states without a step show one, and 90 % of those of 12 states show one of three standard errors in their middle.
PENALTY = 10.0
LEAST_VARIANCE = 1e-12  # equal runs have none but that of rounding


def states(entries: Sequence[Entry]) -> list[Entry]:
    """Those entries of one series whose bits differ from those of the entry before, on the seeds that both have."""

    def moved(one: Entry, other: Entry) -> bool:
        before, after = one.runs.bits, other.runs.bits
        shared = before.keys() & after.keys()
        return not shared or any(before[seed] != after[seed] for seed in shared)

    kept = list(entries[:1])
    for entry in entries[1:]:
        if moved(kept[-1], entry):
            kept.append(entry)
    return kept


def steps(series: Sequence[Entry]) -> list[int]:
    """Positions among the states of one series where the mean steps to another level.

    Only states with a run that trained count. Where they have but few more runs than they are states, the noise is not
    known and no step is found.
    """
    told = [(place, one) for place, one in enumerate(series) if one.runs.trained]
    squares = sum(float(np.var(one.runs.trained) * len(one.runs.trained)) for _, one in told)
    freedom = sum(len(one.runs.trained) - 1 for _, one in told)
    if len(told) < 2 or freedom < len(told):
        return []
    noise = math.sqrt(max(squares / freedom, LEAST_VARIANCE))
    scaled = [one.runs.mean / noise for _, one in told]
    weights = [len(one.runs.trained) for _, one in told]
    return [told[start][0] for start in segments(scaled, 2 * math.log(len(told)) + PENALTY, weights)[1:]]


def segments(values: Sequence[float], penalty: float, weights: Sequence[float]) -> list[int]:
    """Where the levels begin that fit a series best: the least weighted sum of squares, and a penalty for each level.

    Optimal partitioning (Jackson et al. 2005, IEEE Signal Processing Letters 12, 105): the best levels up to a place
    are those up to some place before it, and one more from there.
    """
    weight = np.asarray(weights, dtype=float)
    centred = np.asarray(values) - np.average(values, weights=weight)
    moments = (weight, weight * centred, weight * centred**2)
    runs, sums, squares = (np.concatenate([[0.0], np.cumsum(one)]) for one in moments)
    cost, last = [0.0], [0]
    for end in range(1, len(sums)):
        spread = squares[end] - squares[:end] - (sums[end] - sums[:end]) ** 2 / (runs[end] - runs[:end])
        totals = np.array(cost) + spread + penalty
        last.append(int(totals.argmin()))
        cost.append(float(totals.min()))
    found = [last[-1]]
    while found[0]:
        found.insert(0, last[found[0]])
    return found


def steps_text(entries: Sequence[Entry], everything: bool = False) -> str:
    """As text: every series with a step, its states before and after; or all series in full."""
    rows = []
    kept = sorted(entries, key=lambda one: (one.series, one.date))
    count = 0
    for _, group in groupby(kept, key=lambda one: one.series):
        count += 1
        series = states(list(group))
        found = steps(series)
        around = {near for step in found for near in range(_trained_before(series, step), step + 1)}
        shown = range(len(series)) if everything else sorted(around)
        rows += [_row(series, place, place in found) for place in shown]
    total = f"{count} case(s) in {len({one.commit for one in entries})} commit(s), {len(entries)} entries"
    if not rows:
        return f"{total}: no step beyond the noise"
    return f"{tabulate(rows, headers='keys', disable_numparse=True)}\n{total}; ▲ and ▼ mark where the mean steps"


def _trained_before(series: Sequence[Entry], place: int) -> int:
    """The last state before that of a step with a mean to step from."""
    return max(before for before in range(place) if series[before].runs.trained)


def _row(series: Sequence[Entry], place: int, stepped: bool) -> dict[str, str]:
    one = series[place]
    measured = Measured.parse(one.metric)
    scale = measured.factor
    gain = (one.runs.mean - series[_trained_before(series, place)].runs.mean) * scale if stepped else math.nan
    return {
        "case": f"{one.case.id} {one.environment[0]}",
        "date": one.date[:16].replace("T", " "),
        "commit": one.commit,
        "metric": measured.heading,
        "mean": f"{one.runs.mean * scale:.4g}" if one.runs.trained else "–",
        "n": ", ".join(filter(None, (str(one.runs.n), one.runs.untrained))),
        "verdict": one.verdict,
        "step": f"{'▲' if gain > 0 else '▼'} {gain:+.3g}" if stepped else "",
    }
