"""Verdicts on made and on recorded values: bands, outcomes, false alarms and power of the whole procedure."""

from __future__ import annotations

import dataclasses
import functools
import statistics

import numpy as np
import pytest
from scipy import stats

from bench.records import baseline, case_runs
from bench.records.baseline import Baseline
from bench.records.record import Record
from bench.records.verdict import fails
from bench.regression import judge
from bench.session import settings
from made import ELSEWHERE, HERE, record, runs

RECORDED_SEEDS = 20
RECORDED = runs(np.random.default_rng(0).normal(0.9, 0.01, 20))
BASELINE = Baseline.of(RECORDED)
PRIOR = judge.prior_of([BASELINE], 0.001)
SD = statistics.stdev(BASELINE.runs.trained)


def verdict(records, against=BASELINE, spread=PRIOR, cases=1):
    return judge.judge(records, against, spread, cases).verdict


def test_the_same_bits_under_an_equal_fingerprint_are_the_same():
    assert verdict(RECORDED[:3]) == "SAME"


@pytest.mark.parametrize("other", [{"metrics": {"test_accuracy": 0.1}}, {"outcome": "collapsed"}])
def test_the_same_training_with_another_result_is_not_the_same(other):
    """Evaluation may break alone: a kernel of inference, the test data, a metric."""
    now = [dataclasses.replace(one, **other) for one in RECORDED[:3]]
    assert verdict(now) in ("REGRESSED", "COLLAPSED")


def test_other_bits_inside_the_band_are_changed_here_and_within_elsewhere():
    assert verdict(runs([0.9001, 0.9002])) == "MOVED"
    elsewhere = judge.judge(runs([0.9001, 0.9002], fingerprint=ELSEWHERE), BASELINE, PRIOR, 1)
    assert elsewhere.verdict == "WITHIN"
    assert elsewhere.difference == "torch 2.14 -> 2.15"


@pytest.mark.parametrize(("shift", "expected"), [(-6, "REGRESSED"), (6, "IMPROVED"), (-1, "MOVED"), (1, "MOVED")])
def test_the_band_has_two_sides(shift, expected):
    assert verdict(runs([0.9 + shift * SD] * 3)) == expected


def test_for_a_loss_lower_is_better():
    recorded = runs(np.random.default_rng(1).normal(0.5, 0.01, 20), metric="test_loss")
    against = Baseline.of(recorded)
    spread = judge.prior_of([against], 0.0)
    now = {"metric": "test_loss"}
    assert verdict(runs([0.9] * 3, **now), against, spread) == "REGRESSED"
    assert verdict(runs([0.1] * 3, **now), against, spread) == "IMPROVED"


def test_the_band_is_never_narrower_than_one_test_example():
    constant = Baseline.of(runs([0.9] * 20))
    spread = judge.prior_of([constant], 0.001)
    assert verdict(runs([0.899] * 20), constant, spread) == "MOVED"
    assert verdict(runs([0.895] * 20), constant, spread) == "REGRESSED"


def test_more_cases_in_a_session_widen_the_band():
    one, many = (judge.judge(runs([0.9]), BASELINE, PRIOR, cases).band for cases in (1, 500))
    assert many[0] < one[0] < one[1] < many[1]


@pytest.mark.parametrize(("outcome", "expected"), [("collapsed", "COLLAPSED"), ("diverged", "DIVERGED")])
def test_outcomes_that_the_recorded_counts_do_not_allow_fail(outcome, expected):
    assert verdict(runs([0.1] * 13, outcome), cases=130) == expected


def test_outcomes_that_were_recorded_too_are_no_alarm():
    mixed = Baseline.of(RECORDED[:10] + runs([0.1] * 10, "collapsed", first_seed=10))
    assert verdict(runs([0.1] * 2, "collapsed") + RECORDED[:1], mixed) == "MOVED"


def test_training_where_the_baseline_collapsed_is_improved():
    collapsed = Baseline.of(runs([0.1] * 20, "collapsed"))
    assert verdict(runs([0.9] * 13), collapsed, None) == "IMPROVED"


