"""The decoded data sets in the user's cache folder: `store.load("mnist", Locations(data_dir=Path("DIR")))`.

The module that a record names as its `reader` has two functions of the record and the user's locations: `read` gives
the tensors, and `stamp` names their source in the cache, or is None for what is made faster than it is loaded; a
function in its place, as of a user's own data set, makes the tensors at every load. One
safetensors file a data set and source, written beside its place and renamed, so that a reader never sees
half of one; its data hash stands in its own header and is checked at every load.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import filelock
import platformdirs
import safetensors
import safetensors.torch
from torch import Tensor

from bench.data import own
from bench.data._registry import DatasetInfo, info
from bench.data.errors import DataError
from bench.data.locations import Locations


@dataclass(frozen=True)
class Dataset:
    """A whole data set, decoded.

    Attributes:
        info: its record.
        tensors: of each part what it holds and the labels, `{train,validation,test}_{<kind>,labels}`: images are
            uint8 N x C x H x W, ids int64 with 0 for padding, features float32, labels int64.
        data_hash: of the tensors: part of the key of every baseline.
    """

    info: DatasetInfo
    tensors: dict[str, Tensor]
    data_hash: str

    def part(self, name: str) -> tuple[Tensor, Tensor]:
        """What the rows of a part hold, and their labels."""
        return self.tensors[f"{name}_{self.info.kind}"], self.tensors[f"{name}_labels"]


def cache_folder() -> Path:
    """`ACTBENCH_CACHE`, or the user's cache folder as the platform has it."""
    return Path(os.environ.get("ACTBENCH_CACHE") or platformdirs.user_cache_path("actbench"))


def place(name: str, stamp: str) -> Path:
    """Where a data set is cached that its reader's `stamp` names so."""
    return cache_folder() / f"{name}-{stamp}.safetensors"


def load(name: str, where: Locations = Locations()) -> Dataset:  # noqa: B008, it is frozen
    """A data set, from the cache, or read from its source and cached.

    Raises:
        DataError: it cannot be had, or the cache is corrupt.
        ValueError: unknown name.
    """
    return _load(info(name), where)


@lru_cache(maxsize=2)  # by the record, not by its name: a user's own may be registered anew
def _load(record: DatasetInfo, where: Locations) -> Dataset:
    if callable(record.reader):
        tensors = own.checked(record, record.reader)
        return Dataset(record, tensors, _hash(tensors))
    reader = importlib.import_module(record.reader)
    stamp = reader.stamp(record, where)
    if stamp is None:
        tensors = reader.read(record, where)
        return Dataset(record, tensors, _hash(tensors))
    return Dataset(record, *cached(place(record.name, stamp), lambda: reader.read(record, where)))


def cached(path: Path, make: Callable[[], dict[str, Tensor]]) -> tuple[dict[str, Tensor], str]:
    """Tensors from the cache and their hash; made first, by one process at a time, where the file is not there.

    Raises:
        DataError: the cache is corrupt or cannot be written.
    """
    if not path.exists():  # a cache that is shared and read-only serves all the same
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(f"{path}.lock"):
                if not path.exists():
                    _write(path, make())
        except (OSError, safetensors.SafetensorError) as error:  # a full disk is the latter
            raise DataError(
                f"cannot write the cache {path}: {error}; set ACTBENCH_CACHE to a folder that can be"
            ) from error
    tensors, stored = _read(path)
    if _hash(tensors) != stored:
        raise DataError(f"the cache {path} is corrupt (its data hash is wrong); delete it and run again")
    return tensors, stored


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
