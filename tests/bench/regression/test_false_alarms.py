"""False alarms and power of the whole procedure, simulated on what was recorded.

Recorded values, outcomes with them, are the population. Each session draws baselines of as many from it, and then cases
and their runs, first and fresh ones. The rule is computed on arrays of many sessions at once, and is held to
`judge.in_stages` case by case.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from scipy import special, stats

from bench import data
from bench.cases.metric import Measured
from bench.records import baseline, case_runs
from bench.records.baseline import Baseline
from bench.records.record import Record
from bench.regression import judge
from bench.session.settings import CONFIRM
from made import ELSEWHERE, HERE, record

RECORDED_SEEDS = 20
FRESH = sum(stage.fresh_seeds for stage in judge.STAGES)
SMALL = judge.stages(CONFIRM["small"])
OUTCOMES = ("trained", "collapsed", "diverged")
TRAINED, COLLAPSED, DIVERGED = range(3)
NONE = np.int8(-1)  # where a case has fewer runs than others
AT_ONCE = 200  # sessions, which bounds the memory


@dataclass(frozen=True)
class Samples:
    """Runs of many cases, the runs along the last axis; `sizes` says how many of these there are."""

    values: np.ndarray
    outcomes: np.ndarray
    sizes: np.ndarray

    def __getitem__(self, chosen) -> Samples:
        return Samples(self.values[chosen], self.outcomes[chosen], self.sizes[chosen])

    def first(self, count: int) -> Samples:
        return Samples(self.values[..., :count], self.outcomes[..., :count], np.minimum(self.sizes, count))

    def drawn(self, count: int, rng) -> Samples:
        """So many of the runs of each case, with replacement."""
        places = rng.integers(self.sizes[..., None], size=(*self.sizes.shape, count))
        values, outcomes = (np.take_along_axis(one, places, axis=-1) for one in (self.values, self.outcomes))
        return Samples(values, outcomes, np.full(self.sizes.shape, count))

    def count(self, *outcomes: int) -> np.ndarray:
        return sum(np.count_nonzero(self.outcomes == one, axis=-1) for one in outcomes)

    @cached_property
    def n(self) -> np.ndarray:
        """Of those that trained, as are mean and variance."""
        return self.count(TRAINED)

    @cached_property
    def mean(self) -> np.ndarray:
        return np.where(self.outcomes == TRAINED, self.values, 0).sum(-1) / np.maximum(self.n, 1)

    def variance(self, step) -> np.ndarray:
        squares = np.where(self.outcomes == TRAINED, self.values - self.mean[..., None], 0) ** 2
        return np.maximum(np.maximum(squares.sum(-1) / np.maximum(self.n - 1, 1), step**2 / 12), 1e-12)


@dataclass(frozen=True)
class Population:
    """The recorded tiny baselines of this project, sorted by block."""

    rows: list[Baseline]

    @cached_property
    def samples(self) -> Samples:
        sizes = np.array([len(row.runs.values) for row in self.rows])
        values = np.zeros((len(sizes), sizes.max()))
        outcomes = np.full(values.shape, NONE, dtype=np.int8)
        for place, row in enumerate(self.rows):
            values[place, : sizes[place]] = row.runs.values
            outcomes[place, : sizes[place]] = [OUTCOMES.index(one) for one in row.runs.outcomes]
        return Samples(values, outcomes, sizes)

    @cached_property
    def blocks(self) -> list[np.ndarray]:
        """The rows of each."""
        found = defaultdict(list)
        for place, row in enumerate(self.rows):
            found[row.key.pool].append(place)
        return [np.array(places) for places in found.values()]

    @cached_property
    def steps(self) -> np.ndarray:
        return np.array([case_runs.step_of(row.metric, row.key.case.dataset, rows_tested(row)) for row in self.rows])

    @cached_property
    def direction(self) -> np.ndarray:
        return np.array([1 if higher_is_better(row) else -1 for row in self.rows])

    @cached_property
    def guesses(self) -> np.ndarray:
        """What guessing gives, NaN where the metric is no accuracy."""
        metrics = [Measured.parse(row.metric).metric.name for row in self.rows]
        classes = [data.info(row.key.case.dataset).num_classes for row in self.rows]
        return np.where(np.array(metrics) == "accuracy", 1 / np.array(classes), np.nan)


def rows_tested(row: Baseline) -> int | None:
    return None if row.key.case.dataset == "digits" else 2000


def higher_is_better(row: Baseline) -> bool:
    return Measured.parse(row.metric).higher_is_better


@pytest.fixture(scope="module")
def population() -> Population:
    rows = [row for row in baseline.read(baseline.FOLDER).values() if row.key.scale == "tiny"]
    return Population(sorted(rows, key=lambda row: str(row.key.pool)))


@dataclass(frozen=True)
class Sessions:
    """What several sessions drew.

    Attributes:
        rows: of the population, of each case of each session.
        baselines: of all rows of the population, in each session.
        priors: by session and row of the population, see `priors_of`.
        runs: of each case, as many as it can need.
    """

    rows: np.ndarray
    baselines: Samples
    priors: tuple[np.ndarray, np.ndarray]
    runs: Samples


def draw(
    population: Population, cases, sessions, rng, drop=0.0, seeds=3, recorded=RECORDED_SEEDS
) -> Iterator[Sessions]:
    """So many sessions of so many cases each, some at once; no row is recorded with more than so many seeds.

    With a drop each has one case, of those recorded with 20 seeds, whose trained values are lowered by so many standard
    deviations, while the others are as they were.
    """
    for start in range(0, sessions, AT_ONCE):
        at_once = min(AT_ONCE, sessions - start)
        yield _draw(population, 1 if drop else cases, at_once, rng, drop, seeds, recorded)


def _draw(population: Population, cases: int, sessions: int, rng, drop: float, seeds: int, recorded: int) -> Sessions:
    everything = population.samples
    allowed = np.flatnonzero(everything.n == RECORDED_SEEDS) if drop else np.arange(len(population.rows))
    rows = rng.choice(allowed, size=(sessions, cases))
    of_each = np.broadcast_to(np.arange(len(population.rows)), (sessions, len(population.rows)))
    runs = everything[rows].drawn(seeds + FRESH, rng)
    loss = drop * population.direction[rows] * np.sqrt(everything.variance(0)[rows])
    lowered = np.where(runs.outcomes == TRAINED, runs.values - loss[..., None], runs.values)
    baselines = everything[of_each].drawn(everything.values.shape[-1], rng)
    sizes = np.minimum(everything.sizes, recorded)
    outside = np.arange(everything.values.shape[-1]) >= sizes[:, None]
    baselines = Samples(baselines.values, np.where(outside, NONE, baselines.outcomes), sizes[of_each])
    priors = priors_of(population, baselines)
    return Sessions(rows, baselines, priors, dataclasses.replace(runs, values=lowered))


def priors_of(population: Population, baselines: Samples) -> tuple[np.ndarray, np.ndarray]:
    """As `moderated.prior`: variance and degrees of freedom by session and row, both 0 where there is none."""
    found, weights = np.zeros(baselines.n.shape), np.zeros(baselines.n.shape)
    for places in population.blocks:
        known = baselines.n[:, places] > 1
        df = np.where(known, baselines.n[:, places] - 1, 1)
        variances = baselines[:, places].variance(population.steps[places])
        centred = np.where(known, np.log(variances) - special.digamma(df / 2) + np.log(df / 2), 0)
        samples = known.sum(1)
        middle = centred.sum(1) / np.maximum(samples, 1)
        squares = np.where(known, centred - middle[:, None], 0) ** 2
        trigammas = np.where(known, special.polygamma(1, df / 2), 0)
        excess = squares.sum(1) / np.maximum(samples - 1, 1) - trigammas.sum(1) / np.maximum(samples, 1)
        most = np.where(known, df, 0).sum(1)
        alike = excess <= special.polygamma(1, np.maximum(most, 1) / 2)
        half = inverse_trigamma(np.where(alike, 1, excess))
        centre = np.where(alike, middle, middle + special.digamma(half) - np.log(half))
        alone = np.where(known, variances, 0).sum(1)
        found[:, places] = np.select([samples == 0, samples == 1], [0, alone], np.exp(centre))[:, None]
        weights[:, places] = np.select([samples <= 1, alike], [0, most], 2 * half)[:, None]
    return found, weights


def inverse_trigamma(x: np.ndarray) -> np.ndarray:
    """By Newton's method on 1 / trigamma, which is nearly straight (Smyth 2004)."""
    y = 0.5 + 1 / x
    for _ in range(50):
        value = special.polygamma(1, y)
        y = y + value * (1 - value / x) / special.polygamma(2, y)
    return y


