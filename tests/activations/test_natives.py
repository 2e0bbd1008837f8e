"""Where torch's own functions and the exact ones differ: by more than 2 units in the last place, derivatives by 4."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

import activations
from activations import reference
from activations.contract import points, subject, truth

ULP = {"value": 2.0, "derivative": 4.0}
DTYPES = (torch.float32, torch.float64)
BOTH, SINGLE, DOUBLE = DTYPES, (torch.float32,), (torch.float64,)


def of_torch(name: str) -> bool:
    """Whether what runs is torch's kernel, elementwise."""
    entry = activations.info(name)
    if entry.formula is None or truth.inputs_of(entry) > 1 or entry.function is None:
        return False
    native = getattr(activations.function(name), "eager", None) is not None
    return native or subject.is_torchs(activations.build(name))


NATIVES = [name for name in activations.names() if of_torch(name)]

# (name, what) -> in which dtypes, and where
DIFFERENCES: dict[tuple[str, str], tuple[tuple[torch.dtype, ...], Callable[[np.ndarray], np.ndarray]]] = {
    # x itself from beta * x > 20 on: the jump of 2e-9 is below float32's resolution there.
    ("softplus", "value"): (DOUBLE, lambda x: x > 20),
    ("softplus", "derivative"): (DOUBLE, lambda x: x > 20),
    # y * (1 - y) and 1 - y^2 from the saved output.
    ("sigmoid", "derivative"): (BOTH, lambda x: x > 2),
    ("tanh", "derivative"): (BOTH, lambda x: abs(x) > 0.2),
    # 1/6 is rounded to float32 first.
    ("hard_sigmoid_torch", "derivative"): (DOUBLE, lambda x: abs(x) < 3),
    # x - tanh(x) near 0.
    ("tanhshrink", "value"): (BOTH, lambda x: abs(x) < 0.6),
    ("tanhshrink", "derivative"): (BOTH, lambda x: abs(x) < 0.6),
    # 1 + erf and 1 + tanh in the left tail; float32's erf costs a unit more up to 3.
    ("gelu", "value"): (BOTH, lambda x: x < 3),
    ("gelu", "derivative"): (BOTH, lambda x: x < 3),
    ("gelu_tanh", "value"): (BOTH, lambda x: x < -1.5),
    # x * (1 - tanh^2) to the right of it; NaN where x^2 overflows.
    ("gelu_tanh", "derivative"): (BOTH, lambda x: (x < 10) | (x > 1e18)),
    # 1 - sigmoid(x) times x; the like in mish.
    ("silu", "derivative"): (BOTH, lambda x: x > 2),
    ("mish", "derivative"): (BOTH, lambda x: x > 2),
    # 6 * x overflows before it is divided by 6.
    ("hardswish", "value"): (SINGLE, lambda x: x > 5e37),
}


def off(name: str, what: str, dtype: torch.dtype) -> np.ndarray:
    """The points of the contract's grid at which torch is off; kinks, underflow and overflow left out."""
    entry = activations.info(name)
    grid = points.grid(dtype)
    x = grid[:, 0]
    exact = truth.from_formula(entry, truth.formula_values(entry), grid)[what == "derivative"]
    info = torch.finfo(dtype)
    magnitude = np.minimum(exact.around, info.max)
    unit = np.ldexp(info.eps, np.frexp(magnitude)[1] - 1)
    got = truth.output_and_slope(subject.module(entry, dtype), x, dtype)[what == "derivative"].double().numpy()
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(got - exact.nearest) <= ULP[what] * unit)
    judged = exact.judged & (magnitude > 2**10 * info.smallest_normal) & (np.abs(exact.nearest) < info.max)
    return x[wrong & judged]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("what", ULP)
@pytest.mark.parametrize("name", NATIVES)
def test_torch_is_exact_but_for_the_known_places(name: str, what: str, dtype: torch.dtype) -> None:
    places = off(name, what, dtype)
    dtypes, known = DIFFERENCES.get((name, what), ((), lambda x: x != x))
    if dtype not in dtypes:
        assert not len(places), f"{name}'s {what} is off at {places[:5]}"
        return
    assert len(places), f"{name}'s {what} is exact now: remove it from the differences"
    assert known(places).all(), f"{name}'s {what} is off elsewhere too, at {places[~known(places)][:5]}"


@pytest.mark.parametrize("name", [name for name, _ in DIFFERENCES])
def test_the_known_places_are_of_native_functions(name: str) -> None:
    assert name in NATIVES


def test_torchs_gelu_is_zero_far_before_the_exact_one() -> None:
    x = torch.tensor([-6.0])
    assert torch.nn.functional.gelu(x).item() == 0
    assert reference.value("gelu", -6.0) == pytest.approx(-5.9195e-9, rel=1e-4)


def test_torchs_softplus_jumps_at_its_threshold() -> None:
    below, above = torch.nn.functional.softplus(torch.tensor([20.0, 20.0 + 1e-12], dtype=torch.float64)).tolist()
    assert below - above == pytest.approx(2.0612e-9, rel=1e-3)
    assert reference.value("softplus", 20.0) == pytest.approx(below, rel=1e-16)


@pytest.mark.parametrize(("kink", "sides"), [(-3.0, (0.0, -0.5)), (3.0, (1.5, 1.0))])
def test_torchs_hardswish_takes_one_side_or_the_other_at_its_kinks(kink: float, sides: tuple[float, float]) -> None:
    """Which one has differed between versions, and between a vector and its tail: 33 elements have both."""
    x = torch.full((33,), kink, requires_grad=True)
    torch.nn.functional.hardswish(x).sum().backward()
    assert set(x.grad.tolist()) <= set(sides)
    assert tuple(reference.derivative("hardswish", kink, side=side) for side in (-1, 1)) == pytest.approx(sides)
