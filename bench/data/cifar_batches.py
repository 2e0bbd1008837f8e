"""Reads CIFAR as its authors pickled it, and torchvision unpacks it: `cifar_batches.read(folder, "train")`.

Krizhevsky 2009, "Learning multiple layers of features from tiny images": the folders `cifar-10-batches-py` and
`cifar-100-python`.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.data.folder import has_file

# Of each part: CIFAR-10's, and CIFAR-100's.
BATCHES = {
    "train": (*(f"data_batch_{number}" for number in range(1, 6)), "train"),
    "test": ("test_batch", "test"),
}
LABELS = (b"labels", b"fine_labels")
SHAPE = (3, 32, 32)
# What an array is made of; anything else in a pickle could run code.
ALLOWED = {("numpy._core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}


def batches(folder: Path, part: str = "") -> list[Path]:
    """Those of a part, or of both, that are in a folder."""
    names = BATCHES[part] if part else [name for names in BATCHES.values() for name in names]
    return [folder / name for name in names if has_file(folder / name)]


def read(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """Images (uint8, N x 3 x 32 x 32) and labels (int64, N; CIFAR-100's fine ones) of the part `train` or `test`.

    Raises:
        ValueError: a file is cut off or of another format; the message names it.
    """
    images, labels = [], []
    for path in batches(folder, part):
        try:
            with path.open("rb") as file:
                held = _Arrays(file, encoding="bytes").load()
            images.append(np.asarray(held[b"data"], dtype=np.uint8).reshape(-1, *SHAPE))
            labels.append(np.asarray(next(held[key] for key in LABELS if key in held), dtype=np.int64))
        except Exception as error:  # pickle raises what the bytes lead it to
            raise ValueError(f"{path.name} is not a whole batch of CIFAR ({error!r})") from error
    if not images:
        raise ValueError(f"none of {', '.join(BATCHES[part])} is there")
    return torch.from_numpy(np.concatenate(images)), torch.from_numpy(np.concatenate(labels))


class _Arrays(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy.core", "numpy._core")
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, no part of an array")
        return super().find_class(module, name)
