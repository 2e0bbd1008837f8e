"""Two result folders, case by case and seed by seed: `python -m bench compare BEFORE AFTER`.

Two commits on one machine, or one commit on two. Runs of one seed share weights and batches, so their difference says
far more than a band around recorded values, and no baseline is needed. The words are those of
`bench.regression.judge`.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy import stats

from bench.cases.case import Case
from bench.cases.metric import Measured
from bench.records import case_runs
from bench.records.record import Record
from bench.records.runs import Runs
from bench.records.verdict import fails
from bench.regression.judge import LEVEL, nearly_all
from bench.stats import moderated
from bench.stats.intervals import CONFIDENCE, Estimate, holm
from bench.stats.moderated import Prior
from bench.training import fingerprint

SUSPICION = 0.05  # of one test by itself
BOTH = math.sqrt(2)  # a difference of two rounded values has twice the variance of rounding
CAUTION = 1.0  # with none, and two seeds, one comparison in ten of the recorded cases is a false alarm
FEW_CASES = 75  # see `fewest_to_be_plain`


@dataclass(frozen=True)
class PairedCase:
    """One case in both folders, its runs paired by seed.

    Attributes:
        before, after: parallel, in order of the seeds.
        difference: mean of after less before over the pairs that both trained, in the direction of the metric.
        findable: the smallest difference that would have been a finding, were this case the only one that differs;
            NaN where there is nothing to go by.
        verdict: `SAME` (equal bits), `MOVED` or `WITHIN` (no difference beyond the noise, on equal and on other
            fingerprints), `REGRESSED`, `IMPROVED`, `COLLAPSED`, `DIVERGED`.
        suspect: what more seeds might show: that of a test that is below 5 % by itself, though not among all, or of
            a network that is dead in too few seeds.
    """

    before: tuple[Record, ...]
    after: tuple[Record, ...]
    difference: Estimate
    findable: float
    verdict: str
    suspect: str = ""

    @property
    def case(self) -> Case:
        return self.before[0].case

    @property
    def scale(self) -> str:
        return self.before[0].scale

    @property
    def measured(self) -> Measured:
        """The judged metric."""
        return Measured.parse(self.before[0].recipe["metric"])

    @property
    def machines(self) -> str:
        """What differs between the fingerprints; empty where nothing does."""
        return fingerprint.differences(self.before[0].fingerprint, self.after[0].fingerprint)

    @property
    def devices(self) -> list[str]:
        """The class of both devices, where it is no CPU."""
        found = dict.fromkeys((self.before[0].device_class, self.after[0].device_class))
        return [] if list(found) == ["cpu"] else list(found)

    @property
    def same(self) -> int:
        """Seeds whose runs left equal bits."""
        return sum(one.bits == other.bits for one, other in zip(self.before, self.after, strict=True))


@dataclass(frozen=True)
class FolderComparison:
    """What two folders have in common, case by case.

    Attributes:
        cases: in both, with a seed in common.
        apart: why records of either folder have no partner, with their number.
    """

    cases: tuple[PairedCase, ...]
    apart: Mapping[str, int]

    @property
    def failed(self) -> bool:
        """Whether anything got worse beyond the noise."""
        return any(fails(one.verdict) for one in self.cases)


def compare(before: Iterable[Record], after: Iterable[Record]) -> FolderComparison:
    """Pair the records of two folders and judge every case, at a false-alarm level of 1 % for all of them together.

    Runs of one device are compared with each other, and with those of another where none is in both folders.
    """
    old, new = _by_key(before), _by_key(after)
    apart: Counter[str] = Counter()
    pairs: list[tuple[tuple[Record, ...], tuple[Record, ...]]] = []
    for key in [*old, *(key for key in new if key not in old)]:
        ones, others = old.get(key, {}), new.get(key, {})
        apart["only before"] += sum(map(len, ones.values()))
        apart["only after"] += sum(map(len, others.values()))
        for here, there in [(each, each) for each in ones if each in others] or zip(ones, others, strict=False):
            if seeds := sorted(ones[here].keys() & others[there].keys()):
                pairs.append((tuple(ones[here][seed] for seed in seeds), tuple(others[there][seed] for seed in seeds)))
                apart.subtract({"only before": len(seeds), "only after": len(seeds)})
    return FolderComparison(tuple(_judged(pairs)), {reason: count for reason, count in apart.items() if count})


def _by_key(records: Iterable[Record]) -> dict[tuple[Any, ...], dict[str, dict[int, Record]]]:
    """By what both folders must share, then by device class and seed."""
    found: dict[tuple[Any, ...], dict[str, dict[int, Record]]] = {}
    for one in records:
        key = (one.case, one.scale, one.recipe["version"], one.data_hash)
        found.setdefault(key, {}).setdefault(one.device_class, {})[one.seed] = one
    return found


def _judged(pairs: Sequence[tuple[tuple[Record, ...], tuple[Record, ...]]]) -> Iterable[PairedCase]:
    """Each case by two tests, of values and of outcomes; Holm's procedure over all of them."""
    gains = [_gains(ones, others) for ones, others in pairs]
    steps = [_step(ones[0]) for ones, _ in pairs]
    priors = _priors(pairs, gains, steps)
    errors = [_error(*each) for each in zip(gains, priors, steps, strict=True)]
    estimates = [_estimate(gain, *error, step) for gain, error, step in zip(gains, errors, steps, strict=True)]
    outcomes = [_outcomes(ones, others) for ones, others in pairs]
    adjusted = holm([one.p for one in estimates] + [p for p, _ in outcomes])
    strictest = LEVEL / 2 / len(adjusted) if adjusted else LEVEL
    for place, (ones, others) in enumerate(pairs):
        error, df = errors[place]
        by_value = "IMPROVED" if estimates[place].value > 0 else "REGRESSED"
        p_outcome, by_outcome = outcomes[place]
        tests = [(adjusted[len(pairs) + place], p_outcome, by_outcome), (adjusted[place], estimates[place].p, by_value)]
        turned = _turned(ones, others)
        plain = turned and len(ones) >= fewest_to_be_plain(len(pairs))
        found = [by_outcome] * plain + [verdict for certain, _, verdict in tests if certain < LEVEL]
        doubtful = [by_outcome] * turned + [verdict for _, p, verdict in tests if p < SUSPICION]
        yield PairedCase(
            before=ones,
            after=others,
            difference=estimates[place],
            findable=max(error * moderated.upper_quantile(strictest, df), steps[place]) if df else math.nan,
            verdict=found[0] if found else _quiet(ones, others),
            suspect="" if found or not doubtful else doubtful[0],
        )


