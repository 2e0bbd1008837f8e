"""Tweets with part-of-speech tags: the CoNLL reader, the rows made of tweets, and what is said of files that are not
right."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.data import DataError, info, store, tweets
from bench.data.locations import Locations
from made_data import prepare

TWEETS = {
    "train": "ikr\t!\nsmh\tG\nhe\tO\nasked\tV\n\n@user\t@\nhttp://t.co/x\tU\n:)\tE\n",
    "validation": "sooooo\tR\n#fail\t#\n\n",
    "test": "he\tO\n\nwon't\tV\n4ever\tR\n",
}
CLUSTERS = "0010\the\t900\n0011\t<@MENTION>\t800\n111\tso\t70\n01\tasked\t6\n"
ENTRY = replace(info("twitter_pos"), rows=(7, 3), validation_rows=2)

words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(str.strip)
tokens = st.builds(tweets.Token, words, st.sampled_from(tweets.TAGS))


@pytest.fixture
def where(tmp_path: Path) -> Locations:
    folder = tmp_path / tweets.FOLDER
    folder.mkdir(parents=True)
    for part, name in tweets.FILES.items():
        (folder / name).write_text(TWEETS[part], encoding="utf-8")
    (folder / tweets.CLUSTERS).write_bytes(gzip.compress(CLUSTERS.encode()))
    return Locations(tmp_path)


def _conll(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "some.conll"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@given(st.lists(st.lists(tokens, min_size=1), min_size=1))
def test_any_words_survive_being_written_and_read(tmp_path_factory: pytest.TempPathFactory, written: list) -> None:
    lines = "\n\n".join("\n".join(f"{word}\t{tag}" for word, tag in tweet) for tweet in written)
    path = _conll(tmp_path_factory.mktemp("conll"), lines)
    assert tweets.read_conll(path) == written


@pytest.mark.parametrize(
    "content",
    [
        "he\tO\nran\tV\n\n:)\tE\n",
        "he\tO\nran\tV\n\n:)\tE",
        "\n\nhe\tO\nran\tV\n\n\n \n:)\tE\n\n\n",
        "he\tO  \nran\tV \n  \n:)\tE\n",
        "he\tO\r\nran\tV\r\n\r\n:)\tE\r\n",
        b"\xef\xbb\xbfhe\tO\nran\tV\n\n:)\tE\n",
    ],
    ids=["plain", "no last line end", "empty tweets", "blanks", "CRLF", "byte order mark"],
)
def test_a_file_means_the_same_however_its_lines_end(tmp_path: Path, content: str | bytes) -> None:
    assert tweets.read_conll(_conll(tmp_path, content)) == [[("he", "O"), ("ran", "V")], [(":)", "E")]]


@pytest.mark.parametrize(
    "line",
    ["he O", "he", "he\tQ", "he\t", "\tO", "he\tO\tO", "he\t\tO", "he\to"],
    ids=["no tab", "no tag", "unknown tag", "empty tag", "no word", "third column", "empty column", "lower case"],
)
def test_a_malformed_line_is_named_with_the_tags_there_are(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError) as caught:
        tweets.read_conll(_conll(tmp_path, f"ran\tV\n{line}\n"))
    assert "some.conll, line 2: " in str(caught.value)
    assert repr(line) in str(caught.value)
    assert "25 tags N O ^" in str(caught.value)


@pytest.mark.parametrize(("content", "said"), [("", "is empty"), ("\n\n \n", "holds no tweet")])
def test_a_file_without_a_tweet_is_named(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(DataError, match=rf"some\.conll {said}"):
        tweets.read_conll(_conll(tmp_path, content))


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*some\.conll: 'utf-8' codec"):
        tweets.read_conll(_conll(tmp_path, "café\tN\n".encode("latin-1")))


def test_there_are_as_many_different_tags_as_classes() -> None:
    assert len(set(tweets.TAGS)) == len(tweets.TAGS) == info("twitter_pos").num_classes


def test_a_row_is_a_word_between_its_neighbours_and_nothing_lies_beyond_a_tweet() -> None:
    first, second = [tweets.Token(word, "N") for word in "abc"], [tweets.Token("a", "N")]
    rows = tweets.windows([first, second], {"a": 1, "b": 2, "c": 3})
    assert rows.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 0], [0, 1, 0]]


def test_every_part_has_a_row_and_a_label_a_word(where: Locations) -> None:
    read = tweets.read(ENTRY, where)
    for part, rows in (("train", 7), ("validation", 2), ("test", 3)):
        assert read[f"{part}_tokens"].shape == (rows, *ENTRY.shape)
        assert read[f"{part}_tokens"].dtype == read[f"{part}_labels"].dtype == torch.int64
    assert "".join(tweets.TAGS[label] for label in read["train_labels"]) == "!GOV@UE"
    he, lonely_he = read["train_tokens"][2], read["test_tokens"][0]
    assert torch.equal(he[1], lonely_he[1])
    assert he.all()
    assert not lonely_he[[0, 2]].any()


def test_with_vectors_a_row_holds_theirs(where: Locations, tmp_path: Path) -> None:
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("he 1 2\nasked 3 4\n<user> 5 6\n")
    read = tweets.read(ENTRY, replace(where, vectors=vectors))
    assert read["train_tokens"][2].tolist() == [[0, 0], [1, 2], [3, 4]]
    assert read["train_tokens"][4].tolist() == [[0, 0], [5, 6], [0, 0]]
    assert read["train_tokens"].dtype == torch.float32
    assert torch.equal(read["test_labels"], tweets.read(ENTRY, where)["test_labels"])


def test_without_a_folder_the_error_says_where_to_get_the_files_and_where_to_put_them() -> None:
    with pytest.raises(DataError) as caught:
        store.load("twitter_pos", Locations())
    for said in (
        *tweets.FILES.values(),
        tweets.CLUSTERS,
        "--data-dir DIR",
        "DIR/brendano/twitter-pos",
        "ark-tweet-nlp",
    ):
        assert said in str(caught.value)


@pytest.mark.parametrize("name", [*tweets.FILES.values(), tweets.CLUSTERS])
def test_a_missing_file_is_named(where: Locations, name: str) -> None:
    assert where.data_dir is not None
    (where.data_dir / tweets.FOLDER / name).unlink()
    with pytest.raises(DataError, match=f"Twitter POS: no {name} in .*twitter-pos"):
        tweets.read(ENTRY, where)


def test_vectors_need_no_clusters_and_are_cached_until_their_file_changes(where: Locations, tmp_path: Path) -> None:
    assert where.data_dir is not None
    (where.data_dir / tweets.FOLDER / tweets.CLUSTERS).unlink()
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("he 1 2\n")
    given = replace(where, vectors=vectors)
    before = tweets.stamp(ENTRY, given)
    assert before == tweets.stamp(ENTRY, given)
    assert tweets.read(ENTRY, given)["test_tokens"].shape == (3, 3, 2)
    vectors.write_text("he 1 2 3\n")
    assert before != tweets.stamp(ENTRY, given)
    assert tweets.stamp(ENTRY, where) is None


def test_another_edition_is_refused_with_the_numbers(where: Locations) -> None:
    with pytest.raises(DataError, match=r"\[7, 2, 3\] tokens in .*expected \[14619, 4823, 7152\]"):
        tweets.read(info("twitter_pos"), where)


def test_a_network_is_told_the_number_of_ids(where: Locations, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(store.info.__globals__["DATASETS"], ENTRY.name, ENTRY)
    parts = prepare(ENTRY.name, where.data_dir, validation_size=None)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (7, 2, 3)
    assert parts.input_shape == ENTRY.shape
    highest = max(int(part.inputs.max()) for part in (parts.train, parts.validation, parts.test))
    assert parts.model_arguments == {"vocab_size": highest + 1}
