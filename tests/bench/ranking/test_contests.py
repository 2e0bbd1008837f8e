"""Which activations could be the best: those that no other one beats too often, over networks on data sets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.ranking import contests
from bench.ranking.contests import Contenders, could_be_best
from bench.ranking.rank import RankedActivation, RankedBlock
from made_views import SEEDS, one_block, problems, runs


def contenders(cases) -> Contenders:
    found = could_be_best(contests.contests(cases))
    assert found is not None
    return found


def test_what_another_beats_in_every_network_is_not_the_best():
    found = contenders(problems(8))
    assert found.tied == ["elu"]
    assert found.beaten["relu"].name == "elu"
    assert (found.beaten["relu"].won, found.beaten["relu"].lost, found.beaten["relu"].problems) == (8, 0, 8)
    assert found.shares["elu"].value == 1


def test_few_networks_say_nothing_of_networks_in_general():
    assert could_be_best(contests.contests(problems(contests.FEWEST_PROBLEMS - 1))) is None
    assert could_be_best([]) is None


def test_another_optimizer_is_no_new_evidence():
    twice = [_with(one, optimizer=name) for name in ("adam", "sgd") for one in problems(5)]
    blocks = contests.contests(twice)
    assert len(blocks) == 10
    assert could_be_best(blocks) is None
    assert contests.duel(blocks, "elu", "relu") == contests.Duel("elu", "relu", 5, 0, 5)


def test_a_network_in_which_nothing_tells_the_two_apart_counts_for_neither():
    blocks = contests.contests([*problems(3), *(_with(one, model="other") for one in one_block())])
    assert contests.duel(blocks, "elu", "relu") == contests.Duel("elu", "relu", 3, 0, 4)
    assert contests.duel(blocks, "tanh", "relu").p == 1


def test_each_activation_competes_at_the_rate_that_validation_chose():
    def at(name, rate, validation, test):
        metrics = {"validation_accuracy": [validation] * SEEDS, "test_accuracy": [test] * SEEDS}
        one = runs("net", name, metrics["test_accuracy"], variant=f"lr{rate:g}", learning_rate=rate)
        return replace(one, metrics={name: tuple(values) for name, values in metrics.items()})

    (block,) = contests.contests([at("relu", 0.1, 0.9, 0.8), at("relu", 0.01, 0.5, 0.9), at("elu", 0.1, 0.5, 0.7)])
    assert [row.aggregate for row in block.rows] == [pytest.approx(0.8), pytest.approx(0.7)]


def test_the_true_best_is_left_out_in_one_of_twenty_worlds_at_most():
    """Five activations of which none is better: whichever is called the best, it is left out with 5 % at most."""
    rng, worlds, left_out = np.random.default_rng(0), 100, 0
    rows = {name: runs("net", name, [0.5, 0.6]) for name in ("a", "b", "c", "d", "e")}
    for _ in range(worlds):
        blocks = []
        for place in range(12):
            order = rng.permutation(list(rows))
            ranked = [RankedActivation(_with(rows[name], model=f"net{place}"), 1, 5, "") for name in order]
            told = {pair for pair in zip(range(4), range(1, 5), strict=True) if rng.random() < 0.7}
            blocks.append(RankedBlock(tuple(ranked), frozenset(told)))
        found = could_be_best(blocks)
        assert found is not None
        left_out += "a" in found.beaten
    assert left_out / worlds <= 0.05


def _with(one, **axes):
    return replace(one, key=one.key._replace(case=replace(one.case, **axes)))
