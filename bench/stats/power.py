"""Power: which difference n runs can show, and how many runs a difference takes.

power.detectable(sd=0.008, n=3), power.seeds_for(0.01, sd=0.008), power.pairs_for(0.01, sd=0.008),
power.drop_seen(recorded=3, now=11, level=1e-4)

Between two activations, of a two-sided t test at 5 %, shared among the comparisons of a block (Bonferroni): a little
less than what the ranking's Games-Howell procedure finds.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from statistics import median, stdev

from scipy import optimize, stats

from bench.stats.intervals import LEVEL

POWER = 0.8  # of experiments that find a difference of that size
LARGEST_EFFECT = 1000.0  # in standard deviations: two runs each show it, whatever the level
MOST_RUNS = 1000  # who needs more of them looks for a difference that is none


def detectable(sd: float, n: int, activations: int = 2) -> float:
    """The smallest difference of two means that n runs each would show; NaN with one run.

    Args:
        sd: between runs of one activation.
        activations: that are compared with each other.
    """
    if n < 2:
        return math.nan
    largest = 1.0
    while _power(largest, n, activations) < POWER:  # not at once a huge one, whose power scipy may not compute
        largest *= 2
    return sd * float(optimize.brentq(lambda effect: _power(effect, n, activations) - POWER, 0.0, largest))


def seeds_for(difference: float, sd: float, activations: int = 2) -> int:
    """Runs of each activation that show a difference; at least 2.

    Raises:
        ValueError: a difference that is not above 0.
    """
    if not difference > 0:
        raise ValueError(f"a difference to look for must be above 0, it is {difference}")
    effect = min(difference / sd, LARGEST_EFFECT) if sd else LARGEST_EFFECT
    most = 2
    while _power(effect, most, activations) < POWER:
        most *= 2
    return bisect_left(range(most), POWER, lo=2, key=lambda n: _power(effect, n, activations))


def pairs_for(difference: float, sd: float, comparisons: int = 1) -> int | None:
    """Runs of each side, paired by seed, whose mean difference a two-sided t test at 5 % tells from 0.

    Args:
        difference: of either sign.
        sd: of the differences, pair by pair.
        comparisons: among which the 5 % are shared (Bonferroni).

    Returns:
        At least 2; None where it takes more than `MOST_RUNS`, or where a figure is not finite.
    """
    effect = min(abs(difference) / sd, LARGEST_EFFECT) if sd else LARGEST_EFFECT * bool(difference)
    level = LEVEL / comparisons / 2
    return _fewest(lambda n: float(stats.nct.sf(stats.t.isf(level, n - 1), n - 1, effect * math.sqrt(n))))


def groups_for(noncentrality: float, groups: int, spare: int, comparisons: int = 1) -> int | None:
    """Runs of each of several groups that an F test at 5 % takes; None as in `pairs_for`.

    Args:
        noncentrality: of the test, for one run a group.
        spare: degrees of freedom of what is tested.
    """

    def seen(n: int) -> float:
        freedom = groups * (n - 1)
        critical = stats.f.isf(LEVEL / comparisons, spare, freedom)
        return float(stats.ncf.sf(critical, spare, freedom, noncentrality * n))

    return _fewest(seen)


def runs_for_shares(one: float, other: float, comparisons: int = 1) -> int | None:
    """Runs of each side that tell two shares apart at 5 %; None as in `pairs_for`.

    By the arcsine of their roots (Cohen 1988, chapter 6).
    """
    effect = abs(2 * math.asin(math.sqrt(one)) - 2 * math.asin(math.sqrt(other)))
    critical = float(stats.norm.isf(LEVEL / comparisons / 2))
    return _fewest(lambda n: float(stats.norm.sf(critical - effect * math.sqrt(n / 2))))


def _fewest(seen: Callable[[int], float]) -> int | None:
    """The first number of runs whose power, which grows with it, is `POWER`."""
    if not seen(MOST_RUNS) >= POWER:  # nor where it is no number
        return None
    return bisect_left(range(MOST_RUNS), POWER, lo=2, key=seen)


def drop_seen(recorded: int, now: int, level: float) -> float:
    """The smallest drop of a mean that runs of now show beside recorded ones, in standard deviations between runs.

    Of a one-sided two-sample t test; NaN with fewer than three runs in all.

    Args:
        level: of the test.
    """
    freedom, error = recorded + now - 2, math.sqrt(1 / recorded + 1 / now)
    if freedom < 1:
        return math.nan
    critical = stats.t.isf(level, freedom)

    def missing(drop: float) -> float:
        return float(stats.nct.sf(critical, freedom, drop / error)) - POWER

    return float(optimize.brentq(missing, 0.0, 4 * critical * error))


def typical_sd(samples: Sequence[Sequence[float]]) -> float:
    """Between the runs of the median activation, of those with two or more; NaN where there is none.

    Pooled, one that trains now and then would speak for all.
    """
    spreads = [stdev(sample) for sample in samples if len(sample) > 1 and all(map(math.isfinite, sample))]
    return median(spreads) if spreads else math.nan


def _power(effect: float, n: int, activations: int) -> float:
    """Of a difference of so many standard deviations.

    The half of the two-sided test that looks its way: for the other statsmodels gives NaN where it hardly counts.
    """
    from statsmodels.stats.power import TTestIndPower

    level = LEVEL / math.comb(max(2, activations), 2)
    return float(TTestIndPower().power(effect, n, level / 2, alternative="larger"))
