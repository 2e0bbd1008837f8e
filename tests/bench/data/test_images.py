"""Folders in the hub's layout: read, or refused with a message that names the damage and its remedy."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow.parquet
import pytest
import torch

from bench.data import DATASETS, DataError, DatasetInfo, info, store
from bench.data.locations import Locations
from made_data import COLOURED, TOY, Source, cached, holds, pixels, pngs, prepare, source_of, write

# What a user can do about files that are not as they should be.
REMEDY = r"download them again|hf download"


@pytest.mark.parametrize("entry", [TOY, COLOURED], ids=lambda entry: entry.name)
def test_a_folder_in_the_hubs_layout_is_read(entry: DatasetInfo, tmp_path: Path) -> None:
    made = source_of(tmp_path / "data", entry)
    dataset = store.load(entry.name, made.where)
    assert holds(dataset, made)
    assert dataset.tensors["train_images"].dtype == torch.uint8
    assert dataset.tensors["train_labels"].dtype == torch.int64
    ready = prepare(entry.name, made.data_dir)
    assert ready.input_shape == entry.shape
    assert (ready.test.inputs.min().item(), ready.test.inputs.max().item()) == (-1, 1)
    assert ready.test.labels.tolist() == made.labels["test"]
    assert ready.data_hash == dataset.data_hash


def test_a_part_in_several_files_is_read_in_their_order(toy: Source) -> None:
    (toy.folder / "data" / "train-00000-of-00001.parquet").unlink()
    for piece, rows in enumerate((slice(0, 5), slice(5, None))):
        columns = {column: values[rows] for column, values in toy.columns("train").items()}
        write(toy.folder / "data" / f"train-0000{piece}-of-00002.parquet", columns)
    assert holds(store.load("toy", toy.where), toy)


@pytest.mark.parametrize("kept", [lambda image: image, lambda image: image["bytes"]], ids=["path and bytes", "bytes"])
def test_images_are_read_as_bytes_where_a_file_lacks_the_hubs_note(toy: Source, kept: Callable[[Any], Any]) -> None:
    for part in toy.labels:
        columns = toy.columns(part)
        table = pyarrow.table({"picture": [*map(kept, columns["picture"])], "kind": columns["kind"]})
        pyarrow.parquet.write_table(table, toy.folder / "data" / f"{part}-00000-of-00001.parquet")
    assert holds(store.load("toy", toy.where), toy)


def _broken_png(toy: Source) -> None:
    columns = toy.columns("test")
    columns["picture"][2]["bytes"] = b"no image"
    toy.write("test", columns)


def _truncated_png(toy: Source) -> None:
    columns = toy.columns("test")
    columns["picture"][2]["bytes"] = columns["picture"][2]["bytes"][:-30]
    toy.write("test", columns)


def _truncated_parquet(toy: Source) -> None:
    path = toy.folder / "data" / "test-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-100])


def _labels(toy: Source, *labels: Any) -> None:
    toy.write("test", {**toy.columns("test"), "kind": [*labels, *toy.labels["test"]][: len(toy.labels["test"])]})


def _columns(toy: Source, **renamed: str) -> None:
    for part in toy.labels:
        columns = {renamed.get(column, column): values for column, values in toy.columns(part).items()}
        toy.write(part, columns)


def _filled(toy: Source, **values: object) -> None:
    for part, labels in toy.labels.items():
        filled = {column: [value] * len(labels) for column, value in values.items()}
        toy.write(part, {**toy.columns(part), **filled})


def _sixteen_bits(toy: Source) -> None:
    columns = toy.columns("test")
    for picture, made in zip(columns["picture"], toy.pixels["test"], strict=True):
        stream = io.BytesIO()
        PIL.Image.fromarray(made[..., 0].astype(np.uint16) * 257).save(stream, "PNG")
        picture["bytes"] = stream.getvalue()
    toy.write("test", columns)


# What is done to a good folder, and what the message must say about it.
DAMAGES: dict[str, tuple[Callable[[Source], object], str]] = {
    "another image column": (lambda toy: _columns(toy, picture="image"), "'picture'"),
    "another label column": (lambda toy: _columns(toy, kind="label"), "'kind'"),
    "parts that disagree": (
        lambda toy: toy.write("test", {"picture": toy.columns("test")["picture"], "label": toy.labels["test"]}),
        "part 'test': no column 'kind'; found: picture, label",
    ),
    "a missing part": (lambda toy: (toy.folder / "data" / "test-00000-of-00001.parquet").unlink(), "'test'"),
    "a missing row": (
        lambda toy: toy.write("test", {key: values[:-1] for key, values in toy.columns("test").items()}),
        "6 images and 6 labels, expected 7 of each",
    ),
    "an image of another size": (
        lambda toy: toy.write(
            "test", {**toy.columns("test"), "picture": pngs(pixels(replace(TOY, shape=(1, 5, 6)), 7, 0))}
        ),
        "row 0 has .*5, 6.* expected .*6, 5",
    ),
    "a label too high": (lambda toy: _labels(toy, 4), "0 to 4, expected 0 to 3"),
    "a label too low": (lambda toy: _labels(toy, -1), "-1 to 3, expected 0 to 3"),
    "labels that are words": (lambda toy: _filled(toy, kind="cat"), "'train'"),
    "labels in lists": (lambda toy: _labels(toy, *([row % 4] for row in range(7))), "'kind' are not whole numbers"),
    "labels between whole numbers": (lambda toy: _labels(toy, 0.5, 1.0), "not whole numbers, the first being 0.5"),
    "images of 16 bits": (lambda toy: _sixteen_bits(toy), "row 0 is an image of mode I;16, expected 8 bits"),
    "pixels in lists": (lambda toy: _filled(toy, picture=[[0] * 5] * 6), "row 0 holds a list, expected an image"),
    "a missing label": (lambda toy: _labels(toy, None), "'test'"),
    "a missing image": (
        lambda toy: toy.write("test", {**toy.columns("test"), "picture": [None, *toy.columns("test")["picture"][1:]]}),
        "'test'",
    ),
    "numbers for images": (lambda toy: _filled(toy, picture=1), "'train'"),
    "a broken image": (_broken_png, "'test'"),
    "a truncated image": (_truncated_png, "'test'"),
    "a truncated file": (_truncated_parquet, "cannot read"),
    "a file of something else": (
        lambda toy: (toy.folder / "data" / "test-00000-of-00001.parquet").write_text("<html>502 Bad Gateway</html>"),
        "cannot read",
    ),
    "no files": (lambda toy: [file.unlink() for file in toy.folder.rglob("*.parquet")], "no .parquet file there"),
    "no folder": (lambda toy: toy.folder.rename(toy.folder.with_name("other")), "no .parquet file there"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_source_is_named_with_how_to_mend_it(damage: str, toy: Source, tmp_path: Path) -> None:
    harm, said = DAMAGES[damage]
    harm(toy)
    with pytest.raises(DataError, match=said) as caught:
        store.load("toy", toy.where)
    assert str(toy.folder) in str(caught.value)
    assert "ACTBENCH_CACHE" not in str(caught.value)  # it is not the cache's fault
    assert cached(tmp_path) == []  # nor may half of it be taken for the whole next time
    with pytest.raises(DataError, match=REMEDY):
        store.load("toy", toy.where)


def test_after_mending_the_source_it_loads(toy: Source) -> None:
    _truncated_parquet(toy)
    with pytest.raises(DataError):
        store.load("toy", toy.where)
    toy.write("test")
    assert holds(store.load("toy", toy.where), toy)


def test_a_missing_folder_tells_of_both_ways_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"hf download --repo-type dataset {TOY.hub}") as caught:
        store.load("toy", Locations(tmp_path))
    assert "--data-dir" in str(caught.value)
    assert "ACTBENCH_DATA" in str(caught.value)
    assert str(tmp_path / "somebody" / "toy") in str(caught.value)


def _small(name: str, monkeypatch: pytest.MonkeyPatch) -> DatasetInfo:
    """The record of a real data set that has two rows of each class in each part."""
    rows = 2 * info(name).num_classes
    monkeypatch.setitem(DATASETS, name, replace(info(name), rows=(rows, rows)))
    return info(name)


@pytest.mark.parametrize("name", [name for name in DATASETS if info(name).hub and info(name).kind == "images"])
def test_each_record_reads_its_columns_in_the_hubs_layout(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = source_of(tmp_path / "data", _small(name, monkeypatch))
    for part, labels in made.labels.items():
        made.write(part, {**made.columns(part), "coarse_label": [label // 5 for label in labels]})  # as in CIFAR-100
    dataset = store.load(name, made.where)
    assert holds(dataset, made)
    assert sorted(set(dataset.tensors["train_labels"].tolist())) == list(range(info(name).num_classes))


@pytest.mark.parametrize("name", [name for name in DATASETS if info(name).balanced])
def test_classes_of_unequal_size_in_a_balanced_data_set_are_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = source_of(tmp_path / "data", _small(name, monkeypatch))
    made.labels["test"][0] = 1
    made.write("test")
    with pytest.raises(DataError, match=r"part 'test': 1 to 3 images a class, .* has 2 of each"):
        store.load(name, made.where)
