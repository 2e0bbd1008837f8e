"""Tests of the computed facts against known truths.

They are those of the reference sheet and of the papers; none of them is used by the code under test.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest

import activations
from facts import as_written, flags

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
    "leaky_relu_squared": Truth("[0, inf)", "C1", "mono'"),
    "screlu": Truth("[0, 1]", "kinks", "mono L R"),
    "sqrtsoftplus": Truth("(0, inf)", "C1", "mono L"),
    "laplace": Truth("(0, 1)", "C1", "mono L R"),
    "hard_mish": Truth("[-0.5, inf)", "kinks", "id zc L"),
    "golu": Truth("[-0.0972601312276, inf)", "C1", "zc L"),
    "poly_relu": Truth("[0, inf)", "kinks", "mono mono' L"),
    "b_silu": Truth("[-0.89990046655, inf)", "C1", "zc L"),
    "sugar_bsilu": Truth("[0, inf)", "kinks", "mono mono' L"),
    "sugar_nelu": Truth("[0, inf)", "kinks", "mono mono' L"),
    "gelu_10": Truth("[-0.16997120748, 10]", "kinks", "zc L R"),
    "derf": Truth("(-1, 1)", "C1", "mono zc L R"),
    "siren": Truth("[-1, 1]", "C1", "zc"),
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
    "hard_mish": -1.0,
    "b_silu": -2.7349004665501,
    "golu": -0.5671432904097838,  # less the omega constant, where x e^-x = -1
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
    "sqrtsoftplus": (math.sqrt(math.log(2)), 1 / (4 * math.sqrt(math.log(2))), 1 / (4 * math.sqrt(math.log(2)))),
    "golu": (0, 1 / math.e, 1 / math.e),
    "poly_relu": (0, 0, 1 / 3),
    "derf": (0, 1 / math.sqrt(math.pi), 1 / math.sqrt(math.pi)),
    "siren": (0, 30, 30),
    "b_silu": (0, 1 / 2 + 1.67 / 4, 1 / 2 + 1.67 / 4),
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
    "hard_mish": (-1, 1),
    "screlu": (0, 2),
    "derf": (0, 1 / math.sqrt(math.pi)),
    "siren": (-30, 30),
}
NORMAL_AT_1 = (1 + math.erf(math.sqrt(1 / 2))) / 2  # the normal distribution function
MOMENTS = {  # mean and variance of f, mean of f'^2: Gaussian integrals in closed form
    "identity": (0, 1, 1),
    "binary_step": (1 / 2, 1 / 4, 0),
    "relu": (1 / math.sqrt(2 * math.pi), 1 / 2 - 1 / (2 * math.pi), 1 / 2),
    "relu_squared": (1 / 2, 5 / 4, 2),
    "leaky_relu": (0.99 / math.sqrt(2 * math.pi), (1 + 1e-4) / 2 - 0.99**2 / (2 * math.pi), (1 + 1e-4) / 2),
    "selu": (0, 1, None),  # equation 14 of the paper: the fixed point
    "gelu": (1 / (2 * math.sqrt(math.pi)), None, None),
    "sigmoid": (1 / 2, None, None),
    "hard_tanh": (0, None, 2 * NORMAL_AT_1 - 1),
    "snake": ((1 - math.exp(-2)) / 2, None, 1 + (1 - math.exp(-8)) / 2),
    "gcu": (0, (1 - 3 * math.exp(-2)) / 2, None),
    "leaky_relu_squared": (5 / 8, 3 * 17 / 32 - 25 / 64, 17 / 8),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_shape_is_the_known_one(name: str) -> None:
    found = activations.properties(name)
    smooth = "C1" if found.continuously_differentiable else "kinks" if found.continuous else "jumps"
    assert Truth(as_written(found), smooth, flags(found)) == SHAPES[name]


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
