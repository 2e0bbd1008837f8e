"""Reads MNIST's file format, IDX, as it is or packed by gzip: `idx.read(folder, "train")`.

torchvision unpacks MNIST and Fashion-MNIST so (`MNIST/raw`), and Debian ships the latter (package
dataset-fashion-mnist).
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from bench.data.folder import has_file

# Images and labels of each part; the names are MNIST's own.
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
PACKED = b"\x1f\x8b"  # what a gzipped file begins with


def files(folder: Path) -> list[Path]:
    """Those of the four files that are in a folder, packed or not."""
    return [path for names in FILES.values() for name in names if (path := _path(folder, name)) is not None]


def read(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """Images (uint8, N x 1 x H x W) and labels (int64, N) of the part `train` or `test`.

    Raises:
        ValueError: a file is missing, cut off or of another format; the message names it.
    """
    from torchvision.datasets.mnist import read_image_file, read_label_file

    images, labels = FILES[part]
    return _unpacked(folder, images, read_image_file)[:, None], _unpacked(folder, labels, read_label_file)


def _path(folder: Path, name: str) -> Path | None:
    """Of a file under one of its names: some copies have a dot in the place of the hyphen before idx."""
    names = (name, name.replace("-idx", ".idx"))
    return next((path for one in names for end in (".gz", "") if has_file(path := folder / f"{one}{end}")), None)


def _unpacked(folder: Path, name: str, read: Callable[[str], Tensor]) -> Tensor:
    """What torchvision's reader makes of a file; it only takes the path of an unpacked one."""
    path = _path(folder, name)
    if path is None:
        raise ValueError(f"{name}.gz is missing")
    with tempfile.NamedTemporaryFile() as unpacked, path.open("rb") as file:
        try:
            with gzip.open(file) if file.peek(2).startswith(PACKED) else file as content:
                shutil.copyfileobj(content, unpacked)
            unpacked.flush()
            return read(unpacked.name)
        except Exception as error:  # gzip, zlib and torchvision have one each, torchvision's without a text
            raise ValueError(f"{path.name} is not a whole IDX file ({error!r})") from error
