"""Gzipped IDX files: found in each place where they may lie, read, or refused with a message that names the file."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.data import DATASETS, DataError, info, store
from bench.data.idx import FILES
from bench.data.locations import Locations
from made_data import Source, cached, holds, source_of

NAME = "fashion_mnist"
IMAGES, LABELS = (f"{name}.gz" for name in FILES["test"])


def _idx(values: np.ndarray) -> bytes:
    """Two zero bytes, 8 for bytes, the number of dimensions, their sizes, the values."""
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


def _write(
    folder: Path,
    made: Source,
    packing: Callable[[bytes], bytes] = gzip.compress,
    named: Callable[[str], str] = "{}.gz".format,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part, (images, labels) in FILES.items():
        for name, values in (
            (images, made.pixels[part][..., 0]),
            (labels, np.array(made.labels[part], dtype=np.uint8)),
        ):
            (folder / named(name)).write_bytes(packing(_idx(values)))


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """Twenty images a part in Debian's layout, and the same, negative, in the hub's layout of another folder."""
    monkeypatch.setitem(DATASETS, NAME, replace(info(NAME), rows=(20, 20)))
    made = source_of(tmp_path / "hub", info(NAME))
    made.data_dir = tmp_path / "datasets"
    made.pixels = {part: 255 - pixels for part, pixels in made.pixels.items()}
    _write(made.data_dir / "fashion-mnist", made)
    return made


def test_they_are_found_wherever_debian_or_a_reader_puts_them(made: Source, tmp_path: Path) -> None:
    _write(tmp_path / "mine" / str(info(NAME).hub), made)
    hashes = set()
    for data_dir in (made.data_dir, made.data_dir / "fashion-mnist", tmp_path / "mine"):
        dataset = store.load(NAME, Locations(data_dir))
        assert holds(dataset, made)
        assert dataset.tensors["train_images"].dtype == torch.uint8
        assert dataset.tensors["train_labels"].dtype == torch.int64
        hashes.add(dataset.data_hash)
    assert len(hashes) == 1


def test_the_hubs_own_files_come_first(made: Source, tmp_path: Path) -> None:
    _write(tmp_path / "hub", made)
    assert not holds(store.load(NAME, Locations(tmp_path / "hub")), made)
    assert holds(store.load(NAME, made.where), made)


def test_a_changed_file_is_read_anew(made: Source) -> None:
    before = store.load(NAME, made.where)
    made.pixels["test"][3] ^= 1
    _write(made.data_dir / "fashion-mnist", made)
    store._load.cache_clear()
    after = store.load(NAME, made.where)
    assert holds(after, made)
    assert after.data_hash != before.data_hash


def _repack(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _flip(path: Path) -> None:
    packed = bytearray(path.read_bytes())
    packed[-6] ^= 1  # the checksum
    path.write_bytes(packed)


# What is done to which file.
DAMAGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "missing images": (IMAGES, Path.unlink),
    "missing labels": (LABELS, Path.unlink),
    "a download that was cut off": (IMAGES, _cut),
    "a wrong checksum": (IMAGES, _flip),
    "an error page": (IMAGES, lambda path: path.write_text("<html>502 Bad Gateway</html>")),
    "an empty file": (LABELS, lambda path: path.write_bytes(b"")),
    "nothing inside": (LABELS, lambda path: _repack(path, lambda _: b"")),
    "a wrong magic number": (IMAGES, lambda path: _repack(path, lambda raw: b"\x89PNG" + raw[4:])),
    "numbers of another type": (IMAGES, lambda path: _repack(path, lambda raw: raw[:2] + b"\x0d" + raw[3:])),
    "labels for images": (IMAGES, lambda path: path.write_bytes((path.parent / LABELS).read_bytes())),
    "images for labels": (LABELS, lambda path: path.write_bytes((path.parent / IMAGES).read_bytes())),
    "images that end too early": (IMAGES, lambda path: _repack(path, lambda raw: raw[:-1])),
    "labels that go on": (LABELS, lambda path: _repack(path, lambda raw: raw + b"\0")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_with_how_to_mend_it(damage: str, made: Source, tmp_path: Path) -> None:
    name, harm = DAMAGES[damage]
    harm(made.data_dir / "fashion-mnist" / name)
    with pytest.raises(DataError, match="download them again") as caught:
        store.load(NAME, made.where)
    assert name in str(caught.value)
    assert str(made.data_dir / "fashion-mnist") in str(caught.value)
    assert cached(tmp_path) == []


def test_fewer_images_than_the_record_says_are_refused(made: Source) -> None:
    made.pixels["test"], made.labels["test"] = made.pixels["test"][:10], made.labels["test"][:10]
    _write(made.data_dir / "fashion-mnist", made)
    with pytest.raises(DataError, match="part 'test': 10 images and 10 labels, expected 20 of each"):
        store.load(NAME, made.where)


def test_mnists_files_of_the_same_names_are_not_taken_for_it(made: Source) -> None:
    """MNIST's classes are of unequal size."""
    made.labels["train"][0] = 1
    _write(made.data_dir / "fashion-mnist", made)
    with pytest.raises(DataError, match="part 'train': 1 to 3 images a class, Fashion-MNIST has 2 of each"):
        store.load(NAME, made.where)


def test_a_folder_without_them_tells_where_they_were_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Fashion-MNIST is not in") as caught:
        store.load(NAME, Locations(tmp_path))
    for needed in (tmp_path / "fashion-mnist", tmp_path / str(info(NAME).hub), "dataset-fashion-mnist"):
        assert str(needed) in str(caught.value)


def test_other_data_sets_are_not_looked_for_as_idx(made: Source) -> None:
    with pytest.raises(DataError, match=r"MNIST is not in .*no .parquet file there") as caught:
        store.load("mnist", Locations(made.data_dir / "fashion-mnist"))
    assert "dataset-fashion-mnist" not in str(caught.value)


@pytest.mark.parametrize("named", ["{}", "{}.gz"])
@pytest.mark.parametrize("hyphen", ["-idx", ".idx"])
@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST/raw"), (NAME, "FashionMNIST/raw")])
def test_torchvisions_folders_are_read(
    name: str, folder: str, named: str, hyphen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DATASETS, name, replace(info(name), rows=(20, 20)))
    made = source_of(tmp_path / "unused", info(name))
    packing = gzip.compress if named.endswith("gz") else bytes
    _write(tmp_path / "data" / folder, made, packing, lambda one: named.format(one.replace("-idx", hyphen)))
    for given in (tmp_path / "data", tmp_path / "data" / folder):
        store._load.cache_clear()
        assert holds(store.load(name, Locations(given)), made)
