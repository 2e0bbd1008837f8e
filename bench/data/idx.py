"""Reads MNIST's file format, IDX packed by gzip: `idx.read(folder, "train")`.

Debian ships Fashion-MNIST so (package dataset-fashion-mnist).
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

# Images and labels of each part; the names are MNIST's own.
FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


def files(folder: Path) -> list[Path]:
    """Those of the four files that are in a folder."""
    return [folder / name for names in FILES.values() for name in names if (folder / name).is_file()]


def read(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """Images (uint8, N x 1 x H x W) and labels (int64, N) of the part `train` or `test`.

    Raises:
        ValueError: a file is missing, cut off or of another format; the message names it.
    """
    from torchvision.datasets.mnist import read_image_file, read_label_file

    images, labels = FILES[part]
    return _unpacked(folder / images, read_image_file)[:, None], _unpacked(folder / labels, read_label_file)


def _unpacked(path: Path, read: Callable[[str], Tensor]) -> Tensor:
    """What torchvision's reader makes of a file; it only takes the path of an unpacked one."""
    if not path.is_file():
        raise ValueError(f"{path.name} is missing")
    with tempfile.NamedTemporaryFile() as unpacked:
        try:
            with gzip.open(path) as packed:
                shutil.copyfileobj(packed, unpacked)
            unpacked.flush()
            return read(unpacked.name)
        except Exception as error:  # gzip, zlib and torchvision have one each, torchvision's without a text
            raise ValueError(f"{path.name} is not a whole gzipped IDX file ({error!r})") from error
