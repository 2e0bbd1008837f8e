"""Tests of activations: the catalogue, its exact references, and the modules that must agree with them.

Every loop runs over `activations.names()`: a new entry is tested as soon as it is registered, and needs one line in
`SOURCES`, its formula as the source writes it.
"""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import Tensor, nn

import activations
from activations import _registry, reference
from activations.apl import _APL
from bench.memory import bytes_saved

NAMES = activations.names()
TRAINABLE = activations.names(trainable=True)
DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
HEAVY = ("torch", "numpy", "scipy", "pandas")
ROOT = Path(activations.__file__).parents[1]


def _selu(x: mp.mpf) -> mp.mpf:
    """Klambauer et al. 2017, arXiv 1706.02515, equation 14: the constants with fixed point (0, 1), in closed form."""
    erfc_1, erfc_2 = mp.erfc(1 / mp.sqrt(2)), mp.erfc(mp.sqrt(2))
    alpha = -mp.sqrt(2 / mp.pi) / (erfc_1 * mp.exp(mp.mpf(1) / 2) - 1)
    square = 2 * erfc_2 * mp.e**2 + mp.pi * erfc_1**2 * mp.e - 2 * (2 + mp.pi) * erfc_1 * mp.sqrt(mp.e) + mp.pi + 2
    scale = (1 - erfc_1 * mp.sqrt(mp.e)) * mp.sqrt(2 * mp.pi) / mp.sqrt(square)
    return scale * (x if x > 0 else alpha * (mp.exp(x) - 1))


def _tact(x: mp.mpf, alpha: mp.mpf, beta: mp.mpf) -> mp.mpf:
    """As in GSPuniani/MBG-Activation-Functions, not in the rearranged form of the reference."""
    a, c = alpha / 2, (1 + beta) / 2
    return (a * x + mp.mpf(1) / 2 - a) * (mp.tanh(c * x) + 1)


# The sources' own formulas; the precision below is high enough that they need no rearranging.
SOURCES: dict[str, Callable[..., mp.mpf]] = {
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "tanh": lambda x: (mp.exp(x) - mp.exp(-x)) / (mp.exp(x) + mp.exp(-x)),
    "relu": lambda x: max(mp.mpf(0), x),
    "leaky_relu": lambda x, negative_slope: x if x > 0 else negative_slope * x,
    "elu": lambda x, alpha: x if x > 0 else alpha * (mp.exp(x) - 1),
    "selu": _selu,
    "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2,  # x Phi(x); 1 + erf would need 10^5 digits at -700
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "mish": lambda x: x * mp.tanh(mp.log(1 + mp.exp(x))),
    "prelu": lambda x, weight: max(mp.mpf(0), x) + weight * min(mp.mpf(0), x),
    "apl": lambda x, a, b: max(mp.mpf(0), x) + mp.fsum(p * max(mp.mpf(0), q - x) for p, q in zip(a, b, strict=True)),
    "tact": _tact,
    "mtact": lambda x, alpha, beta: _tact(x, alpha**2, beta**2),
}


def _arguments(name: str, factor: float = 1.0) -> dict[str, Any]:
    """The keyword arguments of a reference at their defaults, or at that multiple of them."""
    parameters = list(inspect.signature(getattr(reference, name)).parameters.values())
    return {one.name: (np.asarray(one.default) * factor).tolist() for one in parameters[1:]}


# Each name at its reference's defaults and, where there are arguments, at other values of them.
_POINTS_OF_PARAMETERS = [
    (name, factor) for name in NAMES for factor in (1.0, -1.5) if factor == 1.0 or _arguments(name)
]


def _exact(name: str, x: float, arguments: dict[str, Any]) -> mp.mpf:
    """The source's formula, at 40 digits or more after cancellation: of e^2x and 1 far out, of e^x and 1 near 0."""
    with mp.workdps(60 + int(abs(x)) + max(0, int(-np.log10(abs(x) or 1.0)))):
        lifted = {
            key: [mp.mpf(item) for item in value] if isinstance(value, list) else mp.mpf(value)
            for key, value in arguments.items()
        }
        return SOURCES[name](mp.mpf(x), **lifted)


