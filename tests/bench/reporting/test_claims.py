"""Claims: every one can be supported, refuted and left open by what is observed, and says by how many runs."""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from bench import experiments
from bench.cases.case import Case
from bench.cases.metric import METRICS, register
from bench.reporting import claims
from bench.reporting.claims import CLAIMS
from bench.reporting.claims._judgement import Contrast, conjunction
from bench.stats import intervals
from made import runs_of_case
from made_metric import ERROR, as_error

SEEDS = 6
LUCK = np.random.default_rng(0).normal(0, 0.02, SEEDS)  # what a seed does to every activation alike
NOISE = 0.002
# What a made world is like: the claim holds, its contrary does, or the differences drown in noise.
WORLDS = {"supported": (1, NOISE), "refuted": (-1, NOISE), "undetermined": (0, 0.2)}


def made(case, mean, noise, metric="test_accuracy", seeds=SEEDS, **settings):
    own = np.random.default_rng(zlib.crc32(f"{case.id} {metric}".encode())).normal(0, noise, SEEDS)
    return runs_of_case(case, {metric: (mean + LUCK + own)[:seeds]}, **{"metric": metric, **settings})


def duels(experiment, blocks, winners, losers, metric="test_accuracy", lower=False):
    """Worlds in which the winners are better than the losers in every block."""

    def world(sign, noise, **settings):
        gain = 0.05 * sign * (-1 if lower else 1)
        for block, name in product(blocks, [*winners, *losers]):
            case = Case(experiment, block[0], block[1], name, *block[2:])
            yield made(case, 0.6 + gain * (name in winners), noise, metric, **settings)

    return world


def no_best(experiment, blocks, names):
    """Worlds in which another is best in each block, or the same one in all."""

    def world(sign, noise, **settings):
        for place, block in enumerate(blocks):
            order = names if sign < 1 or place % 2 else names[::-1]
            for height, name in enumerate(order):
                case = Case(experiment, block[0], block[1], name, *block[2:])
                yield made(case, 0.6 + 0.02 * height * bool(sign), noise, **settings)

    return world


def hinges(sign, noise, seeds=SEEDS, **settings):
    for number in (1, 2, 3, 4, 5, 10):
        mean = 0.6 + 0.005 * number if sign < 0 else 0.6 + 0.1 * (number > 1) * bool(sign)
        case = Case("apl_hinges", "apl_cnn3", "cifar10", "apl", "adam", f"hinges{number}")
        values = mean + np.random.default_rng(number).normal(0, noise, seeds)
        yield runs_of_case(case, {"test_accuracy": values}, **settings)


def leads(sign, noise, **settings):
    for depth, name in product((3, 5, 7), ("apl", "relu", "leaky_relu")):
        growth = 0.02 * (depth - 3) * (sign < 0)
        case = Case("apl_depth", f"apl_cnn{depth}", "cifar10", name, "adam")
        yield made(case, 0.6 + (0.05 + growth) * (name == "apl"), noise, **settings)


def noisy(sign, noise, seeds=SEEDS, **settings):
    for name in ("gelu", "relu", "elu"):
        gain = 0.05 * sign * (name == "gelu")
        case = Case("mlp", "mlp", "mnist", name, "adam")
        own = np.random.default_rng(zlib.crc32(name.encode())).normal(0, noise, (2, SEEDS))
        accuracy, loss = (0.6 + gain + LUCK + own[0])[:seeds], (0.6 - gain + LUCK + own[1])[:seeds]
        metrics = {"test_accuracy": accuracy, "test_loss": loss}
        yield runs_of_case(case, metrics | {f"{key}_noise2": value for key, value in metrics.items()}, **settings)


def momentum(sign, noise, **settings):
    for name, variant in product(("gelu", "relu", "elu"), ("momentum0", "momentum0.9")):
        gain = (0.05 + 0.05 * sign * (name == "gelu")) * (variant == "momentum0.9")
        yield made(Case("momentum", "mlp", "mnist", name, "sgd", variant), 0.6 + gain, noise, **settings)


