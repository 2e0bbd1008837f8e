"""Power: what is promised holds in simulated experiments."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bench.stats import intervals, power


@pytest.mark.parametrize("n", [3, 5, 20])
@pytest.mark.parametrize("activations", [2, 13])
def test_seeds_and_differences_are_each_others_inverse(n, activations):
    difference = power.detectable(0.01, n, activations)
    assert power.seeds_for(difference * 1.0001, 0.01, activations) == n
    assert power.seeds_for(difference * 0.98, 0.01, activations) > n


def test_four_of_five_experiments_find_a_detectable_difference():
    rng = np.random.default_rng(0)
    difference = power.detectable(sd=2.0, n=5)
    ones, others = rng.normal(0, 2, (2000, 5)), rng.normal(difference, 2, (2000, 5))
    found = (stats.ttest_ind(ones, others, axis=1).pvalue < 0.05).mean()
    assert found == pytest.approx(power.POWER, abs=0.03)


def test_more_activations_to_compare_want_a_larger_difference():
    assert power.detectable(1, 5, 2) < power.detectable(1, 5, 13)


def test_one_run_shows_nothing():
    assert math.isnan(power.detectable(1, 1))


def test_without_spread_two_runs_show_anything():
    assert power.detectable(0.0, 2) == 0
    assert power.seeds_for(1e-9, 0.0) == 2


@pytest.mark.parametrize("difference", [0, -1, math.nan])
def test_a_difference_that_is_none_is_refused(difference):
    with pytest.raises(ValueError, match="must be above 0"):
        power.seeds_for(difference, 1)


def test_the_typical_spread_is_that_of_the_median_activation():
    assert power.typical_sd([[1, 3], [5, 5.2], [0, 100], [9], [1, math.inf]]) == pytest.approx(math.sqrt(2))
    assert math.isnan(power.typical_sd([[1], []]))


@pytest.mark.parametrize(("recorded", "now"), [(3, 11), (5, 8), (20, 31)])
def test_four_of_five_drops_that_are_seen_are_found(recorded, now):
    rng, level = np.random.default_rng(0), 1e-3
    drop = power.drop_seen(recorded, now, level)
    before, after = rng.normal(0, 1, (4000, recorded)), rng.normal(-drop, 1, (4000, now))
    found = (stats.ttest_ind(before, after, axis=1, alternative="greater").pvalue < level).mean()
    assert found == pytest.approx(power.POWER, abs=0.03)
    assert math.isnan(power.drop_seen(1, 1, level))


@pytest.mark.parametrize("comparisons", [1, 10])
def test_pairs_for_a_difference_find_it_in_four_of_five_experiments(comparisons):
    rng, n = np.random.default_rng(0), power.pairs_for(-0.7, 1.0, comparisons)
    p = stats.ttest_1samp(rng.normal(-0.7, 1, (4000, n)), 0, axis=1).pvalue
    assert (p < 0.05 / comparisons).mean() == pytest.approx(power.POWER, abs=0.05)


def test_shares_are_told_apart_in_four_of_five_experiments():
    rng, n = np.random.default_rng(0), power.runs_for_shares(0.5, 0.2)
    found = [
        stats.fisher_exact([[one, n - one], [other, n - other]]).pvalue < 0.05
        for one, other in zip(rng.binomial(n, 0.5, 400), rng.binomial(n, 0.2, 400), strict=True)
    ]
    assert np.mean(found) == pytest.approx(power.POWER, abs=0.12)  # Fisher's test is a little cautious


def test_a_bend_is_found_in_four_of_five_experiments():
    means, x = np.array([0.0, 1.0, 1.0, 1.0]), np.arange(4)
    off = means - np.polyval(np.polyfit(x, means, 1), x)
    n = power.groups_for(float((off**2).sum()), 4, 2)
    rng, tried = np.random.default_rng(0), 400
    found = [
        intervals.line(dict(enumerate(rng.normal(means[:, None], 1, (4, n)).tolist()))).p < 0.05 for _ in range(tried)
    ]
    assert np.mean(found) == pytest.approx(power.POWER, abs=0.06)


@pytest.mark.parametrize(("difference", "sd"), [(0.0, 1.0), (0.01, 1.0), (math.nan, 1.0), (0.0, 0.0)])
def test_what_takes_more_than_a_thousand_runs_is_not_promised(difference, sd):
    assert power.pairs_for(difference, sd) is None
    assert power.runs_for_shares(0.5, 0.5) is None
    assert power.groups_for(0.0, 6, 4) is None


@pytest.mark.parametrize(("n", "activations"), [(8, 5), (8, 6), (9, 20), (10, 40), (24, 11)])
def test_a_difference_is_found_where_the_power_of_a_huge_one_is_no_number(n, activations):
    found = power.detectable(1.0, n, activations)
    assert power.detectable(1.0, n + 1, activations) < found < power.detectable(1.0, n - 1, activations)