def at_least(now, runs, marked, total) -> np.ndarray:
    """As `judge` asks: the chance of so many marked ones, each question once."""
    asked, place = np.unique(np.stack([now - 1, total, marked, runs]), axis=1, return_inverse=True)
    return stats.hypergeom.sf(*asked)[place.ravel()]


def squares(one: Samples, step) -> np.ndarray:
    return np.where(one.n > 1, (one.n - 1) * one.variance(step), 0)


def lost(now: Samples, before: Samples, prior, step, direction, guess) -> np.ndarray:
    """How many runs of each case are plainly lost by their values."""
    variance, weight = prior
    df = weight + before.n - 1
    spread = (weight * variance + squares(before, step)) / np.where(df > 0, df, 1)
    centre = direction * before.mean
    distance = -np.sqrt(spread) * special.stdtrit(np.where(df > 0, df, 1), judge.FAR)
    far = centre - np.where(df > 0, distance, np.inf)
    hardly = np.where(centre >= judge.CLEAR * guess, guess + (centre - guess) / 6, -np.inf)
    beyond = direction[:, None] * now.values < np.maximum(far, hardly)[:, None]
    return np.where(before.n > 0, (beyond & (now.outcomes == TRAINED)).sum(-1), 0)


def questions(strict: bool) -> list[tuple[int, ...]]:
    return [(DIVERGED,), (DIVERGED, COLLAPSED), *([(TRAINED,)] if strict else [])]


