"""Tests of bench.data: digits, data in the hub's layout, the cache, and what is said when data cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.data import DATASETS, DataError, DatasetInfo, _registry, info, parts, source, store
from bench.recipe import Recipe

CPU = torch.device("cpu")
RECIPE = Recipe(version=1, epochs=1, batch_size=8, learning_rate=0.1, initialisation="torch")
TOY = DatasetInfo(
    "toy",
    "Toy",
    num_classes=4,
    shape=(1, 6, 5),
    peak=255,
    rows=(12, 7),
    hub="somebody/toy",
    columns=("picture", "kind"),
)
COLOURED = replace(TOY, name="coloured", label="Coloured", shape=(3, 6, 5), hub="somebody/coloured")
# What a user can do about files that are not as they should be.
REMEDY = r"get the files anew|hf download"
CLOSED = "http://127.0.0.1:9"  # nothing listens on the discard port


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An empty cache folder, nothing remembered by the process, and the toy data sets on the list."""
    monkeypatch.setenv("ACTBENCH_CACHE", str(tmp_path / "cache"))
    for entry in (TOY, COLOURED):
        monkeypatch.setitem(_registry.DATASETS, entry.name, entry)
    _forget()
    yield
    _forget()


def _forget() -> None:
    for remembered in (store.load, parts._prepare, source._from_hub, source._hub_unreachable):
        remembered.cache_clear()


def _cached(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").glob("*.safetensors"))


def _prepare(name: str, data_dir: Path | None = None, size: int | None = None, **recipe: Any) -> parts.Parts:
    return parts.prepare(name, replace(RECIPE, **recipe), CPU, size, data_dir)


def _images(part: parts.Part) -> list[bytes]:
    return [image.numpy().tobytes() for image in part.inputs]


# A data set in the hub's layout


def _pixels(entry: DatasetInfo, rows: int, seed: int) -> np.ndarray:
    channels, height, width = entry.shape
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, height, width, channels), dtype=np.uint8)
    pixels[0], pixels[1] = 0, entry.peak
    return pixels


def _write(path: Path, columns: dict[str, list[Any]], image_column: str | None = "picture") -> None:
    """One parquet file as the hub has it: the image column holds PNG bytes and is declared as images."""
    import datasets

    table = datasets.Dataset.from_dict(columns)
    if image_column is not None:
        table = table.cast_column(image_column, datasets.Image())
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path)


def _pngs(pixels: np.ndarray) -> list[dict[str, Any]]:
    from io import BytesIO

    from PIL import Image

    def png(image: np.ndarray) -> bytes:
        stream = BytesIO()
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(stream, "PNG")
        return stream.getvalue()

    return [{"bytes": png(image), "path": None} for image in pixels]


@dataclass
class Source:
    """A folder for `--data-dir`, and what it holds."""

    data_dir: Path
    entry: DatasetInfo
    pixels: dict[str, np.ndarray]
    labels: dict[str, list[int]]

    @property
    def folder(self) -> Path:
        return self.data_dir / str(self.entry.hub)

    def columns(self, part: str) -> dict[str, list[Any]]:
        return {"picture": _pngs(self.pixels[part]), "kind": list(self.labels[part])}

    def write(
        self, part: str, columns: dict[str, list[Any]] | None = None, image_column: str | None = "picture"
    ) -> None:
        path = self.folder / "data" / f"{part}-00000-of-00001.parquet"
        _write(path, self.columns(part) if columns is None else columns, image_column)


def _source(data_dir: Path, entry: DatasetInfo) -> Source:
    sizes = dict(zip(("train", "test"), entry.rows, strict=True))
    made = Source(
        data_dir,
        entry,
        {part: _pixels(entry, rows, seed) for seed, (part, rows) in enumerate(sizes.items())},
        {part: [row % entry.num_classes for row in range(rows)] for part, rows in sizes.items()},
    )
    for part in sizes:
        made.write(part)
    return made


@pytest.fixture
def toy(tmp_path: Path) -> Source:
    return _source(tmp_path / "data", TOY)


def _is(dataset: store.Dataset, made: Source) -> bool:
    return all(
        torch.equal(dataset.tensors[f"{part}_images"], torch.from_numpy(made.pixels[part]).permute(0, 3, 1, 2))
        and dataset.tensors[f"{part}_labels"].tolist() == made.labels[part]
        for part in ("train", "test")
    )


# The records


