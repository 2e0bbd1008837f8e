"""The data sets: one frozen record each. Importing this module loads nothing heavy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

# What a row holds: an image of bytes, the ids of a sentence padded with 0, the ids of a word and its neighbours (or
# their vectors), the features of a stretch of speech, the characters of a stretch of text with a label each, the one
# behind it, or any other numbers.
Kind: TypeAlias = Literal["images", "sentences", "tokens", "frames", "text", "features"]


@dataclass(frozen=True)
class DatasetInfo:
    """What the suite knows about one data set.

    Attributes:
        name: the key everywhere.
        label: how tables write it.
        num_classes: labels are 0 to num_classes - 1.
        shape: of one row: (channels, height, width) of an image; of sentences, ids of the mean row of a batch, padding
            included, by which plans go.
        rows: in the training and the test part.
        validation_rows: in a validation part of its own; 0 where it has none and the recipe splits one off.
        kind: what a row holds.
        vocab_size: number of ids where rows hold such, on the data as it is published; plans go by it.
        reader: the module that reads it, by `read(info, where)` and `stamp(info, where)`, see `bench.data.store`; or,
            of a data set of your own, a function without arguments that makes the tensors of `store.Dataset`.
        peak: the pixel value of full white in an image.
        hub: name on the Hugging Face hub, and the folder below `--data-dir`; None for what is not there.
        origin: where it is from instead, or how it is given.
        configuration: of the hub's data set where it has several, and the folder below that of its name.
        columns: names of the column of what it holds and of the label column there.
        torchvision: folder below the root of torchvision's data sets; None for what is not among them.
        debian: folder of Debian's package `dataset-...` below /usr/share/datasets, with gzipped IDX files; None where
            there is no such package.
        balanced: whether all classes have the same number of rows in each part.
        copies: labels of known inexact copies, by data hash.
    """

    name: str
    label: str
    num_classes: int
    shape: tuple[int, ...]
    rows: tuple[int, int]
    validation_rows: int = 0
    kind: Kind = "images"
    vocab_size: int | None = None
    reader: str | Callable[[], dict[str, Tensor]] = "bench.data.images"
    peak: int = 1
    hub: str | None = None
    origin: str = ""
    configuration: str | None = None
    columns: tuple[str, str] = ("image", "label")
    torchvision: str | None = None
    debian: str | None = None
    balanced: bool = False
    copies: Mapping[str, str] = field(default_factory=dict, hash=False)

    def label_of(self, data_hash: str) -> str:
        """The label for results on data of this hash: an inexact copy is called one."""
        return self.copies.get(data_hash, self.label)


_ENTRIES = (
    # scikit-learn's load_digits has no test part of its own: a fifth is split off by a fixed seed.
    DatasetInfo("digits", "digits", num_classes=10, shape=(1, 8, 8), peak=16, rows=(1437, 360), origin="scikit-learn"),
    DatasetInfo(
        "mnist",
        "MNIST",
        num_classes=10,
        shape=(1, 28, 28),
        peak=255,
        rows=(60000, 10000),
        hub="ylecun/mnist",
        torchvision="MNIST/raw",
    ),
    DatasetInfo(
        "cifar10",
        "CIFAR-10",
        num_classes=10,
        shape=(3, 32, 32),
        peak=255,
        rows=(50000, 10000),
        hub="uoft-cs/cifar10",
        columns=("img", "label"),
        torchvision="cifar-10-batches-py",
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
        torchvision="cifar-100-python",
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
        torchvision="FashionMNIST/raw",
        debian="fashion-mnist",
        balanced=True,
    ),
    DatasetInfo(
        "cola",
        "CoLA",
        num_classes=2,
        shape=(12,),
        rows=(7551, 1000),
        validation_rows=1043,
        kind="sentences",
        vocab_size=5000,
        reader="bench.data.sentences",
        hub="nyu-mll/glue",
        configuration="cola",
        columns=("sentence", "label"),
    ),
    DatasetInfo(
        "sst2",
        "SST-2",
        num_classes=2,
        shape=(14,),
        rows=(66349, 1000),
        validation_rows=872,
        kind="sentences",
        vocab_size=8000,
        reader="bench.data.sentences",
        hub="nyu-mll/glue",
        configuration="sst2",
        columns=("sentence", "label"),
    ),
    # Not on the hub. Rows are tokens of release 0.3: 1000, 327 and 500 tweets of October 27, 2010.
    DatasetInfo(
        "twitter_pos",
        "Twitter POS",
        num_classes=25,
        shape=(3, 16),
        rows=(14619, 7152),
        validation_rows=4823,
        kind="tokens",
        vocab_size=5672,
        reader="bench.data.tweets",
        origin="github.com/brendano/ark-tweet-nlp",
    ),
    # A licensed corpus. Its numbers of frames depend on how they are cut and on the copy: these are Kaldi's, of the
    # same parts and steps, with the frames of q.
    DatasetInfo(
        "timit",
        "TIMIT",
        num_classes=39,
        shape=(286,),
        rows=(1_124_823, 57_919),
        validation_rows=122_487,
        kind="frames",
        reader="bench.data.timit",
        origin="LDC93S1, licensed: --timit DIR",
    ),
    DatasetInfo(
        "made_speech",
        "made speech",
        num_classes=39,
        shape=(286,),
        rows=(6010, 1853),
        validation_rows=1644,
        kind="frames",
        reader="bench.data.made_speech",
        origin="made here",
    ),
    DatasetInfo(
        "made_text",
        "made text",
        num_classes=16,
        shape=(16,),
        rows=(5120, 2000),
        validation_rows=500,
        kind="text",
        reader="bench.data.made_text",
        origin="made here",
    ),
    # 1003854, 55770 and 55770 characters, in rows of 128.
    DatasetInfo(
        "tiny_shakespeare",
        "tiny Shakespeare",
        num_classes=256,
        shape=(128,),
        rows=(7842, 435),
        validation_rows=435,
        kind="text",
        reader="bench.data.characters",
        hub="karpathy/tiny_shakespeare",
    ),
    # Any text. Its numbers of rows are those of enwik8, the first 10^8 bytes of a Wikipedia, in rows of 1024.
    DatasetInfo(
        "text",
        "text",
        num_classes=256,
        shape=(1024,),
        rows=(87_890, 4882),
        validation_rows=4882,
        kind="text",
        reader="bench.data.characters",
        origin="a file of yours: --text FILE",
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


def register(entry: DatasetInfo) -> None:
    """Make a data set of your own known by its name; one registered before under that name gives way.

    Raises:
        ValueError: a name of one of the suite's data sets, or one that no case can have.
    """
    if any(entry.name == one.name for one in _ENTRIES):
        raise ValueError(f"dataset {entry.name!r} is one of the suite's; give yours another name")
    if not re.fullmatch(r"[a-z0-9_.]+", entry.name):
        raise ValueError(f"dataset {entry.name!r}: a name is made of a-z, 0-9, _ and . only")
    DATASETS[entry.name] = entry


def label_of(name: str, data_hash: str) -> str:
    """How tables write a data set: an inexact copy is called one, and one that is not registered here by its name."""
    return DATASETS[name].label_of(data_hash) if name in DATASETS else name
