"""Features of words: kinds of tokens, spellings to look up, Brown clusters, and the ids of all of them."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data import DataError, word_features
from bench.data.word_forms import kind, normal, shape, spellings

KINDS = {
    "url": ["http://t.co/abc", "HTTPS://x.y", "http", "www.cmu.edu", "bit.ly/9", "meat.org", "http://"],
    "mention": ["@user", "@1MEECH_G", "＠user"],
    "hashtag": ["#fail", "#100days", "#a"],
    "emoticon": [":)", ":-P", "=]", ";)", "D:", "(:", "xD", "XDD", "<3", "<333", "-_-", "o_O", "^_^", "^^", "♥", "☺"],
    "number": ["4", "10:30", "1,000", "$25", "10/27/2010", "3.5%", "2nd", "80s", "-3"],
    "word": ["lol", "Über", "سلام", "x", "XL"],
    "punctuation": [".", "!!!", "...", "--", "#", "@", "“", "_"],
    "mixed": ["won't", "4ever", "U.S.", "lil_tommy", "wi-fi", "general)", "much-__-x"],
}


@pytest.mark.parametrize(("word", "expected"), [(word, name) for name, words in KINDS.items() for word in words])
def test_a_token_is_of_its_kind(word: str, expected: str) -> None:
    assert kind(word) == expected


@pytest.mark.parametrize(
    ("word", "listed"),
    [
        ("Texas", "texas"),
        ("sooooo", "so"),
        ("goooood", "good"),
        ("won’t", "won't"),
        ("@anyone", "<@MENTION>"),
        ("@anyone", "<user>"),
        ("http://www.Twitpic.com/31eb6h", "<URL-twitpic.com>"),
        ("http://nobody.knows/x", "<URL-bit.ly>"),
        ("http://nobody.knows/x", "<url>"),
        ("#Money", "money"),
        ("19:26", "00:00"),
        ("17", "<number>"),
        ("“people", "people"),
    ],
)
def test_a_word_is_looked_up_under_what_lists_call_it(word: str, listed: str) -> None:
    assert listed in list(spellings(word))[1:]


@given(st.text(min_size=1))
def test_a_words_own_spelling_goes_first_and_any_token_has_features(word: str) -> None:
    assert next(spellings(word)) == word
    assert kind(word) in KINDS
    assert word_features.features(word, {word: "01"})[0] == "01"
    assert len(word_features.features(word, {})) == len(word_features.features("lol", {}))


def test_names_addresses_digits_and_length_are_no_part_of_a_normal_form() -> None:
    assert normal("@one") == normal("@other") != normal("one")
    assert normal("http://a.b") == normal("www.c.com/d")
    assert normal("10:30") == normal("12:45") != normal("1:30")
    assert normal("Sooooo") == normal("sooo") != normal("so")


@pytest.mark.parametrize(
    ("word", "expected"), [("Texas", "Xx"), ("iPhone", "xXx"), ("4ever", "0x"), ("won't", "x'x"), ("...", ".")]
)
def test_a_shape_has_one_letter_a_run(word: str, expected: str) -> None:
    assert shape(word) == expected


def test_slots_share_no_ids_and_0_is_left_for_padding() -> None:
    words = ["he", "she", "He", "4ever", ":)"]
    ids = word_features.encode_features(words, Counter(dict.fromkeys(words, 2)), {"he": "0010", "she": "0011"})
    assert len(ids) == len(words)
    assert ids.min() > 0
    slots = [set(slot.tolist()) for slot in ids.T]
    assert sum(map(len, slots)) == len(set.union(*slots))


def test_words_of_one_branch_share_its_prefixes_and_no_more() -> None:
    clusters = {"cat": "00100", "dogs": "00111"}
    cat, dogs = (word_features.features(word, clusters) for word in clusters)
    paths = len(word_features.PREFIX_BITS)
    assert cat[:paths] == ("00", "0010", *["00100"] * (paths - 2))
    assert dogs[:paths] == ("00", "0011", *["00111"] * (paths - 2))


def test_what_training_has_seen_once_or_never_is_unknown_and_depends_on_no_other_part() -> None:
    seen = Counter({"cat": 5, "once": 1})
    ids = word_features.encode_features(["cat", "once", "never"], seen, {})
    form = len(word_features.PREFIX_BITS)
    assert ids[0, form] != ids[1, form] == ids[2, form]
    more = word_features.encode_features(["cat", "once", "never", "other", "words"], seen, {})
    assert more[:3].equal(ids)


def _clusters(tmp_path: Path, content: bytes, name: str = "paths.gz") -> Path:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


@pytest.mark.parametrize("name", ["paths.gz", "paths.txt"])
def test_clusters_are_read_packed_or_not(tmp_path: Path, name: str) -> None:
    path = _clusters(tmp_path, "0010\té\t9\n01\t\u2028x\t1\n".encode(), name)
    assert word_features.read_clusters(path) == {"é": "0010", "\u2028x": "01"}


@pytest.mark.parametrize("line", ["0010 he 9", "0012\the\t9", "0010\the", "\the\t9", "0010\t\t9", "0010\the\tmany"])
def test_a_line_that_is_no_cluster_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError, match=r"paths\.gz, line 2: ") as caught:
        word_features.read_clusters(_clusters(tmp_path, f"0010\tshe\t9\n{line}\n".encode()))
    assert repr(line) in str(caught.value)


@pytest.mark.parametrize(
    "damage", [lambda packed: packed[:-12], lambda packed: b"\xff\x01", lambda packed: packed[:20] + b"\0" * 9]
)
def test_clusters_that_are_cut_off_or_not_gzip_are_named(tmp_path: Path, damage) -> None:
    path = _clusters(tmp_path, b"0010\the\t9\n" * 50)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=r"cannot read .*paths\.gz: .*; download it again"):
        word_features.read_clusters(path)


def test_an_empty_file_of_clusters_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"paths\.gz is empty"):
        word_features.read_clusters(_clusters(tmp_path, b""))


def test_an_empty_last_line_of_clusters_is_none(tmp_path: Path) -> None:
    path = _clusters(tmp_path, b"0010\the\t9\n\n")
    assert word_features.read_clusters(path) == {"he": "0010"}