def failing(now: Samples, before: Samples, prior, step, direction, guess, level: float, strict: bool) -> np.ndarray:
    """Cases in which a test at this level would fail the session; NaN-free where there is nothing to compare."""
    found = np.zeros(now.sizes.shape, dtype=bool)
    for outcomes in questions(strict):
        mine, theirs = now.count(*outcomes), before.count(*outcomes)
        found |= at_least(mine, now.sizes, mine + theirs, now.sizes + before.sizes) <= level
        found |= judge.nearly_all(mine, now.sizes) & judge.nearly_all(before.sizes - theirs, before.sizes)
        found |= judge.all_of(mine, now.sizes, theirs, before.sizes) & (now.sizes >= judge.PLENTY)
    known = (now.n > 0) & (before.n > 0)
    found |= known & judge.nearly_all(lost(now, before, prior, step, direction, guess), now.n)
    variance, weight = prior
    df = np.where(known, weight + before.n + now.n - 2, 0)
    sizes = 1 / np.maximum(now.n, 1) + 1 / np.maximum(before.n, 1)
    spread = (weight * variance + squares(before, step) + squares(now, step)) / np.where(df > 0, df, 1)
    half = np.maximum(-np.sqrt(spread * sizes) * special.stdtrit(np.where(df > 0, df, 1), level), step)
    worse = direction * (before.mean - now.mean)
    return found | ((df > 0) & ((worse > half) | (strict & (-worse > half))))


def odd(now: Samples, before: Samples, prior, step, direction, guess, strict: bool) -> np.ndarray:
    """Cases that are looked at again whatever the tests say.

    Those with an outcome that was never recorded or now is all, of which most runs are lost, or without any spread.
    """
    found = 2 * lost(now, before, prior, step, direction, guess) > now.n
    for kind in questions(strict):
        found |= (now.count(*kind) > 0) & (before.count(*kind) == 0)
        found |= judge.all_of(now.count(*kind), now.sizes, before.count(*kind), before.sizes)
    blind = (now.n == 1) & (before.n == 1) & (prior[1] == 0)
    worse = direction * (before.mean - now.mean)
    return found | (blind & ((worse > step) | (strict & (-worse > step))))


