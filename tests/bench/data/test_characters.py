"""Texts as rows of bytes: the hub's in three parts and the user's own, or refused with a message that says why."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import models
from bench.data import DATASETS, DataError, DatasetInfo, info, made_rows, own, parts, store
from bench.data.locations import Locations
from made_data import CPU, RECIPE, write

TEXT = replace(info("text"), shape=(4,))
SHAKESPEARE = replace(info("tiny_shakespeare"), shape=(4,), rows=(3, 1), validation_rows=2)
WHOLE = b"".join(b"%02d" % number for number in range(100))  # 200 characters


@pytest.fixture(autouse=True)
def _short_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    for entry in (TEXT, SHAKESPEARE):
        monkeypatch.setitem(DATASETS, entry.name, entry)


def load(path: Path) -> store.Dataset:
    return store.load("text", Locations(text=path))


def told(dataset: store.Dataset, part: str) -> list[tuple[bytes, bytes]]:
    return [(bytes(row.tolist()), bytes(after.tolist())) for row, after in zip(*dataset.part(part), strict=True)]


def test_a_text_is_cut_into_rows_side_by_side_each_labelled_by_what_is_one_further(tmp_path):
    (tmp_path / "my.txt").write_bytes(WHOLE)
    dataset = load(tmp_path / "my.txt")
    assert told(dataset, "train")[0] == (WHOLE[:4], WHOLE[1:5])
    assert told(dataset, "train")[-1] == (WHOLE[172:176], WHOLE[173:177])
    assert told(dataset, "validation") == [(WHOLE[180:184], WHOLE[181:185]), (WHOLE[184:188], WHOLE[185:189])]
    assert told(dataset, "test") == [(WHOLE[190:194], WHOLE[191:195]), (WHOLE[194:198], WHOLE[195:199])]


def test_it_may_be_packed_and_hold_bytes_that_are_no_utf_8(tmp_path):
    odd = WHOLE[:-1] + b"\xff"
    (tmp_path / "odd.gz").write_bytes(gzip.compress(odd))
    (tmp_path / "odd").write_bytes(odd)
    assert load(tmp_path / "odd.gz").data_hash == load(tmp_path / "odd").data_hash


def test_a_changed_file_is_read_anew(tmp_path):
    (tmp_path / "my.txt").write_bytes(WHOLE)
    before = load(tmp_path / "my.txt").data_hash
    (tmp_path / "my.txt").write_bytes(WHOLE + b"more")
    store._load.cache_clear()
    assert load(tmp_path / "my.txt").data_hash != before


def test_what_a_run_sees_are_whole_numbers_with_a_label_for_each(tmp_path):
    (tmp_path / "my.txt").write_bytes(WHOLE)
    recipe = replace(RECIPE, validation_size=None)
    seen = parts.prepare("text", recipe, CPU, where=Locations(text=tmp_path / "my.txt"))
    assert seen.model_arguments == {}
    assert seen.num_classes == 256
    for part in (seen.train, seen.validation, seen.test):
        assert part.inputs.dtype == part.labels.dtype == torch.int64
        assert part.labels.shape == part.inputs.shape


def test_without_a_file_the_message_says_how_to_give_one():
    with pytest.raises(DataError, match="--text FILE"):
        store.load("text")


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "is empty"), (b"short", "give a longer text"), (b"a\0b" * 99, "binary data")]
)
def test_a_file_that_is_no_text_to_learn_is_refused(tmp_path, content, message):
    (tmp_path / "my.txt").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load(tmp_path / "my.txt")


def publish(folder: Path, **texts: str) -> Locations:
    for part, text in texts.items():
        write(folder / str(SHAKESPEARE.hub) / "data" / f"{part}-00000-of-00001.parquet", {"text": [text]})
    return Locations(folder)


def test_the_hubs_text_keeps_its_parts(tmp_path):
    where = publish(tmp_path, train="abcdefghijklmn", validation="123456789", test="xyzuv")
    dataset = store.load("tiny_shakespeare", where)
    assert [row for row, _ in told(dataset, "train")] == [b"abcd", b"efgh", b"ijkl"]
    assert told(dataset, "validation") == [(b"1234", b"2345"), (b"5678", b"6789")]
    assert told(dataset, "test") == [(b"xyzu", b"yzuv")]


def test_a_text_of_another_length_is_not_the_hubs(tmp_path):
    where = publish(tmp_path, train="abcdefgh", validation="123456789", test="xyzuv")
    with pytest.raises(DataError, match=r"part 'train': 1 rows of 4 characters, expected 3; download it again"):
        store.load("tiny_shakespeare", where)


def test_a_folder_without_it_says_how_to_get_it(tmp_path):
    with pytest.raises(DataError, match="hf download --repo-type dataset karpathy/tiny_shakespeare"):
        store.load("tiny_shakespeare", Locations(tmp_path))


def test_a_text_of_a_users_own_experiment_has_an_id_and_a_label_at_each_place():
    entry = DatasetInfo("mine", "mine", num_classes=3, shape=(4,), rows=(5, 2), kind="text")
    rows = {"train": 5, "test": 2}
    made = {f"{part}_{held}": torch.ones(n, 4).byte() for part, n in rows.items() for held in ("text", "labels")}
    assert own.checked(entry, lambda: made).keys() == made.keys()
    for name in ("train_text", "test_labels"):
        with pytest.raises(DataError, match=f"{name} go from 1 to 3, not from 0 to 2"):
            own.checked(entry, lambda name=name: {**made, name: made[name].index_fill(0, torch.tensor([1]), 3)})
    with pytest.raises(DataError, match=r"train_labels is of shape \(5,\), its record says \(5, 4\)"):
        own.checked(entry, lambda: {**made, "train_labels": torch.ones(5).byte()})


@pytest.mark.parametrize("sizes", [{}, {"heads": 5, "width": 640}, {"width": 60, "depth": 1}])
def test_first_steps_are_of_a_network_that_can_be_built_whatever_its_sizes(sizes):
    recipe = replace(RECIPE, model_arguments=sizes)
    smaller = made_rows.smaller(recipe, "gpt").model_arguments
    models.build("gpt", input_shape=(4,), num_classes=3, activation="relu", **smaller)
    assert smaller["width"] <= 192
    assert smaller["depth"] <= 2
    assert made_rows.smaller(recipe, "mlp") == recipe
