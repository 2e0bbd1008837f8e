"""Judge: what the assertion says of a case. `judge.judge(records, baseline, prior, cases)`.

The band is honest for the whole session: with no change at all, one session in a hundred shows a false alarm,
however many cases it has. That takes three things.

- The variance of a case comes from its recorded and its present runs together, and is moderated towards those
  of its block (`bench.stats.moderated`). One variance for the whole block would give 40 to 90 % false alarms where
  activations differ in spread; that of the recorded runs alone 3 %, since accuracies are skewed and a rare low
  run may be missing among those recorded. Only trained runs count; collapsed and diverged
  ones are judged by exact tests on counts.
- Each of a case's `TESTS` is made at `LEVEL / (TESTS * cases)`.
- Stages: a case that looks suspicious is trained with a few fresh seeds, and if it still does with many; only all its
  seeds together can fail it. The stages before can only acquit, so the level of the last one holds for all.

Where few seeds were recorded no test on counts reaches such a level, and a spread of two runs says little. So what is
plain fails without a test: an outcome that nearly all runs end in and few recorded ones did, or all of seven and more
and less than half of those recorded, or values of which nearly all are far below what was recorded. A network that is
dead fails, whatever was recorded and however many cases there are.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from scipy import stats

from bench import data
from bench.cases.case import Case
from bench.cases.metric import Measured
from bench.display.tables import how_many
from bench.records import case_runs
from bench.records.baseline import Baseline
from bench.records.record import Outcome, Record
from bench.records.runs import Runs
from bench.records.verdict import fails, worst
from bench.regression import memory, repeats
from bench.stats import moderated, power
from bench.stats.moderated import Prior, upper_quantile, variance
from bench.training import fingerprint

LEVEL = 0.01  # false alarms a session
TESTS = 5  # a case: value lower, value higher, more diverged, more not trained, more trained

# What is plain without a test, see `nearly_all`, `all_of` and `_floor`.
FAR = 1e-6  # below the recorded mean lies by chance, by Student's t, one run in a million
PLENTY = 7  # runs: where every other one trains, one in a hundred sets of so many holds none that does
CLEAR = 1.5  # times the accuracy of guessing: from there on it says something to fall back to it
NO_PRIOR = Prior(0.0, 0.0)
ENOUGH = 10  # recorded seeds, of which `reach` has nothing to say


@dataclass(frozen=True)
class Stage:
    """What looks suspicious by a one-sided test at this level is trained with so many fresh seeds."""

    suspicion: float
    fresh_seeds: int


# Simulated on the recorded values (tests/bench/regression/test_false_alarms.py): with 3 seeds a case, healthy cases
# take about a sixth more runs, and 19 of 20 drops of two standard deviations are found, even among 500 cases. One stage
# of 12 seeds after a suspicion of 5 % takes a fifth more runs and finds 15 of 20 there.
STAGES = (Stage(0.08, 4), Stage(0.01, 24))


@dataclass(frozen=True)
class Judgement:
    """A verdict and what led to it.

    Attributes:
        verdict: one of `bench.records.verdict.VERDICTS`.
        reason: one sentence with the numbers.
        suspects: verdicts that fresh seeds might lead to; empty when nothing looks odd.
        band: of the mean of the trained seeds; None where values could not be compared.
        difference: of the fingerprints; empty where they are equal.
        shift: of the mean of the trained runs, in standard deviations between runs, positive for better; NaN where
            there is no spread to go by.
    """

    verdict: str
    reason: str
    suspects: tuple[str, ...] = ()
    band: tuple[float, float] | None = None
    difference: str = ""
    shift: float = math.nan


def prior_of(pool: Iterable[Baseline], step: float) -> Prior | None:
    """What the recorded spreads of a block say; None without any spread."""
    return moderated.prior([baseline.runs.trained for baseline in pool], step)


def stages(fresh_seeds: int) -> tuple[Stage, ...]:
    """`STAGES` with so many fresh seeds in all at most: the last are cut first, and 0 leaves no stage."""
    kept = []
    for stage in STAGES:
        if fresh := min(stage.fresh_seeds, fresh_seeds):
            kept.append(Stage(stage.suspicion, fresh))
        fresh_seeds -= fresh
    return tuple(kept)


def in_stages(
    records: Sequence[Record],
    more: Callable[[int], Sequence[Record]],
    baseline: Baseline | None,
    prior: Prior | None,
    cases: int,
    stages: Sequence[Stage] = STAGES,
    *,
    strict: bool,
) -> tuple[list[Record], Judgement]:
    """Judge the records at hand, and, while they look suspicious, all of them anew with those of `more`.

    Args:
        more: trains the case with so many fresh seeds.
        strict: whether better than recorded fails too, and so needs the same care.
    """
    everything = list(records)
    for stage in stages:
        judgement = judge(everything, baseline, prior, cases, stage.suspicion)
        if not any(fails(suspect, strict=strict) for suspect in judgement.suspects):
            return everything, judgement
        everything += more(stage.fresh_seeds)
    return everything, judge(everything, baseline, prior, cases)


def judge(
    records: Sequence[Record],
    baseline: Baseline | None,
    prior: Prior | None,
    cases: int,
    suspicion: float = STAGES[0].suspicion,
) -> Judgement:
    """The verdict on the records of one case in a session of so many cases: of what they came to, and what it took.

    Args:
        records: of all seeds run so far, of one key.
        baseline: of the same key, or None.
        prior: of its block.
        cases: selected in the session; the level is shared between them.
        suspicion: level of a one-sided test that makes a verdict one of the judgement's `suspects`.
    """
    if baseline is None:
        return Judgement("NEW", "no baseline of this case, scale, recipe version, data and device class")
    judgement = _judge_runs(records, baseline, prior, cases, suspicion)
    for verdict, text in (memory.compared(records, baseline), repeats.repeated(records, baseline)):
        if verdict:
            reason = f"{text}; {judgement.reason}"
            judgement = replace(judgement, verdict=worst([judgement.verdict, verdict]), reason=reason)
    return judgement


def _judge_runs(
    records: Sequence[Record], baseline: Baseline, prior: Prior | None, cases: int, suspicion: float
) -> Judgement:
    first = records[0]
    difference = fingerprint.differences(baseline.fingerprint, first.fingerprint)
    recorded = baseline.runs.bits
    shared = sorted((record for record in records if record.seed in recorded), key=lambda record: record.seed)
    if not difference and shared and all(record.bits == recorded[record.seed] for record in shared):
        return Judgement("SAME", f"the same bits as recorded, {_seeds([record.seed for record in shared])}", shift=0.0)
    quiet = "WITHIN" if difference or not shared else "MOVED"
    step = case_runs.step_of(baseline.metric, baseline.key.case.dataset, first.recipe["test_size"])
    level = LEVEL / (TESTS * cases)
    now = Runs.of(records)
    outcomes = _judge_outcomes(now, baseline.runs, level, suspicion)
    values = _judge_values(now, baseline, prior or NO_PRIOR, step, level, suspicion)
    findings = [*outcomes, *values]
    suspects = tuple(finding.verdict for finding in findings if finding.suspicious)
    alarms = {finding.verdict: finding for finding in reversed(findings) if finding.alarm}
    verdict = worst(alarms) or quiet
    told = alarms[verdict] if alarms else (values or outcomes)[0]
    band, shift = (values[0].band, values[0].shift) if values else (None, math.nan)
    return Judgement(verdict, told.text, suspects, band, difference, shift)


@dataclass(frozen=True)
class _Finding:
    verdict: str
    text: str
    alarm: bool
    suspicious: bool
    band: tuple[float, float] | None = None
    shift: float = math.nan


def _judge_outcomes(now: Runs, recorded: Runs, level: float, suspicion: float) -> list[_Finding]:
    """Exact (hypergeometric) tests: are there more of an outcome than the recorded counts allow?"""
    questions: tuple[tuple[str, tuple[Outcome, ...]], ...] = (
        ("DIVERGED", ("diverged",)),
        ("COLLAPSED", ("diverged", "collapsed")),
        ("IMPROVED", ("trained",)),
    )
    findings = []
    for verdict, named in questions:
        count, before = now.count(*named), recorded.count(*named)
        p = _at_least(count, now.n, count + before, now.n + recorded.n)
        turned = all_of(count, now.n, before, recorded.n)
        plain = nearly_all(count, now.n) and nearly_all(recorded.n - before, recorded.n)
        plain |= turned and now.n >= PLENTY
        unseen = turned or (count > 0 and before == 0)  # too few recorded seeds must not hide an outcome never seen
        text = f"{count} of {now.n} runs {' or '.join(named)}, recorded {before} of {recorded.n}"
        findings.append(_Finding(verdict, text, p <= level or plain, p <= suspicion or unseen or plain))
    return findings


def reach(recorded: int, now: int, cases: int) -> str:
    """What rows of so many recorded seeds cannot show, in a sentence; empty where there are enough.

    Args:
        now: runs that a suspicious case has in the end.
        cases: in the session that judges it.
    """
    if recorded >= ENOUGH:
        return ""
    drop = power.drop_seen(recorded, now, LEVEL / (TESTS * cases))
    least = "none that is not plain is" if math.isnan(drop) else f"four of five of {drop:.1f} standard deviations are"
    return (
        f"rows of {how_many(recorded, 'seed')} show little: of drops of the mean, judged by {now} runs among "
        f"{how_many(cases, 'case')}, {least} found, and a few more runs that do not train pass"
    )


def nearly_all(part: int, runs: int) -> bool:
    """Five of six, or more: what leaves nothing to test."""
    return 6 * part >= 5 * runs


def all_of(count: int, runs: int, before: int, recorded: int) -> bool:
    """Whether all runs end in what most of those recorded did not."""
    return (count == runs) & (2 * before < recorded)


@lru_cache(maxsize=4096)
def _at_least(count: int, runs: int, marked: int, population: int) -> float:
    """Chance that at least `count` of `runs` drawn from a population are among its marked ones."""
    return float(stats.hypergeom.sf(count - 1, population, marked, runs))


def _judge_values(
    runs: Runs, baseline: Baseline, prior: Prior, step: float, level: float, suspicion: float
) -> list[_Finding]:
    """A two-sample moderated t test between the trained runs of now and those recorded, on both sides.

    Without any spread to go by, nothing but what is plain fails, and what moved at all looks suspicious.
    """
    now, before = runs.trained, baseline.runs.trained
    if not now or not before:
        return []
    measured = Measured.parse(baseline.metric)
    spread, df = prior.moderate(_squares(before, step) + _squares(now, step), len(before) + len(now) - 2)
    centre, mean = statistics.fmean(before), statistics.fmean(now)
    floor = _floor(before, prior, step, measured, baseline.key.case)
    lost = sum(measured.sign * value < floor for value in now)
    plain = nearly_all(lost, len(now))
    text = f"{baseline.metric} {mean:.4f} (n={len(now)}, {_seeds(runs.seeds)}) is "
    if df:
        error = math.sqrt(spread * (1 / len(now) + 1 / len(before)))
        half, doubt = (max(error * upper_quantile(at, df), step) for at in (level, suspicion))  # not below one example
        band = (centre - half, centre + half)
        place = "inside" if abs(mean - centre) <= half else "below" if mean < centre else "above"
        text += f"{place} the band {band[0]:.4f} to {band[1]:.4f} around {centre:.4f} "
        text += f"(sd {math.sqrt(spread):.4f}, n={len(before)})"
    else:
        half, doubt, band = math.inf, step, None
        text += f"beside {centre:.4f} (n={len(before)}), without any spread to judge it by"
    if plain:
        text += f"; {lost} of {len(now)} runs are beyond {measured.sign * floor:.4f}, far from what was recorded"
    loss = measured.sign * (centre - mean)
    shift = -loss / math.sqrt(spread) if df else math.nan
    return [
        _Finding("REGRESSED", text, loss > half or plain, loss > doubt or 2 * lost > len(now), band, shift),
        _Finding("IMPROVED", text, -loss > half, -loss > doubt, band, shift),
    ]


def _squares(sample: Sequence[float], step: float) -> float:
    """Sum of squares around the mean, as `Prior.moderate` takes it."""
    return (len(sample) - 1) * variance(sample, step) if len(sample) > 1 else 0.0


def _floor(recorded: Sequence[float], prior: Prior, step: float, measured: Measured, case: Case) -> float:
    """Below which a run is plainly lost: too far for chance, or next to guessing; turned so that more is better."""
    centre = measured.sign * statistics.fmean(recorded)
    spread, df = prior.moderate(_squares(recorded, step), len(recorded) - 1)
    far = centre - math.sqrt(spread) * upper_quantile(FAR, df) if df else -math.inf
    guess = 1 / data.info(case.dataset).num_classes
    if measured.metric.name != "accuracy" or centre < CLEAR * guess:
        return far
    return max(far, guess + (centre - guess) / 6)


def _seeds(seeds: Sequence[int]) -> str:
    if len(seeds) > 1 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"seeds {seeds[0]} to {seeds[-1]}"
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