def judged(population: Population, drawn: Sessions, cases: int, strict: bool, seeds: int, stages=judge.STAGES):
    """As `judge.in_stages`: whether each case fails, and how many runs it took."""
    variance, weight = drawn.priors
    session = np.broadcast_to(np.arange(len(drawn.rows))[:, None], drawn.rows.shape).ravel()
    rows = drawn.rows.ravel()
    runs = Samples(*(one.reshape(len(rows), *one.shape[2:]) for one in dataclasses.astuple(drawn.runs)))
    before, prior = drawn.baselines[session, rows], (variance[session, rows], weight[session, rows])
    facts = population.steps[rows], population.direction[rows], population.guesses[rows]

    def at(places, count):
        """What is compared."""
        now = runs[places].first(count)
        return now, before[places], [one[places] for one in prior], *(one[places] for one in facts)

    taken, alarms = np.full(len(rows), seeds), np.zeros(len(rows), dtype=bool)
    left = np.arange(len(rows))
    for stage in stages:
        count = taken[left[0]] if len(left) else 0
        compared = at(left, count)
        left = left[failing(*compared, stage.suspicion, strict) | odd(*compared, strict)]
        taken[left] += stage.fresh_seeds
    count = seeds + sum(stage.fresh_seeds for stage in stages)
    alarms[left] = failing(*at(left, count), judge.LEVEL / (judge.TESTS * cases), strict)
    return alarms.reshape(drawn.rows.shape), taken.reshape(drawn.rows.shape)


def alarms_and_runs(
    population, cases, sessions, rng, strict=True, seeds=3, recorded=RECORDED_SEEDS, stages=judge.STAGES
):
    """Share of sessions with an alarm, and runs a planned run."""
    found = done = planned = 0
    for drawn in draw(population, cases, sessions, rng, seeds=seeds, recorded=recorded):
        alarms, taken = judged(population, drawn, cases, strict, seeds, stages)
        found += alarms.any(1).sum()
        done += taken.sum()
        planned += seeds * taken.size
    return found / sessions, done / planned


# ---- the arrays say what the judge says ---------------------------------------------------------------------------


def records_of(row: Baseline, values, outcomes, fingerprint) -> list[Record]:
    settings = {"metric": row.metric, "test_size": rows_tested(row)}
    return [
        record(seed, value, OUTCOMES[outcome], fingerprint, row.key.case, **settings)
        for seed, (value, outcome) in enumerate(zip(values.tolist(), outcomes.tolist(), strict=True))
    ]


def by_the_judge(population: Population, drawn: Sessions, cases: int, strict: bool, seeds: int, stages=judge.STAGES):
    """The same two by `judge.in_stages`, case by case."""
    alarms, taken = np.zeros(drawn.rows.shape, dtype=bool), np.zeros(drawn.rows.shape, dtype=int)
    block_of = {place: places for places in population.blocks for place in places.tolist()}
    for (session, place), row in np.ndenumerate(drawn.rows):
        recorded = {}
        for one in block_of[row].tolist():
            mine = drawn.baselines[session, one].first(drawn.baselines.sizes[session, one])
            recorded[one] = Baseline.of(records_of(population.rows[one], mine.values, mine.outcomes, HERE))
        runs = drawn.runs[session, place]
        everything = records_of(population.rows[row], runs.values, runs.outcomes, ELSEWHERE)
        rest = iter(everything[seeds:])
        prior = judge.prior_of(recorded.values(), population.steps[row])
        records, judgement = judge.in_stages(
            everything[:seeds],
            lambda count, rest=rest: [next(rest) for _ in range(count)],
            recorded[row],
            prior,
            cases,
            stages,
            strict=strict,
        )
        alarms[session, place] = judge.fails(judgement.verdict, strict=strict)
        taken[session, place] = len(records)
    return alarms, taken


