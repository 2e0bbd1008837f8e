"""Reads images from the hub, a folder in its layout or torchvision's, or scikit-learn: `images.read(info, where)`."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from bench.data import cifar_batches, hub, idx
from bench.data.errors import DataError
from bench.data.folder import below, expanded

if TYPE_CHECKING:
    from bench.data._registry import DatasetInfo
    from bench.data.locations import Locations

# Images and labels of a part.
Decode: TypeAlias = Callable[[str], tuple[Tensor, Tensor]]

# Of the split of scikit-learn's digits into training and test part.
DIGITS_SPLIT_SEED = 0


def read(info: DatasetInfo, where: Locations) -> dict[str, Tensor]:
    """All images (uint8, N x C x H x W) and labels (int64, N) as `{train,test}_{images,labels}`.

    Raises:
        DataError: the data cannot be had, or is not what its record says.
    """
    if info.hub is None:
        return _read_digits(info)
    tensors: dict[str, Tensor] = {}
    decode: Decode
    if where.data_dir is None:
        place, decode = str(info.hub), partial(_decode, info, hub.load(str(info.hub), _remedy(info)))
    else:
        found = find(info, where.data_dir)
        place, decode = str(found.folder), found.reader(info)
    for part, rows in zip(("train", "test"), info.rows, strict=True):
        try:
            images, labels = decode(part)
            _check(info, images, labels, rows)
        except (AttributeError, OSError, SyntaxError, TypeError, ValueError) as error:
            raise DataError(f"{place}, part {part!r}: {error}; download them again") from error
        tensors |= {f"{part}_images": images, f"{part}_labels": labels}
    return tensors


@dataclass(frozen=True)
class ImageFiles:
    """Where a data set was found, in which of the formats."""

    folder: Path
    files: list[Path]

    def reader(self, info: DatasetInfo) -> Decode:
        """What reads a part of it."""
        if self.files[0].suffix.lower() == ".parquet":
            return partial(_decode, info, hub.load_files(self.files, self.folder))
        return partial(idx.read if "ubyte" in self.files[0].name else cifar_batches.read, self.folder)


def find(info: DatasetInfo, data_dir: Path) -> ImageFiles:
    """Folder and files of a data set below `--data-dir`: parquet in the hub's layout, torchvision's files, or Debian's.

    Raises:
        DataError: neither is there; the message says where they were looked for.
    """
    root = expanded(data_dir)
    folder = root / str(info.hub)
    if files := below(folder, ".parquet"):
        return ImageFiles(folder, files)
    places = [folder]
    if info.torchvision:
        places += [root / info.torchvision, *([root] if root.match(info.torchvision) else [])]
    if info.debian:
        places += [root / info.debian, root]
    for place in places:
        if files := [*idx.files(place), *cifar_batches.batches(place)]:
            return ImageFiles(place, files)
    others = f", none of torchvision's or in IDX in {', '.join(map(str, places))}" if len(places) > 1 else ""
    raise DataError(
        f"{info.label} is not in {folder} (no .parquet file there{others}). {_remedy(info)}; "
        "or leave it out to load from the hub"
    )


def stamp(info: DatasetInfo, where: Locations) -> str | None:
    """Names a source in the cache: changes when a file of the folder changes; None for what is embedded.

    Raises:
        DataError: the folder holds no such data set.
    """
    if info.hub is None:
        return None
    return "hub" if where.data_dir is None else hub.stamp(find(info, where.data_dir).files)


def _remedy(info: DatasetInfo) -> str:
    """How to get the files, and how to say where they are."""
    text = hub.remedy(str(info.hub))
    if info.torchvision:
        text += f"; or the root of torchvision's data sets, with {info.torchvision}"
    if info.debian:
        text += (
            f"; or with the four *-ubyte.gz files of Debian's package dataset-{info.debian} (`--data-dir "
            "/usr/share/datasets`)"
        )
    return text


def _check(info: DatasetInfo, images: Tensor, labels: Tensor, rows: int) -> None:
    if not len(images) == len(labels) == rows:
        raise ValueError(f"{len(images)} images and {len(labels)} labels, expected {rows} of each")
    if tuple(images.shape[1:]) != info.shape:
        raise ValueError(f"images of {tuple(images.shape[1:])}, expected {info.shape}")
    if not 0 <= labels.min() <= labels.max() < info.num_classes:
        raise ValueError(f"labels from {labels.min()} to {labels.max()}, expected 0 to {info.num_classes - 1}")
    counts = torch.bincount(labels, minlength=info.num_classes)
    if info.balanced and counts.min() != counts.max():
        raise ValueError(
            f"{counts.min()} to {counts.max()} images a class, {info.label} has {rows // info.num_classes} of each"
        )


def _read_digits(info: DatasetInfo) -> dict[str, Tensor]:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = digits.images.astype(np.uint8)[:, None]
    train, test = train_test_split(
        np.arange(len(images)),
        test_size=info.rows[1],
        stratify=digits.target,
        random_state=DIGITS_SPLIT_SEED,
    )
    return {
        f"{part}_{kind}": torch.from_numpy(values[rows])
        for part, rows in (("train", train), ("test", test))
        for kind, values in (("images", images), ("labels", digits.target.astype(np.int64)))
    }


def _decode(info: DatasetInfo, loaded: Any, part: str) -> tuple[Tensor, Tensor]:
    table = hub.part_table(loaded, part, info.columns)
    image_column, label_column = info.columns
    channels, height, width = info.shape
    mode = "L" if channels == 1 else "RGB"
    images = np.empty((len(table), height, width, channels), dtype=np.uint8)
    for row, value in enumerate(table[image_column]):
        image = _image(row, value)
        pixels = np.asarray(image.convert(mode)).reshape(image.height, image.width, channels)
        if pixels.shape[:2] != (height, width):
            raise ValueError(f"row {row} has {pixels.shape[:2]} pixels, expected {height, width}")
        images[row] = pixels
    labels = torch.from_numpy(hub.labels(table, label_column))
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), labels


def _image(row: int, value: Any) -> PIL.Image.Image:
    """An image as `datasets` decodes it, or out of its bytes, where a file lacks the note that it holds images.

    Raises:
        OSError: the bytes are no whole image.
        ValueError: it is something else, or has more than 8 bits a channel, which would be clipped.
    """
    value = value.get("bytes") if isinstance(value, dict) else value
    image = PIL.Image.open(io.BytesIO(value)) if isinstance(value, bytes) else value
    if not isinstance(image, PIL.Image.Image):
        raise ValueError(f"row {row} holds a {type(image).__name__}, expected an image, such as the bytes of a PNG")
    if image.mode.startswith(("I", "F")):
        raise ValueError(f"row {row} is an image of mode {image.mode}, expected 8 bits a channel")
    return image
