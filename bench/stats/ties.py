"""Ties: which samples differ significantly? `ties.p_values(samples)`, then `ties.letters(p_values)`.

By Games and Howell's procedure (1976), which grants each sample a variance of its own: activations differ in spread.
With few runs it finds too many: of blocks of 13 activations that are equal, in steps of one of 360 test examples, it
should find a difference in 5 %, and does in 13 % at n = 3, 8 % at n = 5 and 6 % at n = 20.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.intervals import LEVEL


def p_values(samples: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """(samples, samples): of each pair, adjusted for all of them; 1 for all where some sample has less than two runs.

    What has no variance to compare by is apart (0) where it differs and a tie (1) where it does not: two samples
    without any spread, as those that collapsed to one class, which is what the procedure tends to; and a sample with a
    run that is not finite, which is worse than any without.
    """
    from scikit_posthocs import posthoc_games_howell

    if len(samples) < 2 or min(map(len, samples)) < 2:
        return np.ones((len(samples), len(samples)))
    # As infinity, since runs that are NaN would be left out, and those that did train be compared alone.
    runs = [np.where(np.isfinite(sample), sample, np.inf) for sample in samples]
    with np.errstate(all="ignore"):
        p: NDArray[np.float64] = posthoc_games_howell(_frame(runs), "value", "sample").to_numpy().copy()
    lost = np.array([np.isinf(sample).any() for sample in runs])
    still = np.array([bool((sample == sample[0]).all()) for sample in runs])
    highest = np.array([sample.max() for sample in runs])
    unfit = (still[:, None] & still) | lost[:, None] | lost
    p[unfit] = (highest[:, None] == highest)[unfit]
    return p


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