def rates(matter, best):
    """Worlds in which the rate matters more than the activation, and a network's claimed rate is best."""

    def world(sign, noise, **settings):
        for (model, claimed), name, rate in product(best.items(), ("relu", "tact", "mish"), (0.001, 0.01, 0.1)):
            by_rate = 0.1 * (sign if rate == claimed else 0) if not matter else 0.1 * (sign > 0) * (rate == claimed)
            by_name = 0.1 * (sign < 0) * (name == "tact") * matter
            case = Case("rates", model, "cifar10", name, "adam", f"lr{rate:g}")
            yield made(case, 0.6 + by_rate + by_name, noise, learning_rate=rate, **settings)

    return world


def null_runs(sign, noise, seeds=SEEDS, **settings):
    for name in ("relu", "tact", "mtact"):
        n = {1: 40, -1: 200, 0: 8}[sign] if seeds > 1 else 1
        nulls = n // 2 if sign > 0 and name == "tact" else 0
        outcomes = ["collapsed"] * nulls + ["trained"] * (n - nulls)
        case = Case("null_runs", "resnet18", "cifar10", name, "adamw", "psi8_fixed")
        yield runs_of_case(case, {"test_accuracy": [0.5] * n}, outcomes=outcomes, **settings)


def forms(sign, noise, **settings):
    """gelu above its approximations above relu and elu, or the other way round."""
    for name, height in {"gelu": 2, "gelu_tanh": 1, "gelu_sigmoid": 1, "relu": 0, "elu": 0}.items():
        case = Case("gelu_forms", "mlp", "mnist", name, "adam")
        yield made(case, 0.6 + 0.03 * sign * height, noise, **settings)


def decoders(winners, losers):
    blocks = [("gpt", "made_text", optimizer) for optimizer in ("adamw", "muon")]
    return duels("gpt", blocks, winners, losers, "test_bits_per_character", lower=True)


BOTH = [("cnn", "cifar10", "adam"), ("cnn", "cifar10", "sgd")]
A1 = ("sigmoid", "relu", "leaky_relu", "elu", "selu")
NEW = ("relu", "silu", "mish", "tact", "mtact")
CLAIMED = {"densenet121": 0.001, "senet18": 0.001, "mobilenet_v2": 0.01}
GELU = (("gelu",), ("relu", "elu"))
MAKERS = {
    "A1": duels("cnn", BOTH, ["elu"], ["sigmoid", "relu", "leaky_relu", "selu"]),
    "A3": duels("bert", [("bert", "mnist", "adamw")], ["gelu"], ["relu", "tanh"]),
    "A4": duels(
        "bert",
        [("bert", "mnist", "adamw")],
        ["relu", "leaky_relu", "gelu"],
        ["tanh", "sigmoid", "elu", "silu", "penalized_tanh", "glu", "swiglu"],
        "vanishing_ratio",
    ),
    "A5": hinges,
    "A6a": duels("apl_depth", [("apl_cnn3", "cifar10", "adam")], ["apl"], ["relu", "leaky_relu"]),
    "A6b": leads,
    "A8": no_best("cnn", BOTH, A1),
    "B1": duels("mlp", [("mlp", "mnist", "adam")], *GELU, "train_loss", lower=True),
    "B2": noisy,
    "B3": duels("autoencoder", [("autoencoder", "mnist", "adam")], *GELU, "test_loss", lower=True),
    "B4": duels("pos", [("tagger", "mnist", "adam")], *GELU),
    "B5": duels("timit", [("timit_mlp", "mnist", "adam")], *GELU),
    "B6": duels("gelu_cnn", [("gelu_cnn", "cifar10", "adam")], *GELU),
    "B7": duels("wrn", [("wrn_40_4", "cifar10", "nesterov")], *GELU),
    "B8": forms,
    "B11": momentum,
    "Ca": duels("cnn", BOTH, ["elu"], ["relu"], "first_epoch_train_loss", lower=True),
    "Cb": duels("cnn", BOTH, ["leaky_relu", "prelu", "rrelu"], ["relu"]),
    "D2": no_best("complex", [("densenet121", "cifar10", "adam"), ("senet18", "cifar10", "adam")], NEW),
    "D3a": rates(True, CLAIMED),
    "D3b": rates(False, CLAIMED),
    "D4": duels(
        "schedules",
        [("resnet18", "cifar10", "adamw", variant) for variant in ("fixed", "triangular")],
        ["tact", "mtact"],
        ["relu", "silu", "mish"],
    ),
    "D5": no_best("corruption", [("resnet18", "cifar10", "adamw", f"psi{psi}_fixed") for psi in (8, 16)], NEW),
    "D6": null_runs,
    "E1": decoders(["geglu", "swiglu", "reglu"], ["gelu"]),
    "E2": decoders(["relu_squared"], ["relu", "gelu"]),
    "E3": decoders(["leaky_relu_squared"], ["relu_squared"]),
    "E4": decoders(["xielu"], ["relu_squared", "swiglu"]),
    "E5": decoders(["poly_norm"], ["relu", "gelu", "swiglu"]),
}


