"""Judge: what the assertion says of a case. `judge.judge(records, baseline, prior, cases)`.

The band is honest for the whole session: with no change at all, one session in a hundred shows a false alarm,
however many cases it has. That takes three things.

- The variance of a case comes from its recorded and its present runs together, and is moderated towards those
  of its block by empirical Bayes (Smyth 2004, limma). One variance for the whole block would give 40 to 90 %
  false alarms where activations differ in spread; that of the recorded runs alone 3 %, since accuracies are
  skewed and a rare low run may be missing among those recorded. Only trained runs count; collapsed and diverged
  ones are judged by exact tests on counts.
- Each of a case's `TESTS` is made at `LEVEL / (TESTS * cases)`.
- Two stages: a case that looks suspicious is trained with fresh seeds, and only all its seeds together can fail
  it. The first stage can only acquit, so the level of the second holds for both.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import optimize, special, stats

from bench import data, fingerprint
from bench.baseline import Baseline
from bench.record import Record

LEVEL = 0.01  # false alarms a session
TESTS = 5  # a case: value lower, value higher, more diverged, more not trained, more trained
# One-sided, in the first stage. With 3 seeds, 1 case in 20 is trained FRESH_SEEDS times more: about a fifth more runs.
SUSPICION = 0.05
OUTCOME_SUSPICION = 0.1
FRESH_SEEDS = 12
ROUNDING = 1e-9  # relative: a drop of exactly one example must not fail by the last bit of a difference

FAILING = ("REGRESSED", "COLLAPSED", "DIVERGED")
VERDICTS = ("SAME", "CHANGED", "WITHIN", "IMPROVED", "NEW", *FAILING)


@dataclass(frozen=True)
class Prior:
    """What the spreads of a block say about that of one case: a variance, and its weight in degrees of freedom."""

    variance: float
    df: float


@dataclass(frozen=True)
class Judgement:
    """A verdict and what led to it.

    Attributes:
        verdict: one of `VERDICTS`.
        reason: one sentence with the numbers.
        suspects: verdicts that fresh seeds might lead to; empty when nothing looks odd.
        band: of the mean of the trained seeds; None where values could not be compared.
        difference: of the fingerprints; empty where they are equal.
    """

    verdict: str
    reason: str
    suspects: tuple[str, ...] = ()
    band: tuple[float, float] | None = None
    difference: str = ""


def fails(verdict: str, *, strict: bool = False, require: bool = False) -> bool:
    """Whether a verdict fails its case: always, or only with `--strict` or with `--baseline=require`."""
    unrecorded = verdict in ("CHANGED", "IMPROVED")
    return verdict in FAILING or (strict and unrecorded) or (require and verdict == "NEW")


def quantum(baseline: Baseline, test_size: int | None) -> float:
    """The step in which the metric moves: one test example for an accuracy, nothing for a loss."""
    if not baseline.metric.endswith("accuracy"):
        return 0.0
    rows = test_size or data.info(baseline.key.case.dataset).rows[1]
    return (1 + ROUNDING) / rows


def prior(pool: Iterable[Baseline], step: float) -> Prior | None:
    """The prior of a block by limma's method of moments on the log variances; None without any spread.

    A variance below that of rounding to one test example counts as that: its logarithm would be minus infinity.
    """
    samples = [baseline.trained for baseline in pool if len(baseline.trained) > 1]
    if not samples:
        return None
    df = np.array([len(sample) - 1 for sample in samples], dtype=float)
    variances = np.array([_variance(sample, step) for sample in samples])
    centred = np.log(variances) - special.digamma(df / 2) + np.log(df / 2)
    if len(samples) == 1:
        return Prior(float(variances[0]), 0.0)
    excess = centred.var(ddof=1) - special.polygamma(1, df / 2).mean()
    most = float(df.sum())  # the block cannot know more than all its runs together
    if excess <= special.polygamma(1, most / 2):  # the spreads differ by no more than chance
        return Prior(float(np.exp(centred.mean())), most)
    half = optimize.brentq(lambda y: special.polygamma(1, y) - excess, 1e-6, most)
    variance = np.exp(centred.mean() + special.digamma(half) - np.log(half))
    return Prior(float(variance), 2 * float(half))


def _variance(sample: Sequence[float], step: float) -> float:
    # step^2 / 12 is the variance of rounding to a step; 1e-12 keeps the logarithm of a loss finite.
    return max(float(np.var(sample, ddof=1)), step**2 / 12, 1e-12)


def two_stages(
    records: Sequence[Record],
    more: Callable[[], Sequence[Record]],
    baseline: Baseline | None,
    spread: Prior | None,
    cases: int,
    *,
    strict: bool,
) -> tuple[list[Record], Judgement]:
    """Judge the records at hand, and all of them anew with those of `more` where they look suspicious.

    Args:
        more: trains the case with `FRESH_SEEDS` fresh seeds; called at most once.
        strict: whether better than recorded fails too, and so needs the same care.
    """
    judgement = judge(records, baseline, spread, cases)
    if not any(fails(suspect, strict=strict) for suspect in judgement.suspects):
        return list(records), judgement
    everything = [*records, *more()]
    return everything, judge(everything, baseline, spread, cases)


def judge(records: Sequence[Record], baseline: Baseline | None, spread: Prior | None, cases: int) -> Judgement:
    """The verdict on the records of one case in a session of so many cases.

    Args:
        records: of all seeds run so far, of one key.
        baseline: of the same key, or None.
        spread: the prior of its block.
        cases: selected in the session; the level is shared between them.
    """
    if baseline is None:
        return Judgement("NEW", "no baseline of this case, scale, recipe version, data and device class")
    first = records[0]
    difference = fingerprint.differences(baseline.fingerprint, first.fingerprint)
    recorded = dict(zip(baseline.seeds, baseline.digests, strict=True))
    shared = [record for record in records if record.seed in recorded]
    if not difference and shared and all(record.digest == recorded[record.seed] for record in shared):
        return Judgement("SAME", f"the same bits as recorded, {_seeds(shared)}")
    quiet = "WITHIN" if difference or not shared else "CHANGED"
    step = quantum(baseline, first.recipe["test_size"])
    level = LEVEL / (TESTS * cases)
    outcomes = _judge_outcomes(records, baseline, level)
    values = _judge_values(records, baseline, spread, step, level)
    findings = [*outcomes, *values]
    suspects = tuple(finding.verdict for finding in findings if finding.suspicious)
    alarms = sorted((finding for finding in findings if finding.alarm), key=lambda one: not fails(one.verdict))
    verdict = alarms[0].verdict if alarms else quiet
    told = alarms[0] if alarms else (values or outcomes)[0]
    band = values[0].band if values else None
    return Judgement(verdict, told.text, suspects, band, difference)


@dataclass(frozen=True)
class _Finding:
    verdict: str
    text: str
    alarm: bool
    suspicious: bool
    band: tuple[float, float] | None = None


def _judge_outcomes(records: Sequence[Record], baseline: Baseline, level: float) -> list[_Finding]:
    """Exact (hypergeometric) tests: are there more of an outcome than the recorded counts allow?"""
    questions = (
        ("DIVERGED", ("diverged",)),
        ("COLLAPSED", ("diverged", "collapsed")),
        ("IMPROVED", ("trained",)),
    )
    findings = []
    for verdict, named in questions:
        now = sum(record.outcome in named for record in records)
        before = sum(outcome in named for outcome in baseline.outcomes)
        runs, recorded = len(records), len(baseline.outcomes)
        p = _at_least(now, runs, now + before, runs + recorded)
        unseen = now > 0 and before == 0  # too few recorded seeds must not hide an outcome never seen
        text = f"{now} of {runs} runs {' or '.join(named)}, recorded {before} of {recorded}"
        findings.append(_Finding(verdict, text, p <= level, p <= OUTCOME_SUSPICION or unseen))
    return findings


@lru_cache(maxsize=4096)
def _at_least(now: int, runs: int, marked: int, population: int) -> float:
    """Chance that at least `now` of `runs` drawn from a population are among its marked ones."""
    return float(stats.hypergeom.sf(now - 1, population, marked, runs))


def _upper_quantile(level: float, df: float) -> float:
    """Of Student's t; scipy.stats says the same through a hundred times the overhead."""
    return -float(special.stdtrit(df, level))


