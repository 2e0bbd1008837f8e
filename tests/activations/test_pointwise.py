"""Pointwise: elementwise functions that keep their input alone and are told their derivative."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import Tensor

from activations.contract.memory import bytes_saved
from activations.pointwise import Pointwise


def _cubic_value(x: Tensor, slope: Tensor, *, shift: float = 1.0) -> Tensor:
    """slope * x^3 + shift."""
    return slope * x * x * x + shift


def _cubic_vjp(grad: Tensor, x: Tensor, slope: Tensor, *, shift: float = 1.0) -> tuple[Tensor, ...]:
    return grad * 3 * slope * x * x, grad * x * x * x


cubic = Pointwise(_cubic_value, _cubic_vjp)


def test_the_name_and_the_arguments_are_those_of_the_value() -> None:
    assert (cubic.name, cubic.parameters, cubic.constants) == ("cubic", ("slope",), {"shift": 1.0})
    assert cubic.__doc__ == "slope * x^3 + shift."


def test_parameters_go_by_position_or_by_name() -> None:
    x = torch.tensor([2.0])
    assert cubic(x, 3.0).item() == cubic(x, slope=3.0).item() == cubic(x, torch.tensor(3.0)).item() == 25
    assert cubic(x, 3.0, shift=0.5).item() == 24.5


@pytest.mark.parametrize(
    "call",
    [lambda x: cubic(x), lambda x: cubic(x, 1.0, 2.0), lambda x: cubic(x, 1.0, bogus=1)],
    ids=["missing", "too many", "unknown"],
)
def test_a_missing_or_unknown_argument_lists_the_known_ones(call) -> None:
    with pytest.raises(ValueError, match=r"cubic cannot be called with .* arguments after x: slope, shift"):
        call(torch.ones(2))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64], ids=str)
def test_what_is_not_floating_point_is_refused_by_name(dtype: torch.dtype) -> None:
    with pytest.raises(ValueError, match=rf"cubic takes a floating point tensor, not {dtype}; convert"):
        cubic(torch.ones(2, dtype=dtype), 1.0)


@pytest.mark.parametrize("shape", [(), (3,), (3, 1, 1), (3, 4, 5)], ids=str)
def test_gradients_of_broadcast_parameters_are_summed_to_their_shape(shape: tuple[int, ...]) -> None:
    x = torch.randn(2, 3, 4, 5 if shape != (3,) else 3, dtype=torch.float64, requires_grad=True)
    slope = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(cubic, (x, slope))
    assert torch.autograd.gradgradcheck(cubic, (x, slope))


def test_only_the_input_is_kept_for_backward() -> None:
    x, slope = torch.randn(1000, requires_grad=True), torch.ones((), requires_grad=True)
    assert bytes_saved(lambda: cubic(x, slope), excluded=[slope]) == x.nbytes


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_types_are_computed_in_float32_and_rounded_once(dtype: torch.dtype) -> None:
    x = torch.linspace(-8, 8, 100, dtype=dtype, requires_grad=True)
    slope = torch.tensor(0.1, requires_grad=True)
    out = cubic(x, slope)
    assert torch.equal(out, cubic(x.float(), slope).to(dtype))
    out.sum().backward()
    assert (x.grad.dtype, slope.grad.dtype) == (dtype, torch.float32)


@pytest.mark.parametrize("fused", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_vmap_maps_input_parameters_or_both(fused: bool) -> None:
    x, slopes = torch.randn(4, 2, 3), torch.randn(4, 3)

    def one(x: Tensor, slope: Tensor) -> Tensor:
        return cubic(x, slope, fused=fused)

    for dims, arguments in (((0, 0), (x, slopes)), ((0, None), (x, slopes[0])), ((None, 0), (x[0], slopes))):
        rows = [one(x[i] if dims[0] == 0 else x[0], slopes[i] if dims[1] == 0 else slopes[0]) for i in range(4)]
        torch.testing.assert_close(torch.vmap(one, dims)(*arguments), torch.stack(rows))
    torch.testing.assert_close(
        torch.vmap(one, (2, 0), 1)(x.permute(1, 2, 0), slopes), torch.vmap(one)(x, slopes).movedim(0, 1)
    )


def test_per_example_gradients_come_from_vmap_of_grad() -> None:
    x, slope = torch.randn(5, 3), torch.tensor(0.7)
    each = torch.vmap(torch.func.grad(lambda slope, x: cubic(x, slope).sum()), (None, 0))(slope, x)
    torch.testing.assert_close(each, (x**3).sum(1))


def test_the_native_kernel_runs_where_there_is_one_and_it_is_not_to_be_fused() -> None:
    double = Pointwise(_cubic_value, _cubic_vjp, eager=lambda x, slope, shift=1.0: torch.full_like(x, 7.0))
    assert double(torch.ones(3), 2.0).tolist() == [7.0] * 3
    torch.testing.assert_close(double(torch.ones(3), 2.0, fused=True), torch.full((3,), 3.0))


def test_a_copy_and_a_pickle_are_the_function_itself() -> None:
    from activations.self_gated import mish

    assert copy.deepcopy(mish) is mish
    assert pickle.loads(pickle.dumps(mish)) is mish
