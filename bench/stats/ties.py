"""Ties: which samples differ significantly? `ties.p_values(samples)`, then `ties.letters(p_values)`.

By Games and Howell's procedure (1976), which grants each sample a variance of its own: activations differ in spread.
With few runs it finds too many: of blocks of 13 activations that are equal, in steps of one of 360 test examples, it
should find a difference in 5 %, and does in 13 % at n = 3, 8 % at n = 5 and 6 % at n = 20.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

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
def _p_values(samples: tuple[tuple[float, ...], ...]) -> NDArray[np.float64]:
    from scikit_posthocs import posthoc_games_howell

    if len(samples) < 2 or min(map(len, samples)) < 2:
        return np.ones((len(samples), len(samples)))
    runs = [np.where(np.isfinite(sample), sample, -np.inf) for sample in samples]
    with np.errstate(all="ignore"):
        p: NDArray[np.float64] = posthoc_games_howell(_frame(runs), "value", "sample").to_numpy().copy()
    pairs = list(combinations(range(len(runs)), 2))
    for first, second in pairs:
        one, other = runs[first], runs[second]
        with np.errstate(all="ignore"):
            ahead = one.mean() > other.mean()
        if _is_still(one) and _is_still(other):
            p[first, second] = float(one[0] == other[0])
        elif np.isfinite(one).all() and not np.isfinite(other).any():
            p[first, second] = 0.0
        elif not np.isfinite([*one, *other]).all():
            test = stats.mannwhitneyu(one, other)
            p[first, second] = min(1.0, float(test.pvalue) * len(pairs))
            ahead = 2 * test.statistic > len(one) * len(other)
        p[second, first] = p[first, second] = p[first, second] if ahead else 1.0
    return p


def _is_still(runs: NDArray[np.float64]) -> bool:
    """Whether there is no spread at all."""
    return bool((runs == runs[0]).all())


def letters(p: NDArray[np.float64]) -> tuple[str, ...]:
    """A compact letter display (Piepho 2004): samples that share a letter are tied, all others are apart.

    Empty texts where the 52 letters do not suffice.
    """
    from scikit_posthocs import compact_letter_display

    try:
        found = compact_letter_display(p, alpha=LEVEL)
    except ValueError:
        return ("",) * len(p)
    return tuple(text.replace(" ", "") for text in found)


def _frame(samples: Sequence[NDArray[np.float64]]) -> Any:
    import pandas as pd

    return pd.DataFrame(
        {"sample": np.repeat(range(len(samples)), list(map(len, samples))), "value": np.concatenate(samples)}
    )