def _module(name: str, dtype: torch.dtype = torch.float64, factor: float = 1.0) -> nn.Module:
    """A module whose trainable parameters have the reference's default values, or that multiple of them."""
    module = activations.build(name).to(dtype)
    values = _arguments(name, factor)
    for parameter in activations.info(name).parameters:
        value, old = torch.tensor(values[parameter], dtype=dtype), module.get_parameter(parameter)
        setattr(module, parameter, nn.Parameter(value.reshape(old.shape) if value.numel() == old.numel() else value))
    return module


def _kinks(name: str, module: nn.Module) -> list[float]:
    """Those of the record, and apl's own trainable hinges."""
    hinges = module.get_parameter("b").flatten().tolist() if name == "apl" else []
    return [*activations.info(name).kinks, *hinges]


def _smooth_points(name: str, module: nn.Module, count: int = 25) -> Tensor:
    """Points of [-4, 4] away from every kink: finite differences must not straddle one."""
    x = torch.linspace(-4, 4, count, dtype=torch.float64) + 0.013
    far = torch.stack([(x - kink).abs() > 1e-2 for kink in _kinks(name, module)] or [x == x]).all(0)
    return x[far]


@pytest.fixture
def scratch_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    monkeypatch.setattr(_registry, "_REGISTRY", dict(_registry._REGISTRY))
    monkeypatch.setattr(_registry, "_ALIASES", dict(_registry._ALIASES))


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        yield


# The catalogue


def test_no_name_or_alias_is_given_twice() -> None:
    known = [key for name in NAMES for key in (name, *activations.info(name).aliases)]
    assert len(known) == len(set(known))