def _judge_values(
    records: Sequence[Record], baseline: Baseline, spread: Prior | None, step: float, level: float
) -> list[_Finding]:
    """A two-sample moderated t test between the trained runs of now and those recorded, on both sides."""
    now = [record.value for record in records if record.outcome == "trained"]
    before = baseline.trained
    if not now or not before or spread is None:
        return []
    own = sum((len(sample) - 1) * _variance(sample, step) for sample in (before, now) if len(sample) > 1)
    own_df = len(before) + len(now) - 2
    df = spread.df + own_df
    if not df:
        return []
    variance = (spread.df * spread.variance + own) / df
    error = math.sqrt(variance * (1 / len(now) + 1 / len(before)))
    centre, mean = statistics.fmean(before), statistics.fmean(now)
    half = max(error * _upper_quantile(level, df), step)  # never below one test example
    doubt = max(error * _upper_quantile(SUSPICION, df), step)
    band = (centre - half, centre + half)
    higher_is_better = records[0].recipe["higher_is_better"]
    lower, higher = ("REGRESSED", "IMPROVED") if higher_is_better else ("IMPROVED", "REGRESSED")
    findings = []
    for verdict, distance in ((lower, centre - mean), (higher, mean - centre)):
        place = "inside" if abs(mean - centre) <= half else "below" if mean < centre else "above"
        text = (
            f"{baseline.metric} {mean:.4f} (n={len(now)}, {_seeds(records)}) is {place} the band "
            f"{band[0]:.4f} to {band[1]:.4f} around {centre:.4f} (sd {math.sqrt(variance):.4f}, n={len(before)})"
        )
        findings.append(_Finding(verdict, text, distance > half, distance > doubt, band))
    return findings


def _seeds(records: Sequence[Record]) -> str:
    seeds = sorted(record.seed for record in records)
    if len(seeds) > 1 and seeds == list(range(seeds[0], seeds[-1] + 1)):
        return f"seeds {seeds[0]} to {seeds[-1]}"
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
