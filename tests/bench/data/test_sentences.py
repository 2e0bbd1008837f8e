"""Sentences of GLUE: split as document A3 has them, turned into ids, or refused with a message naming the damage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import made_text
from bench.data import DATASETS, DataError, info, parts, sentences, store
from bench.data.locations import Locations
from bench.data.parts import Part
from made_data import RECIPE, cached, forget
from made_data import write as write_parquet
from made_text import TOY

PAD, UNKNOWN, BEGIN, END = range(4)


@pytest.fixture(autouse=True)
def _listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, TOY.name, TOY)


@pytest.fixture
def where(tmp_path: Path) -> Locations:
    return Locations(made_text.write(tmp_path / "data"))


def _rows(dataset: store.Dataset, part: str) -> list[list[int]]:
    """The ids of each sentence of a part, without padding."""
    return [[token for token in row if token != PAD] for row in dataset.part(part)[0].tolist()]


def test_a_thousand_rows_of_the_public_training_part_are_the_test_part() -> None:
    public = {"cola": (8551, 1043), "sst2": (67349, 872)}  # rows of the hub's files
    for name, (train, validation) in public.items():
        assert info(name).rows == (train - 1000, 1000)
        assert info(name).validation_rows == validation


def test_parts_have_the_rows_of_their_record_and_as_many_of_each_class_as_the_whole(where: Locations) -> None:
    dataset = store.load(TOY.name, where)
    assert [len(dataset.part(part)[1]) for part in ("train", "test")] == list(TOY.rows)
    assert dataset.part("validation")[1].tolist() == made_text.columns("validation")["label"]
    for part in ("train", "test"):
        assert dataset.part(part)[1].float().mean().item() == pytest.approx(0.6)


def test_a_sentence_begins_and_ends_as_bert_has_it_and_is_padded_behind(where: Locations) -> None:
    for part in ("train", "validation", "test"):
        ids, labels = store.load(TOY.name, where).part(part)
        assert ids.dtype == labels.dtype == torch.int64
        assert (ids[:, 0] == BEGIN).all()
        for row in ids.tolist():
            end = row.index(END)
            assert PAD not in row[:end]
            assert not any(row[end + 1 :])


def test_training_and_test_part_share_no_sentence_and_labels_stay_with_theirs(tmp_path: Path) -> None:
    """With a tokenizer that knows every word of the public training part, so that no two sentences look alike."""
    data_dir, folder = made_text.write(tmp_path / "data"), made_text.bert(tmp_path / "bert")
    dataset = store.load(TOY.name, Locations(data_dir, bert=str(folder)))
    from transformers import AutoTokenizer

    public = made_text.columns("train")
    known = AutoTokenizer.from_pretrained(folder)(public["sentence"])["input_ids"]
    labels = {tuple(ids): label for ids, label in zip(known, public["label"], strict=True)}
    assert len(labels) == sum(TOY.rows)
    seen = [(tuple(ids), label) for part in ("train", "test") for ids, label in _labelled(dataset, part)]
    assert dict(seen) == labels
    assert len(seen) == len(labels)


def _labelled(dataset: store.Dataset, part: str) -> zip[tuple[list[int], int]]:
    return zip(_rows(dataset, part), dataset.part(part)[1].tolist(), strict=True)


def test_the_split_is_the_same_whatever_the_tokenizer(tmp_path: Path) -> None:
    data_dir, folder = made_text.write(tmp_path / "data"), made_text.bert(tmp_path / "bert")
    words = store.load(TOY.name, Locations(data_dir))
    pieces = store.load(TOY.name, Locations(data_dir, bert=str(folder)))
    for part in ("train", "validation", "test"):
        assert torch.equal(words.part(part)[1], pieces.part(part)[1])
        assert list(map(len, _rows(words, part))) == list(map(len, _rows(pieces, part)))  # words either way
    assert words.data_hash != pieces.data_hash


def test_the_vocabulary_holds_the_most_frequent_words_and_ties_go_by_spelling() -> None:
    tokenizer = sentences.vocabulary(["b B c", "É b d", "a c e"], vocab_size=8)
    known = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    assert known == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "b", "c", "e", "a"]  # 3, 2, 2 and 1 times: d has no room


def test_words_outside_the_vocabulary_are_unknown_and_those_of_the_other_parts_do_not_count(where: Locations) -> None:
    dataset = store.load(TOY.name, where)
    ids = torch.cat([dataset.part(part)[0].flatten() for part in ("train", "validation", "test")])
    assert ids.max() == TOY.vocab_size - 1
    tokenizer = sentences.vocabulary([*made_text.columns("train")["sentence"]], None)
    assert "train0" in tokenizer.get_vocab()
    assert "validation0" not in tokenizer.get_vocab()
    assert all(UNKNOWN in row for row in _rows(dataset, "validation"))


def test_a_sentence_is_cut_at_the_longest_length_and_still_ends(where: Locations) -> None:
    columns = made_text.columns("validation")
    columns["sentence"][3] = "film " * 1000
    write_parquet(made_text.file(where.data_dir, "validation"), columns)
    row = store.load(TOY.name, where).part("validation")[0][3].tolist()
    assert len(row) == sentences.MAX_LENGTH
    assert (row[0], row[-1]) == (BEGIN, END)
    assert len(set(row[1:-1])) == 1


def test_a_tokenizer_that_pads_with_another_id_is_refused(where: Locations, tmp_path: Path) -> None:
    folder = made_text.bert(tmp_path / "bert", pad_token="[SEP]")
    with pytest.raises(DataError, match=r"pads with id 3, and here 0 is padding.*--bert") as caught:
        store.load(TOY.name, Locations(where.data_dir, bert=str(folder)))
    assert str(folder) in str(caught.value)


def test_the_cache_is_of_one_source_and_one_tokenizer(where: Locations, tmp_path: Path) -> None:
    folder = made_text.bert(tmp_path / "bert")
    places = [where, Locations(where.data_dir, bert=str(folder))]
    for _ in range(2):
        for place in places:
            store.load(TOY.name, place)
        forget()
    assert len(cached(tmp_path)) == 2
    columns = made_text.columns("validation")
    write_parquet(made_text.file(where.data_dir, "validation"), {**columns, "sentence": columns["sentence"][::-1]})
    assert store.load(TOY.name, where).data_hash
    assert len(cached(tmp_path)) == 3
    (folder / "tokenizer.json").write_text((folder / "tokenizer.json").read_text() + "\n")
    store.load(TOY.name, places[1])
    assert len(cached(tmp_path)) == 4


def _changed(data_dir: Path, part: str, **changes: Any) -> None:
    """Columns replaced, or left out where they are None."""
    columns = {**made_text.columns(part), **changes}
    columns = {name: values for name, values in columns.items() if values is not None}
    write_parquet(made_text.file(data_dir, part), columns)


def _renamed(data_dir: Path, old: str, new: str) -> None:
    for part in made_text.PARTS:
        _changed(data_dir, part, **{old: None, new: made_text.columns(part)[old]})


def _first(part: str, column: str, value: object) -> dict[str, list[Any]]:
    return {column: [value, *made_text.columns(part)[column][1:]]}


# What is done to a good folder, and what the message must say about it.
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "another sentence column": (lambda folder: _renamed(folder, "sentence", "text"), "no column 'sentence'.*text"),
    "another label column": (lambda folder: _renamed(folder, "label", "class"), "no column 'label'.*class"),
    "a missing training row": (
        lambda folder: _changed(folder, "train", **{name: v[1:] for name, v in made_text.columns("train").items()}),
        "'train': 49 rows, expected 50",
    ),
    "a missing validation row": (
        lambda folder: _changed(
            folder, "validation", **{name: v[1:] for name, v in made_text.columns("validation").items()}
        ),
        "'validation': 11 rows, expected 12",
    ),
    "a missing part": (lambda folder: made_text.file(folder, "validation").unlink(), "'validation': no such part"),
    "a hidden label": (
        lambda folder: _changed(folder, "train", **_first("train", "label", -1)),
        "'train': labels from -1 to 1, expected 0 to 1",
    ),
    "a label too high": (
        lambda folder: _changed(folder, "validation", **_first("validation", "label", 2)),
        "'validation': labels from 0 to 2, expected 0 to 1",
    ),
    "a missing label": (lambda folder: _changed(folder, "train", **_first("train", "label", None)), "'train'"),
    "a missing sentence": (
        lambda folder: _changed(folder, "train", **_first("train", "sentence", None)),
        "'train': row 0 holds None, expected a sentence",
    ),
    "numbers for sentences": (
        lambda folder: [_changed(folder, part, sentence=[1] * rows) for part, rows in made_text.PARTS.items()],
        "'train': row 0 holds 1, expected a sentence",
    ),
    "a truncated file": (
        lambda folder: made_text.file(folder, "train").write_bytes(made_text.file(folder, "train").read_bytes()[:-100]),
        "cannot read",
    ),
    "no files": (
        lambda folder: [made_text.file(folder, part).unlink() for part in made_text.PARTS],
        "no .parquet file there",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_source_is_named_with_how_to_mend_it(damage: str, where: Locations, tmp_path: Path) -> None:
    harm, said = DAMAGES[damage]
    harm(where.data_dir)
    with pytest.raises(DataError, match=said) as caught:
        store.load(TOY.name, where)
    assert str(where.data_dir / str(TOY.hub)) in str(caught.value)
    assert "download them again" in str(caught.value) or "hf download" in str(caught.value)
    assert cached(tmp_path) == []


# Sentences as parts of a run


def test_sentences_reach_the_network_with_the_number_of_ids_and_those_of_an_encoder_with_its_folder(
    where: Locations, tmp_path: Path
) -> None:
    from dataclasses import replace

    cpu = torch.device("cpu")
    folder = str(made_text.bert(tmp_path / "bert"))
    words = parts.prepare(TOY.name, replace(RECIPE, validation_size=None), cpu, where=replace(where, bert=folder))
    assert words.model_arguments == {"vocab_size": TOY.vocab_size}  # the recipe has no encoder to take the place of
    pieces = parts.prepare(TOY.name, replace(RECIPE, encoder=folder, validation_size=None), cpu, where=where)
    assert pieces.model_arguments == {"pretrained": folder}
    assert len(pieces.validation) == TOY.validation_rows
    assert words.data_hash != pieces.data_hash


@pytest.fixture
def ragged() -> Part:
    """1000 sentences of 1 to 30 ids, from short to long; the first id is the number of the row, from 1."""
    lengths = torch.randint(1, 31, (1000,), generator=torch.Generator().manual_seed(0)).sort().values
    ids = torch.full((1000, 30), 7)
    ids[:, 0] = torch.arange(1, 1001)
    ids[torch.arange(30) >= lengths[:, None]] = 0
    return Part(ids, torch.arange(1000) % 2, lengths.tolist())


def test_batches_hold_every_sentence_once_beside_others_of_about_its_length_and_no_needless_padding(
    ragged: Part,
) -> None:
    batches = list(ragged.batches(32, torch.Generator().manual_seed(0)))
    assert sorted(int(row[0]) for ids, _ in batches for row in ids) == list(range(1, 1001))
    for ids, labels in batches:
        assert torch.equal(labels, (ids[:, 0] - 1) % 2)
        lengths = (ids != 0).sum(1)
        assert ids.shape[1] == lengths.max()
        assert lengths.max() - lengths.min() <= 4
    widths = [ids.shape[1] for ids, _ in batches]
    assert widths != sorted(widths)  # short and long ones take turns
    again = [ids.shape[1] for ids, _ in ragged.batches(32, torch.Generator().manual_seed(1))]
    assert widths != again


def test_evaluation_goes_from_short_to_long_without_needless_padding(ragged: Part) -> None:
    batches = list(ragged.in_turn(100))
    assert [int(row[0]) for ids in batches for row in ids] == list(range(1, 1001))
    assert all(ids.shape[1] == (ids != 0).sum(1).max() for ids in batches)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("tokenizer.json", "{}", "cannot read tokenizer .*added_tokens"),
        ("tokenizer.json", '{"version": "1', "cannot read tokenizer .*Unterminated"),
        ("config.json", '{"model_type": "bert", "vocab_size": 5}', r"tokenizer .* has \d+ ids, .* embeds 5"),
    ],
)
def test_a_tokenizer_that_cannot_be_used_names_its_folder_and_the_option(
    file: str, content: str, message: str, where: Locations, tmp_path: Path
) -> None:
    folder = made_text.bert(tmp_path / "bert")
    (folder / file).write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        store.load("toy_text", replace(where, bert=str(folder)))
    assert str(folder) in str(caught.value)
    assert "give --bert a folder" in str(caught.value)