def test_an_unknown_dataset_lists_the_known_ones() -> None:
    for door in (info, store.load):
        with pytest.raises(ValueError, match="unknown dataset 'minst'; known: ") as caught:
            door("minst")
        assert all(name in str(caught.value) for name in DATASETS)


def test_an_inexact_copy_is_labelled_so() -> None:
    record = info("cifar10")
    assert record.copies
    for data_hash, label in record.copies.items():
        assert record.label_of(data_hash) == label != record.label
        assert record.label in label
    assert record.label_of("0" * 16) == record.label


# digits


def test_digits_are_whole_and_split_once_for_all() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    one = _prepare("digits")
    assert (len(one.train), len(one.test)) == info("digits").rows
    assert one.validation is None
    assert one.input_shape == info("digits").shape
    # Every image is in one part alone, with its own label.
    labels = {(image / 8 - 1).astype(np.float32).tobytes(): label for image, label in zip(*_xy(digits), strict=True)}
    split = [*_images(one.train), *_images(one.test)]
    assert len(labels) == len(split) == len(digits.target)
    assert [labels[image] for image in split] == [*one.train.labels.tolist(), *one.test.labels.tolist()]
    _forget()
    torch.manual_seed(5)
    np.random.seed(5)
    two = _prepare("digits")
    assert torch.equal(one.train.inputs, two.train.inputs)
    assert torch.equal(one.test.inputs, two.test.inputs)
    assert one.data_hash == two.data_hash


def _xy(digits: Any) -> tuple[np.ndarray, np.ndarray]:
    return digits.images, digits.target


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_inputs_fill_the_range_from_minus_one_to_one(part: str) -> None:
    inputs = getattr(_prepare("digits", validation_size=300), part).inputs
    assert (inputs.dtype, inputs.min().item(), inputs.max().item()) == (torch.float32, -1, 1)


def test_the_validation_part_is_taken_off_the_training_part() -> None:
    whole = _prepare("digits")
    cut = _prepare("digits", validation_size=200)
    assert cut.validation is not None
    assert len(cut.validation) == 200
    assert len(cut.train) == len(whole.train) - 200
    assert not set(_images(cut.validation)) & set(_images(cut.train))
    assert {*_images(cut.validation), *_images(cut.train)} == set(_images(whole.train))
    assert _images(cut.test) == _images(whole.test)


def test_a_smaller_training_part_is_a_piece_of_the_larger_one() -> None:
    large, small = (_prepare("digits", validation_size=100, train_size=n, test_size=n) for n in (300, 60))
    assert large.validation is not None
    assert small.validation is not None
    assert _images(large.validation) == _images(small.validation)
    assert (len(small.train), len(small.test)) == (60, 60)
    assert set(_images(small.train)) < set(_images(large.train))
    assert set(_images(small.test)) < set(_images(large.test))


@pytest.mark.parametrize("test_size", [None, 50])
def test_the_majority_rate_is_what_guessing_reaches(test_size: int | None) -> None:
    made = _prepare("digits", test_size=test_size)
    labels = made.test.labels.tolist()
    best = max(sum(label == guess for label in labels) / len(labels) for guess in range(made.num_classes))
    assert made.majority_rate == pytest.approx(best)


def test_images_grow_to_the_minimum_size_and_no_further() -> None:
    small, grown, kept = (_prepare("digits", size=size) for size in (None, 28, 8))
    assert grown.input_shape == (1, 28, 28)
    assert torch.equal(kept.train.inputs, small.train.inputs)
    assert (grown.train.inputs.min() >= -1) & (grown.train.inputs.max() <= 1)
    # bilinear: each corner is a corner, and the mean stays about where it was
    assert torch.equal(grown.train.inputs[..., 0, 0], small.train.inputs[..., 0, 0])
    torch.testing.assert_close(grown.test.inputs.mean(), small.test.inputs.mean(), atol=0.02, rtol=0)
    assert torch.equal(grown.train.labels, small.train.labels)


def test_the_memory_format_is_the_recipes(tmp_path: Path) -> None:
    data_dir = _source(tmp_path / "data", COLOURED).data_dir  # with one channel the two are the same
    flat, last = (_prepare("coloured", data_dir, 9, memory_format=name) for name in ("contiguous", "channels_last"))
    for made, layout in ((flat, torch.contiguous_format), (last, torch.channels_last)):
        assert made.train.inputs.is_contiguous(memory_format=layout)
    assert torch.equal(flat.train.inputs, last.train.inputs)


