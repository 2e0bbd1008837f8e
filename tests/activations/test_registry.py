"""Tests of the catalogue: names, records, building, and what single activations promise beside the contract.

What every activation promises (values, gradients, dtypes, layouts, ...) is the contract: `bench/test_contract.py`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import activations
from activations import Choice, Number, _registry, reference
from bench.memory import bytes_saved

NAMES = activations.names()
TRAINABLE = activations.names(trainable=True)
HEAVY = ("torch", "numpy", "scipy", "pandas", "mpmath", "matplotlib")
ROOT = Path(activations.__file__).parents[1]


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


def test_every_activation_of_the_issue_is_there() -> None:
    wanted = """identity binary_step sigmoid hard_sigmoid silu swish_beta dsilu tanh hard_tanh softmax softplus softsign
        relu leaky_relu prelu rrelu srelu elu pelu selu celu maxout elish hard_elish gelu gelu_tanh gelu_sigmoid
        gelu_stochastic mish relu_squared penalized_tanh glu swiglu geglu reglu bilinear apl tact mtact hyperactivation
        hardswish relu6 logsigmoid tanhshrink softshrink hardshrink threshold snake acon_c meta_acon pau squareplus
        smelu xielu dyt star_relu serf logish telu gcu hard_sigmoid_torch"""
    assert set(wanted.split()) <= set(NAMES)
    assert activations.info("swish").name == "silu"


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
def test_a_record_says_where_it_comes_from_and_what_it_varies(name: str) -> None:
    record = activations.info(name)
    assert record.source
    assert record.label
    assert record.variant_of is None or record.variant_of in NAMES
    origin = record
    for _ in NAMES:  # a circle would never end
        if origin.variant_of is None:
            break
        origin = activations.info(origin.variant_of)
    assert origin.variant_of is None


def test_names_can_be_filtered_by_trainable() -> None:
    fixed = activations.names(trainable=False)
    assert sorted([*TRAINABLE, *fixed]) == sorted(NAMES)
    assert all(list(activations.build(name).parameters()) for name in TRAINABLE)


def test_names_can_be_filtered_by_family() -> None:
    families = {activations.info(name).family for name in NAMES}
    assert sorted(name for family in families for name in activations.names(family=family)) == sorted(NAMES)
    assert activations.names(family="rectifier", trainable=True) == [
        name for name in TRAINABLE if activations.info(name).family == "rectifier"
    ]


@pytest.mark.parametrize(("typed", "meant"), [("relu_", "relu"), ("leakyrelu", "leaky_relu"), ("swsh", "swish")])
def test_an_unknown_name_lists_the_near_ones(typed: str, meant: str) -> None:
    for door in (activations.info, activations.build, activations.function):
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


def test_a_name_or_alias_that_is_taken_cannot_be_registered(scratch_registry: None) -> None:
    def record(name: str, *aliases: str) -> activations.Activation:
        return activations.Activation(name, name, "user", "made for the test", aliases, module=nn.Identity)

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


# Building


def test_a_keyword_reaches_the_module_and_outranks_the_default() -> None:
    assert activations.build("elu", alpha=2.0)(torch.tensor(-100.0)).item() == -2.0
    assert activations.build("leaky_relu", negative_slope=0.5)(torch.tensor(-1.0)).item() == -0.5
    assert activations.build("apl", shape=(6, 5, 4), hinges=2).a.shape == (2, 6, 5, 4)


@pytest.mark.parametrize(
    ("argument", "taken", "refused", "limits"),
    [
        (Number(1.0), [0, -3.5, 1e30], ["1", None, True, float("nan"), float("inf")], "a finite number"),
        (Number(1.0, above=0), [1e-9], [0, -1], "a finite number above 0"),
        (Number(0.5, least=0, below=2), [0, 1.9], [-0.1, 2], "a finite number at least 0 and below 2"),
        (Number(5, least=1, whole=True), [1, 7], [0, 1.0], "a whole number at least 1"),
        (Number(None), [None, 0.3], ["x"], "a finite number or None"),
        (Choice("none", "tanh"), ["none", "tanh"], ["Tanh", None], "one of 'none', 'tanh'"),
        (Choice(False, True), [True], [1, 0, "yes"], "one of False, True"),
    ],
    ids=str,
)
def test_an_argument_knows_what_it_allows(
    argument: Number | Choice, taken: list[object], refused: list[object], limits: str
) -> None:
    assert all(argument.allows(value) for value in [argument.default, *taken])
    assert not any(argument.allows(value) for value in refused)
    assert str(argument) == limits


def test_softmax_as_a_function_works_along_the_last_dimension_as_the_module_does() -> None:
    x = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    softmax = activations.function("softmax")
    torch.testing.assert_close(softmax(x), activations.build("softmax")(x))
    torch.testing.assert_close(softmax(x, dim=1).sum(1), torch.ones(2, 4))


@pytest.mark.parametrize("shape", [(6, 5, 4), (7,)], ids=str)
@pytest.mark.parametrize("per", ["channel", "unit", "layer"])
def test_parameters_come_once_a_channel_a_unit_or_a_layer(per: str, shape: tuple[int, ...]) -> None:
    sets = {"channel": shape[0], "unit": int(np.prod(shape)), "layer": 1}[per]
    assert activations.build("prelu", shape=shape, parameters_per=per).weight.numel() == sets
    assert activations.build("apl", shape=shape, parameters_per=per).a.numel() == 5 * sets


def test_the_channels_may_come_last() -> None:
    module = activations.build("prelu", shape=(10, 4), channel_dim=-1)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([0.1, 0.2, 0.3, 0.4]))
    assert torch.equal(module(-torch.ones(2, 10, 4)), -module.weight.expand(2, 10, 4))


@pytest.mark.parametrize("name", activations.names(trainable=True))
def test_the_order_of_tokens_is_nothing_to_channels_that_come_last_and_are_as_many(name: str) -> None:
    torch.manual_seed(0)
    module = activations.build(name, shape=(1, 4), channel_dim=-1).double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.rand_like(parameter) / 8)
    x = torch.randn(2, 4, 4 * activations.info(name).in_features_multiplier, dtype=torch.float64)
    torch.testing.assert_close(module(x.flip(1)).flip(1), module(x))


def test_a_channel_dimension_that_the_shape_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'prelu': channel_dim 3 is no dimension of the shape \(6, 5, 4\)"):
        activations.build("prelu", shape=(6, 5, 4), channel_dim=3)


DIRECT = [
    name
    for name in TRAINABLE
    if dict(activations.build(name).named_parameters()).keys() == activations.info(name).parameters.keys()
]


@pytest.mark.parametrize("name", DIRECT)
def test_a_parameter_acts_on_its_own_channel_or_unit_alone(name: str) -> None:
    record = activations.info(name)
    shape = (3, 4, 5)
    for parameter in record.parameters:
        module = activations.build(name, shape=shape)
        for one in module.parameters():
            nn.init.uniform_(one, 0.2, 0.8)  # at initial values some have no effect: srelu starts as leaky relu
        own = module.get_parameter(parameter).shape[-len(shape) :] if module.get_parameter(parameter).ndim >= 3 else ()
        touched = torch.zeros(shape, dtype=torch.bool)
        touched[tuple(0 if size > 1 else slice(None) for size in own) or ...] = True
        x = torch.cat([torch.full((1, *shape), value) for value in (-2.5, 2.5)])
        before = module(x)
        with torch.no_grad():
            module.get_parameter(parameter).view(-1)[0] += 0.25
        changed = (module(x) != before).any(0)
        assert torch.equal(changed, touched), parameter


# Single activations


def test_tact_is_silu_at_one_and_zero_and_mtact_squares_its_parameters() -> None:
    x = torch.linspace(-9, 9, 101)
    silu = activations.build("silu")(x)
    torch.testing.assert_close(activations.build("tact", alpha=1, beta=0)(x), silu)
    mtact = activations.build("mtact", alpha=0.5, beta=0.5)(x)
    torch.testing.assert_close(mtact, activations.build("tact", alpha=0.25, beta=0.25)(x))


def test_tact_does_not_cancel_in_the_left_tail() -> None:
    """As published, tanh + 1 is exactly 0 in float32 from about -15 on."""
    x = torch.linspace(-60, -10, 51)
    want = reference.value("tact", x)
    np.testing.assert_allclose(activations.build("tact", alpha=0.25, beta=0.25)(x).detach(), want, rtol=1e-5)


@pytest.mark.parametrize(("alpha", "beta"), [(0.5, -0.999), (2.0, -3.0), (0.5, 0.25), (1.0, -1.0)])
def test_tact_and_its_gradients_are_the_formulas_far_out_and_where_it_is_flat(alpha: float, beta: float) -> None:
    x = torch.tensor([-3000.0, -900.0, -1.0, 0.0, 900.0, 3000.0], dtype=torch.float64)

    def formula(x: torch.Tensor, alpha: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        return (alpha * x + 1 - alpha) * torch.sigmoid((1 + beta) * x)

    def both(function: Callable[..., torch.Tensor]) -> list[torch.Tensor]:
        inputs = [x.clone(), *(torch.full_like(x, value) for value in (alpha, beta))]
        value = function(*(one.requires_grad_() for one in inputs))
        return [value, *torch.autograd.grad(value.sum(), inputs)]

    for got, expected in zip(both(activations.function("tact")), both(formula), strict=True):
        torch.testing.assert_close(got, expected)


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


def _plain_apl(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return x.relu() + sum(slope * (hinge - x).relu() for slope, hinge in zip(a, b, strict=True))


@pytest.mark.parametrize("shape", [(3,), (4, 3), (3, 1, 1), (3, 4, 3)], ids=str)
def test_apl_has_the_gradients_of_the_plain_sum(shape: tuple[int, ...]) -> None:
    module = activations.build("apl", shape=shape, parameters_per="unit").double()
    x = torch.randn(2, 3, 4, 3, dtype=torch.float64, requires_grad=True)
    out, plain = module(x), _plain_apl(x, module.a, module.b)
    torch.testing.assert_close(out, plain)
    upstream = torch.randn_like(out)
    torch.testing.assert_close(
        torch.autograd.grad(out, (x, module.a, module.b), upstream),
        torch.autograd.grad(plain, (x, module.a, module.b), upstream),
    )


@pytest.mark.parametrize("hinges", [1, 5, 10])
def test_apl_keeps_only_its_input_for_backward(hinges: int) -> None:
    module = activations.build("apl", hinges=hinges, shape=(3, 8, 8))
    x = torch.randn(16, 3, 8, 8, requires_grad=True)
    assert bytes_saved(lambda: module(x), excluded=module.parameters()) == x.nbytes
    plain = bytes_saved(lambda: _plain_apl(x, module.a, module.b), excluded=module.parameters())
    assert plain >= (1 + hinges) * x.nbytes


def test_prelu_is_torchs_own_kernel_where_that_knows_the_place() -> None:
    module, native = activations.build("prelu", shape=(6, 5, 4)), nn.PReLU(6)
    x = torch.randn(2, 6, 5, 4)
    assert torch.equal(module(x), native(x))
    for place in ((6, 5, 4), (6,), ()):
        module = activations.build("prelu", shape=place or None)
        assert module(torch.randn(2, *place)).shape == (2, *place)
        assert module(torch.tensor(-1.0).expand(place)).shape == place  # one example, no batch


# The exact reference


def test_the_reference_is_float64_and_keeps_the_shape() -> None:
    for x in (np.float32(0.5), np.zeros((2, 0, 3), np.float32), np.ones((2, 3), np.float16), [1, -1]):
        got = reference.value("elu", x)
        assert (got.dtype, got.shape) == (np.float64, np.shape(x))


def test_the_reference_has_limits_at_infinity_and_nan_where_there_is_none() -> None:
    ends = [-np.inf, np.inf, np.nan]
    np.testing.assert_array_equal(reference.value("elu", ends), [-1, np.inf, np.nan])
    np.testing.assert_array_equal(reference.value("silu", ends), [0, np.inf, np.nan])
    np.testing.assert_array_equal(reference.value("gcu", ends), [np.nan] * 3)


def test_the_reference_takes_values_for_constants_and_parameters() -> None:
    assert reference.value("elu", -1e3, alpha=3.0) == -3
    assert reference.value("prelu", -2.0, weight=0.1) == pytest.approx(-0.2, rel=1e-15)
    with pytest.raises(ValueError, match="formula of 'elu' takes no 'bogus'; it takes: alpha"):
        reference.value("elu", 1.0, bogus=1)


def test_the_derivative_at_a_kink_depends_on_the_side() -> None:
    assert reference.derivative("relu", 0.0, side=-1) == 0
    assert reference.derivative("relu", 0.0, side=1) == 1
    assert reference.derivative("silu", 0.0) == 0.5


def test_what_is_no_function_of_a_number_has_no_reference() -> None:
    with pytest.raises(ValueError, match="'softmax' has no elementwise formula"):
        reference.value("softmax", 1.0)
