"""Rank: which activation is best in each block, and do the blocks agree? `rank.blocks(cases)`.

A rank is a range: `1–3` says that nothing separates the first three. Two activations differ significantly by
the Games-Howell procedure at a family-wise 5 % within their block (`bench.stats.ties`), in the direction of their
order; with one seed nothing does.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby

import numpy as np
from scipy import stats

import activations
from bench.records.case_runs import CaseRuns, grouped
from bench.stats import intervals, power, ties
from bench.stats.intervals import LEVEL, Estimate


@dataclass(frozen=True)
class RankedActivation:
    """One activation in its block; figures are over all its seeds, collapsed and diverged runs included.

    Attributes:
        runs: of the activation.
        best, worst: the range of ranks that the data allow, from 1.
        letters: those of its tie groups; activations that share one are tied, all others are apart.
    """

    runs: CaseRuns
    best: int
    worst: int
    letters: str

    @property
    def activation(self) -> str:
        return self.runs.activation

    @property
    def label(self) -> str:
        return activations.info(self.activation).label

    @property
    def rank(self) -> str:
        return str(self.best) if self.best == self.worst else f"{self.best}–{self.worst}"

    @property
    def aggregate(self) -> float:
        """The judged metric over the seeds, as the recipe aggregates it."""
        return self.runs.aggregate(self.runs.metric)

    @property
    def estimate(self) -> Estimate:
        """The aggregate with its own interval."""
        return replace(intervals.centre(self.runs.values, self.runs.recipe["aggregate"]), value=self.aggregate)

    @property
    def outcomes(self) -> str:
        """Runs that did not train, such as `2 collapsed`."""
        return self.runs.runs.untrained

    @property
    def reported(self) -> float | None:
        """What the literature reports, where the runs reproduce its recipe."""
        return self.runs.reported.get(self.runs.metric) if self.runs.reproduces else None

    def mean_of(self, metric: str) -> float:
        """Over the runs; NaN where it was not measured, or one of them is not finite."""
        return _mean(self.runs.metrics.get(metric, ()))

    @property
    def seconds(self) -> float:
        """Of training, a run."""
        return _mean(self.runs.seconds)


@dataclass(frozen=True)
class RankedBlock:
    """The activations of one (experiment, model, dataset, optimizer, variant) in one environment, best first.

    Attributes:
        separated: pairs of positions in `rows` that differ significantly.
    """

    rows: tuple[RankedActivation, ...]
    separated: frozenset[tuple[int, int]]

    @property
    def first(self) -> CaseRuns:
        """All but its activation holds for the block."""
        return self.rows[0].runs

    @property
    def title(self) -> str:
        return self.first.title()

    @property
    def metric(self) -> str:
        """What is ranked by."""
        return self.first.metric

    @property
    def higher_is_better(self) -> bool:
        return self.first.measured.higher_is_better

    @property
    def line(self) -> str:
        """`ELU(63.70) > LReLU(62.88) ~ ReLU(62.10)`: `>` where neighbours differ significantly, else `~`."""
        measured = self.first.measured
        words = [f"{row.label}({row.aggregate * measured.factor:.{measured.metric.digits}f})" for row in self.rows]
        better = ">" if self.higher_is_better else "<"
        signs = [better if (place, place + 1) in self.separated else "~" for place in range(len(words) - 1)]
        return " ".join(word for pair in zip(words, [*signs, ""], strict=True) for word in pair).strip()

    @property
    def reach(self) -> str:
        """Which difference these runs could have shown; empty where there is nothing to compare or no spread."""
        samples = [row.runs.values for row in self.rows]
        n = min(map(len, samples))
        found = power.detectable(power.typical_sd(samples), n, len(samples)) if len(samples) > 1 else math.nan
        if not math.isfinite(found):
            return ""
        points = self.first.measured.points
        size = f"{found * 100:.1f}{points}" if points else f"{found:.2g}"
        return f"a difference of {size} would have shown with {power.POWER:.0%} power (n={n}, all pairs at 5 %)"

    @property
    def notes(self) -> list[str]:
        """What stands below its table."""
        return [note for note in (self.reach, self.agreement_with_literature) if note]

    @property
    def agreement_with_literature(self) -> str:
        """Spearman's rank correlation with what is reported; empty with fewer than three of them."""
        sign = self.first.measured.sign
        known = [(row.runs.score(self.metric), row.reported) for row in self.rows if row.reported is not None]
        pairs = [(score, sign * reported) for score, reported in known]
        if len(pairs) < 3:
            return ""
        ours, theirs = zip(*pairs, strict=True)
        return f"Spearman's rank correlation with the reported figures {_spearman(ours, theirs):+.2f} (n={len(pairs)})"


@dataclass(frozen=True)
class Overall:
    """Over the blocks that rank the same activations: mean ranks, best first, and Kendall's W."""

    mean_ranks: tuple[tuple[str, float], ...]
    kendalls_w: float
    blocks: int


def blocks(cases: Iterable[CaseRuns]) -> list[RankedBlock]:
    """The blocks, in the order of their first case."""
    return [ranked(members) for members in grouped(cases, lambda one: one.block).values()]


def overall(ranked: Sequence[RankedBlock]) -> list[Overall]:
    """Agreement between blocks, one entry a set of activations that at least two blocks share in full."""

    def members(block: RankedBlock) -> tuple[str, ...]:
        return tuple(sorted(row.activation for row in block.rows))

    found = []
    for names, group in groupby(sorted(ranked, key=members), key=members):
        shared = list(group)
        if len(shared) < 2 or len(names) < 3:
            continue
        losses = np.array([[-_score_of(block, name) for name in names] for block in shared])
        ranks = stats.rankdata(losses, axis=1)
        w, _ = intervals.kendalls_w(losses)
        means = sorted(zip(names, ranks.mean(axis=0), strict=True), key=lambda pair: pair[1])
        found.append(Overall(tuple((name, float(mean)) for name, mean in means), w, len(shared)))
    return found


def _score_of(block: RankedBlock, name: str) -> float:
    return next(row.runs.score(block.metric) for row in block.rows if row.activation == name)


def ranked(members: Sequence[CaseRuns]) -> RankedBlock:
    """The activations of one block, or each at its best rate, best first."""
    ordered = sorted(members, key=lambda one: -one.score(one.metric))  # one that always diverged goes last
    p = ties.p_values([[one.measured.sign * value for value in one.values] for one in ordered])
    pairs = list(combinations(range(len(ordered)), 2))
    separated = frozenset(pair for pair in pairs if p[pair] < LEVEL)
    rows = [
        RankedActivation(
            one,
            best=1 + sum((other, position) in separated for other in range(position)),
            worst=len(ordered) - sum((position, other) in separated for other in range(position + 1, len(ordered))),
            letters=letters,
        )
        for position, (one, letters) in enumerate(zip(ordered, ties.letters(p), strict=True))
    ]
    return RankedBlock(tuple(rows), separated)


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values and all(map(math.isfinite, values)) else math.nan


def _spearman(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return float(stats.spearmanr(ours, theirs).statistic)
