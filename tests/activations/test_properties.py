"""Tests of the computed facts: what holds for every entry of the registry, other constants, and a user's own."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import activations
from activations import reference
from facts import as_written, flags

INF = math.inf
NAMES = activations.names()
NO_FUNCTIONS_OF_ONE_NUMBER = ("softmax", "meta_acon", "poly_norm", *activations.names(family="gated_linear"))
JUDGED = [name for name in NAMES if name not in NO_FUNCTIONS_OF_ONE_NUMBER]
WITH_FORMULA = [name for name in JUDGED if activations.info(name).formula]


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_its_facts_or_a_reason_why_not(name: str) -> None:
    found = activations.properties(name)
    assert found.name == name
    assert bool(found.reason) == (name in NO_FUNCTIONS_OF_ONE_NUMBER)
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


@pytest.mark.parametrize("name", WITH_FORMULA)
def test_mean_and_second_moment_agree_with_a_plain_sum(name: str) -> None:
    found = activations.properties(name)
    assert found.mean is not None
    assert found.variance is not None
    x = np.linspace(-8, 8, 801)
    weights = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi) * (x[1] - x[0])
    y = reference.value(name, x)
    assert found.mean == pytest.approx(weights @ y, abs=6e-3 if found.kinks else 1e-3)
    assert found.variance == pytest.approx(weights @ y**2 - (weights @ y) ** 2, abs=6e-3 if found.kinks else 1e-3)


@pytest.mark.parametrize("name", WITH_FORMULA)
def test_fixed_points_are_fixed_by_the_formula(name: str) -> None:
    for low, high in activations.properties(name).fixed_points or ():
        x = np.linspace(max(low, -50), min(high, 50), 5)[1:-1] if low < high else np.array([low])
        assert reference.value(name, x) == pytest.approx(x, abs=1e-9)


def test_only_identity_is_linear() -> None:
    assert [name for name in JUDGED if not activations.properties(name).nonlinear] == ["identity"]


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
    assert (flags(theirs), theirs.mean) == (flags(ours), pytest.approx(ours.mean, abs=1e-12))
    assert vars(theirs.range) == pytest.approx(vars(ours.range), abs=1e-9)
    slope = activations.properties("slope")
    assert (slope.trainable_parameters, slope.kinks, slope.slopes_at_zero) == (1, (0.0,), (0.5, 1.0))
    peak = activations.properties("peak")  # approaches 1 at the jump and 0 far out, and is neither
    assert (as_written(peak), peak.kinks, peak.lipschitz) == ("(0, 1)", (0.0,), INF)
    assert "less than float64" in activations.properties("coarse").reason
    assert "several inputs" in activations.properties("rows").reason
