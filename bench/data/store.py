"""The decoded data sets in the user's cache folder: `store.load("mnist", data_dir=None)`.

One safetensors file a data set and source, written beside its place and renamed, so that a reader never sees
half of one; its data hash stands in its own header and is checked at every load.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import filelock
import platformdirs
import safetensors
import safetensors.torch
from torch import Tensor

from bench.data import source
from bench.data._registry import DatasetInfo, info
from bench.data.errors import DataError


@dataclass(frozen=True)
class Dataset:
    """A whole data set, decoded.

    Attributes:
        info: its record.
        tensors: `{train,test}_images`, uint8 N x C x H x W, and `{train,test}_labels`, int64 N.
        data_hash: of the tensors: part of the key of every baseline.
    """

    info: DatasetInfo
    tensors: dict[str, Tensor]
    data_hash: str


def cache_folder() -> Path:
    """`ACTBENCH_CACHE`, or the user's cache folder as the platform has it."""
    return Path(os.environ.get("ACTBENCH_CACHE") or platformdirs.user_cache_path("actbench"))


@lru_cache(maxsize=2)
def load(name: str, data_dir: Path | None = None) -> Dataset:
    """A data set, from the cache, or read from its source and cached.

    Raises:
        DataError: it cannot be had, or the cache is corrupt.
        ValueError: unknown name.
    """
    record = info(name)
    if record.hub is None:
        tensors = source.read(record, data_dir)
        return Dataset(record, tensors, _hash(tensors))
    path = cache_folder() / f"{name}-{source.stamp(record, data_dir)}.safetensors"
    if not path.exists():  # a cache that is shared and read-only serves all the same
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(f"{path}.lock"):
                if not path.exists():
                    _write(path, source.read(record, data_dir))
        except OSError as error:
            raise DataError(
                f"cannot write the cache {path}: {error}; set ACTBENCH_CACHE to a folder that can be"
            ) from error
    tensors, stored = _read(path)
    if _hash(tensors) != stored:
        raise DataError(f"the cache {path} is corrupt (its data hash is wrong); delete it and run again")
    return Dataset(record, tensors, stored)


def _hash(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.numpy().data)
    return digest.hexdigest()[:16]


def _write(path: Path, tensors: dict[str, Tensor]) -> None:
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    safetensors.torch.save_file(tensors, beside, metadata={"data_hash": _hash(tensors)})
    beside.replace(path)


def _read(path: Path) -> tuple[dict[str, Tensor], str]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, (file.metadata() or {})["data_hash"]  # noqa: SIM118
    except (safetensors.SafetensorError, KeyError, OSError) as error:
        raise DataError(f"the cache {path} is corrupt ({error}); delete it and run again") from error
