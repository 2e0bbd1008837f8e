"""Tests of activations.stochastic: noise of the right distribution, the same in backward, and none in evaluation."""

from __future__ import annotations

import copy
import functools
import io
import math
import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

import activations
from activations import reference
from activations.stochastic import replay

NAMES = [name for name in activations.names() if activations.info(name).stochastic]
DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
DRAWS = 100_000


def _build(name: str, seed: int | None = 0, **arguments: float | str) -> nn.Module:
    """With a generator of its own, or torch's default one where there is no seed."""
    if seed is None:
        torch.manual_seed(0)
        return activations.build(name, **arguments)
    return activations.build(name, generator=torch.Generator().manual_seed(seed), **arguments)


def _draws(module: nn.Module, point: float) -> np.ndarray:
    return module(torch.full((DRAWS,), point, dtype=torch.float64)).numpy()


def _factors(module: nn.Module) -> Tensor:
    """What the module multiplies an input of -1 with."""
    return -module(-torch.ones(1000))


# Distribution


@pytest.mark.parametrize("point", [-3.0, -1.0, -0.2, 0.0, 0.5, 2.0])
def test_the_zero_identity_map_has_the_mean_of_gelu_and_the_variance_of_its_mask(point: float) -> None:
    draws = _draws(_build("gelu_stochastic"), point)
    phi = math.erfc(-point / math.sqrt(2)) / 2
    variance = point**2 * phi * (1 - phi)
    assert set(draws) <= {0.0, point}
    # Five standard errors; those of the variance from the fourth moment of a Bernoulli draw.
    assert draws.mean() == pytest.approx(reference.value("gelu", point), abs=5 * math.sqrt(variance / DRAWS) + 1e-15)
    spread = abs(1 - 2 * phi) * math.sqrt(phi * (1 - phi) / DRAWS) + 1 / DRAWS
    assert draws.var() == pytest.approx(variance, abs=5 * point**2 * spread + 1e-15)


def test_the_zero_identity_map_passes_its_mask_as_the_gradient() -> None:
    x = torch.linspace(-2, 2, 1000, requires_grad=True)
    out = _build("gelu_stochastic")(x)
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert torch.equal(out, gradient * x)
    assert set(gradient.tolist()) == {0.0, 1.0}


def test_rrelu_draws_slopes_as_torch_does() -> None:
    draws = -_draws(_build("rrelu"), -1.0)
    assert 1 / 8 <= draws.min() < 0.126
    assert 0.332 < draws.max() <= 1 / 3
    error = (1 / 3 - 1 / 8) / math.sqrt(12 * DRAWS)
    assert draws.mean() == pytest.approx(11 / 48, abs=5 * error)
    native = nn.RReLU()(torch.full((DRAWS,), -1.0)).neg().numpy()
    quantiles = np.linspace(0, 1, 11)
    assert np.quantile(draws, quantiles) == pytest.approx(np.quantile(native, quantiles), abs=5e-3)


def test_rrelu_draws_divisors_as_the_paper_does() -> None:
    divisors = -1 / _draws(_build("rrelu", convention="paper"), -1.0)
    assert 3 <= divisors.min() < 3.01
    assert 7.99 < divisors.max() <= 8
    assert divisors.mean() == pytest.approx(5.5, abs=5 * 5 / math.sqrt(12 * DRAWS))


def test_rrelu_leaves_what_is_not_negative_alone() -> None:
    x = torch.linspace(0, 5, 11)
    assert torch.equal(_build("rrelu")(x), x)


@pytest.mark.parametrize(("convention", "slope"), [("torch", 11 / 48), ("paper", 1 / 5.5)])
def test_rrelu_evaluates_with_the_slope_of_its_convention(convention: str, slope: float) -> None:
    module = _build("rrelu", convention=convention).eval()
    x = torch.linspace(-3, 3, 13, dtype=torch.float64)
    torch.testing.assert_close(module(x), F.leaky_relu(x, slope))
    assert reference.value("rrelu", -1.0, convention=convention) == pytest.approx(-slope)


def test_rrelu_limits_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="lower must be at most upper"):
        activations.build("rrelu", lower=0.5, upper=0.25)


# Training and evaluation


@pytest.mark.parametrize("seed", [0, None], ids=["own generator", "default generator"])
@pytest.mark.parametrize("name", NAMES)
def test_evaluation_draws_nothing_and_training_does(name: str, seed: int | None) -> None:
    module = _build(name, seed)
    source = torch.default_generator if seed is None else module.generator
    x = torch.linspace(-3, 3, 100)
    before = source.get_state()
    torch.testing.assert_close(
        module.eval()(x).double(), torch.from_numpy(reference.value(name, x.numpy())), rtol=1e-5, atol=0
    )
    assert torch.equal(source.get_state(), before)
    assert not torch.equal(module.train()(x), module(x))
    assert not torch.equal(source.get_state(), before)