def judged(claim, world):
    (row,) = [row for row in claims.judged_claims(list(world)) if row.claim is CLAIMS[claim]]
    return row


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("verdict", WORLDS)
def test_every_claim_can_be_supported_refuted_and_left_open(claim, verdict):
    found = judged(claim, MAKERS[claim](*WORLDS[verdict])).judgement
    assert found.verdict == verdict, found
    assert found.n >= SEEDS
    assert found.interval
    assert found.why


@pytest.mark.parametrize("claim", CLAIMS)
def test_without_observations_a_claim_is_undetermined(claim):
    row = judged(claim, [])
    assert (row.judgement.verdict, row.judgement.n, row.judgement.why) == ("undetermined", 0, "no records")
    assert row.where == ""


def test_every_claim_of_the_documents_is_there():
    assert list(CLAIMS) == list(MAKERS)


def test_where_an_average_is_not_measured_it_is_taken_over_the_other_blocks():
    measured = [one for one in MAKERS["Ca"](1, NOISE) if one.case.optimizer == "adam"]
    without = [
        runs_of_case(one.case, {"test_accuracy": [0.5] * SEEDS})
        for one in MAKERS["Ca"](1, NOISE)
        if one.case.optimizer == "sgd"
    ]
    found = judged("Ca", [*measured, *without]).judgement
    assert found.verdict == "supported"
    assert "median of 1 blocks" in found.interval
    assert judged("Ca", without).judgement.why == "no records of elu versus relu"


def test_three_blocks_that_explode_do_not_decide_which_learns_faster():
    def block(number, name, loss):
        case = Case("mlp", "mlp", "mnist", name, "adam", f"depth{number}")
        own = np.random.default_rng(number + len(name)).normal(0, NOISE, SEEDS)
        return runs_of_case(case, {"first_epoch_train_loss": loss + own})

    ordinary = [block(number, name, loss) for number in range(7) for name, loss in (("elu", 0.5), ("relu", 0.6))]
    for exploded in (1e3, math.inf, math.nan):
        world = [block(7 + k, name, loss) for k in range(3) for name, loss in (("elu", exploded), ("relu", 0.6))]
        found = judged("Ca", [*ordinary, *world]).judgement
        assert found.verdict == "supported", found
        assert "decades" in found.interval


def test_robustness_is_of_the_networks_without_dropout_as_in_the_figure():
    def with_dropout(one):
        return runs_of_case(replace(one.case, variant="dropout0.5"), one.metrics)

    world = [*MAKERS["B2"](1, NOISE), *map(with_dropout, MAKERS["B2"](-1, NOISE))]
    assert judged("B2", world).judgement.verdict == "supported"


@pytest.mark.parametrize(("sign", "verdict"), [(1, "supported"), (-1, "refuted")])
def test_the_deep_network_is_judged_by_its_loss_on_the_training_part(sign, verdict):
    def trained(one):
        against = 1 - np.array(one.metrics["train_loss"])
        return runs_of_case(one.case, {"test_accuracy": [0.5] * SEEDS, "test_loss": against, **one.metrics})

    assert judged("B1", map(trained, MAKERS["B1"](sign, NOISE))).judgement.verdict == verdict


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_speaks_of_activations_that_its_experiments_train(claim):
    trained = {name for one in CLAIMS[claim].experiments for name in experiments.find(one).activations}
    assert {one.activation for one in MAKERS[claim](1, NOISE)} <= trained


