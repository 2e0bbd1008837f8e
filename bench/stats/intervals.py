"""What can be said of a few seeds: estimates with their 95 % interval, and tests. `intervals.mean([0.91, 0.92])`.

Built on scipy.stats. What is resampled is resampled with a fixed seed: the same runs give the same
interval.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

CONFIDENCE = 0.95
LEVEL = 1 - CONFIDENCE
PERMUTATIONS = 9999
RESAMPLES = 1999
TRIMMED = 0.25  # off each end: the interquartile mean

Samples: TypeAlias = Sequence[Sequence[float] | NDArray[np.float64]]
Statistic: TypeAlias = Callable[..., Any]  # of samples, reduced along `axis`


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval, NaN where n runs allow none.

    Attributes:
        p: of the hypothesis that the value is 0; NaN where that is not asked.
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

    @property
    def half(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    @property
    def sd(self) -> float:
        """Of the values, where it is the mean of n with Student's interval."""
        return self.half * math.sqrt(self.n) / float(stats.t.isf(LEVEL / 2, self.n - 1)) if self.n > 1 else math.nan

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
        return Estimate(middle, middle, middle, n, p=2.0 ** (1 - n) if middle else 1.0)  # their sign is all there is
    test = stats.ttest_1samp(sample, 0)
    low, high = test.confidence_interval(CONFIDENCE)
    return Estimate(middle, float(low), float(high), n, float(test.pvalue))


def centre(values: Sequence[float], aggregate: str) -> Estimate:
    """Of runs: their mean, or their median with the exact interval of order statistics, which takes six runs."""
    if aggregate != "median":
        return mean(values)
    n = len(values)
    if n < 2 or not np.isfinite(values).all():
        return Estimate(float(np.median(values)) if n else math.nan, math.nan, math.nan, n)
    interval: Any = stats.quantile_test(values, p=0.5).confidence_interval(CONFIDENCE)
    return Estimate(float(np.median(values)), float(interval.low), float(interval.high), n)


def difference(ones: Mapping[int, float], others: Mapping[int, float], step: float = 0.0) -> Estimate:
    """Mean of `ones` less mean of `others`, both by seed.

    Seeds that both have are paired, since runs of one seed share weights and batches. Without two of these it is
    Welch's interval for independent samples. Equal differences have but their sign to judge by.

    Args:
        step: in which the values move, such as one test example: a mean within it is no difference.
    """
    shared = sorted(ones.keys() & others.keys())
    if len(shared) > 1:
        return _paired([ones[seed] - others[seed] for seed in shared], step)
    left, right = list(ones.values()), list(others.values())
    n = min(len(left), len(right))
    middle = float(np.mean(left) - np.mean(right)) if n else math.nan
    if n < 2 or not np.isfinite([*left, *right]).all() or np.ptp(left) + np.ptp(right) == 0:
        return Estimate(middle, math.nan, math.nan, n)
    test = stats.ttest_ind(left, right, equal_var=False)
    low, high = test.confidence_interval(CONFIDENCE)
    return Estimate(middle, float(low), float(high), n, float(test.pvalue))


def _paired(gains: Sequence[float], step: float) -> Estimate:
    """Student's t; the variance is not below that of the rounding of two values, half the interval not below a step."""
    found, n = mean(gains), len(gains)
    if not math.isfinite(found.value) or not any(gains):
        return found
    if step:
        error = math.sqrt(max(float(np.var(gains, ddof=1)), 2 * step**2 / 12) / n)
        half = max(error * float(stats.t.isf(LEVEL / 2, n - 1)), step)
        p = float(2 * stats.t.sf(abs(found.value) / error, n - 1)) if abs(found.value) > step else 1.0
        return Estimate(found.value, found.value - half, found.value + half, n, p)
    if found.half == 0 and found.p >= LEVEL:
        return replace(found, low=math.nan, high=math.nan)
    return found


