"""Spread of a few runs, moderated by that of others: `spread.prior(samples, step)`.

Smyth 2004 (limma), doi 10.2202/1544-6115.1027. One variance for all cases would be wrong where activations differ in
spread; that of three runs alone says nearly nothing. Between the two stands a variance that leans on the others' as far
as these agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special


@dataclass(frozen=True)
class Prior:
    """What the spreads of several cases say about that of one: a variance, and its weight in degrees of freedom."""

    variance: float
    df: float

    def moderate(self, own: float, own_df: float) -> tuple[float, float]:
        """Variance and degrees of freedom of a case.

        Args:
            own: sum of squares of its runs around their means.
            own_df: its degrees of freedom; with none, and none of the prior's, the variance is NaN.
        """
        df = self.df + own_df
        return (self.df * self.variance + own) / df if df else float("nan"), df


def prior(samples: Sequence[Sequence[float]], step: float, caution: float = 0.0) -> Prior | None:
    """By limma's method of moments on the log variances; None where no sample has two values.

    Args:
        samples: runs of each case; those of one run are left out.
        step: in which the value moves, see `variance`.
        caution: by so many standard errors the spreads are taken to differ more than they seem to; from two or three
            runs each it cannot be seen that one case spreads ten times as much as the others.
    """
    samples = [sample for sample in samples if len(sample) > 1]
    if not samples:
        return None
    df = np.array([len(sample) - 1 for sample in samples], dtype=float)
    variances = np.array([variance(sample, step) for sample in samples])
    centred = np.log(variances) - special.digamma(df / 2) + np.log(df / 2)
    if len(samples) == 1:
        return Prior(float(variances[0]), 0.0)
    excess = centred.var(ddof=1) - special.polygamma(1, df / 2).mean()
    if caution:
        error = np.sqrt((special.polygamma(3, df / 2) + 2 * special.polygamma(1, df / 2) ** 2).mean() / len(samples))
        excess = max(excess, 0.0) + caution * error
    most = float(df.sum())  # several cases cannot know more than all their runs together
    if excess <= special.polygamma(1, most / 2):  # the spreads differ by no more than chance
        return Prior(float(np.exp(centred.mean())), most)
    half = optimize.brentq(lambda y: special.polygamma(1, y) - excess, 1e-6, most)
    centre = np.exp(centred.mean() + special.digamma(half) - np.log(half))
    return Prior(float(centre), 2 * float(half))


def variance(sample: Sequence[float], step: float) -> float:
    """Of a sample, not below that of rounding to a step, whose logarithm would be minus infinity.

    A step of 0 leaves 1e-12, which keeps the logarithm of a constant loss finite.
    """
    return max(float(np.var(sample, ddof=1)), step**2 / 12, 1e-12)


def upper_quantile(level: float, df: float) -> float:
    """Of Student's t; scipy.stats says the same through a hundred times the overhead."""
    return -float(special.stdtrit(df, level))
