"""Verdicts on made and on recorded values: bands, outcomes, false alarms and power of the whole procedure."""

from __future__ import annotations

import dataclasses
import functools
import statistics

import numpy as np
import pytest
from scipy import stats

from bench import baseline, judge
from bench.baseline import Baseline
from bench.record import Record
from made import ELSEWHERE, HERE, record, runs

SESSIONS = 2000


RECORDED = runs(np.random.default_rng(0).normal(0.9, 0.01, 20))
BASELINE = baseline.from_records(RECORDED)
PRIOR = judge.prior([BASELINE], 0.001)
SD = statistics.stdev(BASELINE.trained)


def verdict(records, against=BASELINE, spread=PRIOR, cases=1):
    return judge.judge(records, against, spread, cases).verdict


def test_the_same_bits_under_an_equal_fingerprint_are_the_same():
    assert verdict(RECORDED[:3]) == "SAME"


def test_other_bits_inside_the_band_are_changed_here_and_within_elsewhere():
    assert verdict(runs([0.9001, 0.9002])) == "CHANGED"
    elsewhere = judge.judge(runs([0.9001, 0.9002], fingerprint=ELSEWHERE), BASELINE, PRIOR, 1)
    assert elsewhere.verdict == "WITHIN"
    assert elsewhere.difference == "torch 2.14 -> 2.15"


@pytest.mark.parametrize(("shift", "expected"), [(-6, "REGRESSED"), (6, "IMPROVED"), (-1, "CHANGED"), (1, "CHANGED")])
def test_the_band_has_two_sides(shift, expected):
    assert verdict(runs([0.9 + shift * SD] * 3)) == expected


def test_for_a_loss_lower_is_better():
    recorded = runs(np.random.default_rng(1).normal(0.5, 0.01, 20), metric="test_loss", higher_is_better=False)
    against = baseline.from_records(recorded)
    spread = judge.prior([against], 0.0)
    now = {"metric": "test_loss", "higher_is_better": False}
    assert verdict(runs([0.9] * 3, **now), against, spread) == "REGRESSED"
    assert verdict(runs([0.1] * 3, **now), against, spread) == "IMPROVED"


def test_the_band_is_never_narrower_than_one_test_example():
    constant = baseline.from_records(runs([0.9] * 20))
    spread = judge.prior([constant], 0.001)
    assert verdict(runs([0.899] * 20), constant, spread) == "CHANGED"
    assert verdict(runs([0.895] * 20), constant, spread) == "REGRESSED"


def test_more_cases_in_a_session_widen_the_band():
    one, many = (judge.judge(runs([0.9]), BASELINE, PRIOR, cases).band for cases in (1, 500))
    assert many[0] < one[0] < one[1] < many[1]


@pytest.mark.parametrize(("outcome", "expected"), [("collapsed", "COLLAPSED"), ("diverged", "DIVERGED")])
def test_outcomes_that_the_recorded_counts_do_not_allow_fail(outcome, expected):
    assert verdict(runs([0.1] * 13, outcome), cases=130) == expected


def test_outcomes_that_were_recorded_too_are_no_alarm():
    mixed = baseline.from_records(RECORDED[:10] + runs([0.1] * 10, "collapsed", first_seed=10))
    assert verdict(runs([0.1] * 2, "collapsed") + RECORDED[:1], mixed) == "CHANGED"


def test_training_where_the_baseline_collapsed_is_improved():
    collapsed = baseline.from_records(runs([0.1] * 20, "collapsed"))
    assert verdict(runs([0.9] * 13), collapsed, None) == "IMPROVED"


@pytest.mark.parametrize("recorded", [5, 10, 20])
def test_one_collapsed_run_that_was_never_recorded_is_looked_at_again_however_few_were_recorded(recorded):
    against = baseline.from_records(RECORDED[:recorded])
    assert "COLLAPSED" in judge.judge(runs([0.1], "collapsed"), against, PRIOR, 130).suspects


def test_without_a_baseline_the_verdict_is_new_and_fails_only_where_one_is_required():
    assert verdict(RECORDED, against=None, spread=None) == "NEW"
    assert not judge.fails("NEW", strict=True)
    assert judge.fails("NEW", require=True)


@pytest.mark.parametrize("name", judge.VERDICTS)
def test_strict_adds_the_unrecorded_changes_to_what_fails(name):
    assert judge.fails(name) == (name in judge.FAILING)
    assert judge.fails(name, strict=True) == (name in (*judge.FAILING, "CHANGED", "IMPROVED"))


def test_fresh_seeds_are_only_run_for_suspicious_cases():
    asked = []
    quiet, _ = judge.two_stages(runs([0.9]), lambda: asked.append(1) or [], BASELINE, PRIOR, 1, strict=True)
    assert (len(quiet), asked) == (1, [])
    fresh = runs([0.9] * judge.FRESH_SEEDS, first_seed=1)
    everything, judgement = judge.two_stages(runs([0.9 - 3 * SD]), lambda: fresh, BASELINE, PRIOR, 130, strict=False)
    assert len(everything) == 1 + judge.FRESH_SEEDS
    assert judgement.verdict == "CHANGED"


