"""Fused forms: one compiled kernel each way, the eager results, and the eager form where nothing can be compiled."""

from __future__ import annotations

import functools
import re

import pytest
import torch
from torch import Tensor

import activations
from activations import fused

# Of no parameter, one for all, one a channel, and several with a loop over them: the ways in which kernels differ.
# Every registered function is fused, and compared with exact values, by the contract.
PLAIN, LAST = torch.contiguous_format, torch.channels_last
KINDS = [
    ("mish", PLAIN),
    ("mish", LAST),
    ("prelu", PLAIN),
    ("apl", LAST),
    *(pytest.param(*kind, marks=pytest.mark.slow) for kind in (("tact", PLAIN), ("prelu", LAST), ("apl", PLAIN))),
]


def results(module: torch.nn.Module, x: Tensor) -> list[Tensor]:
    out = module(x)
    return [out, *torch.autograd.grad(out, [x, *module.parameters()], torch.cos(out.detach()))]


def pair(name: str, shape: tuple[int, ...] | None = None) -> tuple[torch.nn.Module, torch.nn.Module]:
    few = {"hinges": 2} if name == "apl" else {}  # each of them is compiled
    eager, compiled = (activations.build(name, shape=shape, fused=fuse, **few) for fuse in (False, True))
    compiled.load_state_dict(eager.state_dict())
    return eager, compiled


@pytest.mark.parametrize(("name", "layout"), KINDS, ids=str)
def test_the_fused_form_computes_what_the_eager_form_does(name: str, layout: torch.memory_format) -> None:
    eager, compiled = pair(name, (3, 4, 5))
    x = torch.randn(2, 3, 4, 5).to(memory_format=layout).requires_grad_()
    for one, other in zip(results(eager, x), results(compiled, x), strict=True):
        torch.testing.assert_close(other, one)
        assert other.stride() == one.stride()
        assert other.dtype == one.dtype


@pytest.mark.parametrize(
    ("shape", "x"),
    [
        ((3, 1, 1), torch.randn(2, 3, 4, 5)),
        ((3, 4, 1), torch.randn(2, 3, 4, 5)),
        ((3, 4, 1), torch.randn(2, 3, 4, 16)),
        ((3, 1, 1), torch.randn(3, 4, 5)),
        ((3, 1), torch.randn(1, 3, 20)),
        ((3, 1), torch.randn(4, 3, 20)[::2]),
        ((4,), torch.randn(33, 4)),
        ((3, 4), torch.randn(50, 3, 4)),
        ((3, 1, 1), torch.randn(2, 3, 4, 5).to(memory_format=LAST)),
    ],
    ids=lambda one: str(tuple(one.shape)) if isinstance(one, Tensor) else str(one),
)
@pytest.mark.parametrize(
    "name", ["dyt", "meta_acon", *(pytest.param(name, marks=pytest.mark.slow) for name in ("apl", "gr_kan"))]
)
def test_parameters_of_any_part_of_an_example_get_their_own_gradients(
    name: str, shape: tuple[int, ...], x: Tensor
) -> None:
    if name == "gr_kan":
        x = x.repeat_interleave(8, dim=x.ndim - len(shape))  # its eight groups divide the channels
        shape = (8 * shape[0], *shape[1:])
    eager, compiled = pair(name, shape)
    x = x.detach().requires_grad_()
    with fused.compiled_by("aot_eager"):
        found = results(compiled, x)
    for one, other in zip(results(eager, x), found, strict=True):
        torch.testing.assert_close(other, one)
        assert other.stride() == one.stride()


@pytest.mark.parametrize("shapes", [((3, 1, 1), (4, 1)), ((4, 1), (3, 1, 1))], ids=str)
def test_parameters_of_two_shapes_meet_in_one_kernel(shapes: tuple[tuple[int, ...], ...]) -> None:
    x = torch.randn(2, 3, 4, 16, requires_grad=True)
    alpha, beta = (torch.rand(shape, requires_grad=True) for shape in shapes)

    def gradients(*, fused: bool) -> tuple[Tensor, ...]:
        out = activations.function("tact")(x, alpha, beta, fused=fused)
        return torch.autograd.grad(out, (x, alpha, beta), torch.cos(x.detach()))

    with fused.compiled_by("aot_eager"):
        found = gradients(fused=True)
    torch.testing.assert_close(found, gradients(fused=False))