@pytest.mark.parametrize("name", NAMES)
def test_a_generator_of_its_own_decides_the_noise_and_spares_the_default_one(name: str) -> None:
    before = torch.get_rng_state()
    one, same, other = (_factors(_build(name, seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", NAMES)
def test_the_default_generator_makes_the_noise_repeatable(name: str) -> None:
    assert torch.equal(_factors(_build(name, None)), _factors(_build(name, None)))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_training_keeps_dtype_shape_and_memory_format(name: str, dtype: torch.dtype) -> None:
    module = _build(name)
    for shape in ((), (0,), (7,), (2, 3, 4, 5)):
        x = torch.randn(shape, dtype=dtype, requires_grad=True)
        out = module(x)
        out.sum().backward()
        assert (out.dtype, out.shape) == (x.grad.dtype, x.grad.shape) == (dtype, x.shape)
    images = torch.randn(2, 3, 4, 5, dtype=dtype).to(memory_format=torch.channels_last)
    assert module(images).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", NAMES)
def test_training_keeps_nan_and_gives_none_at_the_ends(name: str) -> None:
    most = torch.finfo(torch.float32).max
    x = torch.tensor([math.nan, -math.inf, -most, 0.0, most, math.inf], requires_grad=True)
    out = _build(name)(x)
    out.sum().backward()
    assert out.isnan().tolist() == [True, *[False] * 5]
    assert not x.grad.isnan().any()


# Backward


@pytest.mark.parametrize("name", NAMES)
def test_backward_uses_the_noise_of_its_own_forward(name: str) -> None:
    module = _build(name)
    x = torch.randn(1000, dtype=torch.float64, requires_grad=True)
    first, second = module(x), module(x)
    for out in (second, first):
        (gradient,) = torch.autograd.grad(out.sum(), x)
        torch.testing.assert_close(gradient * x, out)


@pytest.mark.parametrize("name", NAMES)
def test_with_frozen_noise_gradients_are_those_of_finite_differences(name: str) -> None:
    module = _build(name)
    state = module.generator.get_state()
    # Far enough from 0 that no finite difference straddles the kink, nor the edge of a draw.
    x = torch.tensor([-2.0, -0.5, -0.1, 0.1, 0.5, 2.0], dtype=torch.float64, requires_grad=True)

    def frozen(x: Tensor) -> Tensor:
        module.generator.set_state(state)
        return module(x)

    assert torch.autograd.gradcheck(frozen, x)
    assert torch.autograd.gradgradcheck(frozen, x)


@pytest.mark.parametrize("backward_passes", [1, 2])
@pytest.mark.parametrize("seed", [0, None], ids=["own generator", "default generator"])
@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_recomputes_with_the_noise_of_the_first_pass(
    name: str, seed: int | None, backward_passes: int
) -> None:
    x = torch.randn(1000, dtype=torch.float64, generator=torch.Generator().manual_seed(5), requires_grad=True)
    # The squares keep the outputs of the activation, so that the checkpoint has to recompute them.
    plain = _build(name, seed)(x).square()
    (want,) = torch.autograd.grad(plain.sum(), x)
    module = _build(name, seed)
    context = {} if seed is None else {"context_fn": functools.partial(replay, module.generator)}
    out = checkpoint(lambda x: module(x).square(), x, use_reentrant=False, **context)
    torch.testing.assert_close(out, plain)
    before = None if seed is None else module.generator.get_state()
    for _ in range(backward_passes):
        (got,) = torch.autograd.grad(out.sum(), x, retain_graph=True)
        torch.testing.assert_close(got, want)
    assert before is None or torch.equal(module.generator.get_state(), before)


def test_without_replay_an_own_generator_gives_a_checkpoint_other_noise() -> None:
    module = _build("rrelu")
    x = -torch.ones(1000, requires_grad=True)
    out = checkpoint(lambda x: module(x).square(), x, use_reentrant=False)
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert not torch.allclose(gradient * x, 2 * out)


# Copies and transformations


def _pickled(module: nn.Module) -> nn.Module:
    return pickle.loads(pickle.dumps(module))


def _saved(module: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("twin_of", [copy.deepcopy, _pickled, _saved])
@pytest.mark.parametrize("name", NAMES)
def test_a_copy_goes_on_with_the_same_noise_from_a_generator_of_its_own(
    name: str, twin_of: Callable[[nn.Module], nn.Module]
) -> None:
    module = _build(name)
    module(-torch.ones(3))
    twin = twin_of(module)
    assert twin.generator is not module.generator
    assert torch.equal(_factors(twin), _factors(module))


@pytest.mark.parametrize("name", NAMES)
def test_a_state_dict_holds_no_noise_and_fits_every_instance(name: str) -> None:
    state = _build(name).state_dict()
    assert not state
    _build(name, None).load_state_dict(state)


@pytest.mark.parametrize("name", NAMES)
def test_training_compiles_into_one_graph(name: str) -> None:
    module = _build(name, None)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    x = torch.randn(1000, requires_grad=True)
    for _ in range(2):
        out = compiled(x)
        (gradient,) = torch.autograd.grad(out.sum(), x)
        torch.testing.assert_close(gradient * x, out)
        assert not torch.equal(out, compiled(x))


@pytest.mark.parametrize("name", NAMES)
def test_vmap_draws_for_every_example(name: str) -> None:
    module = _build(name, None)
    out = torch.func.vmap(module, randomness="different")(-torch.ones(4, 1000))
    assert len({tuple(row) for row in out.tolist()}) == 4
    same = torch.func.vmap(module, randomness="same")(-torch.ones(4, 1000))
    assert len({tuple(row) for row in same.tolist()}) == 1
