"""The compiled float32 forms of exp and its kin: exact to few units in the last place, and at the ends of the axis."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

import activations._elementary as elementary
from activations._kernel import in_kernel

# Units in the last place. erfc is asked for what rounding x * x leaves of e^(-x * x), bell_softplus for what counts
# beside the 1 that x times it is added to.
FORMS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
    "exp": (lambda x: elementary.exp(x, 6.0), 1.5),
    "exp_below": (lambda x: elementary.exp_below(-x.abs()), 1.5),
    "exp_minus_abs": (elementary.exp_minus_abs, 1.5),
    "expm1_below": (lambda x: elementary.expm1_below(-x.abs()), 1.5),
    "sigmoid": (elementary.sigmoid, 2.5),
    "sigmoids": (lambda x: elementary.sigmoids(x)[1], 3.0),
    "softplus": (elementary.softplus, 2.5),
    "tanh": (elementary.tanh, 2.0),
    "tanh_slope": (elementary.tanh_slope, 4.0),
    "erf": (lambda x: elementary.erf(x.abs()), 2.5),
    "erfc": (elementary.erfc, 4.0),
    "erf_softplus": (elementary.erf_softplus, 2.5),
    "bell_softplus": (elementary.bell_softplus, 4.0),
    "hypot": (lambda x: elementary.hypot(x, 2.0), 1.5),
}


@pytest.fixture(scope="module")
def points() -> Tensor:
    """From where numbers vanish to infinity, and what is none."""
    sizes = np.concatenate([np.geomspace(1e-38, 3e38, 2000), np.linspace(0, 12, 12001), np.linspace(12, 130, 2000)])
    return torch.tensor([*-sizes, *sizes, -math.inf, math.inf, math.nan], dtype=torch.float32)


@pytest.fixture(scope="module")
def compiled(points: Tensor) -> dict[str, Tensor]:
    """All of them at those points, by one kernel."""

    def everything(x: Tensor) -> list[Tensor]:
        return [form(x) for form, _ in FORMS.values()]

    with in_kernel():
        return dict(zip(FORMS, torch.compile(everything, fullgraph=True)(points), strict=True))


@pytest.mark.parametrize("name", FORMS)
def test_a_compiled_form_is_exact(name: str, points: Tensor, compiled: dict[str, Tensor]) -> None:
    form, ulp = FORMS[name]
    exact, found = form(points.double()), compiled[name].double()
    assert torch.equal(found.isnan(), points.isnan())
    torch.testing.assert_close(found[-3:-1], exact[-3:-1], rtol=1e-6, atol=0)  # at infinity
    finite = exact.abs() < torch.finfo(torch.float32).max
    unit = torch.ldexp(torch.ones_like(exact), exact.frexp().exponent - 24)
    allowed = ulp * unit + 2**10 * torch.finfo(torch.float32).smallest_normal
    if name == "erfc":
        allowed = allowed + exact * points.double().clamp(0, 30).square() * 2**-24
    if name == "bell_softplus":
        allowed = allowed + 2**-22 / points.double().clamp(min=1)
    worst = ((found - exact).abs() / allowed)[finite].max()
    assert worst <= 1, f"{worst * ulp:.2f} units in the last place"
