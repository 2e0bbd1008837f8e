"""Ties: pairs by Games and Howell, against scipy's, and their letters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bench.stats import ties

RANDOM = np.random.default_rng(0)


def test_p_values_are_those_of_scipys_games_howell():
    samples = [RANDOM.normal(mean, sd, n) for mean, sd, n in ((0.91, 0.01, 20), (0.9, 0.03, 10), (0.8, 0.1, 5))]
    assert ties.p_values(samples) == pytest.approx(stats.tukey_hsd(*samples, equal_var=False).pvalue)


def test_one_run_tells_nothing_apart():
    assert (ties.p_values([[0.9, 0.91], [0.5, 0.6], [0.1]]) == 1).all()


def test_samples_without_spread_are_apart_where_they_differ():
    p = ties.p_values([[0.2] * 3, [0.1] * 3, [0.1] * 10])
    assert p[1, 2] == 1
    assert p[0, 2] == p[2, 0] == 0


def test_means_that_say_the_contrary_of_the_order_tell_nothing_apart():
    """Ordered by the median, which does not see the lost runs: the means would put the second first."""
    first, second = [0.97] * 6 + [0.1] * 4, [0.9] * 10
    assert ties.p_values([first, second])[0, 1] == 1
    assert ties.p_values([[0.99, 0.98, 0.99], [0.1, 0.11, 0.1]])[0, 1] < 0.05
    assert ties.p_values([[0.1, 0.11, 0.1], [0.99, 0.98, 0.99]])[0, 1] == 1


@pytest.mark.parametrize("lost", [math.nan, math.inf, -math.inf])
def test_what_always_diverged_is_apart_from_what_always_trained_and_a_tie_with_its_like(lost):
    p = ties.p_values([[0.5, 0.51, 0.52], [lost] * 3, [lost] * 3])
    assert p[0, 1] == p[0, 2] == 0
    assert p[1, 2] == 1


@pytest.mark.parametrize("lost", [math.nan, math.inf, -math.inf])
def test_one_diverged_run_of_twenty_is_no_evidence(lost):
    values = RANDOM.normal(0.5, 0.01, 40).tolist()
    assert ties.p_values([values[:20], [lost, *values[21:]]])[0, 1] > 0.05
    assert ties.p_values([values[:20], [lost] * 15 + values[35:]])[0, 1] < 0.05
    assert ties.p_values([[0.5, 0.51, lost], [0.6, 0.61, 0.62]])[0, 1] == 1


def test_a_spread_beside_one_without_is_compared_as_usual():
    steady, moving = [0.5] * 5, [0.5, 0.52, 0.49, 0.51, 0.47]
    p = ties.p_values([steady, moving])
    assert p[0, 1] == pytest.approx(stats.ttest_1samp(moving, 0.5).pvalue)  # of two, one of which has no variance


def test_samples_share_a_letter_exactly_where_they_are_tied():
    """The second is tied with both of its neighbours, which are apart."""
    p = np.array([[1, 0.5, 0.01, 0], [0.5, 1, 0.2, 0], [0.01, 0.2, 1, 0], [0, 0, 0, 1]])
    assert ties.letters(p) == ("a", "ab", "b", "c")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_letter_is_a_largest_set_of_ties_and_any_two_that_are_tied_share_one(share):
    for _ in range(20):
        apart = np.triu(RANDOM.random((9, 9)) < share, 1)
        tied = ~(apart | apart.T)
        shown = ties.letters(tied.astype(float))
        groups = [{one for one, text in enumerate(shown) if letter in text} for letter in sorted(set("".join(shown)))]
        together = np.array([[bool(set(one) & set(other)) for other in shown] for one in shown])
        assert (together == tied).all()
        assert not any(tied[more][list(group)].all() for group in groups for more in set(range(9)) - group)
        assert [(min(group), -len(group)) for group in groups] == sorted((min(group), -len(group)) for group in groups)


def test_more_groups_than_letters_have_none():
    assert ties.letters(np.eye(53)) == ("",) * 53
    assert ties.letters(np.eye(52))[51] == "Z"
