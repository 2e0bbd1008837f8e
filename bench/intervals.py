"""What can be said of a few seeds: estimates with their 95 % interval, and tests. Built on scipy.stats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
LEVEL = 1 - CONFIDENCE
PERMUTATIONS = 9999


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval, NaN where n runs allow none.

    Attributes:
        p: of the hypothesis that the figure is 0; NaN where that is not asked.
        n: runs, or pairs of runs, that it rests on.
    """

    value: float
    low: float
    high: float
    n: int
    p: float = math.nan

    @property
    def known(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)

    def times(self, factor: float) -> Estimate:
        """In another unit, or with the other sign."""
        low, high = sorted((self.low * factor, self.high * factor))
        return replace(self, value=self.value * factor, low=low, high=high)


def mean(values: Sequence[float]) -> Estimate:
    """Of runs: Student's t. Values that are not finite leave no interval."""
    sample = np.asarray(values, dtype=float)
    n = len(sample)
    if n < 2 or not np.isfinite(sample).all():
        return Estimate(float(sample.mean()) if n else math.nan, math.nan, math.nan, n)
    middle = float(sample.mean())
    if np.allclose(sample, sample[0], rtol=1e-9, atol=0):  # equal but for rounding, as collapsed runs are
        middle = float(sample[0])
        return Estimate(middle, middle, middle, n, p=float(middle == 0))
    test = stats.ttest_1samp(sample, 0)
    low, high = test.confidence_interval(CONFIDENCE)
    return Estimate(middle, float(low), float(high), n, float(test.pvalue))


def difference(ones: Mapping[int, float], others: Mapping[int, float]) -> Estimate:
    """Mean of `ones` less mean of `others`, both by seed.

    Seeds that both have are paired, since runs of one seed share weights and batches. Without two of these it is
    Welch's interval for independent samples.
    """
    shared = sorted(ones.keys() & others.keys())
    if len(shared) > 1:
        return mean([ones[seed] - others[seed] for seed in shared])
    left, right = list(ones.values()), list(others.values())
    n = min(len(left), len(right))
    middle = float(np.mean(left) - np.mean(right)) if n else math.nan
    if n < 2 or not np.isfinite([*left, *right]).all() or np.ptp(left) + np.ptp(right) == 0:
        return Estimate(middle, math.nan, math.nan, n)
    test = stats.ttest_ind(left, right, equal_var=False)
    low, high = test.confidence_interval(CONFIDENCE)
    return Estimate(middle, float(low), float(high), n, float(test.pvalue))


def share(count: int, n: int, confidence: float = CONFIDENCE) -> Estimate:
    """How often: the exact interval of Clopper and Pearson."""
    interval = stats.binomtest(count, n).proportion_ci(confidence, method="exact")
    return Estimate(count / n, float(interval.low), float(interval.high), n)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted so that none of them is below a level by chance alone more often than that: Holm 1979.

    What could not be tested (NaN) counts as 1.
    """
    p = np.nan_to_num(np.asarray(p_values, dtype=float), nan=1.0)
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return [float(value) for value in adjusted]


def kendalls_w(figures: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Agreement of rows on the order of their columns, from 0 to 1, and how often chance would give as much.

    The chance is that of orders drawn at random for each row (permutation test, seeded).
    """

    def agreement(*rows: np.ndarray, axis: int = -1) -> np.ndarray:
        ranks = np.stack([stats.rankdata(row, axis=axis) for row in rows])
        sums = ranks.sum(0)
        spread = ((sums - sums.mean(axis, keepdims=True)) ** 2).sum(axis)
        blocks, items = len(rows), rows[0].shape[axis]
        return np.asarray(12 * spread / (blocks**2 * (items**3 - items)))

    test = stats.permutation_test(
        [np.asarray(row, dtype=float) for row in figures],
        agreement,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        alternative="greater",
        rng=np.random.default_rng(0),
    )
    return float(test.statistic), float(test.pvalue)


@dataclass(frozen=True)
class Line:
    """A straight line through the means of groups, and whether it suffices.

    Attributes:
        p: of the lack-of-fit F test; small where the groups' means do not lie on a line.
        deviation: the farthest that a group's mean may lie off the line, by intervals that hold together with 95 %.
        n: runs.
    """

    slope: float
    intercept: float
    p: float
    deviation: float
    n: int


def line(groups: Mapping[float, Sequence[float]]) -> Line | None:
    """The line through runs grouped by x; None with less than three groups or without repeated runs.

    The F test sets the scatter of the groups' means around the line against that of the runs within the groups
    (Draper and Smith, Applied Regression Analysis, section 2.1).
    """
    x = np.array([at for at, values in groups.items() for _ in values])
    y = np.array([value for values in groups.values() for value in values])
    freedom, spare = len(y) - len(groups), len(groups) - 2
    if freedom < 1 or spare < 1 or not np.isfinite(y).all():
        return None
    fit = stats.linregress(x, y)
    means = np.array([np.mean(values) for values in groups.values()])
    sizes = np.array([len(values) for values in groups.values()])
    levels = np.array(list(groups))
    off = means - (fit.intercept + fit.slope * levels)
    pure = sum(float(np.var(values) * len(values)) for values in groups.values()) / freedom
    design = np.stack([np.ones_like(levels), levels], axis=1)
    hat = design @ np.linalg.solve(design.T * sizes @ design, design.T * sizes)
    residual = np.eye(len(levels)) - hat
    errors = np.sqrt(pure * np.diag(residual / sizes @ residual.T))
    reach = float(stats.t.isf(LEVEL / 2 / len(levels), freedom))
    lacking = float((sizes * off**2).sum()) / spare
    p = float(stats.f.sf(lacking / pure, spare, freedom)) if pure else float(np.allclose(off, 0))
    deviation = float((np.abs(off) + reach * errors).max())
    return Line(float(fit.slope), float(fit.intercept), p, deviation, len(y))
