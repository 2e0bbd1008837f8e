"""Ties: which samples differ significantly? `ties.p_values(samples)`, then `ties.letters(p_values)`.

By Games and Howell's procedure (1976), which grants each sample a variance of its own: activations differ in spread.
With few runs it finds too many: of blocks of 13 activations that are equal, in steps of one of 360 test examples, it
should find a difference in 5 %, and does in 13 % at n = 3, 8 % at n = 5 and 6 % at n = 20.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, islice
from string import ascii_letters

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench.stats.intervals import LEVEL


def p_values(samples: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """(samples, samples): of each pair, adjusted for all of them; 1 for all where some sample has less than two runs.

    A test that says the contrary of the order, as where one lost run decides a mean but not a median, tells nothing
    apart. What has no variance to compare by is apart (0) where it differs and a tie (1) where it does not: two samples
    without any spread, as those that collapsed to one class, which is what the procedure tends to. Where only some runs
    of a sample are not finite, ranks are compared (Mann and Whitney's test, Bonferroni): one such run of twenty is no
    evidence.

    Args:
        samples: more is better, the best first; what is not finite is worst.
    """
    return _p_values(tuple(map(tuple, samples))).copy()


# A report ranks the same runs for its tables and for its advice, and the integrals take a tenth of a second a block.
@lru_cache(maxsize=1024)
@np.errstate(all="ignore")
def _p_values(samples: tuple[tuple[float, ...], ...]) -> NDArray[np.float64]:
    p = np.ones((len(samples), len(samples)))
    if len(samples) < 2 or min(map(len, samples)) < 2:
        return p
    runs = [np.where(np.isfinite(sample), sample, -np.inf) for sample in samples]
    pairs = list(combinations(range(len(runs)), 2))
    for first, second in pairs:
        one, other = runs[first], runs[second]
        ahead = bool(one.mean() > other.mean())
        if _is_still(one) and _is_still(other):
            found = float(one[0] == other[0])
        elif np.isfinite(one).all() and not np.isfinite(other).any():
            found = 0.0
        elif not np.isfinite([*one, *other]).all():
            test = stats.mannwhitneyu(one, other)
            found = min(1.0, float(test.pvalue) * len(pairs))
            ahead = bool(2 * test.statistic > len(one) * len(other))
        else:
            found = _games_howell(one, other, len(runs)) if ahead else 1.0
        p[second, first] = p[first, second] = found if ahead else 1.0
    return p


def _games_howell(one: NDArray[np.float64], other: NDArray[np.float64], samples: int) -> float:
    """Adjusted p of two among so many samples, at least one of which has a spread.

    As `scipy.stats.tukey_hsd(equal_var=False)`, which takes no sample that is not finite and each integral twice.
    """
    errors = [sample.var(ddof=1) / len(sample) for sample in (one, other)]
    df = sum(errors) ** 2 / (errors[0] ** 2 / (len(one) - 1) + errors[1] ** 2 / (len(other) - 1))
    q = abs(one.mean() - other.mean()) / np.sqrt(sum(errors) / 2)
    return float(stats.studentized_range.sf(q, samples, df))


def _is_still(runs: NDArray[np.float64]) -> bool:
    """Whether there is no spread at all."""
    return bool((runs == runs[0]).all())


def letters(p: NDArray[np.float64]) -> tuple[str, ...]:
    """A compact letter display (Piepho 2004): samples that share a letter are tied, all others are apart.

    A letter is a largest set of samples of which any two are tied. Empty texts where the 52 letters do not suffice.
    """
    import networkx

    tied = networkx.from_numpy_array((p >= LEVEL) & ~np.eye(len(p), dtype=bool))
    groups = [*islice(networkx.find_cliques(tied), len(ascii_letters) + 1)]
    if len(groups) > len(ascii_letters):
        return ("",) * len(p)
    groups.sort(key=lambda each: (min(each), -len(each), sorted(each)))
    lettered = list(zip(ascii_letters, groups, strict=False))
    return tuple("".join(letter for letter, each in lettered if one in each) for one in range(len(p)))