def test_gradients_are_judged_by_the_logarithm_of_their_ratio_and_only_where_they_were_kept():
    def ratio(name, value):
        own = np.random.default_rng(zlib.crc32(name.encode())).normal(0, NOISE, SEEDS)
        return runs_of_case(
            Case("bert", "bert", "mnist", name, "adamw"), {"vanishing_ratio": value * 10 ** (10 * LUCK + own)}
        )

    kept, lost = ("relu", "leaky_relu", "gelu"), ("tanh", "sigmoid", "elu", "silu", "penalized_tanh", "glu", "swiglu")
    world = [
        *(ratio(name, 0.1) for name in kept),
        *(ratio(name, 1e-4) for name in lost),
    ]
    without = [runs_of_case(Case("bert", "bert", "digits", "relu", "adamw"), {"test_accuracy": [0.5] * SEEDS})]
    found = judged("A4", [*world, *without]).judgement
    assert found.verdict == "supported"
    assert "relu over tanh (bert · MNIST · adamw · paper) +3 [+3, +3] decades" in found.interval


@pytest.mark.parametrize("claim", CLAIMS)
def test_one_seed_decides_nothing(claim):
    assert judged(claim, MAKERS[claim](1, NOISE, seeds=1)).judgement.verdict == "undetermined"


def test_a_part_without_observations_keeps_a_claim_from_being_supported_but_not_from_being_refuted():
    def without_elu(sign):
        return [one for one in MAKERS["B6"](sign, NOISE) if one.activation != "elu"]

    held = judged("B6", without_elu(1)).judgement
    assert held.verdict == "undetermined"
    assert "no records of gelu versus elu" in held.why
    assert judged("B6", without_elu(-1)).judgement.verdict == "refuted"


def test_a_difference_that_only_one_comparison_would_show_does_not_survive_holm():
    alone = intervals.difference(dict(enumerate([0.02, 0.03, 0.01, 0.05])), dict.fromkeys(range(4), 0.0))
    assert 0.025 < alone.p < 0.05
    one = Contrast("alone", alone)
    assert conjunction([one]).verdict == "supported"
    assert conjunction([one] * 2).verdict == "undetermined"


def test_a_rate_is_chosen_by_validation_even_where_another_tests_better():
    def at(name, rate, validation, test):
        case = Case("autoencoder", "autoencoder", "mnist", name, "adam", f"lr{rate:g}")
        own = np.random.default_rng(len(name)).normal(0, NOISE, SEEDS)
        metrics = {"validation_loss": validation + LUCK, "test_loss": test + LUCK + own}
        return runs_of_case(case, metrics, metric="test_loss", learning_rate=rate)

    world = [at("gelu", 0.001, 0.3, 0.3), at("gelu", 0.01, 0.4, 0.1), at("relu", 0.001, 0.2, 0.2)]
    world.append(at("elu", 0.001, 0.2, 0.2))
    assert judged("B3", world).judgement.verdict == "refuted"  # by test, gelu at 0.01 would win


def test_scales_are_judged_apart_the_largest_first_and_tiny_is_named():
    world = [*MAKERS["B6"](-1, NOISE, scale="tiny"), *MAKERS["B6"](1, NOISE, scale="paper")]
    rows = [row for row in claims.judged_claims(world) if row.claim.id == "B6"]
    assert [(row.where, row.judgement.verdict) for row in rows] == [
        ("paper: CIFAR-10", "supported"),
        ("tiny: CIFAR-10", "refuted"),
    ]


def test_the_largest_scale_with_runs_is_shown_alone():
    world = [*MAKERS["B6"](-1, NOISE, scale="tiny"), *MAKERS["B6"](1, NOISE, scale="small")]
    rows = claims.at_largest_scale(claims.judged_claims(world))
    assert [(row.scale, row.judgement.verdict) for row in rows if row.claim.id == "B6"] == [("small", "supported")]
    assert {row.claim.id for row in rows} == set(CLAIMS)


def test_a_scale_at_which_nothing_can_be_judged_does_not_hide_a_smaller_one():
    alone = [one for one in MAKERS["A6b"](1, NOISE, scale="small") if one.case.model == "apl_cnn3"]
    rows = claims.at_largest_scale(claims.judged_claims([*alone, *MAKERS["A6b"](1, NOISE, scale="tiny")]))
    assert [row.scale for row in rows if row.claim.id == "A6b"] == ["tiny"]


