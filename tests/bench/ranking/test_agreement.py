"""Agreement over problems: ranks, Friedman's test, and which activations differ, against scipy and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bench.ranking import agreement
from bench.ranking.agreement import problems_needed
from bench.ranking.problems import families
from bench.reporting.views import VIEWS
from made_views import ERRORS, SEEDS, problems, runs

RANDOM = np.random.default_rng(0)


def found(world):
    (family,) = families(world)
    return family, agreement.agreement_over(family)


def noisy(count):
    """Merits by problem and activation, the last activation far behind."""
    merits = RANDOM.normal(0.8, 0.02, (count, 3)) - [0, 0, 0.3]
    world = [
        runs(f"net{place}", name, [merit] * SEEDS)
        for place, row in enumerate(merits)
        for name, merit in zip(sorted(ERRORS), row, strict=True)
    ]
    return merits, world


def test_the_same_order_everywhere_is_full_agreement():
    _, one = found(problems())
    assert {name: rank.value for name, rank in one.ranks.items()} == {"elu": 1, "relu": 2, "sigmoid": 3}
    assert list(one.ranks) == ["elu", "relu", "sigmoid"]
    assert one.kendalls_w == pytest.approx(1)
    assert one.p < 0.001


def test_mean_ranks_and_their_intervals_are_those_of_the_problems():
    merits, world = noisy(8)
    _, one = found(world)
    ranks = stats.rankdata(-merits, axis=1).mean(axis=0)
    assert [one.ranks[name].value for name in sorted(ERRORS)] == pytest.approx(ranks)
    middle = one.ranks["elu"]
    assert 1 <= middle.low < middle.value < middle.high <= 2


def test_of_three_problems_mean_ranks_have_no_interval():
    _, world = noisy(3)
    assert not any(rank.known for rank in found(world)[1].ranks.values())
    _, world = noisy(4)
    assert all(rank.known for rank in found(world)[1].ranks.values())


def test_pairs_are_wilcoxons_with_holms_correction():
    merits, world = noisy(8)
    _, one = found(world)
    elu, relu, sigmoid = merits.T
    p = [stats.wilcoxon(*pair).pvalue for pair in ((elu, relu), (elu, sigmoid), (relu, sigmoid))]
    assert one.pairs.loc["elu", "sigmoid"] == pytest.approx(3 * p[1])
    assert one.pairs.loc["relu", "sigmoid"] == pytest.approx(3 * p[1])
    assert one.pairs.loc["relu", "elu"] == pytest.approx(max(p[0], 3 * p[1]))


@pytest.mark.parametrize(("activations", "needed"), [(3, 7), (5, 9), (13, 12)])
def test_fewer_problems_than_needed_could_not_tell_any_two_apart(activations, needed):
    """By the smallest p that Wilcoxon's test has, times the number of pairs, which Holm multiplies it by."""
    assert problems_needed(activations) == needed
    pairs = math.comb(activations, 2)
    assert stats.wilcoxon(np.arange(1, needed + 1)).pvalue * pairs < 0.05
    assert stats.wilcoxon(np.arange(1, needed)).pvalue * pairs > 0.05


def test_the_critical_difference_diagram_is_drawn_from_the_number_of_problems_on_that_can_tell_apart():
    few, enough = list(problems(6)), list(problems(7))
    assert VIEWS["agreement"].figure(few) is None
    (table,) = VIEWS["agreement"].tables(few)
    assert "fewer than 7 problems cannot tell any two apart (Wilcoxon, Holm), here are 6" in table.notes[1]
    assert "differs from" not in table.render().splitlines()[1]
    assert VIEWS["agreement"].figure(enough) is not None
    (table,) = VIEWS["agreement"].tables(enough)
    assert table.columns["differs from"] == ["relu, sigmoid", "elu, sigmoid", "elu, relu"]


def test_a_problem_in_which_both_of_a_pair_diverge_counts_for_neither():
    world = []
    for place in range(8):
        for name in sorted(ERRORS):
            one = runs(f"net{place}", name, [0.0] * SEEDS, metric="test_loss")
            lost = place == 0 and name != "elu"
            one.metrics["test_loss"] = (math.nan if lost else ERRORS[name] + 0.001 * place,) * SEEDS
            world.append(one)
    _, one = found(world)
    smallest = {problems: 2 ** (1 - problems) for problems in (7, 8)}  # p of so many differences of one sign
    assert one.pairs.loc["elu", "sigmoid"] == pytest.approx(3 * smallest[8])
    assert one.pairs.loc["relu", "sigmoid"] == pytest.approx(max(3 * smallest[8], smallest[7]))
