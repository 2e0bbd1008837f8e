"""The tagger: vectors learned for features, networks on vectors as they are, and activations in both."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import activations
import models
from models.mlp import MLP
from models.tagger import INITIAL_STD, FeatureVectors

IDS = torch.randint(0, 40, (8, 3, 5), generator=torch.Generator().manual_seed(0))
GATED = [name for name in activations.names() if activations.info(name).in_features_multiplier > 1]

LEARNING = [name for name in GATED if name != "gelu_topk_glu"]  # of rows this narrow it leaves nothing


def _tagger(activation: str = "relu", **sizes: int | float) -> nn.Module:
    return models.build(
        "tagger",
        input_shape=(3, 5),
        num_classes=25,
        activation=activation,
        **{"vocab_size": 40, **sizes},
    )


def _parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def test_it_has_the_sizes_of_the_paper() -> None:
    net = _tagger()
    linear = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == [(150, 256), (256, 256), (256, 25)]
    assert [layer.p for layer in net.modules() if isinstance(layer, nn.Dropout)] == [0.2, 0.2]
    assert net(IDS).shape == (8, 25)


def test_a_word_is_the_sum_of_its_features_and_words_are_concatenated() -> None:
    net = _tagger().eval()
    table = next(layer for layer in net.modules() if isinstance(layer, FeatureVectors)).weight
    first, second, last = (layer for layer in net.modules() if isinstance(layer, nn.Linear))
    inputs = F.embedding(IDS, table).sum(2).flatten(1)
    torch.testing.assert_close(net(IDS), last(F.relu(second(F.relu(first(inputs))))))


def test_padding_adds_nothing_and_learns_nothing() -> None:
    net = _tagger(dropout=0.0)
    vectors = next(layer for layer in net.modules() if isinstance(layer, FeatureVectors))
    optimizer = torch.optim.Adam(net.parameters())
    net(IDS).square().sum().backward()
    optimizer.step()
    assert vectors(torch.zeros(1, 3, 5, dtype=torch.int64)).abs().max() == 0
    padded = torch.cat([IDS[:, :, :4], torch.zeros(8, 3, 1, dtype=torch.int64)], 2)
    torch.testing.assert_close(vectors(padded), vectors(IDS[:, :, :4]))


@pytest.mark.parametrize("features", [1, 16])
def test_a_word_vector_starts_equally_long_however_many_features_it_has(features: int) -> None:
    torch.manual_seed(0)
    vectors = FeatureVectors(1000, 50, features)
    assert vectors(torch.randint(1, 1000, (500, 3, features))).std().item() == pytest.approx(INITIAL_STD, rel=0.1)


def test_vectors_go_straight_into_the_network_of_the_mlp() -> None:
    vectors = torch.randn(8, 3, 20)
    net = models.build("tagger", input_shape=(3, 20), num_classes=25, activation=lambda shape: nn.GELU())
    assert isinstance(net, MLP)
    assert net(vectors).shape == (8, 25)


def test_every_activation_with_one_seed_starts_from_the_same_vectors() -> None:
    tables = []
    for name in ("relu", "apl", "swiglu"):
        torch.manual_seed(0)
        tables.append(next(layer for layer in _tagger(name).modules() if isinstance(layer, FeatureVectors)).weight)
    assert torch.equal(tables[0], tables[1])
    assert torch.equal(tables[0], tables[2])


@pytest.mark.parametrize("activation", ["relu", *LEARNING])
def test_it_learns_to_tell_ids_apart_with_plain_and_gated_activations(activation: str) -> None:
    torch.manual_seed(0)
    net = _tagger(activation, dropout=0.0)
    labels = torch.arange(8)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        F.cross_entropy(net(IDS), labels).backward()
        optimizer.step()
    assert (net(IDS).argmax(1) == labels).all()


@pytest.mark.parametrize("activation", GATED)
def test_gated_activations_keep_the_number_of_parameters_vectors_included(activation: str) -> None:
    assert _parameters(_tagger(activation)) == pytest.approx(_parameters(_tagger()), rel=0.01)


def test_a_network_that_does_not_widen_says_that_the_tagger_does() -> None:
    with pytest.raises(ValueError, match=r"these are: .*tagger"):
        models.build("nin", input_shape=(1, 8, 8), num_classes=2, activation=nn.GLU, in_features_multiplier=2)
