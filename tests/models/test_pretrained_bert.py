"""Tests of pretrained BERTs: what a folder lacks is an error, and never a network drawn at random in its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import transformers
from safetensors.torch import load_file, save_file

import made_text
import models


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return made_text.bert(tmp_path / "bert")


def _weights(folder: Path, name_of: Callable[[str], str | None]) -> None:
    """Rename weights, or leave them out."""
    file = folder / "model.safetensors"
    held = {new: value for name, value in load_file(file).items() if (new := name_of(name))}
    save_file(held, file, metadata={"format": "pt"})


def _configuration(folder: Path, **changes: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def _other_model(folder: Path) -> None:
    config = transformers.RobertaConfig(
        vocab_size=60, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48
    )
    transformers.RobertaModel(config).save_pretrained(folder)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "weights of other names": (lambda folder: _weights(folder, "net.{}".format), "no weights .* bert.embeddings"),
    "a layer without weights": (
        lambda folder: _weights(folder, lambda name: None if "layer.1" in name else name),
        r"no weights .* bert.encoder.layer.1.attention.* and 13 more",
    ),
    "more layers": (lambda folder: _configuration(folder, num_hidden_layers=3), "no weights .* bert.encoder.layer.2"),
    "another width": (lambda folder: _configuration(folder, hidden_size=64), "no weights of the size"),
    "fewer positions": (
        lambda folder: _configuration(folder, max_position_embeddings=8),
        "no weights of the size .* bert.embeddings.position_embeddings.weight",
    ),
    "another model": (_other_model, "holds a roberta, not a bert"),
    "weights cut off": (lambda folder: _cut(folder / "model.safetensors"), "cannot load"),
    "a configuration cut off": (lambda folder: _cut(folder / "config.json"), "cannot load .*config.json"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_folder_that_is_no_whole_bert_is_refused_and_nothing_is_drawn_in_its_place(damage: str, folder: Path) -> None:
    harm, said = DAMAGES[damage]
    harm(folder)
    with pytest.raises(ValueError, match=said) as caught:
        models.build("bert", input_shape=(8,), num_classes=2, activation="relu", pretrained=str(folder))
    assert str(folder) in str(caught.value)
    assert "`save_pretrained` wrote" in str(caught.value)


def test_a_pooler_may_be_drawn(folder: Path) -> None:
    _weights(folder, lambda name: None if "pooler" in name else name)
    net = models.build("bert", input_shape=(8,), num_classes=2, activation="relu", pretrained=str(folder))
    assert net.net.bert.pooler.dense.weight.std() > 0