def test_better_than_recorded_asks_for_fresh_seeds_only_where_it_would_fail():
    better = runs([0.9 + 3 * SD])
    for strict in (False, True):
        everything, _ = judge.two_stages(better, lambda: runs([0.9], first_seed=1), BASELINE, PRIOR, 1, strict=strict)
        assert len(everything) == 1 + strict


def test_the_prior_leans_on_the_block_as_far_as_its_spreads_agree():
    rng = np.random.default_rng(2)

    def block(sds):
        return [baseline.from_records(runs(rng.normal(0.5, sd, 20))) for sd in sds]

    alike = judge.prior(block([0.01] * 12), 1e-4)
    unlike = judge.prior(block(np.geomspace(0.001, 0.1, 12)), 1e-4)
    assert alike.df > 10 * unlike.df
    assert alike.variance == pytest.approx(0.01**2, rel=0.2)
    assert judge.prior([baseline.from_records(runs([0.1] * 3, "collapsed"))], 1e-4) is None


# ---- the whole procedure, on what was recorded -------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded() -> list[list[Baseline]]:
    """The recorded tiny baselines of this project, by block."""
    pools: dict[tuple, list[Baseline]] = {}
    for row in baseline.read(baseline.FOLDER).values():
        if row.key.scale == "tiny":
            pools.setdefault(row.key.pool, []).append(row)
    return list(pools.values())


def alarms_and_runs(blocks, cases, sessions, seeds, rng, drop=0.0, strict=True):
    """Share of sessions with an alarm (with a drop: of dropped cases found), and runs a planned run.

    Recorded values, outcomes with them, are the population. Each block draws baselines of 20 from it and the
    sessions draw their seeds, first and fresh ones; `drop` lowers the trained values by so many standard
    deviations in one case a session.
    """
    rows = [(number, place) for number, block in enumerate(blocks) for place in range(len(block))]
    drawable = [[_records_of(row, HERE) for row in block] for block in blocks]
    population = [[_records_of(row, ELSEWHERE) for row in block] for block in blocks]
    found = done = planned = 0
    for _ in range(sessions):
        chosen = [rows[i] for i in rng.choice(len(rows), size=min(cases, len(rows)), replace=False)]
        if drop:
            chosen = [(i, j) for i, j in chosen if len(blocks[i][j].trained) > 15][:1]
        numbers = sorted({number for number, _ in chosen})
        drawn = {number: [_resampled(records, rng) for records in drawable[number]] for number in numbers}
        priors = {
            number: judge.prior(block, judge.quantum(block[0], _test_size(block[0]))) for number, block in drawn.items()
        }
        alarmed = False
        for number, place in chosen:
            loss = drop * statistics.stdev(blocks[number][place].trained) if drop else 0.0
            draw = functools.partial(_draw, population[number][place], loss, rng)
            everything, judgement = judge.two_stages(
                draw(seeds),
                functools.partial(draw, judge.FRESH_SEEDS),
                drawn[number][place],
                priors[number],
                cases,
                strict=strict,
            )
            alarmed |= judge.fails(judgement.verdict, strict=strict)
            done += len(everything)
            planned += seeds
        found += alarmed
    return found / sessions, done / planned


def _test_size(row: Baseline) -> int | None:
    return None if row.key.case.dataset == "digits" else 2000


def _records_of(row: Baseline, fingerprint) -> list[Record]:
    triples = zip(row.seeds, row.values, row.outcomes, strict=True)
    size = _test_size(row)
    return [
        record(seed, value, outcome, fingerprint, row.key.case, test_size=size, metric=row.metric)
        for seed, value, outcome in triples
    ]


def _resampled(records: list[Record], rng) -> Baseline:
    return baseline.from_records([records[i] for i in rng.integers(len(records), size=len(records))])


def _draw(source: list[Record], loss: float, rng, count: int) -> list[Record]:
    picked = [source[i] for i in rng.integers(len(source), size=count)]
    return [_lowered(one, loss) for one in picked] if loss else picked


def _lowered(one: Record, loss: float) -> Record:
    if one.outcome != "trained":
        return one
    return dataclasses.replace(one, metrics={"test_accuracy": one.value - loss})


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("cases", [20, 130])
def test_at_most_one_session_in_a_hundred_shows_a_false_alarm(recorded, cases, seeds):
    rng = np.random.default_rng(seeds)
    rate, cost = alarms_and_runs(recorded, cases, SESSIONS, seeds, rng)
    print(f"{cases} cases, {seeds} seeds: false alarms {rate:.2%}, {cost:.2f} runs a planned run")
    chance = stats.binom.sf(round(rate * SESSIONS) - 1, SESSIONS, judge.LEVEL)
    assert chance > 0.01, f"{rate:.2%} false alarms are more than {judge.LEVEL:.0%} in {SESSIONS} sessions explain"


@pytest.mark.parametrize(("cases", "power"), [(20, 0.88), (130, 0.8), (500, 0.7)])
def test_a_drop_of_two_standard_deviations_is_found(recorded, cases, power):
    rng = np.random.default_rng(7)
    rate, _ = alarms_and_runs(recorded, cases, SESSIONS, 3, rng, drop=2.0, strict=False)
    print(f"{cases} cases, 3 seeds: a drop of two standard deviations found in {rate:.1%}")
    assert rate >= power