@pytest.mark.parametrize(
    ("train", "validation", "test"), [(1438, 0, None), (1000, 438, None), (None, 1437, None), (None, 0, 361)]
)
def test_a_recipe_that_asks_for_more_rows_than_there_are_is_refused(
    train: int | None, validation: int, test: int | None
) -> None:
    with pytest.raises(DataError, match=r"the recipe asks digits for .* it has 1437 and 360"):
        _prepare("digits", train_size=train, validation_size=validation, test_size=test)
    made = _prepare("digits", train_size=1000, validation_size=437, test_size=360)  # all of them
    assert (len(made.train), len(made.test)) == (1000, 360)


def test_neighbouring_cases_share_one_copy() -> None:
    assert _prepare("digits", learning_rate=0.1) is _prepare("digits", learning_rate=0.2)


# The hub's layout


@pytest.mark.parametrize("entry", [TOY, COLOURED], ids=lambda entry: entry.name)
def test_a_folder_in_the_hubs_layout_is_read(entry: DatasetInfo, tmp_path: Path) -> None:
    made = _source(tmp_path / "data", entry)
    dataset = store.load(entry.name, made.data_dir)
    assert _is(dataset, made)
    assert dataset.tensors["train_images"].dtype == torch.uint8
    assert dataset.tensors["train_labels"].dtype == torch.int64
    ready = _prepare(entry.name, made.data_dir)
    assert ready.input_shape == entry.shape
    assert (ready.test.inputs.min().item(), ready.test.inputs.max().item()) == (-1, 1)
    assert ready.test.labels.tolist() == made.labels["test"]
    assert ready.data_hash == dataset.data_hash


def test_a_part_in_several_files_is_read_in_their_order(toy: Source) -> None:
    (toy.folder / "data" / "train-00000-of-00001.parquet").unlink()
    for piece, rows in enumerate((slice(0, 5), slice(5, None))):
        columns = {column: values[rows] for column, values in toy.columns("train").items()}
        _write(toy.folder / "data" / f"train-0000{piece}-of-00002.parquet", columns)
    assert _is(store.load("toy", toy.data_dir), toy)