def test_any_shape_and_any_strides_are_taken() -> None:
    eager, compiled = pair("mish")
    whole = torch.randn(6, 8, 10)
    for x in (whole, whole[::2, :, 1::3], whole.transpose(0, 2), whole[0, 0, :1], whole[:0], whole[0, 0, 0]):
        leaf = x.detach().requires_grad_()
        for one, other in zip(results(eager, leaf), results(compiled, leaf), strict=True):
            torch.testing.assert_close(other, one)


def test_a_shape_never_seen_before_compiles_nothing() -> None:
    module = activations.build("mish", fused=True)
    module(torch.randn(7, 3))
    before = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    with torch.compiler.set_stance("fail_on_recompile"):
        for shape in ((5,), (2, 3, 4, 5), (11, 2)):
            assert module(torch.randn(shape)).shape == shape
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == before
    assert fused.applies(torch.randn(5)), "nothing was compiled, so nothing was shown"


def test_nor_does_one_of_parameters_that_lie_as_some_did_before() -> None:
    seen = [((3, 1, 1), (2, 3, 4, 5)), ((20,), (6, 20)), ((3, 4), (5, 3, 4)), ((3, 1, 1), (1, 3, 4, 5))]
    others = [((5, 1, 1), (3, 5, 2, 9)), ((7,), (20, 7)), ((6, 2), (9, 6, 2)), ((2, 1, 1), (1, 2, 8, 8))]
    with fused.compiled_by("aot_eager"):
        for parameters, shape in seen:
            activations.build("prelu", shape=parameters, fused=True)(torch.randn(shape))
        with torch.compiler.set_stance("fail_on_recompile"):
            for parameters, shape in others:
                activations.build("prelu", shape=parameters, fused=True)(torch.randn(shape))


def test_a_kernel_calls_no_library_and_takes_no_numbers_as_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import utils

    monkeypatch.setattr(fused, "_kernel", functools.cache(fused._kernel.__wrapped__))  # nothing is compiled yet
    x = torch.randn(64).requires_grad_()
    serf = activations.build("serf", fused=True)  # softplus, erf, exp and sigmoid, 24 coefficients in all
    with utils.fresh_cache():
        _, kernels = utils.run_and_get_code(lambda: torch.autograd.grad(serf(x).sum(), x))
    for kernel in kernels:
        assert "double" not in kernel
        assert not re.search(r"\.(exp|expm1|erf|log1p|tanh)\(\)", kernel)


def test_double_backward_takes_the_plain_derivative() -> None:
    module = activations.build("mish", fused=True)
    x = torch.linspace(-3, 3, 11, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradgradcheck(module, x)


def test_an_outer_compile_traces_through_it() -> None:
    module = activations.build("mish", fused=True)
    x = torch.randn(4, 3)
    torch.testing.assert_close(torch.compile(module, fullgraph=True, backend="aot_eager")(x), module(x))


@pytest.mark.parametrize("name", ["mish", "gelu_tanh", "tanhshrink"])
def test_compiled_code_that_takes_a_gradient_itself_gets_the_derivative(name: str) -> None:
    module, x = activations.build(name, fused=True), torch.linspace(-3, 3, 11)

    def slope(x: Tensor) -> Tensor:
        return torch.func.grad(lambda x: module(x).sum())(x)

    torch.testing.assert_close(torch.compile(slope, fullgraph=True, backend="aot_eager")(x), slope(x))


def test_where_torch_has_one_pass_already_that_is_what_runs() -> None:
    assert type(activations.build("elu", fused=True)) is torch.nn.ELU


def test_without_a_compiler_the_eager_form_runs_after_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import config, utils  # half a second, at collection too

    monkeypatch.setattr(fused, "_kernel", functools.cache(fused._kernel.__wrapped__))  # nothing is compiled yet
    monkeypatch.setattr(fused, "_unavailable", False)
    x = torch.randn(8)
    module = activations.build("mish", fused=True)
    with (
        utils.fresh_cache(),
        config.patch({"cpp.cxx": ("/nowhere/c++",)}),
        pytest.warns(UserWarning, match=r"run unfused here, for want of a C\+\+ compiler") as warned,
    ):
        outputs = [module(x) for _ in range(2)]
    assert len([one for one in warned if "fused" in str(one.message)]) == 1
    for output in outputs:
        assert torch.equal(output, activations.function("mish").value(x))
    assert not fused.applies(x)


def test_a_kernel_is_made_once_however_often_it_is_built() -> None:
    activations.build("mish", fused=True)(torch.randn(5))
    before = fused._kernel.cache_info().currsize
    activations.build("mish", fused=True)(torch.randn(3, 4))
    assert fused._kernel.cache_info().currsize == before
