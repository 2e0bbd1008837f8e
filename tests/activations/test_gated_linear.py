"""Gated linear units and maxout: values and derivatives by the formula, which half gates, widths that do not fit."""

from __future__ import annotations

import itertools
from typing import Any

import mpmath
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import activations
from activations import reference
from activations.contract.memory import bytes_saved

NAMES = activations.names(family="gated_linear")
GATED = [name for name in NAMES if "gate_first" in activations.info(name).arguments]
WITH_FORMULA = [name for name in GATED if activations.info(name).formula]


def clamped(a: Tensor, b: Tensor, alpha: float = 1.702, offset: float = 1.0, limit: float = 7.0) -> Tensor:
    """As in transformers' GptOssExperts."""
    b = b.clamp(max=limit)
    return (a.clamp(-limit, limit) + offset) * (b * torch.sigmoid(alpha * b))


def topk(a: Tensor, b: Tensor, sparsity: float = 0.95, approximate: str = "tanh") -> Tensor:
    """As in transformers' Gemma3nTextMLP."""
    quantile = torch.distributions.Normal(0, 1).icdf(torch.tensor(sparsity, dtype=b.dtype))
    cutoff = b.mean(-1, keepdim=True) + quantile * b.std(-1, keepdim=True, unbiased=False)
    return F.gelu((b - cutoff).relu(), approximate=approximate) * a


# What torch makes of a and b: an independent second opinion, to torch's own accuracy.
PLAIN = {
    "glu": lambda a, b: a * torch.sigmoid(b),
    "swiglu": lambda a, b: a * F.silu(b),
    "geglu": lambda a, b: a * F.gelu(b),
    "reglu": lambda a, b: a * F.relu(b),
    "swiglu_clamped": clamped,
    "drelu": lambda a, b: F.relu(a) * F.relu(b),
    "fatrelu_glu": lambda a, b: a * F.threshold(b, 0.0, 0.0),
    "gelu_topk_glu": topk,
    "bilinear": lambda a, b: a * b,
}
FLOATS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
NUMBERS = [-1e30, -90.0, -6.5, -0.3, -1e-20, 0.4, 2.0, 30.0, 100.0, 1e30]


def built(name: str, **arguments: Any) -> nn.Module:
    return activations.build(name, **arguments)


def exact(name: str) -> Tensor:
    """Value and derivatives by a and by b at all pairs of NUMBERS, from the source's formula."""
    entry = activations.info(name)
    with mpmath.workdps(400):
        formula = reference.bind(entry)
        pairs = [(mpmath.mpf(a), mpmath.mpf(b)) for a in NUMBERS for b in NUMBERS]
        orders = ((0, 0), (1, 0), (0, 1))
        rows = [[float(mpmath.diff(formula, pair, order)) for order in orders] for pair in pairs]
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize("name", GATED)
def test_the_second_half_is_the_gate_unless_the_first_is_asked_for(name: str) -> None:
    x = torch.randn(3, 8)
    first, second = x.chunk(2, -1)
    torch.testing.assert_close(built(name)(x), PLAIN[name](first, second))
    torch.testing.assert_close(built(name, gate_first=True)(x), PLAIN[name](second, first))


@pytest.mark.parametrize("name", WITH_FORMULA)
def test_value_and_derivatives_are_those_of_the_formula_however_large_the_numbers(name: str) -> None:
    pairs = list(itertools.product(NUMBERS, NUMBERS))
    x = torch.tensor(pairs, dtype=torch.float64, requires_grad=True)
    y = built(name)(x)
    (slopes,) = torch.autograd.grad(y.sum(), x)
    truth = exact(name)
    close = {"rtol": 1e-12, "atol": 1e-300}
    torch.testing.assert_close(y.flatten(), truth[:, 0], **close)
    torch.testing.assert_close(slopes[:, 0], truth[:, 1], **close)
    # torch's glu takes 1 - sigmoid(b).
    lost = (activations.info(name).accuracy.derivative_absolute_eps or 0.0) * x.detach()[:, 0].abs() * 2.0**-52
    assert ((slopes[:, 1] - truth[:, 2]).abs() <= 1e-12 * truth[:, 2].abs() + lost + 1e-300).all()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_every_float_type_is_rounded_once_and_keeps_its_input_alone_for_backward(name: str, dtype: torch.dtype) -> None:
    module = built(name)
    x = torch.randn(6, 32, dtype=dtype, requires_grad=True)
    y = module(x)
    assert y.dtype == dtype
    torch.testing.assert_close(y.double(), module(x.double()), rtol=2 * torch.finfo(dtype).eps, atol=1e-6)
    assert bytes_saved(lambda: module(x)) == x.nbytes


@pytest.mark.parametrize("dim", [1, -3, -1])
@pytest.mark.parametrize("name", NAMES)
def test_any_dimension_can_be_the_one_that_shrinks(name: str, dim: int) -> None:
    x = torch.randn(2, 6, 4, 8, dtype=torch.float64)
    moved = built(name)(x.movedim(dim, -1)).movedim(-1, dim)
    torch.testing.assert_close(built(name, dim=dim)(x), moved)
    torch.testing.assert_close(activations.function(name)(x, dim=dim), moved)
    strided = x.to(memory_format=torch.channels_last)
    torch.testing.assert_close(built(name, dim=dim)(strided), moved)
    mapped = torch.func.vmap(built(name, dim=dim), in_dims=1, out_dims=1)
    if dim == -3:
        torch.testing.assert_close(mapped(x.unsqueeze(1)), moved.unsqueeze(1))