def share(count: int, n: int, confidence: float = CONFIDENCE) -> Estimate:
    """How often: the exact interval of Clopper and Pearson."""
    interval = stats.binomtest(count, n).proportion_ci(confidence, method="exact")
    return Estimate(count / n, float(interval.low), float(interval.high), n)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted so that none of them is below a level by chance alone more often than that: Holm 1979.

    What could not be tested (NaN) counts as 1.
    """
    p = np.nan_to_num(np.asarray(p_values, dtype=float), nan=1.0)
    smallest_first = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[smallest_first] = np.maximum.accumulate(p[smallest_first] * np.arange(len(p), 0, -1))
    return [float(value) for value in np.minimum(adjusted, 1.0)]


def bootstrap(samples: Samples, statistic: Statistic, *, paired: bool = False) -> Estimate:
    """A statistic of samples with its percentile bootstrap interval (Efron 1979), seeded.

    With few runs the interval is too narrow: that of three is hardly more than their range.

    Args:
        samples: each is resampled on its own (stratified), or all by the same draws where they are `paired`.
        statistic: takes as many arrays and `axis`, along which it reduces them.
    """
    value, n = float(statistic(*map(np.asarray, samples), axis=-1)), min(map(len, samples))
    if n < 2 or not math.isfinite(value):
        return Estimate(value, math.nan, math.nan, n)
    low, high = resampled(samples, statistic, paired=paired)
    return Estimate(value, float(low), float(high), n)


def resampled(samples: Samples, statistic: Statistic, *, paired: bool = False) -> tuple[Any, Any]:
    """The lower and the upper end of the interval of `bootstrap`, also for a statistic that is an array of values."""
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        # Its standard error, not asked for, has none where a run is infinite; an end that is no number is told by it.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = stats.bootstrap(
            [np.asarray(sample, dtype=float) for sample in samples],
            statistic,
            paired=paired,
            vectorized=True,
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            method="percentile",
            rng=np.random.default_rng(0),
        )
    return found.confidence_interval.low, found.confidence_interval.high


def interquartile_mean(*samples: Any, axis: int = -1) -> Any:
    """Of all samples together, the lowest and the highest quarter left out: rliable's IQM, arXiv 2108.13264.

    As whole runs are left out, that of three runs is their mean.
    """
    return stats.trim_mean(np.concatenate(samples, axis=axis), TRIMMED, axis=axis)


def improvement(ones: Mapping[int, float], others: Mapping[int, float], *, higher_is_better: bool) -> Estimate:
    """Chance that a run of `ones` is better than one of `others`, both by seed; a tie counts half.

    Over all pairs of runs: Mann and Whitney's U as a share, arXiv 2108.13264, section 4.3. Seeds that both have are
    resampled together, as in `difference`. What is not finite is worst.
    """
    shared = sorted(ones.keys() & others.keys())
    paired = len(shared) > 1
    sides = [[runs[seed] for seed in (shared if paired else runs)] for runs in (ones, others)]
    known = [lost_as_worst(side, higher_is_better=higher_is_better) for side in sides]
    return bootstrap(known if higher_is_better else known[::-1], _probability, paired=paired)


def lost_as_worst(values: Sequence[float], *, higher_is_better: bool) -> list[float]:
    """What is not finite, as the worst there can be."""
    worst = -math.inf if higher_is_better else math.inf
    return [value if math.isfinite(value) else worst for value in values]


def _probability(ones: Any, others: Any, axis: int) -> Any:
    with np.errstate(all="ignore"):  # its p, not asked for, divides by 0 where all runs are equal
        u = stats.mannwhitneyu(ones, others, axis=axis, method="asymptotic").statistic
    return u / (ones.shape[axis] * others.shape[axis])


def kendalls_w(values: Sequence[Sequence[float]] | NDArray[np.float64]) -> tuple[float, float]:
    """Agreement of rows on the order of their columns, from 0 to 1, and how often chance would give as much.

    W is Friedman's statistic over the most it can be. Its chance is that of orders drawn at random for each row
    (seeded permutation test): the chi square that is common needs ten rows or more. NaN where all rows are ties alone.
    """
    rows = stats.rankdata(np.asarray(values, dtype=float), axis=1)
    with np.errstate(invalid="ignore"):
        statistic = float(stats.friedmanchisquare(*rows.T).statistic)

    def spread(*ranks: Any, axis: int) -> Any:  # of the columns' sums, of which W is a multiple in all permutations
        return np.square(sum(ranks)).sum(axis)

    test = stats.permutation_test(
        list(rows),
        spread,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        alternative="greater",
        rng=np.random.default_rng(0),
    )
    return statistic / (len(rows) * (len(rows[0]) - 1)), float(test.pvalue)


@dataclass(frozen=True)
class Line:
    """A straight line through the means of groups, and whether it suffices.

    Attributes:
        p: of the lack-of-fit F test; small where the groups' means do not lie on a line.
        deviation: the farthest that a group's mean may lie off the line, by intervals that hold together with 95 %.
        farthest: likewise, as it seems.
        noncentrality: of the F test, without bias: what its statistic has beyond chance.
        groups: of runs at one x.
        n: runs.
    """

    slope: float
    intercept: float
    p: float
    deviation: float
    farthest: float
    noncentrality: float
    groups: int
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
    return Line(
        slope=float(fit.slope),
        intercept=float(fit.intercept),
        p=p,
        deviation=float((np.abs(off) + reach * errors).max()),
        farthest=float(np.abs(off).max()),
        noncentrality=max(0.0, lacking / pure * spare * (1 - 2 / freedom) - spare) if pure else math.inf,
        groups=len(groups),
        n=len(y),
    )