def _gains(before: Sequence[Record], after: Sequence[Record]) -> list[float]:
    """What each seed gained, positive for better, over the pairs that both trained."""
    sign = Measured.parse(before[0].recipe["metric"]).sign
    return [
        sign * (other.value - one.value)
        for one, other in zip(before, after, strict=True)
        if one.outcome == other.outcome == "trained" and math.isfinite(other.value - one.value)
    ]


def _step(record: Record) -> float:
    """One example of the test part, below which no mean gain is a finding; 0 for a loss."""
    return case_runs.step_of(record.recipe["metric"], record.case.dataset, record.recipe["test_size"])


def _priors(
    pairs: Sequence[tuple[Sequence[Record], Sequence[Record]]], gains: Sequence[Sequence[float]], steps: Sequence[float]
) -> list[Prior]:
    """Of each case: what the gains of its block's cases say of their spread. Equal bits say nothing of it."""
    blocks: dict[tuple[Any, ...], list[Sequence[float]]] = {}
    keys = [(ones[0].case.block, ones[0].scale) for ones, _ in pairs]
    for key, gain in zip(keys, gains, strict=True):
        if any(gain):
            blocks.setdefault(key, []).append(gain)
    everywhere = [gain for block in blocks.values() for gain in block]
    unknown = Prior(math.nan, 0.0)

    def prior(key: tuple[Any, ...], step: float) -> Prior:
        found = (moderated.prior(gains, BOTH * step, CAUTION) for gains in (blocks.get(key, []), everywhere))
        return next(filter(None, found), unknown)

    return [prior(key, step) for key, step in zip(keys, steps, strict=True)]


def _error(gain: Sequence[float], prior: Prior, step: float) -> tuple[float, float]:
    """Moderated standard error of the mean gain, and its degrees of freedom, 0 where there is nothing to go by."""
    if not gain:
        return math.nan, 0.0
    own_df = len(gain) - 1
    variance, df = prior.moderate(own_df * moderated.variance(gain, BOTH * step) if own_df else 0.0, own_df)
    return (math.sqrt(variance / len(gain)), df) if math.isfinite(variance) else (math.nan, 0.0)


def _estimate(gain: Sequence[float], error: float, df: float, step: float) -> Estimate:
    """Mean gain by a moderated t test; equal values, and what is within one example, are no difference."""
    if not any(gain):
        middle = 0.0 if gain else math.nan
        return Estimate(middle, middle, middle, len(gain), p=1.0)
    middle = statistics.fmean(gain)
    if not df:
        return Estimate(middle, math.nan, math.nan, len(gain))
    half = max(error * moderated.upper_quantile((1 - CONFIDENCE) / 2, df), step)
    p = float(2 * stats.t.sf(abs(middle) / error, df)) if abs(middle) > step else 1.0
    return Estimate(middle, middle - half, middle + half, len(gain), p)


def _outcomes(before: Sequence[Record], after: Sequence[Record]) -> tuple[float, str]:
    """Barnard's exact test on how many trained, and the verdict that it would lead to."""
    n, sides = len(before), [Runs.of(before), Runs.of(after)]
    trained = [len(runs.trained) for runs in sides]
    if trained[0] == trained[1]:
        return 1.0, ""
    p = float(stats.barnard_exact([trained, [n - count for count in trained]]).pvalue)
    if trained[1] > trained[0]:
        return p, "IMPROVED"
    diverged = [runs.count("diverged") for runs in sides]
    return p, "DIVERGED" if diverged[1] > diverged[0] else "COLLAPSED"


def fewest_to_be_plain(cases: int) -> int:
    """Seeds that show, without a test, that a network is dead, among so many cases.

    Three, unless there are many cases: some networks train in a part of their seeds alone. With the shares of those
    recorded at tiny, chance kills one in 1 % of comparisons of 75 cases by three seeds, and in less of 400 by five.
    """
    return 3 if cases <= FEW_CASES else 5


def _turned(before: Sequence[Record], after: Sequence[Record]) -> bool:
    """Whether nearly all trained before and nearly none after, or the other way round."""
    n, trained = len(before), sorted(len(Runs.of(runs).trained) for runs in (before, after))
    return nearly_all(n - trained[0], n) and nearly_all(trained[1], n)


def _quiet(before: Sequence[Record], after: Sequence[Record]) -> str:
    if all(one.bits == other.bits for one, other in zip(before, after, strict=True)):
        return "SAME"
    return "WITHIN" if fingerprint.differences(before[0].fingerprint, after[0].fingerprint) else "MOVED"