@pytest.mark.parametrize("name", NAMES)
def test_a_shape_is_that_of_the_output_and_says_which_dimension(name: str) -> None:
    x = torch.randn(2, 6, 5, 4)
    assert built(name, shape=(3, 5, 4))(x).shape == (2, 3, 5, 4)
    assert built(name, shape=(6, 5, 2), channel_dim=-1)(x).shape == (2, 6, 5, 2)
    assert built(name, shape=(6, 5, 4), dim=2 - 4)(x[:, :, :4]).shape == (2, 6, 2, 4)


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_are_right_twice(name: str) -> None:
    x = torch.randn(3, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(built(name), x)
    assert torch.autograd.gradgradcheck(built(name), x)


@pytest.mark.parametrize("name", NAMES)
def test_a_width_that_does_not_divide_is_named_with_the_remedy(name: str) -> None:
    multiplier = activations.info(name).in_features_multiplier
    with pytest.raises(ValueError, match=f"7 inputs along dim -1 .* must give {multiplier} times the wanted width"):
        built(name)(torch.randn(2, 7))
    with pytest.raises(ValueError, match=r"dim 2 is no dimension of an input of shape \(2, 4\)"):
        built(name, dim=2)(torch.randn(2, 4))


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_input_gives_an_empty_output(name: str) -> None:
    assert built(name)(torch.empty(0, 8)).shape == (0, 8 // activations.info(name).in_features_multiplier)
    assert built(name)(torch.empty(3, 0)).shape == (3, 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_module_says_how_many_inputs_an_output_takes(name: str) -> None:
    assert built(name).in_features_multiplier == activations.info(name).in_features_multiplier == 2


def test_arguments_of_the_clamped_one_make_it_that_of_deepseek() -> None:
    x = 8 * torch.randn(50, 8)
    plain = {"alpha": 1.0, "offset": 0.0, "limit": 10.0}
    torch.testing.assert_close(built("swiglu_clamped", **plain)(x), clamped(*x.chunk(2, -1), **plain))
    wide = built("swiglu_clamped", **{**plain, "limit": 1e9})
    torch.testing.assert_close(wide(x), built("swiglu")(x))


def test_a_threshold_shuts_the_gate_below_it() -> None:
    x = torch.tensor([[2.0, 0.4], [2.0, 0.5], [2.0, 0.6]], requires_grad=True)
    y = built("fatrelu_glu", threshold=0.5)(x)
    torch.testing.assert_close(y.flatten(), torch.tensor([0.0, 0.0, 1.2]))
    (slopes,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(slopes, torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.6, 2.0]]))


@pytest.mark.parametrize("approximate", ["tanh", "none"])
def test_the_share_of_a_row_that_is_cut_off_is_the_one_asked_for(approximate: str) -> None:
    module = built("gelu_topk_glu", sparsity=0.75, approximate=approximate)
    x = torch.randn(4, 2000, dtype=torch.float64, requires_grad=True)
    y, plain = module(x), topk(*x.chunk(2, -1), 0.75, approximate)
    assert (y == 0).double().mean().item() == pytest.approx(0.75, abs=0.02)
    torch.testing.assert_close(y, plain)
    upstream = torch.randn_like(y)
    torch.testing.assert_close(torch.autograd.grad(y, x, upstream), torch.autograd.grad(plain, x, upstream))
    few = torch.randn(3, 12, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(module, few)
    level = torch.ones(2, 6, dtype=torch.float64, requires_grad=True)  # of which no deviation can be derived
    assert torch.autograd.grad(module(level).sum(), level)[0].isfinite().all()


@pytest.mark.parametrize("num_pieces", [2, 3, 5])
def test_maxout_takes_the_largest_of_neighbours(num_pieces: int) -> None:
    module = built("maxout", num_pieces=num_pieces)
    assert module.in_features_multiplier == num_pieces
    x = torch.randn(4, 6 * num_pieces)
    largest = [max(row[start : start + num_pieces]) for row in x.tolist() for start in range(0, len(row), num_pieces)]
    assert module(x).flatten().tolist() == largest


def test_pieces_that_tie_share_the_gradient_evenly_as_in_amax() -> None:
    x = torch.tensor([[1.0, 1.0, 1.0, 0.0, 2.0, 2.0]], dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(built("maxout", num_pieces=3)(x).sum(), x)
    (expected,) = torch.autograd.grad(x.unflatten(-1, (2, 3)).amax(-1).sum(), x)
    assert torch.equal(slopes, expected)
    assert slopes.tolist() == [[1 / 3, 1 / 3, 1 / 3, 0.0, 0.5, 0.5]]


@pytest.mark.parametrize("name", NAMES)
def test_nan_comes_through(name: str) -> None:
    nan = float("nan")
    x = torch.tensor([[nan, 1.0], [1.0, nan], [-1.0, -1.0]], requires_grad=True)
    y = built(name)(x)
    assert y.isnan().flatten().tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("swiglu", torch.contiguous_format),
        pytest.param("swiglu", torch.channels_last, marks=pytest.mark.slow),
        pytest.param("maxout", torch.contiguous_format, marks=pytest.mark.slow),
        pytest.param("maxout", torch.channels_last, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_the_fused_form_agrees_in_value_derivative_and_layout(name: str, layout: torch.memory_format) -> None:
    x = torch.randn(2, 6, 4, 8).to(memory_format=layout).requires_grad_()
    results: list[tuple[Tensor, ...]] = []
    for fused in (False, True):
        y = built(name, shape=(3, 4, 8), fused=fused)(x)
        assert y.is_contiguous(memory_format=layout)
        results.append((y, *torch.autograd.grad(y.square().sum(), x)))
    torch.testing.assert_close(*results)