@pytest.mark.parametrize("claim", ["A1", "A3", "A6b", "A8", "B2", "B3", "B11", "Ca", "D3a", "D4"])
def test_an_open_claim_says_how_many_seeds_would_tell(claim):
    found = judged(claim, MAKERS[claim](0, 0.2)).judgement
    assert re.search(r"(\d+|more than 1,000) seeds would tell$", found.reason), found
    assert int(re.sub(r"\D", "", found.tells)) > found.n


@pytest.mark.parametrize("verdict", ["supported", "refuted"])
def test_a_decided_claim_asks_for_no_seeds(verdict):
    assert judged("B6", MAKERS["B6"](*WORLDS[verdict])).judgement.tells == ""


def test_as_many_seeds_as_are_said_tell():
    """Differences of half a standard deviation: with the seeds that are asked for, four of five worlds show them."""
    rng = np.random.default_rng(0)

    def contrast(n):
        return Contrast(
            "made", intervals.difference(dict(enumerate(rng.normal(0.5, 1, n))), dict.fromkeys(range(n), 0.0))
        )

    needed = Contrast("made", intervals.Estimate(0.5, 0.5 - 0.4673, 0.5 + 0.4673, 20)).seeds()
    told = [conjunction([contrast(needed)]).verdict == "supported" for _ in range(200)]
    assert np.mean(told) == pytest.approx(0.8, abs=0.08)


def test_one_part_that_seems_to_contradict_a_claim_decides_it():
    slow, fast = (intervals.Estimate(value, value - 0.5, value + 0.5, 10, 0.5) for value in (0.05, -0.4))
    found = conjunction([Contrast("hardly in favour", slow), Contrast("against", fast)])
    assert found.tells == f"{Contrast('against', fast).seeds(2)} seeds would tell"
    assert conjunction([Contrast("hardly in favour", slow)] * 2).tells == "more than 1,000 seeds would tell"


def test_copies_of_a_data_set_are_judged_apart_and_called_copies():
    world = [*MAKERS["A1"](1, NOISE), *MAKERS["A1"](-1, NOISE, data_hash="8a5ff0d6749a7c94")]
    rows = [row for row in claims.judged_claims(world) if row.claim.id == "A1"]
    assert {(row.where, row.judgement.verdict) for row in rows} == {
        ("paper: CIFAR-10", "supported"),
        ("paper: CIFAR-10 (JPEG-75 copy)", "refuted"),
    }


def test_runs_that_are_not_finite_leave_a_claim_open():
    world = [
        runs_of_case(one.case, {"test_loss": [math.inf] * SEEDS}, metric="test_loss")
        if one.activation == "elu"
        else one
        for one in MAKERS["B3"](1, NOISE)
    ]
    assert judged("B3", world).judgement.verdict == "undetermined"


def test_the_table_shows_figures_intervals_and_what_it_was_judged_on():
    text = claims.claims_table(claims.judged_claims(list(MAKERS["B7"](1, NOISE))), "github")
    (line,) = [line for line in text.splitlines() if line.startswith("| B7")]
    assert "supported" in line
    assert "points" in line
    assert "paper: CIFAR-10" in line
    assert text.count("no records") == len(CLAIMS) - 1


@pytest.mark.parametrize("claim", ["A1", "A5", "A6a", "A6b", "A8", "B11", "D2", "D3a", "D3b"])
@pytest.mark.parametrize("world", WORLDS)
def test_a_claim_judged_by_errors_is_answered_as_by_accuracies(monkeypatch, claim, world):
    monkeypatch.setattr("bench.cases.metric.METRICS", dict(METRICS))
    register(ERROR)
    accuracies = list(MAKERS[claim](*WORLDS[world]))
    ((one,), (other,)) = (
        [row.judgement for row in claims.judged_claims(made) if row.claim.id == claim]
        for made in (accuracies, list(map(as_error, accuracies)))
    )
    assert one.verdict == other.verdict == world
    assert other.n == one.n
