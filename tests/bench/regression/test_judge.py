"""Verdicts on made values: bands, outcomes, stages. Those on recorded ones are simulated in `test_false_alarms.py`."""

from __future__ import annotations

import dataclasses
import itertools
import math
import statistics

import numpy as np
import pytest

from bench.records.baseline import Baseline
from bench.records.verdict import fails
from bench.regression import judge
from bench.session import settings
from made import ELSEWHERE, record, runs

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


@pytest.mark.parametrize("fingerprint", [None, ELSEWHERE], ids=["here", "elsewhere"])
def test_seeds_that_are_one_run_are_changed_on_any_machine(fingerprint):
    alike = [dataclasses.replace(one, digest="0") for one in runs([0.9] * 3, fingerprint=fingerprint)]
    found = judge.judge(alike, BASELINE, PRIOR, 1)
    assert found.verdict == "CHANGED"
    assert found.reason.startswith("the runs of seeds 0, 1, 2 are one to the bit, and those recorded differ")


def test_seeds_that_are_one_run_are_none_where_they_blew_up_or_were_recorded_so():
    def alike(values, outcome="trained"):
        return [dataclasses.replace(one, digest="0") for one in runs(values, outcome)]

    assert verdict(alike([math.nan] * 3, "diverged")) == "DIVERGED"
    assert verdict(alike([0.9] * 3), Baseline.of(alike([0.9] * 20)), None) == "SAME"


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


# ---- what is plain fails without a test ---------------------------------------------------------------------------


def in_the_end(values, outcome, against, *, seeds=3, confirm=8, cases=130, spread=None, **settings):
    """The verdict after all stages on a case of which each run ends with the next of the values, in turn."""
    endless = itertools.cycle(
        zip(values, outcome if isinstance(outcome, list) else [outcome] * len(values), strict=True)
    )
    drawn = (record(seed, *next(endless), fingerprint=ELSEWHERE, **settings) for seed in itertools.count(100))

    def more(count):
        return list(itertools.islice(drawn, count))

    return judge.in_stages(more(seeds), more, against, spread, cases, judge.stages(confirm), strict=False)[1].verdict


@pytest.mark.parametrize("confirm", [0, 4, 8, 28])
@pytest.mark.parametrize("cases", [1, 20, 1000])
@pytest.mark.parametrize("recorded", [1, 2, 3, 5, 10, 20])
@pytest.mark.parametrize("seeds", [1, 3])
def test_a_network_that_is_dead_fails_however_few_were_recorded(recorded, cases, confirm, seeds):
    against = Baseline.of(RECORDED[:recorded])
    spread = judge.prior_of([against], 0.001)
    given = {"seeds": seeds, "confirm": confirm, "cases": cases, "spread": spread}
    assert in_the_end([0.1], "collapsed", against, **given) == "COLLAPSED"
    assert in_the_end([math.nan], "diverged", against, **given) == "DIVERGED"
    assert in_the_end([0.1, math.nan], ["collapsed", "diverged"], against, **given) in ("COLLAPSED", "DIVERGED")
    assert in_the_end([0.12, 0.14, 0.11], "trained", against, **given) == "REGRESSED"


@pytest.mark.parametrize("recorded", [1, 3, 5])
def test_a_network_of_which_one_run_in_eleven_trains_fails(recorded):
    against = Baseline.of(RECORDED[:recorded])
    outcomes = ["trained", *["collapsed"] * 10]
    assert in_the_end([0.9, *[0.1] * 10], outcomes, against, spread=PRIOR) == "COLLAPSED"
    assert in_the_end([0.9, *[0.13] * 10], "trained", against, spread=None) == "REGRESSED"


@pytest.mark.parametrize(("trained", "of"), [(5, 6), (9, 10), (18, 20)])
def test_a_dead_network_fails_where_most_recorded_runs_trained(trained, of):
    against = Baseline.of(RECORDED[:trained] + runs([0.1] * (of - trained), "collapsed", first_seed=trained))
    assert in_the_end([0.1], "collapsed", against, spread=PRIOR) == "COLLAPSED"


@pytest.mark.parametrize(("trained", "of"), [(2, 3), (3, 4), (3, 5), (4, 5), (6, 10)])
@pytest.mark.parametrize("confirm", [settings.CONFIRM["small"], settings.CONFIRM["paper"]])
def test_a_dead_network_fails_where_some_recorded_runs_had_not_trained_either(trained, of, confirm):
    against = Baseline.of(RECORDED[:trained] + runs([0.1] * (of - trained), "collapsed", first_seed=trained))
    given = {"confirm": confirm, "cases": 130, "spread": PRIOR}
    assert in_the_end([0.1], "collapsed", against, **given) == "COLLAPSED"
    assert in_the_end([math.nan], "diverged", against, **given) == "DIVERGED"
    assert in_the_end([0.1, 0.1, 0.9], ["collapsed", "collapsed", "trained"], against, **given) == "WITHIN"


@pytest.mark.parametrize("recorded", [1, 3])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_run_that_trained_to_a_value_that_is_not_finite_has_diverged(recorded, value):
    against = Baseline.of(runs([0.5, 0.51, 0.49][:recorded], metric="test_loss"))
    assert in_the_end([value], "trained", against, metric="test_loss") == "DIVERGED"


def test_a_loss_that_explodes_in_nearly_all_runs_fails_however_they_spread():
    against = Baseline.of(runs([0.5, 0.51, 0.49], metric="test_loss"))
    spread = judge.prior_of([against], 0.0)
    exploded = [0.5, *(10.0**power for power in range(1, 11))]
    assert in_the_end(exploded, "trained", against, spread=spread, metric="test_loss") == "REGRESSED"


def test_without_any_spread_what_moved_is_looked_at_again():
    against = Baseline.of(RECORDED[:1])
    value = against.runs.values[0]
    assert "REGRESSED" in judge.judge(runs([value - 0.05], fingerprint=ELSEWHERE), against, None, 130).suspects
    assert in_the_end([value - 0.01, value, value + 0.01], "trained", against, seeds=1) == "WITHIN"
    assert in_the_end([value - 0.41, value - 0.4, value - 0.39], "trained", against, seeds=1) == "REGRESSED"


def test_an_accuracy_next_to_guessing_is_no_loss_where_hardly_more_was_recorded():
    against = Baseline.of(runs([0.13, 0.12, 0.14]))
    assert in_the_end([0.11, 0.12, 0.13], "trained", against) == "WITHIN"


def test_rows_of_few_seeds_say_what_they_cannot_show():
    assert "rows of 3 seeds show little" in judge.reach(3, 11, 20)
    assert "of 4.2 standard deviations are found" in judge.reach(3, 11, 20)
    assert "rows of 1 seed show little" in judge.reach(1, 1, 1)
    assert "none that is not plain" in judge.reach(1, 1, 1)
    assert judge.reach(20, 31, 130) == ""
