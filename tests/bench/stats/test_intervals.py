"""Intervals and tests over a few runs, against scipy and against simulated truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from bench.stats import intervals

RANDOM = np.random.default_rng(0)


def test_a_mean_has_students_interval():
    values = [0.5, 0.6, 0.7]
    found = intervals.mean(values)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 2, loc=0.6, scale=stats.sem(values)))


@pytest.mark.parametrize("values", [[0.5], [0.5, math.nan], [0.5, math.inf]])
def test_one_run_or_one_without_a_figure_has_no_interval(values):
    assert not intervals.mean(values).known


def test_equal_runs_have_an_interval_of_no_width():
    found = intervals.mean([0.1] * 3)
    assert (found.low, found.high, found.p) == (0.1, 0.1, 0.25)


@pytest.mark.parametrize(("n", "step"), [(2, 0.0), (5, 0.0), (2, 1 / 360), (20, 1 / 360)])
def test_equal_differences_of_few_runs_or_of_one_test_example_show_nothing(n, step):
    ones = dict(enumerate(RANDOM.normal(0.9, 0.01, n)))
    found = intervals.difference(ones, {seed: value - 1 / 360 for seed, value in ones.items()}, step * (1 + 1e-9))
    assert found.value == pytest.approx(1 / 360)
    assert found.p > 0.05
    assert not found.known or found.low <= 0 <= found.high


@pytest.mark.parametrize(("n", "most"), [(2, 0.08), (3, 0.06), (5, 0.06)])
def test_values_in_steps_of_one_test_example_differ_in_one_pair_in_twenty(n, most):
    values = RANDOM.binomial(360, 0.97, (2, 1000, n)) / 360
    pairs = [(dict(enumerate(one)), dict(enumerate(other))) for one, other in zip(*values, strict=True)]
    assert np.mean([intervals.difference(one, other, 1 / 360).p < 0.05 for one, other in pairs]) <= most


def test_runs_of_equal_seeds_are_paired_and_others_are_not():
    luck = dict(enumerate(RANDOM.normal(0, 1, 8)))
    gain = {seed: value + 0.1 + 0.001 * seed for seed, value in luck.items()}
    paired = intervals.difference(gain, luck)
    apart = intervals.difference({seed + 8: value for seed, value in gain.items()}, luck)
    assert paired.value == pytest.approx(apart.value)
    assert paired.high - paired.low < 0.01
    assert apart.high - apart.low > 1
    welch = stats.ttest_ind(list(gain.values()), list(luck.values()), equal_var=False).confidence_interval()
    assert (apart.low, apart.high) == pytest.approx(tuple(welch))


def test_a_share_has_clopper_and_pearsons_interval():
    found = intervals.share(0, 10)
    assert (found.low, found.high) == pytest.approx((0, 1 - 0.025 ** (1 / 10)))


def test_holm_multiplies_the_smallest_p_by_all_and_the_largest_by_one():
    assert intervals.holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


def test_holm_is_that_of_statsmodels():
    for n in range(1, 8):
        p = np.random.default_rng(n).uniform(0, 0.2, n).round(1 + n % 3)  # with ties
        assert intervals.holm(p) == pytest.approx(multipletests(p, method="holm")[1], rel=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_makes_a_p_smaller_nor_changes_their_order(p_values):
    adjusted = intervals.holm(p_values)
    assert all(one >= p for one, p in zip(adjusted, p_values, strict=True))
    assert all(
        a <= b for (p, a), (q, b) in zip(*[sorted(zip(p_values, adjusted, strict=True))] * 2, strict=True) if p < q
    )


def test_what_cannot_be_tested_counts_as_a_p_of_one():
    assert intervals.holm([0.01, math.nan]) == [0.02, 1.0]
    assert intervals.holm([]) == []


def test_the_interquartile_mean_leaves_out_the_lowest_and_the_highest_quarter():
    found = intervals.bootstrap([[0.0, 0.5, 0.6, 9.0]], intervals.interquartile_mean)
    assert found.value == pytest.approx(0.55)
    assert (found.low, found.high) == (0.0, 9.0)
    assert intervals.bootstrap([[0.0, 0.5], [0.6, 9.0]], intervals.interquartile_mean).value == pytest.approx(0.55)


def test_a_bootstrap_interval_holds_the_mean_and_is_the_same_every_time():
    sample = RANDOM.normal(0.5, 0.1, 50)
    found = intervals.bootstrap([sample], np.mean)
    assert found == intervals.bootstrap([sample], np.mean)
    assert (found.low, found.high) == pytest.approx(
        stats.norm.interval(0.95, sample.mean(), stats.sem(sample)), abs=0.01
    )


def test_strata_are_resampled_each_on_its_own_and_pairs_together():
    low, high = [0.0, 0.1, 0.2, 0.3], [10.0, 10.1, 10.2, 10.3]

    def gap(ones, others, axis):
        return others.mean(axis) - ones.mean(axis)

    paired, apart = (intervals.bootstrap([low, high], gap, paired=kind) for kind in (True, False))
    assert (paired.low, paired.high) == pytest.approx((10, 10))
    assert 9.7 < apart.low < 9.95 < 10.05 < apart.high < 10.3


def test_one_run_has_no_bootstrap_interval():
    assert not intervals.bootstrap([[0.5]], np.mean).known
    assert not intervals.bootstrap([[0.5], [0.5, 0.6]], intervals.interquartile_mean).known


def test_improvement_is_the_share_of_pairs_won_with_ties_as_half():
    ones, others = {0: 0.5, 1: 0.7}, {2: 0.5, 3: 0.6, 4: 0.1}  # a tie and five pairs, of which four are won
    better = intervals.improvement(ones, others, higher_is_better=True)
    assert better.value == pytest.approx(4.5 / 6)
    assert intervals.improvement(ones, others, higher_is_better=False).value == pytest.approx(1.5 / 6)
    assert intervals.improvement(others, ones, higher_is_better=True).value == pytest.approx(1.5 / 6)


def test_improvement_of_equal_seeds_resamples_them_together():
    luck = dict(enumerate(RANDOM.normal(0, 1, 12)))
    gain = {seed: value + 0.5 for seed, value in luck.items()}
    paired = intervals.improvement(gain, luck, higher_is_better=True)
    apart = intervals.improvement({seed + 12: value for seed, value in gain.items()}, luck, higher_is_better=True)
    assert paired.value == apart.value
    assert paired.high - paired.low < 0.7 * (apart.high - apart.low)
    assert paired.low > 0.5


def test_equal_runs_are_a_draw_and_a_run_that_is_not_finite_always_loses():
    assert intervals.improvement({0: 0.5, 1: 0.5}, {0: 0.5, 1: 0.5}, higher_is_better=True).value == 0.5
    for higher in (True, False):
        found = intervals.improvement({0: math.nan, 1: math.nan}, {0: 0.5, 1: 0.6}, higher_is_better=higher)
        assert (found.value, found.low, found.high) == (0, 0, 0)


def test_kendalls_w_is_one_where_rows_agree_and_chance_explains_random_ones():
    same, p = intervals.kendalls_w([[1, 2, 3, 4, 5]] * 5)
    assert same == pytest.approx(1)
    assert p < 0.01
    other, p = intervals.kendalls_w([[1, 2, 3, 4], [2, 4, 1, 3], [4, 3, 2, 1]])
    assert other < 0.2
    assert p > 0.5


def test_kendalls_w_is_friedmans_statistic_scaled():
    rows = RANDOM.normal(size=(6, 5))
    assert intervals.kendalls_w(rows)[0] == pytest.approx(stats.friedmanchisquare(*rows.T).statistic / (6 * 4))


def test_the_chance_of_agreement_is_exact_for_few_rows():
    """Of 3 x 6 equally likely pairs of orders, 1 in 6 agree in full."""
    w, p = intervals.kendalls_w([[1, 2, 3], [1, 2, 3]])
    assert (w, p) == pytest.approx((1, 1 / 6))


def groups(bend, sd=0.01):
    return {x: list(0.5 + 0.01 * x + bend * (x == 2) + RANDOM.normal(0, sd, 6)) for x in (1, 2, 3, 4, 5)}


def test_a_bend_is_found_and_a_line_is_not_taken_for_one():
    assert intervals.line(groups(bend=0.1)).p < 0.001
    false_alarms = [intervals.line(groups(bend=0)).p < 0.05 for _ in range(400)]
    assert 0.02 < np.mean(false_alarms) < 0.09


def test_the_deviation_bound_covers_the_true_one():
    bend = [0, 0.1, 0, 0, 0]
    truth = np.abs(bend - np.polyval(np.polyfit(range(5), bend, 1), range(5))).max()
    covered = [intervals.line(groups(bend=0.1)).deviation >= truth for _ in range(200)]
    assert np.mean(covered) > 0.93


@pytest.mark.parametrize("few", [{1: [0.1], 2: [0.2], 3: [0.3]}, {1: [0.1, 0.2], 2: [0.2, 0.3]}])
def test_without_repeats_or_a_third_group_there_is_no_lack_of_fit(few):
    assert intervals.line(few) is None
