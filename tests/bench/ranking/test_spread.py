"""What moves a result more, the activation or what surrounds it."""

from __future__ import annotations

import pytest

from bench.ranking import spread
from made_views import crossed, one_block, runs

SEEDS = [-0.01, 0.01, 0.0]


def table(by_optimizer, by_name):
    return [
        runs(
            "net",
            name,
            [0.5 + by_name * place + by_optimizer * (optimizer == "adam") + luck for luck in SEEDS],
            optimizer,
        )
        for place, name in enumerate(("relu", "elu", "tanh"))
        for optimizer in ("adam", "sgd")
    ]


@pytest.mark.parametrize(("by_optimizer", "by_name", "sign"), [(0.2, 0.01, 1), (0.01, 0.2, -1)])
def test_it_is_positive_where_the_surroundings_move_more(by_optimizer, by_name, sign):
    (made,) = spread.by_optimizer(table(by_optimizer, by_name))
    found = spread.beyond_activation(made)
    assert found.n == len(SEEDS)
    assert found.value * sign > 0.1


def test_the_optimizer_moved_twice_as_much():
    (made,) = spread.by_optimizer(crossed())
    assert spread.beyond_activation(made).value == pytest.approx((0.4 - 0.2) / 2**0.5)


def test_only_activations_with_every_optimizer_are_compared():
    (made,) = spread.by_optimizer([*table(0.1, 0.1), runs("net", "selu", [0.1] * 3, "sgd")])
    assert [row[0].activation for row in made] == ["relu", "elu", "tanh"]


def test_what_does_not_cross_is_not_compared():
    for made in (*spread.by_optimizer(one_block()), *spread.by_rate(one_block())):
        assert spread.beyond_activation(made) is None


def test_rates_are_ordered_and_activations_without_all_of_them_left_out():
    cases = [
        runs("net", name, [0.5, 0.6], variant=f"lr{rate:g}", learning_rate=rate)
        for name, rates in (("relu", (0.1, 0.01)), ("elu", (0.01, 0.1)), ("tanh", (0.1,)))
        for rate in rates
    ]
    (made,) = spread.by_rate(cases)
    assert [[one.recipe["learning_rate"] for one in row] for row in made] == [[0.01, 0.1]] * 2
