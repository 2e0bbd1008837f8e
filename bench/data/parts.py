"""Training, validation and test part as tensors on the device: `parts.prepare("digits", recipe, device)`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.data import store
from bench.data.corruption import corrupt
from bench.data.errors import DataError
from bench.data.preprocess import PREPROCESSING

if TYPE_CHECKING:
    from bench.recipe import Recipe

# Of the fixed permutation from which validation part and subsets are taken; the same for every run.
SPLIT_SEED = 20150101


@dataclass(frozen=True)
class Part:
    """Inputs (float32, N x C x H x W, preprocessed) and labels (int64, N) on the device."""

    inputs: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def majority_rate(self) -> float:
        """Share of the most frequent class: what guessing reaches."""
        return float(torch.bincount(self.labels).max() / len(self))

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and labels of some rows, the inputs in their own memory format.

        index_select is twice as fast as indexing, but gives back contiguous tensors: what is channels_last goes
        through it as N x H x W x C.
        """
        labels = self.labels.index_select(0, rows)
        if self.inputs.is_contiguous():
            return self.inputs.index_select(0, rows), labels
        return self.inputs.permute(0, 2, 3, 1).index_select(0, rows).permute(0, 3, 1, 2), labels


@dataclass(frozen=True)
class Parts:
    """What a run sees of a data set; `validation` is None where the recipe wants none."""

    train: Part
    validation: Part | None
    test: Part
    num_classes: int
    data_hash: str

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one example."""
        return tuple(self.train.inputs.shape[1:])


def prepare(
    name: str, recipe: Recipe, device: torch.device, minimum_image_size: int | None, data_dir: Path | None
) -> Parts:
    """The parts of a data set that a recipe asks for, on the device: corrupted, then preprocessed, then resized.

    Raises:
        DataError: the data cannot be had, or the recipe asks for more rows than there are, or whitens too few.
    """
    sizes = (recipe.train_size, recipe.validation_size, recipe.test_size)
    looks = (recipe.psi, recipe.preprocessing, minimum_image_size, recipe.memory_format)
    return _prepare(name, sizes, looks, device, data_dir)


@lru_cache(maxsize=2)  # neighbouring cases share their data; two, so that a worker's mixed queue does not thrash
def _prepare(
    name: str,
    sizes: tuple[int | None, int, int | None],
    looks: tuple[int | None, str, int | None, str],
    device: torch.device,
    data_dir: Path | None,
) -> Parts:
    dataset = store.load(name, data_dir)
    train_size, validation_size, test_size = sizes
    psi, preprocessing, minimum_image_size, memory_format = looks
    train_rows, test_rows = dataset.info.rows
    train_size = train_rows - validation_size if train_size is None else train_size
    test_size = test_rows if test_size is None else test_size
    if train_size + validation_size > train_rows or test_size > test_rows or train_size < 1:
        raise DataError(
            f"the recipe asks {name} for {train_size} + {validation_size} training and validation and {test_size} "
            f"test rows; it has {train_rows} and {test_rows}"
        )
    order = torch.randperm(train_rows, generator=torch.Generator().manual_seed(SPLIT_SEED))
    test_order = torch.randperm(test_rows, generator=torch.Generator().manual_seed(SPLIT_SEED))
    rows = {
        "train": ("train", order[validation_size : validation_size + train_size]),
        "validation": ("train", order[:validation_size]),
        "test": ("test", test_order[:test_size].sort().values),
    }
    peak = dataset.info.peak
    pixels = {part: dataset.tensors[f"{source}_images"][picked].float() for part, (source, picked) in rows.items()}
    if psi is not None:
        pixels = {part: corrupt(images / peak, psi, part) * peak for part, images in pixels.items()}
    transform = PREPROCESSING[preprocessing](pixels["train"], peak)
    layout = torch.channels_last if memory_format == "channels_last" else torch.contiguous_format

    def ready(part: str) -> Part:
        source, picked = rows[part]
        inputs = transform(pixels.pop(part))
        if minimum_image_size and min(inputs.shape[2:]) < minimum_image_size:
            inputs = F.interpolate(inputs, size=(minimum_image_size, minimum_image_size), mode="bilinear")
        inputs = inputs.to(device).contiguous(memory_format=layout)
        return Part(inputs, dataset.tensors[f"{source}_labels"][picked].to(device))

    return Parts(
        train=ready("train"),
        validation=ready("validation") if validation_size else None,
        test=ready("test"),
        num_classes=dataset.info.num_classes,
        data_hash=dataset.data_hash,
    )