@pytest.mark.parametrize("sessions", [AT_ONCE // 4, pytest.param(20 * AT_ONCE, marks=pytest.mark.slow)])
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("drop", "seeds", "recorded", "stages"),
    [
        *((drop, seeds, 20, judge.STAGES) for drop, seeds in [(0.0, 1), (0.0, 3), (1.0, 3), (1.5, 1)]),
        *((drop, 3, 3, SMALL) for drop in (0.0, 2.0)),
        *(pytest.param(drop, 3, few, SMALL, marks=pytest.mark.slow) for drop in (0.0, 2.0) for few in (1, 5)),
        (2.0, 1, 1, ()),
    ],
)
def test_the_rule_on_arrays_is_the_judges(population, strict, drop, seeds, recorded, stages, sessions):
    for drawn in draw(population, 4, sessions, np.random.default_rng(seeds), drop, seeds, recorded):
        alarms, taken = judged(population, drawn, 4, strict, seeds, stages)
        alarms_of_judge, taken_of_judge = by_the_judge(population, drawn, 4, strict, seeds, stages)
        np.testing.assert_array_equal(taken, taken_of_judge)
        np.testing.assert_array_equal(alarms, alarms_of_judge)
        # Each way through the stages was taken; without a drop one case in a hundred comes to the last.
        assert len(np.unique(taken)) == 1 + len(stages) or not drop
        assert alarms.any() >= (drop > 0 and stages == judge.STAGES)


# ---- what the procedure promises ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("cases", "seeds", "sessions"), [(20, 1, 1000), (20, 3, 1000), (130, 3, 400), (500, 3, 200)])
def test_at_most_one_session_in_a_hundred_shows_a_false_alarm(population, cases, seeds, sessions):
    rate, cost = alarms_and_runs(population, cases, sessions, np.random.default_rng(seeds), seeds=seeds)
    print(f"{cases} cases, {seeds} seeds: false alarms {rate:.2%}, {cost:.2f} runs a planned run")
    assert_promised(rate, sessions)


@pytest.mark.parametrize("cases", [20, pytest.param(130, marks=pytest.mark.slow)])
@pytest.mark.parametrize("recorded", [3, pytest.param(5, marks=pytest.mark.slow)])
def test_rows_of_few_seeds_raise_hardly_more_false_alarms(population, recorded, cases):
    """Without `--strict`: with it, rows of 3 seeds raise 2 to 3 in a hundred sessions, most of them IMPROVED.

    Where a rate at which runs blow up now and then is among the cases, 3 seeds may have seen none: of 29 alarms in 1000
    sessions of 130 cases 16 were of `null_runs` at rate 1 and of `autoencoder` at 1e-2. That none of eleven runs trains
    where two of three did adds one in a hundred, by the recorded rates.
    """
    given = {"strict": False, "recorded": recorded, "stages": SMALL}
    rate, _ = alarms_and_runs(population, cases, 400, np.random.default_rng(recorded), **given)
    print(f"{cases} cases, rows of {recorded} seeds: false alarms {rate:.2%}")
    assert_promised(rate, 400, level=0.04 if recorded == 3 else judge.LEVEL)


def assert_promised(rate: float, sessions: int, level: float = judge.LEVEL) -> None:
    chance = stats.binom.sf(round(rate * sessions) - 1, sessions, level)
    assert chance > 0.01, f"{rate:.2%} false alarms are more than {level:.0%} in {sessions} sessions explain"


def test_healthy_cases_take_about_a_sixth_more_runs(population):
    _, cost = alarms_and_runs(population, 130, 100, np.random.default_rng(0), strict=False)
    print(f"{cost:.3f} runs a planned run")
    assert cost < 1.2


def test_a_drop_of_two_standard_deviations_is_found(population):
    power, sessions, found = {20: 0.95, 130: 0.93, 500: 0.92}, 2000, Counter()
    for drawn in draw(population, 1, sessions, np.random.default_rng(7), drop=2.0):
        for cases in power:
            alarms, _ = judged(population, drawn, cases, strict=False, seeds=3)
            found[cases] += int(alarms.sum())
    print({cases: f"{count / sessions:.1%} of drops found among so many cases" for cases, count in found.items()})
    assert [cases for cases, wanted in power.items() if found[cases] / sessions < wanted] == []


@pytest.mark.parametrize(
    ("recorded", "stages", "drop", "wanted"),
    [
        (10, judge.STAGES, 2.0, 0.81),
        pytest.param(5, SMALL, 3.0, 0.74, marks=pytest.mark.slow),
        pytest.param(5, SMALL, 4.0, 0.95, marks=pytest.mark.slow),
        (3, SMALL, 4.0, 0.78),
        pytest.param(3, SMALL, 6.0, 0.98, marks=pytest.mark.slow),
    ],
)
def test_what_rows_of_fewer_seeds_find_among_twenty_cases_is_as_the_readme_says(
    population, recorded, stages, drop, wanted
):
    found, sessions = 0, 400
    for drawn in draw(population, 1, sessions, np.random.default_rng(7), drop=drop, recorded=recorded):
        alarms, _ = judged(population, drawn, 20, strict=False, seeds=3, stages=stages)
        found += int(alarms.sum())
    print(f"rows of {recorded}: {found / sessions:.0%} of drops of {drop:g} standard deviations found")
    assert found / sessions >= wanted
