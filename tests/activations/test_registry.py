"""Tests of the registry and its catalogue: names, aliases, families, and what may be added."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import activations

NAMES = activations.names()
TRAINABLE = activations.names(trainable=True)


def test_every_activation_of_the_issue_is_there() -> None:
    wanted = """identity binary_step sigmoid hard_sigmoid silu swish_beta dsilu tanh hard_tanh softmax softplus softsign
        relu leaky_relu prelu rrelu srelu elu pelu selu celu maxout elish hard_elish gelu gelu_tanh gelu_sigmoid
        gelu_stochastic mish relu_squared penalized_tanh glu swiglu geglu reglu bilinear apl tact mtact hyperactivation
        hardswish relu6 logsigmoid tanhshrink softshrink hardshrink threshold snake acon_c meta_acon pau squareplus
        smelu xielu dyt star_relu serf logish telu gcu hard_sigmoid_torch"""
    assert set(wanted.split()) <= set(NAMES)
    assert activations.info("swish").name == "silu"


# Keys of transformers' ACT2CLS and of timm's create_act.
TRANSFORMERS = """gelu gelu_10 gelu_fast gelu_new gelu_python gelu_pytorch_tanh gelu_python_tanh gelu_accurate hardswish
    laplace leaky_relu linear mish quick_gelu relu relu2 relu6 sigmoid silu sqrtsoftplus swish tanh prelu xielu"""
TIMM = """silu swish mish relu relu6 leaky_relu elu prelu celu selu gelu gelu_tanh quick_gelu sigmoid tanh hard_sigmoid
    hard_swish hard_mish hardsigmoid hardswish identity"""


@pytest.mark.parametrize("name", dict.fromkeys((TRANSFORMERS + " " + TIMM).split()))
def test_names_of_transformers_and_timm_are_known(name: str) -> None:
    assert activations.info(name)


def test_the_names_of_others_mean_what_they_mean_there_but_for_timms_hard_sigmoid() -> None:
    x = torch.linspace(-12, 12, 101)
    there = {
        "gelu_10": F.gelu(x).clamp(-10, 10),
        "gelu_accurate": 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        "gelu_python": x * 0.5 * (1 + torch.erf(x / math.sqrt(2))),
        "laplace": 0.5 * (1 + torch.erf((x - 0.707107) / (0.282095 * math.sqrt(2)))),
        "sqrtsoftplus": F.softplus(x).sqrt(),
        "hard_mish": 0.5 * x * (x + 2).clamp(min=0, max=2),
        "hardsigmoid": F.hardsigmoid(x),
    }
    for name, expected in there.items():
        torch.testing.assert_close(activations.build(name)(x), expected, rtol=1e-5, atol=1e-6, msg=name)
    assert activations.info("hard_sigmoid") is not activations.info("hardsigmoid")


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