@pytest.mark.parametrize("recorded", [5, 10, 20])
def test_one_collapsed_run_that_was_never_recorded_is_looked_at_again_however_few_were_recorded(recorded):
    against = Baseline.of(RECORDED[:recorded])
    assert "COLLAPSED" in judge.judge(runs([0.1], "collapsed"), against, PRIOR, 130).suspects


def test_without_a_baseline_the_verdict_is_new_and_fails_only_where_one_is_required():
    assert verdict(RECORDED, against=None, spread=None) == "NEW"
    assert not fails("NEW", strict=True)
    assert fails("NEW", require=True)


def asked_of(records, fresh, **settings):
    """How many fresh seeds each stage asks for, and the judgement in the end."""
    asked = []

    def more(count):
        asked.append(count)
        return runs([fresh] * count, first_seed=100 * len(asked))

    everything, judgement = judge.in_stages(records, more, BASELINE, PRIOR, 130, **{"strict": False, **settings})
    assert len(everything) == len(records) + sum(asked)
    return asked, judgement.verdict


def test_fresh_seeds_are_only_run_while_a_case_is_suspicious():
    first, second = (stage.fresh_seeds for stage in judge.STAGES)
    assert asked_of(runs([0.9]), 0.9) == ([], "MOVED")
    assert asked_of(runs([0.9 - 3 * SD]), 0.9) == ([first], "MOVED")
    assert asked_of(runs([0.9 - 3 * SD]), 0.9 - 3 * SD) == ([first, second], "REGRESSED")


def test_better_than_recorded_asks_for_fresh_seeds_only_where_it_would_fail():
    better = runs([0.9 + 3 * SD])
    assert asked_of(better, 0.9) == ([], "MOVED")
    assert asked_of(better, 0.9, strict=True)[0] == [judge.STAGES[0].fresh_seeds]


def test_an_outcome_never_seen_gets_all_stages_before_it_fails():
    everything = [stage.fresh_seeds for stage in judge.STAGES]
    assert asked_of(runs([0.1], "collapsed"), 0.9) == (everything, "MOVED")


@pytest.mark.parametrize(("most", "each"), [(0, []), (3, [3]), (4, [4]), (8, [4, 4]), (28, [4, 24]), (99, [4, 24])])
def test_the_stages_are_cut_to_the_fresh_seeds_allowed(most, each):
    assert [stage.fresh_seeds for stage in judge.stages(most)] == each


def test_at_tiny_no_stage_is_cut():
    assert judge.stages(settings.CONFIRM["tiny"]) == judge.STAGES


def test_the_prior_leans_on_the_block_as_far_as_its_spreads_agree():
    rng = np.random.default_rng(2)

    def block(sds):
        return [Baseline.of(runs(rng.normal(0.5, sd, 20))) for sd in sds]

    alike = judge.prior_of(block([0.01] * 12), 1e-4)
    unlike = judge.prior_of(block(np.geomspace(0.001, 0.1, 12)), 1e-4)
    assert alike.df > 10 * unlike.df
    assert alike.variance == pytest.approx(0.01**2, rel=0.2)
    assert judge.prior_of([Baseline.of(runs([0.1] * 3, "collapsed"))], 1e-4) is None


# ---- the whole procedure, on what was recorded -------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded() -> list[list[Baseline]]:
    """The recorded tiny baselines of this project, by block."""
    pools: dict[tuple, list[Baseline]] = {}
    for row in baseline.read(baseline.FOLDER).values():
        if row.key.scale == "tiny":
            pools.setdefault(row.key.pool, []).append(row)
    return list(pools.values())


