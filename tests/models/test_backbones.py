"""Tests of models.backbones: which activation sits where in the survey's eleven networks."""

from __future__ import annotations

import pytest
from torch import nn

import models
from models import backbones

# Sites of relu: one behind each convolution and linear layer but the last, in resnets one behind each sum too, in
# senet18 also one in each gate. Counted from the papers' tables.
HIDDEN = {
    "alexnet": 5 + 2,
    "nin": 3 * 3 - 1,
    "zfnet": 5 + 2,
    "vgg16": 13 + 2,
    "segnet": 2 * 13 - 1,
    "googlenet": 3 + 9 * 6,
    "squeezenet": 1 + 8 * 3,
    "resnet50": 1 + 16 * 3,
    "resnext50": 1 + 16 * 3,
    "mobilenet_v1": 1 + 13 * 2,
    "senet18": 1 + 8 * 4,
}


@pytest.fixture(scope="module")
def found() -> dict[str, list[models.Site]]:
    return {name: models.sites(*backbones.full_size(name)) for name in backbones.SURVEY}


def test_the_eleven_of_the_survey_are_there() -> None:
    assert list(backbones.SURVEY) == list(HIDDEN)


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_layers_have_relu(name: str, found: dict[str, list[models.Site]]) -> None:
    assert [site.op for site in found[name] if site.role == "hidden"] == ["relu"] * HIDDEN[name]


def test_gates_are_senets_only(found: dict[str, list[models.Site]]) -> None:
    gates = {name: [site.op for site in sites if site.role == "gate"] for name, sites in found.items()}
    assert gates.pop("senet18") == ["sigmoid"] * 8
    assert not any(gates.values())


def test_outputs_are_logits_but_for_two_whose_last_convolution_is_rectified(
    found: dict[str, list[models.Site]],
) -> None:
    outputs = {name: [site.op for site in sites if site.role == "output"] for name, sites in found.items()}
    assert {name: ops for name, ops in outputs.items() if ops} == {"nin": ["relu"], "squeezenet": ["relu"]}


def test_each_can_be_replaced(found: dict[str, list[models.Site]]) -> None:
    for name, count in HIDDEN.items():
        net, _ = backbones.full_size(name, "mish")
        assert sum(isinstance(module, nn.Mish) for module in net.modules()) == count
    for name in ("nin", "senet18"):  # with an output and with gates, which stay
        before, after = found[name], models.sites(*backbones.full_size(name, "mish"))
        expected = [("mish" if site.role == "hidden" else site.op, site.shape, site.role) for site in before]
        assert [(site.op, site.shape, site.role) for site in after] == expected


def test_the_table_has_a_row_a_network_and_fits_the_screen() -> None:
    text = backbones.survey_table(["nin", "senet18"])
    rows = {line.split()[0]: line for line in text.splitlines()[2:] if not line.startswith(" ")}
    assert [word in rows["nin"] for word in ("966,986", "relu x8", "relu x1", "no activation")] == [True] * 4
    assert [word in rows["senet18"] for word in ("relu x33", "sigmoid x8", "ReLU, Sigmoid")] == [True] * 3
    assert max(map(len, text.splitlines())) <= 120