@pytest.mark.parametrize("name", NAMES)
def test_aliases_resolve_to_their_record_and_module(name: str) -> None:
    record = activations.info(name)
    assert record.name == name
    for alias in record.aliases:
        assert activations.info(alias) is record
        assert type(activations.build(alias)) is type(activations.build(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_record_names_the_trainable_parameters_of_the_module(name: str) -> None:
    record = activations.info(name)
    module = activations.build(name)
    assert {key for key, _ in module.named_parameters()} == set(record.parameters)
    assert bool(record.parameters) == (record.parameters_per is not None)
    assert record.source
    assert record.label


def test_names_can_be_filtered_by_trainable() -> None:
    fixed = activations.names(trainable=False)
    assert sorted([*TRAINABLE, *fixed]) == sorted(NAMES)
    assert all(list(activations.build(name).parameters()) for name in TRAINABLE)
    assert not any(list(activations.build(name).parameters()) for name in fixed)


def test_names_can_be_filtered_by_family() -> None:
    families = {activations.info(name).family for name in NAMES}
    assert sorted(name for family in families for name in activations.names(family=family)) == sorted(NAMES)
    assert activations.names(family="rectifier", trainable=True) == [
        name for name in TRAINABLE if activations.info(name).family == "rectifier"
    ]


@pytest.mark.parametrize(("typed", "meant"), [("relu_", "relu"), ("leakyrelu", "leaky_relu"), ("swsh", "swish")])
def test_an_unknown_name_lists_the_near_ones(typed: str, meant: str) -> None:
    for door in (activations.info, activations.build):
        with pytest.raises(ValueError, match=f"unknown activation '{typed}'") as caught:
            door(typed)
        suggested = str(caught.value).split("did you mean ")[1].split("?")[0]
        assert meant in suggested.split(" or ")


def test_an_unknown_name_with_nothing_near_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown activation 'zzzz'") as caught:
        activations.info("zzzz")
    listed = str(caught.value).split("known: ")[1].split(", ")
    assert set(NAMES) <= set(listed)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_keyword_is_an_error_naming_the_activation(name: str) -> None:
    with pytest.raises(ValueError, match=f"activation '{name}' cannot be built with .*bogus"):
        activations.build(name, bogus=1)


def test_a_keyword_reaches_the_module_and_outranks_the_default() -> None:
    assert activations.build("elu", alpha=2.0)(torch.tensor(-100.0)).item() == -2.0
    assert activations.build("leaky_relu", negative_slope=0.5)(torch.tensor(-1.0)).item() == -0.5


def test_a_name_or_alias_that_is_taken_cannot_be_registered(scratch_registry: None) -> None:
    def record(name: str, *aliases: str) -> activations.Activation:
        return activations.Activation(name, name, "user", nn.Identity, "made for the test", aliases)

    for entry in (record("relu"), record("swish"), record("mine", "relu"), record("mine", "lrelu")):
        with pytest.raises(ValueError, match="is taken; choose another"):
            activations.register(entry)
    assert activations.names() == NAMES
    activations.register(record("mine", "my_own"))
    activations.register(record("mine", "my_own"))  # once more the same is no clash
    assert activations.names() == [*NAMES, "mine"]
    assert isinstance(activations.build("my_own"), nn.Identity)


@pytest.mark.parametrize("package", ["activations", "models", "bench.plugin"])
def test_importing_it_loads_nothing_heavy(package: str) -> None:
    code = f"import {package}, sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == []


# The references against mpmath


def test_every_name_has_a_reference_and_a_formula_of_its_source() -> None:
    assert set(SOURCES) == set(NAMES)
    for name in NAMES:
        assert callable(getattr(reference, name, None)), name


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_has_an_argument_for_every_trainable_parameter(name: str) -> None:
    assert set(activations.info(name).parameters) <= set(_arguments(name))


GRID = np.concatenate(
    [
        np.linspace(-12, 12, 193),
        np.random.default_rng(0).uniform(-40, 40, 60),
        [sign * 10.0**power for sign in (-1, 1) for power in (-300, -100, -16, -8, -5, -3, -2, -1)],
        [sign * x for sign in (-1, 1) for x in (50, 88.8, 100.3, 300.7, 500.1, 700)],
    ]
)


@pytest.mark.parametrize(("name", "factor"), _POINTS_OF_PARAMETERS)
def test_the_reference_agrees_with_the_sources_formula(name: str, factor: float) -> None:
    """To 1e-14 relative, beside what one unit in the last place of x (of the argument of erf, exp) makes.

    Below the smallest normal float64, scaled by |x| since gated ones multiply by it, digits cannot be asked for.
    """
    arguments = _arguments(name, factor)
    for x, got in zip(GRID, getattr(reference, name)(GRID, **arguments), strict=True):
        want = _exact(name, x, arguments)
        moved = _exact(name, x * (1 + 2**-52), arguments)
        tolerance = 1e-14 * abs(want) + abs(moved - want) + np.finfo(float).tiny * max(1, abs(x))
        assert abs(mp.mpf(float(got)) - want) <= tolerance, f"{name}({x!r}) = {got!r}, not {mp.nstr(want, 20)}"


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_is_float64_and_keeps_the_shape(name: str) -> None:
    function = getattr(reference, name)
    for x in (np.float32(0.5), np.zeros((2, 0, 3), np.float32), np.ones((2, 3), np.float16), [1, -1]):
        got = np.asarray(function(x))
        assert got.dtype == np.float64
        assert got.shape == np.shape(x)
    assert np.isnan(function(np.nan))


@pytest.mark.parametrize("name", NAMES)
def test_the_kinks_of_the_record_are_where_the_slope_jumps(name: str) -> None:
    def slopes(x: np.ndarray) -> np.ndarray:  # the slopes left and right of each point
        left, here, right = (getattr(reference, name)(x + step) for step in (-1e-6, 0.0, 1e-6))
        return np.stack([(here - left), (right - here)]) / 1e-6

    kinks = np.array(activations.info(name).kinks)
    assert (np.abs(np.diff(slopes(kinks), axis=0)) > 1e-2).all()
    own = np.asarray(_arguments(name)["b"]) if name == "apl" else np.array([])
    grid = np.round(np.linspace(-8, 8, 1601), 2)  # has every likely kink on it: 0, ±0.5, ±1, ±3, 6
    smooth = grid[~np.isin(grid, np.concatenate([kinks, own]))]
    assert (np.abs(np.diff(slopes(smooth), axis=0)) < 1e-2).all()


# The modules against the references


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize(("name", "factor"), _POINTS_OF_PARAMETERS)
def test_the_module_agrees_with_the_reference(name: str, dtype: torch.dtype, factor: float) -> None:
    """To four units in the last place of the larger of 1, |x| and the value: torch's gelu itself cancels at x << 0."""
    module = _module(name, dtype, factor)
    x = torch.cat([torch.linspace(-30, 30, 2001, dtype=dtype), torch.tensor([-1e4, -300, 300, 1e4], dtype=dtype)])
    parameters = {key: value.detach().double().numpy() for key, value in module.named_parameters()}
    want = getattr(reference, name)(x.double().numpy(), **parameters)
    got = module(x).detach().double().numpy()
    scale = np.maximum.reduce([np.ones_like(want), np.abs(want), np.abs(x.double().numpy())])
    assert (np.abs(got - want) <= 4 * torch.finfo(dtype).eps * scale).all()


@pytest.mark.parametrize("name", ["tact", "mtact"])
def test_tact_does_not_cancel_in_the_left_tail(name: str) -> None:
    """As published, tanh + 1 is exactly 0 in float32 from about -15 on."""
    x = torch.linspace(-60, -10, 501)
    want = getattr(reference, name)(x.double().numpy())
    np.testing.assert_allclose(_module(name, torch.float32)(x).detach().numpy(), want, rtol=1e-5)


def test_tact_is_silu_at_one_and_zero_and_mtact_squares_its_parameters() -> None:
    x = torch.linspace(-9, 9, 101)
    silu = activations.build("silu")(x)
    torch.testing.assert_close(activations.build("tact", alpha=1, beta=0)(x), silu)
    mtact = activations.build("mtact", alpha=0.5, beta=0.5)(x)
    torch.testing.assert_close(mtact, activations.build("tact", alpha=0.25, beta=0.25)(x))


def test_tact_draws_both_parameters_even_when_one_is_given() -> None:
    pairs = []
    for given_values in ({}, {"alpha": 0.1}, {"beta": 0.1}):
        torch.manual_seed(3)
        pairs.append(activations.build("tact", **given_values))
    drawn, with_alpha, with_beta = pairs
    assert with_alpha.beta == drawn.beta
    assert with_beta.alpha == drawn.alpha
    draws = torch.stack([parameter for _ in range(300) for parameter in activations.build("tact").parameters()])
    assert 0 <= draws.min() < 0.05
    assert 0.45 < draws.max() < 0.5


def test_apl_draws_its_parameters_as_the_authors_do() -> None:
    module = activations.build("apl", shape=(40, 10, 10))
    hinges = activations.info("apl").defaults["hinges"]
    assert module.a.shape == module.b.shape == (hinges, 40, 10, 10)
    assert 0.49 / hinges < module.a.abs().max() <= 0.5 / hinges
    assert module.a.std().item() == pytest.approx(1 / hinges / 12**0.5, rel=0.05)
    assert module.b.std().item() == pytest.approx(0.5, rel=0.05)


def test_apl_without_hinges_is_refused() -> None:
    with pytest.raises(ValueError, match="hinges must be 1 or more, not 0"):
        activations.build("apl", hinges=0)


# Gradients


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    module = _module(name)
    x = _smooth_points(name, module).requires_grad_()
    keys, values = zip(*module.named_parameters(), strict=True) if list(module.parameters()) else ((), ())

    def function(x: Tensor, *values: Tensor) -> Tensor:
        return torch.func.functional_call(module, dict(zip(keys, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(function, (x, *values))


@pytest.mark.parametrize("name", NAMES)
def test_no_gradient_is_nan_for_finite_input(name: str) -> None:
    """Overflow in the branch not taken is the classic trap; 88.73 and 103.98 are where float32's exp ends."""
    module = _module(name, torch.float32)
    size = torch.cat([torch.zeros(1), torch.logspace(-40, 4, 200), torch.tensor([88.0, 88.73, 89.0, 103.98, 104.0])])
    x = torch.cat([-size, size]).requires_grad_()
    gradients = torch.autograd.grad(module(x).sum(), [x, *module.parameters()])
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("name", NAMES)
def test_nan_in_gives_nan_out_and_nothing_else_does(name: str) -> None:
    x = torch.tensor([float("nan"), -1e4, -1.0, 0.0, 1.0, 1e4])
    assert _module(name, torch.float32)(x).isnan().tolist() == x.isnan().tolist()


def _plain_apl(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return x.relu() + sum(slope * (hinge - x).relu() for slope, hinge in zip(a, b, strict=True))


@pytest.mark.parametrize("shape", [(), (3,), (4, 3), (3, 1, 1), (3, 4, 3)])
def test_apl_has_the_gradients_of_the_plain_sum(shape: tuple[int, ...]) -> None:
    module = activations.build("apl", shape=shape).double()
    x = torch.randn(2, 3, 4, 3, dtype=torch.float64, requires_grad=True)
    out, plain = module(x), _plain_apl(x, module.a, module.b)
    torch.testing.assert_close(out, plain)
    upstream = torch.randn_like(out)
    torch.testing.assert_close(
        torch.autograd.grad(out, (x, module.a, module.b), upstream),
        torch.autograd.grad(plain, (x, module.a, module.b), upstream),
    )


@pytest.mark.parametrize("shape", [(), (2, 1), (2, 3)])
def test_apl_can_be_differentiated_twice(shape: tuple[int, ...]) -> None:
    module = activations.build("apl", shape=shape, hinges=2).double()
    x = torch.linspace(-2, 2, 12, dtype=torch.float64).reshape(2, 2, 3).requires_grad_()
    distance = torch.cat([x.abs()[None], (x - module.b.reshape(-1, *(1,) * (3 - len(shape)), *shape)).abs()])
    assert distance.min() > 1e-3  # no finite difference straddles a hinge
    assert torch.autograd.gradgradcheck(_APL.apply, (x, module.a, module.b))


@pytest.mark.parametrize("hinges", [1, 5, 10])
def test_apl_keeps_only_its_input_for_backward(hinges: int) -> None:
    module = activations.build("apl", hinges=hinges, shape=(3, 8, 8))
    x = torch.randn(16, 3, 8, 8, requires_grad=True)
    assert bytes_saved(lambda: module(x), excluded=module.parameters()) == x.nbytes
    plain = bytes_saved(lambda: _plain_apl(x, module.a, module.b), excluded=module.parameters())
    assert plain >= (1 + hinges) * x.nbytes


# Shapes, layouts, dtypes, copies


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_the_output_has_the_inputs_dtype_and_shape(name: str, dtype: torch.dtype) -> None:
    module = activations.build(name).to(dtype)
    for shape in ((), (0,), (0, 3), (2, 0, 3), (7,), (2, 3, 4, 5)):
        x = torch.randn(shape, dtype=dtype, requires_grad=True)
        out = module(x)
        assert (out.dtype, out.shape) == (dtype, x.shape)
        (gradient,) = torch.autograd.grad(out.sum(), x)
        assert (gradient.dtype, gradient.shape) == (dtype, x.shape)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", [name for name in TRAINABLE if activations.build(name).__module__[:6] != "torch."])
def test_parameters_of_another_precision_do_not_change_the_outputs_dtype(name: str, dtype: torch.dtype) -> None:
    """A float32 parameter of one element promotes a half tensor; our own modules cast. (torch's PReLU refuses.)"""
    module = activations.build(name)
    x = torch.randn(2, 3, dtype=dtype, requires_grad=True)
    module(x).sum().backward()
    assert module(x).dtype == x.grad.dtype == dtype
    assert all(parameter.grad.dtype == torch.float32 for parameter in module.parameters())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_half_precision_is_near_the_reference(name: str, dtype: torch.dtype) -> None:
    module = _module(name, dtype)
    x = torch.linspace(-8, 8, 257, dtype=dtype)
    parameters = {key: value.detach().double().numpy() for key, value in module.named_parameters()}
    want = getattr(reference, name)(x.double().numpy(), **parameters)
    got = module(x).detach().double().numpy()
    scale = np.maximum.reduce([np.ones_like(want), np.abs(want), np.abs(x.double().numpy())])
    assert (np.abs(got - want) <= 4 * torch.finfo(dtype).eps * scale).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_strided_view_gives_what_its_copy_gives(name: str) -> None:
    module = _module(name)
    whole = torch.randn(6, 8, 10, dtype=torch.float64)
    for x in (whole.transpose(0, 2), whole[::2, :, 1::3], whole[0, 0, 0].expand(3, 4)):
        x = x.detach().requires_grad_()
        y = x.detach().clone(memory_format=torch.contiguous_format).requires_grad_()
        out, same = module(x), module(y)
        torch.testing.assert_close(out, same)
        torch.testing.assert_close(torch.autograd.grad(out.sum(), x), torch.autograd.grad(same.sum(), y))


@pytest.mark.parametrize("name", NAMES)
def test_the_input_is_left_alone(name: str) -> None:
    x = torch.linspace(-3, 3, 13)
    before = x.clone()
    activations.build(name)(x)
    assert torch.equal(x, before)


@pytest.mark.parametrize("name", NAMES)
def test_a_state_dict_a_copy_and_a_pickle_compute_the_same(name: str) -> None:
    shape = (3, 2, 2)
    module = activations.build(name, shape=shape)
    x = torch.randn(4, *shape)
    loaded = activations.build(name, shape=shape)
    loaded.load_state_dict(module.state_dict())
    for twin in (loaded, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(twin(x), module(x))
        assert {key for key, _ in twin.named_parameters()} == set(activations.info(name).parameters)
        for one, other in zip(twin.parameters(), module.parameters(), strict=True):
            assert one.data_ptr() != other.data_ptr()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None, database=None, derandomize=True)
@given(
    values=arrays(
        np.float64, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5), elements=st.floats(-1e4, 1e4)
    ),
    data=st.data(),
)
def test_permuting_the_input_permutes_the_output(name: str, values: np.ndarray, data: st.DataObject) -> None:
    """One set of parameters for the whole place, as `build` without a shape makes it, knows no positions."""
    module = _module(name)
    order = torch.tensor(data.draw(st.permutations(range(values.size))), dtype=torch.int64)
    x = torch.from_numpy(values)
    permuted = x.flatten()[order].reshape(x.shape)
    torch.testing.assert_close(module(permuted), module(x).flatten()[order].reshape(x.shape), rtol=1e-13, atol=0)


# Sizes of trainable parameters


@pytest.mark.parametrize("shape", [(6, 5, 4), (7,)], ids=str)
@pytest.mark.parametrize("name", TRAINABLE)
def test_parameters_are_sized_as_the_record_says(name: str, shape: tuple[int, ...]) -> None:
    record = activations.info(name)
    sets = {"channel": shape[0], "unit": int(np.prod(shape)), "layer": 1}[record.parameters_per]
    one, module = activations.build(name), activations.build(name, shape=shape)
    for parameter in record.parameters:
        assert module.get_parameter(parameter).numel() == sets * one.get_parameter(parameter).numel()


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_parameter_acts_on_its_own_channel_or_unit_alone(name: str) -> None:
    record = activations.info(name)
    shape = (3, 4, 5)
    touched = torch.zeros(shape, dtype=torch.bool)
    touched[{"channel": 0, "unit": (0, 0, 0), "layer": ...}[record.parameters_per]] = True
    x = torch.full((2, *shape), -2.5)
    for parameter in record.parameters:
        module = activations.build(name, shape=shape)
        before = module(x)
        with torch.no_grad():
            module.get_parameter(parameter).view(-1)[0] += 0.25
        changed = module(x) != before
        assert torch.equal(changed, touched.expand_as(changed)), parameter


def test_a_size_given_by_hand_outranks_the_shape() -> None:
    assert activations.build("prelu", shape=(6, 5, 4), num_parameters=1).weight.numel() == 1
    assert activations.build("apl", shape=(6, 5, 4), hinges=2).a.shape == (2, 6, 5, 4)