def alarms_and_runs(blocks, cases, sessions, rng, drop=0.0, strict=True, seeds=3):
    """Share of sessions with an alarm (with a drop: of dropped cases found), and runs a planned run.

    Recorded values, outcomes with them, are the population. Each block draws baselines of as many from it and the
    sessions draw their cases and seeds, first and fresh ones; `drop` lowers the trained values by so many standard
    deviations in one case a session, recorded with 20 seeds, while the others are as they were.
    """
    rows = [(number, place) for number, block in enumerate(blocks) for place in range(len(block))]
    if drop:
        rows = [(i, j) for i, j in rows if len(blocks[i][j].runs.trained) == RECORDED_SEEDS]
    drawable = [[_records_of(row, HERE) for row in block] for block in blocks]
    population = [[_records_of(row, ELSEWHERE) for row in block] for block in blocks]
    found = done = planned = 0
    for _ in range(sessions):
        chosen = [rows[i] for i in rng.integers(len(rows), size=1 if drop else cases)]
        numbers = sorted({number for number, _ in chosen})
        drawn = {number: [_resampled(records, rng) for records in drawable[number]] for number in numbers}
        steps = {number: _step(block[0]) for number, block in drawn.items()}
        priors = {number: judge.prior_of(block, steps[number]) for number, block in drawn.items()}
        alarmed = False
        for number, place in chosen:
            loss = drop * statistics.stdev(blocks[number][place].runs.trained) if drop else 0.0
            draw = functools.partial(_draw, population[number][place], loss, rng)
            records, judgement = judge.in_stages(
                draw(seeds), draw, drawn[number][place], priors[number], cases, strict=strict
            )
            alarmed |= fails(judgement.verdict, strict=strict)
            done += len(records)
            planned += seeds
        found += alarmed
    return found / sessions, done / planned


def _step(row: Baseline) -> float:
    return case_runs.step_of(row.metric, row.key.case.dataset, _test_size(row))


def _test_size(row: Baseline) -> int | None:
    return None if row.key.case.dataset == "digits" else 2000


def _records_of(row: Baseline, fingerprint) -> list[Record]:
    triples = zip(row.runs.seeds, row.runs.values, row.runs.outcomes, strict=True)
    size = _test_size(row)
    return [
        record(seed, value, outcome, fingerprint, row.key.case, test_size=size, metric=row.metric)
        for seed, value, outcome in triples
    ]


def _resampled(records: list[Record], rng) -> Baseline:
    return Baseline.of([records[i] for i in rng.integers(len(records), size=len(records))])


def _draw(source: list[Record], loss: float, rng, count: int) -> list[Record]:
    picked = [source[i] for i in rng.integers(len(source), size=count)]
    return [_lowered(one, loss) for one in picked] if loss else picked


def _lowered(one: Record, loss: float) -> Record:
    if one.outcome != "trained":
        return one
    return dataclasses.replace(one, metrics={"test_accuracy": one.value - loss})


@pytest.mark.parametrize(("cases", "seeds", "sessions"), [(20, 1, 1000), (20, 3, 1000), (130, 3, 400), (500, 3, 150)])
def test_at_most_one_session_in_a_hundred_shows_a_false_alarm(recorded, cases, seeds, sessions):
    rate, cost = alarms_and_runs(recorded, cases, sessions, np.random.default_rng(seeds), seeds=seeds)
    print(f"{cases} cases, {seeds} seeds: false alarms {rate:.2%}, {cost:.2f} runs a planned run")
    chance = stats.binom.sf(round(rate * sessions) - 1, sessions, judge.LEVEL)
    assert chance > 0.01, f"{rate:.2%} false alarms are more than {judge.LEVEL:.0%} in {sessions} sessions explain"


def test_healthy_cases_take_about_a_sixth_more_runs(recorded):
    _, cost = alarms_and_runs(recorded, 130, 50, np.random.default_rng(0), strict=False)
    print(f"{cost:.3f} runs a planned run")
    assert cost < 1.2


@pytest.mark.parametrize(("cases", "power"), [(20, 0.95), (130, 0.93), (500, 0.92)])
def test_a_drop_of_two_standard_deviations_is_found(recorded, cases, power):
    rate, _ = alarms_and_runs(recorded, cases, 2000, np.random.default_rng(7), drop=2.0, strict=False)
    print(f"{cases} cases, 3 seeds: a drop of two standard deviations found in {rate:.1%}")
    assert rate >= power
