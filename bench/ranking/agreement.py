"""Do problems order activations alike, and which differ significantly over all? `agreement_over(family)`.

Friedman's test asks whether there is any order, Wilcoxon's signed-rank test, pair by pair with Holm's correction, which
activations differ. The latter stands in place of Nemenyi's test on mean ranks, whose answer on two activations depends
on which others take part (Demsar 2006, section 3.1.3; Benavoli, Corani and Mangili 2016,
jmlr.org/papers/v17/benavoli16a).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from bench.ranking.problems import Family
from bench.stats import intervals
from bench.stats.intervals import LEVEL, Estimate

# With three rows, one bootstrap sample in 27 is one row alone, and the interval of 95 % the range of the rows.
FEWEST_FOR_INTERVALS = 4


@dataclass(frozen=True)
class Agreement:
    """How far the problems of a family order its activations alike.

    Attributes:
        ranks: mean rank of each activation over the problems, the best first, with its bootstrap interval.
        kendalls_w: from 0, no agreement, to 1, the same order in all problems.
        p: of Friedman's test, whose statistic W is, scaled; by permutation.
        pairs: p of each pair of activations, as a frame with their names on both sides; None with too few problems.
    """

    ranks: dict[str, Estimate]
    kendalls_w: float
    p: float
    pairs: Any


def problems_needed(activations: int) -> int:
    """The fewest problems in which the post-hoc test can find any two of so many activations different.

    The smallest p of an exact signed-rank test on n problems is 2^(1-n); Holm multiplies it by the number of pairs.
    """
    return math.ceil(1 + math.log2(math.comb(activations, 2) / LEVEL))


def agreement_over(family: Family) -> Agreement:
    """What the problems of a family say together."""
    scores = family.scores
    ranks = stats.rankdata(-scores, axis=1)
    few = len(ranks) < FEWEST_FOR_INTERVALS
    means = {
        name: Estimate(float(column.mean()), math.nan, math.nan, len(column))
        if few
        else intervals.bootstrap([column], np.mean)
        for name, column in zip(family.names, ranks.T, strict=True)
    }
    w, p = intervals.kendalls_w(scores)
    enough = len(ranks) >= problems_needed(len(family.names))
    ordered = dict(sorted(means.items(), key=lambda pair: pair[1].value))
    return Agreement(ordered, w, p, _pairs(family) if enough else None)


def _pairs(family: Family) -> Any:
    """Adjusted p of all pairs. A problem in which both of a pair diverged counts for neither."""
    import pandas as pd

    with np.errstate(invalid="ignore"):
        p = [float(stats.wilcoxon(one, other).pvalue) for one, other in combinations(family.scores.T, 2)]
    adjusted = np.ones((len(family.names), len(family.names)))
    adjusted[np.triu_indices(len(adjusted), 1)] = intervals.holm(p)
    return pd.DataFrame(np.minimum(adjusted, adjusted.T), index=family.names, columns=family.names)