def test_the_second_time_it_comes_from_the_cache(toy: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = store.load("toy", toy.data_dir)
    (path,) = _cached(tmp_path)
    assert path.name.startswith("toy-")
    _forget()

    def read(*args: object) -> dict[str, Tensor]:
        raise AssertionError("the source was read again")

    monkeypatch.setattr(source, "read", read)
    second = store.load("toy", toy.data_dir)
    assert second is not first
    assert second.data_hash == first.data_hash
    assert _is(second, toy)


def test_a_changed_source_is_read_anew_and_has_another_hash(toy: Source, tmp_path: Path) -> None:
    first = store.load("toy", toy.data_dir)
    toy.pixels["test"][3, 2, 1] ^= 1
    toy.write("test")
    _forget()
    second = store.load("toy", toy.data_dir)
    assert _is(second, toy)
    assert second.data_hash != first.data_hash
    assert len(_cached(tmp_path)) == 2


def test_the_hash_is_of_the_data_not_of_the_files(toy: Source, tmp_path: Path) -> None:
    first = store.load("toy", toy.data_dir).data_hash
    assert store.load("toy", _source(tmp_path / "elsewhere", TOY).data_dir).data_hash == first
    _forget()
    toy.labels["train"][0] = 3
    toy.write("train")
    assert store.load("toy", toy.data_dir).data_hash != first


# Damage


def test_a_truncated_cache_names_the_file(toy: Source, tmp_path: Path) -> None:
    store.load("toy", toy.data_dir)
    (path,) = _cached(tmp_path)
    whole = path.read_bytes()
    for size in (0, 4, 8, 50, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        _forget()
        with pytest.raises(DataError, match=r"corrupt .*delete it and run again") as caught:
            store.load("toy", toy.data_dir)
        assert str(path) in str(caught.value)
    path.unlink()  # as the message says
    assert _is(store.load("toy", toy.data_dir), toy)


def test_one_flipped_bit_anywhere_in_the_cache_names_the_file(toy: Source, tmp_path: Path) -> None:
    """In every byte of the header, where the names, shapes and the hash stand, and here and there in the data."""
    store.load("toy", toy.data_dir)
    (path,) = _cached(tmp_path)
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    for position in (*range(header), *range(header, len(whole), 37), len(whole) - 1):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        _forget()
        with pytest.raises(DataError, match="corrupt") as caught:
            store.load("toy", toy.data_dir)
        assert str(path) in str(caught.value), position


def test_a_cache_that_cannot_be_written_names_the_variable(
    toy: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ACTBENCH_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match="set ACTBENCH_CACHE to a folder that can be") as caught:
        store.load("toy", toy.data_dir)
    assert str(tmp_path / "file" / "cache") in str(caught.value)


def test_a_write_that_is_cut_off_leaves_no_half_of_a_cache(
    toy: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save_file(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
        Path(path).write_bytes(b"half of it")
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(store.safetensors.torch, "save_file", save_file)
        with pytest.raises(DataError, match=r"cannot write the cache .*No space left on device"):
            store.load("toy", toy.data_dir)
    assert _cached(tmp_path) == []
    assert _is(store.load("toy", toy.data_dir), toy)


def test_without_the_variable_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    import platformdirs

    monkeypatch.delenv("ACTBENCH_CACHE")
    assert store.cache_folder() == platformdirs.user_cache_path("actbench")


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


def _columns(toy: Source, image_column: str, **renamed: str) -> None:
    for part in toy.labels:
        columns = {renamed.get(column, column): values for column, values in toy.columns(part).items()}
        toy.write(part, columns, image_column)


def _filled(toy: Source, image_column: str | None, **values: object) -> None:
    for part, labels in toy.labels.items():
        filled = {column: [value] * len(labels) for column, value in values.items()}
        toy.write(part, {**toy.columns(part), **filled}, image_column)


# What is done to a good folder, and what the message must say about it.
DAMAGES: dict[str, tuple[Callable[[Source], object], str]] = {
    "another image column": (lambda toy: _columns(toy, "image", picture="image"), "'picture'"),
    "another label column": (lambda toy: _columns(toy, "picture", kind="label"), "'kind'"),
    "parts that disagree": (
        lambda toy: toy.write("test", {"picture": toy.columns("test")["picture"], "label": toy.labels["test"]}),
        "cannot read",
    ),
    "a missing part": (lambda toy: (toy.folder / "data" / "test-00000-of-00001.parquet").unlink(), "'test'"),
    "a missing row": (
        lambda toy: toy.write("test", {key: values[:-1] for key, values in toy.columns("test").items()}),
        "6 rows, expected 7",
    ),
    "an image of another size": (
        lambda toy: toy.write(
            "test", {**toy.columns("test"), "picture": _pngs(_pixels(replace(TOY, shape=(1, 5, 6)), 7, 0))}
        ),
        "row 0 has .*5, 6.* expected .*6, 5",
    ),
    "a label too high": (lambda toy: _labels(toy, 4), "0 to 4, expected 0 to 3"),
    "a label too low": (lambda toy: _labels(toy, -1), "-1 to 3, expected 0 to 3"),
    "labels that are words": (lambda toy: _filled(toy, "picture", kind="cat"), "'train'"),
    "a missing label": (lambda toy: _labels(toy, None), "'test'"),
    "a missing image": (
        lambda toy: toy.write("test", {**toy.columns("test"), "picture": [None, *toy.columns("test")["picture"][1:]]}),
        "'test'",
    ),
    "numbers for images": (lambda toy: _filled(toy, None, picture=1), "'train'"),
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
        store.load("toy", toy.data_dir)
    assert str(toy.folder) in str(caught.value)
    assert "ACTBENCH_CACHE" not in str(caught.value)  # it is not the cache's fault
    assert _cached(tmp_path) == []  # nor may half of it be taken for the whole next time
    with pytest.raises(DataError, match=REMEDY):
        store.load("toy", toy.data_dir)


def test_after_mending_the_source_it_loads(toy: Source) -> None:
    _truncated_parquet(toy)
    with pytest.raises(DataError):
        store.load("toy", toy.data_dir)
    toy.write("test")
    assert _is(store.load("toy", toy.data_dir), toy)


def test_a_missing_folder_tells_of_both_ways_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"hf download --repo-type dataset {TOY.hub}") as caught:
        store.load("toy", tmp_path)
    assert "--data-dir" in str(caught.value)
    assert "ACTBENCH_DATA" in str(caught.value)
    assert str(tmp_path / "somebody" / "toy") in str(caught.value)


# Two processes

LOADS = """
    import sys, time
    from dataclasses import replace
    from pathlib import Path
    from bench.data import DATASETS, DatasetInfo, source, store

    data_dir, me, shared = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    DATASETS["toy"] = DatasetInfo(**eval(sys.argv[4]))
    real = source.read

    def read(*args):
        (shared / f"read-{me}").touch()
        tensors = real(*args)
        time.sleep(0.3)  # the other one is at the door by now
        return tensors

    source.read = read
    import datasets  # the slow import must not put one of the two ahead
    (shared / f"ready-{me}").touch()
    deadline = time.monotonic() + 60
    while len(list(shared.glob("ready-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    dataset = store.load("toy", data_dir)
    print(dataset.data_hash, store._hash(dataset.tensors))
"""


def test_two_processes_on_an_empty_cache_get_equal_data_and_read_it_once(toy: Source, tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                textwrap.dedent(LOADS),
                toy.data_dir,
                name,
                tmp_path,
                repr({**vars(TOY), "copies": {}}),
            ],
            cwd=Path(store.__file__).parents[2],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    printed = [process.communicate(timeout=120)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert len(list(tmp_path.glob("ready-*"))) == 2
    assert len(list(tmp_path.glob("read-*"))) == 1
    assert {data_hash for line in printed for data_hash in line} == {store.load("toy", toy.data_dir).data_hash}
    assert not list((tmp_path / "cache").glob("*.tmp"))


# The hub


@pytest.fixture
def closed_hub(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A hub that nobody answers for; the list grows with each attempt to reach it."""
    from huggingface_hub import constants

    attempts: list[object] = []
    real = urllib.request.urlopen

    def urlopen(request: Any, **kwargs: Any) -> Any:
        attempts.append(request)
        return real(request, **kwargs)

    monkeypatch.setattr(constants, "ENDPOINT", CLOSED)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return attempts


def test_a_hub_that_cannot_be_reached_tells_of_both_ways_to_name_a_folder(
    closed_hub: list[object], tmp_path: Path
) -> None:
    hubs = [name for name in DATASETS if info(name).hub]
    for name in hubs:
        with pytest.raises(DataError, match="hub cannot be reached") as caught:
            store.load(name)
        for needed in (str(info(name).hub), "--data-dir", "ACTBENCH_DATA"):
            assert needed in str(caught.value)
    assert len(hubs) > 1
    assert len(closed_hub) == 1  # asked once a process, not once a data set
    assert _cached(tmp_path) == []


def test_digits_need_neither_hub_nor_folder_nor_cache(closed_hub: list[object], tmp_path: Path) -> None:
    assert len(_prepare("digits").test) == 360
    assert closed_hub == []
    assert not (tmp_path / "cache").exists()


def test_a_folder_is_read_without_the_hub(closed_hub: list[object], toy: Source) -> None:
    assert _is(store.load("toy", toy.data_dir), toy)
    assert closed_hub == []


def test_the_hubs_data_are_read_and_cached(toy: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    loaded = datasets.load_dataset(str(toy.folder), cache_dir=str(tmp_path / "arrow"))
    asked: list[str] = []
    monkeypatch.setattr(source, "_hub_unreachable", _nothing_wrong)
    monkeypatch.setattr(datasets, "load_dataset", lambda name: (asked.append(name), loaded)[1])
    for _ in range(2):
        assert _is(store.load("toy"), toy)
        store.load.cache_clear()
    assert asked == [TOY.hub]
    assert [path.name for path in _cached(tmp_path)] == ["toy-hub.safetensors"]


def test_a_hub_that_fails_or_is_switched_off_tells_of_both_ways_to_name_a_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """HF_HUB_OFFLINE=1 with nothing in the hub's own cache comes this way."""
    import datasets

    def load_dataset(name: str) -> object:
        raise ConnectionError(f"Couldn't reach '{name}' on the Hub (OfflineModeIsEnabled)")

    monkeypatch.setattr(source, "_hub_unreachable", _nothing_wrong)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(DataError, match="OfflineModeIsEnabled") as caught:
        store.load("toy")
    for needed in (str(TOY.hub), "--data-dir", "ACTBENCH_DATA"):
        assert needed in str(caught.value)


class _NothingWrong:
    """Stands for the check of the hub, with its `cache_clear`."""

    def __call__(self) -> str:
        return ""

    def cache_clear(self) -> None:
        pass


_nothing_wrong = _NothingWrong()
