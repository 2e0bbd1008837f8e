"""Tests of the computed facts: known truths, and what must hold for every entry of the registry.

The truths are those of the reference sheet and of the papers; none of them is used by the code under test.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

import activations
from activations import Properties, _registry, reference
from activations._curve import Curve, NoFactsError
from activations._piecewise import Piecewise

NAMES = activations.names()
JUDGED = [name for name in NAMES if not activations.properties(name).reason]
INF = math.inf


class Truth(NamedTuple):
    """`flags` of: f monotonic, f' monotonic (mono'), identity near 0 (id), zero-centred (zc), saturation (L, R)."""

    range: str
    smooth: str
    flags: str


SHAPES = {
    "identity": Truth("(-inf, inf)", "C1", "mono mono' id zc"),
    "binary_step": Truth("[0, 1]", "jumps", "mono L R"),
    "sigmoid": Truth("(0, 1)", "C1", "mono L R"),
    "hard_sigmoid": Truth("[0, 1]", "kinks", "mono L R"),
    "hard_sigmoid_torch": Truth("[0, 1]", "kinks", "mono L R"),
    "logsigmoid": Truth("(-inf, 0)", "C1", "mono mono' R"),
    "silu": Truth("[-0.278464542761, inf)", "C1", "zc L"),
    "swish_beta": Truth("[-0.278464542761, inf)", "C1", "zc L"),
    "dsilu": Truth("[-0.0998393201289, 1.09983932013]", "C1", "L R"),
    "tanh": Truth("(-1, 1)", "C1", "mono id zc L R"),
    "hard_tanh": Truth("[-1, 1]", "kinks", "mono id zc L R"),
    "softsign": Truth("(-1, 1)", "C1", "mono id zc L R"),
    "penalized_tanh": Truth("(-0.25, 1)", "kinks", "mono zc L R"),
    "tanhshrink": Truth("(-inf, inf)", "C1", "mono zc"),
    "softplus": Truth("(0, inf)", "C1", "mono mono' L"),
    "squareplus": Truth("(0, inf)", "C1", "mono mono' L"),
    "smelu": Truth("[0, inf)", "C1", "mono mono' L"),
    "relu": Truth("[0, inf)", "kinks", "mono mono' L"),
    "relu6": Truth("[0, 6]", "kinks", "mono L R"),
    "relu_squared": Truth("[0, inf)", "C1", "mono mono' L"),
    "star_relu": Truth("[-0.4472, inf)", "C1", "mono mono' L"),
    "leaky_relu": Truth("(-inf, inf)", "kinks", "mono mono' zc"),
    "prelu": Truth("(-inf, inf)", "kinks", "mono mono' zc"),
    "softshrink": Truth("(-inf, inf)", "kinks", "mono zc"),
    "hardshrink": Truth("(-inf, inf)", "jumps", "mono zc"),
    "elu": Truth("(-1, inf)", "C1", "mono mono' id zc L"),
    "celu": Truth("(-1, inf)", "C1", "mono mono' id zc L"),
    "pelu": Truth("(-1, inf)", "C1", "mono mono' id zc L"),
    "selu": Truth("(-1.75809934085, inf)", "kinks", "mono zc L"),
    "elish": Truth("[-0.171572875254, inf)", "C1", "zc L"),
    "hard_elish": Truth("[-0.0996731515287, inf)", "kinks", "zc L"),
    "xielu": Truth("[-0.205751224096, inf)", "C1", "mono' zc"),
    "gelu": Truth("[-0.16997120748, inf)", "C1", "zc L"),
    "gelu_tanh": Truth("[-0.170040750571, inf)", "C1", "zc L"),
    "gelu_sigmoid": Truth("[-0.163610189636, inf)", "C1", "zc L"),
    "hardswish": Truth("[-0.375, inf)", "kinks", "zc L"),
    "mish": Truth("[-0.308843413017, inf)", "C1", "zc L"),
    "serf": Truth("[-0.34843745876, inf)", "C1", "zc L"),
    "logish": Truth("[-0.252768816789, inf)", "C1", "zc L"),
    "telu": Truth("[-0.353285777848, inf)", "C1", "zc L"),
    "snake": Truth("(-inf, inf)", "C1", "mono id zc"),
    "gcu": Truth("(-inf, inf)", "C1", "id zc"),
}
LEAST_AT = {
    "silu": -1.278464543,
    "elish": math.log(math.sqrt(2) - 1),
    "hard_elish": -0.442854401,
    "gelu": -0.7517915247,
    "gelu_tanh": -0.7524614221,
    "gelu_sigmoid": -0.7511542554,
    "hardswish": -1.5,
    "mish": -1.192431215,
    "serf": -1.193059969,
    "logish": -1.372454137,
    "telu": -1.078860058,
    "xielu": -0.980829253,
    "tact": -3.80686,
}
AT_ZERO = {  # f(0), f'(0) from the left, f'(0) from the right
    "sigmoid": (0.5, 0.25, 0.25),
    "hard_sigmoid_torch": (0.5, 1 / 6, 1 / 6),
    "dsilu": (0.5, 0.5, 0.5),
    "softplus": (math.log(2), 0.5, 0.5),
    "logsigmoid": (-math.log(2), 0.5, 0.5),
    "relu": (0, 0, 1),
    "leaky_relu": (0, 0.01, 1),
    "prelu": (0, 0.25, 1),
    "penalized_tanh": (0, 0.25, 1),
    "selu": (0, 1.7580993408473768, 1.0507009873554805),
    "gelu": (0, 0.5, 0.5),
    "mish": (0, 0.6, 0.6),
    "serf": (0, 0.67304129, 0.67304129),
    "logish": (0, math.log(1.5), math.log(1.5)),
    "telu": (0, math.tanh(1), math.tanh(1)),
    "squareplus": (1, 0.5, 0.5),
    "smelu": (0.5, 0.5, 0.5),
    "gcu": (0, 1, 1),
}
DERIVATIVES = {
    "sigmoid": (0, 0.25),
    "silu": (-0.0998393201, 1.0998393201),
    "gelu": (-0.128904145, 1.128904145),
    "mish": (-0.112525, 1.088498),
    "hard_elish": (-0.3160602794, 1.5),
    "hardswish": (-0.5, 1.5),
    "selu": (0, 1.7580993408473768),
    "tanhshrink": (0, 1),
    "snake": (0, 2),
    "xielu": (-0.3, INF),
    "relu_squared": (0, INF),
    "gcu": (-INF, INF),
    "identity": (1, 1),
}
MOMENTS = {  # mean and variance of f, mean of f'^2: Gaussian integrals in closed form
    "identity": (0, 1, 1),
    "binary_step": (1 / 2, 1 / 4, 0),
    "relu": (1 / math.sqrt(2 * math.pi), 1 / 2 - 1 / (2 * math.pi), 1 / 2),
    "relu_squared": (1 / 2, 5 / 4, 2),
    "leaky_relu": (0.99 / math.sqrt(2 * math.pi), (1 + 1e-4) / 2 - 0.99**2 / (2 * math.pi), (1 + 1e-4) / 2),
    "selu": (0, 1, None),  # equation 14 of the paper: the fixed point
    "gelu": (1 / (2 * math.sqrt(math.pi)), None, None),
    "sigmoid": (1 / 2, None, None),
    "hard_tanh": (0, None, 2 * norm.cdf(1) - 1),
    "snake": ((1 - math.exp(-2)) / 2, None, 1 + (1 - math.exp(-8)) / 2),
    "gcu": (0, (1 - 3 * math.exp(-2)) / 2, None),
}


def _flags(found: Properties) -> str:
    said = {
        "mono": found.monotonic,
        "mono'": found.monotonic_derivative,
        "id": found.approximates_identity,
        "zc": found.zero_centred,
        "L": found.saturates_left,
        "R": found.saturates_right,
    }
    return " ".join(flag for flag, holds in said.items() if holds)


def _as_written(found: Properties) -> str:
    """The range with twelve digits, and brackets for what is attained."""
    span = found.range
    assert span is not None
    low, high = (f"{bound:.12g}" for bound in (span.low, span.high))
    return f"{'(' if span.low_at is None else '['}{low}, {high}{')' if span.high_at is None else ']'}"


@pytest.fixture
def scratch_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    monkeypatch.setattr(_registry, "_REGISTRY", dict(_registry._REGISTRY))
    monkeypatch.setattr(_registry, "_ALIASES", dict(_registry._ALIASES))


# Known truths


@pytest.mark.parametrize("name", SHAPES)
def test_the_shape_is_the_known_one(name: str) -> None:
    found = activations.properties(name)
    smooth = "C1" if found.continuously_differentiable else "kinks" if found.continuous else "jumps"
    assert Truth(_as_written(found), smooth, _flags(found)) == SHAPES[name]


@pytest.mark.parametrize("name", LEAST_AT)
def test_the_least_value_is_where_it_is_known_to_be(name: str) -> None:
    found = activations.properties(name)
    assert found.range is not None
    assert found.range.low_at == pytest.approx(LEAST_AT[name], abs=6e-6 if name == "tact" else 1e-9)


@pytest.mark.parametrize("name", AT_ZERO)
def test_value_and_slopes_at_zero_are_the_known_ones(name: str) -> None:
    found = activations.properties(name)
    assert found.slopes_at_zero is not None
    assert (found.value_at_zero, *found.slopes_at_zero) == pytest.approx(AT_ZERO[name], abs=1e-8)


@pytest.mark.parametrize("name", DERIVATIVES)
def test_the_range_of_the_derivative_is_the_known_one(name: str) -> None:
    found = activations.properties(name)
    assert found.derivative_range == pytest.approx(DERIVATIVES[name], abs=2e-6)
    assert found.lipschitz == max(map(abs, found.derivative_range or ()))


@pytest.mark.parametrize("name", MOMENTS)
def test_moments_under_a_normal_input_are_the_integrals_in_closed_form(name: str) -> None:
    found = activations.properties(name)
    for got, expected in zip((found.mean, found.variance, found.mean_square_derivative), MOMENTS[name], strict=True):
        assert expected is None or got == pytest.approx(expected, abs=1e-11)
    second = found.variance + found.mean**2
    assert found.gain == pytest.approx(second**-0.5, rel=1e-12)


def test_only_identity_is_linear() -> None:
    assert [name for name in JUDGED if not activations.properties(name).nonlinear] == ["identity"]


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("relu", [(0, INF)]),
        ("identity", [(-INF, INF)]),
        ("hard_tanh", [(-1, 1)]),
        ("tanh", [(0, 0)]),
        ("silu", [(0, 0)]),  # though silu(x) is x to the last digit far out
        ("softplus", []),
        ("sigmoid", [(0.659046068407, 0.659046068407)]),
        ("relu_squared", [(0, 0), (1, 1)]),
        ("hardshrink", [(-INF, -0.5), (0, 0), (0.5, INF)]),
        ("gcu", [(2 * math.pi * k,) * 2 for k in range(-5, 6)]),  # where cos x = 1: it touches the diagonal
        ("snake", [(math.pi * k,) * 2 for k in range(-10, 11)]),
    ],
)
def test_fixed_points_are_the_known_ones(name: str, points: list[tuple[float, float]]) -> None:
    found = activations.properties(name).fixed_points
    assert found is not None
    assert len(found) == len(points)
    assert np.array(found).ravel() == pytest.approx(np.array(points).ravel(), abs=1e-9)


# Every entry


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_its_facts_or_a_reason_why_not(name: str) -> None:
    found = activations.properties(name)
    assert found.name == name
    blank = [key for key, value in vars(found).items() if value is None]
    if activations.info(name).in_features_multiplier > 1:
        assert found.reason.startswith("not a function of one number")
    if found.reason:
        assert set(blank) >= {"range", "lipschitz", "fixed_points", "mean"}
    else:
        assert set(blank) <= {"kinks_as_declared"}


@pytest.mark.parametrize("name", JUDGED)
def test_the_kinks_found_are_those_of_the_record(name: str) -> None:
    found = activations.properties(name)
    assert found.kinks_as_declared is (True if activations.info(name).formula else None), found.kinks


@pytest.mark.parametrize("name", [name for name in JUDGED if not activations.info(name).parameters])
def test_the_module_keeps_within_range_and_lipschitz_constant(name: str) -> None:
    found = activations.properties(name)
    assert found.range is not None
    assert found.lipschitz is not None
    x = torch.linspace(-9, 9, 4001, dtype=torch.float64)
    y = activations.build(name).double().eval()(x)
    assert y.min() >= found.range.low - 1e-12
    assert y.max() <= found.range.high + 1e-12
    assert (y.diff().abs() <= found.lipschitz * x.diff() * (1 + 1e-9) + 1e-15).all()


@pytest.mark.parametrize("name", [name for name in JUDGED if activations.info(name).formula])
def test_mean_and_second_moment_agree_with_a_plain_sum(name: str) -> None:
    found = activations.properties(name)
    assert found.mean is not None
    assert found.variance is not None
    x = np.linspace(-8, 8, 801)
    weights = norm.pdf(x) * (x[1] - x[0])
    y = reference.value(name, x)
    assert found.mean == pytest.approx(weights @ y, abs=6e-3 if found.kinks else 1e-3)
    assert found.variance == pytest.approx(weights @ y**2 - (weights @ y) ** 2, abs=6e-3 if found.kinks else 1e-3)


@pytest.mark.parametrize("name", [name for name in JUDGED if activations.info(name).formula])
def test_fixed_points_are_fixed_by_the_formula(name: str) -> None:
    for low, high in activations.properties(name).fixed_points or ():
        x = np.linspace(max(low, -50), min(high, 50), 5)[1:-1] if low < high else np.array([low])
        assert reference.value(name, x) == pytest.approx(x, abs=1e-9)


# Other constants, other doors


def test_facts_follow_the_constants_given() -> None:
    found = activations.properties("tact", alpha=0.5, beta=0.5)
    assert found.range is not None
    assert found.range.low == pytest.approx(-0.0253574045, abs=1e-10)
    assert found.range.low_at == pytest.approx(-1.717381476, abs=1e-8)
    assert activations.properties("hardshrink", lambd=0.3).fixed_points == ((-INF, -0.3), (0, 0), (0.3, INF))
    assert activations.properties("elu").kinks == ()
    assert activations.properties("elu", alpha=2.0).kinks == (0.0,)
    assert activations.properties("elu", alpha=2.0).kinks_as_declared


@settings(max_examples=8, deadline=None)
@given(st.lists(st.floats(-5, 5).map(lambda b: round(b, 6)), min_size=1, max_size=3, unique=True))
def test_hinges_are_found_wherever_they_are(hinges: list[float]) -> None:
    if any(abs(one - other) < 1e-3 for one in [0.0, *hinges] for other in hinges if one is not other):
        return  # nearer hinges than the resolution
    found = activations.properties("apl", a=[0.3] * len(hinges), b=hinges)
    assert found.kinks == pytest.approx(sorted([0.0, *hinges]), abs=1e-8)


def test_an_alias_and_a_second_call_give_the_same_facts() -> None:
    assert activations.properties("swish") == activations.properties("silu")
    assert activations.properties("silu") is activations.properties("silu")


def test_an_unknown_name_or_constant_is_named() -> None:
    with pytest.raises(ValueError, match="unknown activation 'silo': did you mean"):
        activations.properties("silo")
    with pytest.raises(ValueError, match="'silu' takes no 'alpha'"):
        activations.properties("silu", alpha=1.0)


@pytest.mark.usefixtures("scratch_registry")
def test_a_users_function_is_judged_by_itself(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import torch\n"
        "def gate(x): return x * torch.sigmoid(x)\n"
        "def coarse(x): return torch.tanh(x.float())\n"
        "def rows(x): return x - x.mean()\n"
        "def peak(x): return torch.where(x > 0, torch.exp(-x.clamp(min=0)), torch.full_like(x, 0.5))\n"
        "class Slope(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.a = torch.nn.Parameter(torch.tensor(0.5))\n"
        "    def forward(self, x): return torch.where(x > 0, x, self.a * x)\n"
    )
    for name in ("gate", "coarse", "rows", "peak", "Slope"):
        activations.register(activations.load(f"{file}:{name}"))
    ours, theirs = activations.properties("silu"), activations.properties("gate")
    assert (_flags(theirs), theirs.mean) == (_flags(ours), pytest.approx(ours.mean, abs=1e-12))
    assert vars(theirs.range) == pytest.approx(vars(ours.range), abs=1e-9)
    slope = activations.properties("slope")
    assert (slope.trainable_parameters, slope.kinks, slope.slopes_at_zero) == (1, (0.0,), (0.5, 1.0))
    peak = activations.properties("peak")  # approaches 1 at the jump and 0 far out, and is neither
    assert (_as_written(peak), peak.kinks, peak.lipschitz) == ("(0, 1)", (0.0,), INF)
    assert "less than float64" in activations.properties("coarse").reason
    assert "several inputs" in activations.properties("rows").reason


# What the facts are read from


def _curve(value: Callable[[np.ndarray], np.ndarray]) -> Curve:
    def derivative(x: np.ndarray, side: int = 0) -> np.ndarray:
        return (value(x + (side + 1) / 2 * 1e-7) - value(x - (1 - side) / 2 * 1e-7)) / 1e-7

    return Curve(value, derivative)


@pytest.mark.parametrize("at", [0.0, 0.3, -2.71828, 7.0, 15.9])
def test_a_jump_is_told_from_a_kink_and_a_kink_from_a_bend(at: float) -> None:
    assert Piecewise(_curve(lambda x: np.where(x < at, x, x + 1))).breaks == [(pytest.approx(at, abs=1e-8), True)]
    assert Piecewise(_curve(lambda x: np.abs(x - at))).breaks == [(pytest.approx(at, abs=1e-6), False)]
    assert Piecewise(_curve(lambda x: np.maximum(x - at, 0) ** 2)).breaks == []


@pytest.mark.parametrize("value", [np.log, lambda x: np.sin(1e4 * x), lambda x: np.float32(np.tanh(x)).astype(float)])
def test_what_cannot_be_resolved_is_refused(value: Callable[[np.ndarray], np.ndarray]) -> None:
    with np.errstate(invalid="ignore"), pytest.raises(NoFactsError, match=r"not finite|too many kinks"):
        Piecewise(_curve(value))
