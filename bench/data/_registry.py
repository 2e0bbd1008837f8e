"""The data sets: one frozen record each. Importing this module loads nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DatasetInfo:
    """What the suite knows about one data set.

    Attributes:
        name: the key everywhere.
        label: how tables write it.
        num_classes: labels are 0 to num_classes - 1.
        shape: of one image, (channels, height, width).
        peak: the pixel value of full white.
        rows: images in the training and the test part.
        hub: name on the Hugging Face hub, and the folder below `--data-dir`; None for embedded data.
        columns: names of the image and the label column there.
        debian: folder of Debian's package `dataset-...` below /usr/share/datasets, with gzipped IDX files; None where
            there is no such package.
        balanced: whether all classes have the same number of rows in each part.
        copies: labels of known inexact copies, by data hash.
    """

    name: str
    label: str
    num_classes: int
    shape: tuple[int, int, int]
    peak: int
    rows: tuple[int, int]
    hub: str | None = None
    columns: tuple[str, str] = ("image", "label")
    debian: str | None = None
    balanced: bool = False
    copies: Mapping[str, str] = field(default_factory=dict)

    def label_of(self, data_hash: str) -> str:
        """The label for results on data of this hash: an inexact copy is called one."""
        return self.copies.get(data_hash, self.label)


_ENTRIES = (
    # scikit-learn's load_digits has no test part of its own: a fifth is split off by a fixed seed.
    DatasetInfo("digits", "digits", num_classes=10, shape=(1, 8, 8), peak=16, rows=(1437, 360)),
    DatasetInfo("mnist", "MNIST", num_classes=10, shape=(1, 28, 28), peak=255, rows=(60000, 10000), hub="ylecun/mnist"),
    DatasetInfo(
        "cifar10",
        "CIFAR-10",
        num_classes=10,
        shape=(3, 32, 32),
        peak=255,
        rows=(50000, 10000),
        hub="uoft-cs/cifar10",
        columns=("img", "label"),
        balanced=True,
        copies={"8a5ff0d6749a7c94": "CIFAR-10 (JPEG-75 copy)"},
    ),
    DatasetInfo(
        "cifar100",
        "CIFAR-100",
        num_classes=100,
        shape=(3, 32, 32),
        peak=255,
        rows=(50000, 10000),
        hub="uoft-cs/cifar100",
        columns=("img", "fine_label"),
        balanced=True,
    ),
    # Its IDX files have the names and sizes of MNIST's: that it is balanced and MNIST is not tells them apart.
    DatasetInfo(
        "fashion_mnist",
        "Fashion-MNIST",
        num_classes=10,
        shape=(1, 28, 28),
        peak=255,
        rows=(60000, 10000),
        hub="zalando-datasets/fashion_mnist",
        debian="fashion-mnist",
        balanced=True,
    ),
)

DATASETS = {entry.name: entry for entry in _ENTRIES}


def info(name: str) -> DatasetInfo:
    """The record of a data set.

    Raises:
        ValueError: no such data set; the message lists the known ones.
    """
    if name not in DATASETS:
        raise ValueError(f"unknown dataset {name!r}; known: {', '.join(DATASETS)}")
    return DATASETS[name]
