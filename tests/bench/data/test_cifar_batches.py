"""CIFAR as torchvision unpacks it: read, or refused with a message that names the file."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.data import DATASETS, DataError, info, store
from bench.data.locations import Locations
from made_data import Source, holds, source_of

FOLDERS = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}


def _write(folder: Path, made: Source) -> None:
    """As the authors' files are: images flat, a plane a colour, labels as a list, keys of bytes."""
    folder.mkdir(parents=True)
    five = folder.name == FOLDERS["cifar10"]
    for part, pixels in made.pixels.items():
        names = [f"data_batch_{n}" for n in range(1, 6)] if part == "train" and five else [part + "_batch" * five]
        for name, rows in zip(names, np.array_split(np.arange(len(pixels)), len(names)), strict=True):
            labels = [made.labels[part][row] for row in rows]
            held = {b"data": pixels[rows].transpose(0, 3, 1, 2).reshape(len(rows), -1)}
            held |= {b"labels": labels} if five else {b"fine_labels": labels, b"coarse_labels": [0] * len(rows)}
            (folder / name).write_bytes(pickle.dumps(held, protocol=2))


@pytest.fixture(params=FOLDERS)
def made(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Source, Path]:
    """Two images of each class, and the folder with them."""
    rows = 2 * info(request.param).num_classes
    monkeypatch.setitem(DATASETS, request.param, replace(info(request.param), rows=(rows, rows)))
    made = source_of(tmp_path / "unused", info(request.param))
    folder = tmp_path / "data" / FOLDERS[request.param]
    _write(folder, made)
    return made, folder


def test_the_folder_is_read_below_the_one_given_or_given_itself(made: tuple[Source, Path]) -> None:
    source, folder = made
    for given in (folder.parent, folder):
        store._load.cache_clear()
        assert holds(store.load(source.entry.name, Locations(given)), source)


class _Runs:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch stolen",)


@pytest.mark.parametrize("content", [b"", b"<html>", pickle.dumps({}), pickle.dumps(_Runs())])
def test_a_damaged_batch_is_named_and_a_pickle_runs_no_code(made: tuple[Source, Path], content: bytes) -> None:
    source, folder = made
    path = next(path for path in sorted(folder.iterdir()) if path.name.startswith(("data_batch_1", "train")))
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{path.name} is not a whole batch of CIFAR .*; download them again"):
        store.load(source.entry.name, Locations(folder))
    assert not Path("stolen").exists()


def test_a_missing_batch_is_told_by_the_number_of_images(made: tuple[Source, Path]) -> None:
    source, folder = made
    next(path for path in sorted(folder.iterdir()) if path.name.startswith(("data_batch_1", "train"))).unlink()
    with pytest.raises(DataError, match=r"part 'train': .*(expected|none of)"):
        store.load(source.entry.name, Locations(folder))
