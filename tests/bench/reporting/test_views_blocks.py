"""Views that set activations or whole blocks beside each other, with figures that can be checked by hand."""

from __future__ import annotations

import math

import pytest

from bench.reporting.views import VIEWS, costs
from made_views import ERRORS, SEEDS, crossed, one_block, problems, runs, timed


def column(name, heading, world):
    """A column of the one table of a view, by activation or other first cell."""
    (table,) = VIEWS[name].tables(list(world))
    first = next(iter(table.columns.values()))
    return dict(zip(first, table.columns[heading], strict=True))


def test_an_aggregate_is_the_share_of_pairs_won_against_relu():
    better = column("aggregates", "better than relu", one_block())
    assert better["elu"].startswith("0.81 [")  # 13 of 16
    assert better["relu"] == ""


def test_an_interquartile_mean_is_untouched_by_one_run_that_collapses():
    world = [runs("net", "relu", [0.8] * SEEDS), runs("net", "elu", [0.9, 0.9, 0.9, 0.1])]
    assert column("aggregates", "interquartile mean", world)["elu"].startswith("90.00 [")
    assert column("aggregates", "test accuracy %, mean", world)["elu"].startswith("70.00 [")


def test_a_block_without_relu_has_aggregates_but_no_improvement():
    world = [runs("net", name, [0.8, 0.9]) for name in ("elu", "selu")]
    (table,) = VIEWS["aggregates"].tables(world)
    assert table.columns["better than relu"] == ["", ""]
    assert "better than relu  " not in table.render()


@pytest.mark.parametrize(("losses", "figure"), [((math.nan, 0.1, 0.1, 0.1), "0.1000"), ((math.nan, 0.1, 0.1), "–")])
def test_a_run_that_diverged_is_the_worst_one_and_left_out_with_its_quarter(losses, figure):
    made = {"relu": losses, "elu": (0.5,) * len(losses)}
    world = [runs("net", name, values, metric="test_loss") for name, values in made.items()]
    found = column("aggregates", "interquartile mean", world)
    assert found["relu"].startswith(figure)
    assert list(found) == (["relu", "elu"] if figure == "0.1000" else ["elu", "relu"])
    assert column("aggregates", "test loss, mean", world)["relu"] == "–"


def test_a_profile_counts_the_runs_within_a_factor_of_the_best_error():
    """The errors are 0.1, 0.2 and 0.4 in one problem, and 0.1, 0.1 and 0.1 in the other."""
    world = [*problems(1), *(runs("other", name, [0.9] * SEEDS) for name in ERRORS)]
    assert [text[:4] for text in column("profiles", "within 1", world).values()] == ["1.00", "0.50", "0.50"]
    assert [text[:4] for text in column("profiles", "within 2", world).values()] == ["1.00", "1.00", "0.50"]
    ratios = column("profiles", "ratio", world)
    assert [ratios[name][:4] for name in ERRORS] == ["1.00", "1.50", "2.50"]


def test_a_profile_never_reaches_the_runs_without_a_figure():
    made = {"relu": [0.1] * 4, "elu": [0.1, 0.1, 0.1, math.nan], "selu": [0.2] * 4}
    world = [
        runs(model, name, losses, metric="test_loss") for model in ("net0", "net1") for name, losses in made.items()
    ]
    assert column("profiles", "within 1", world)["elu"].startswith("0.75")
    assert column("profiles", "ratio", world)["selu"].startswith("2.00")


def test_where_nobody_errs_there_is_no_profile():
    assert VIEWS["profiles"].tables(list(problems(2, dict.fromkeys(ERRORS, 0.0)))[:3]) == []
    world = [runs(model, name, [1.0] * SEEDS) for model in ("net0", "net1") for name in ERRORS]
    assert VIEWS["profiles"].tables(world) == []
    assert VIEWS["profiles"].figure(world) is None


def test_shares_of_variance_are_those_of_the_sums_of_squares():
    """Of 16 runs: 16 · 0.2² by the optimizer, 16 · 0.1² by the activation, 16 · 0.01² between seeds."""
    total = 0.2**2 + 0.1**2 + 0.01**2
    expected = {"optimizer": 0.2**2, "activation": 0.1**2, "activation × optimizer": 0, "runs (seeds)": 0.01**2}
    shares = column("variance", "share %", crossed())
    assert shares == {name: f"{square / total * 100:.1f}" for name, square in expected.items()}


def test_an_unbiased_share_takes_off_what_chance_explains():
    (table,) = VIEWS["variance"].tables(list(crossed()))
    error = 16 * 0.01**2 / 12
    total = 16 * (0.2**2 + 0.1**2 + 0.01**2)
    omega = (16 * 0.1**2 - error) / (total + error)
    assert table.columns["unbiased %"][1] == f"{omega * 100:.1f}"


def test_a_design_that_lacks_a_cell_is_taken_apart_or_left_out():
    world = list(crossed())
    assert VIEWS["variance"].tables(world[:3]) == []
    other = [runs("other", one.activation, one.values, "sgd") for one in world if one.case.optimizer == "sgd"]
    (table,) = VIEWS["variance"].tables([*world, *other])  # by optimizer, of which sgd alone has both networks
    assert table.title.startswith("made · CIFAR-10 · sgd · paper")
    dropout = runs("net", "relu", [0.5] * SEEDS, variant="dropout0.5")
    (table,) = VIEWS["variance"].tables([*world, dropout])
    assert "4 cases" in table.notes[-1]


def test_activations_that_only_some_blocks_have_are_no_part_of_a_design():
    (table,) = VIEWS["variance"].tables([*crossed(), runs("net", "selu", [0.5] * SEEDS, "sgd")])
    assert any(note.startswith("activation: elu, relu; optimizer: adam, sgd") for note in table.notes)


def test_accuracy_at_equal_time_is_read_off_the_curve():
    """elu has done two of its four epochs when relu ends, and a slower activation not even one."""
    cells = column("costs", "in relu's time", timed())
    assert cells["elu"].startswith("40.00")
    assert cells["relu"].startswith("80.15")
    elu = next(one for one in timed() if one.activation == "elu")
    assert costs.after(elu, 5.0)[0] == pytest.approx(0.5)  # half an epoch further
    assert costs.after(elu, 80.0)[0] == pytest.approx(0.9)
    assert all(math.isnan(value) for value in costs.after(elu, 1.9).values())


def test_what_another_beats_with_no_more_memory_is_not_worth_its_bytes():
    assert column("costs", "beaten by", timed()) == {"elu": "", "relu": "", "selu": "elu, relu"}


def test_baselines_and_blocks_without_relu_have_no_costs():
    world = list(timed())
    assert VIEWS["costs"].tables(world[1:]) == []
    without = [runs("net", one.activation, [0.5] * SEEDS, provenance="baseline") for one in world]
    assert VIEWS["costs"].tables(without) == []
