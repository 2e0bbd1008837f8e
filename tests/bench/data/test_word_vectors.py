"""Vectors of words: the formats of word2vec, GloVe and others, fallbacks, and files that are not right."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest

from bench.data import DataError
from bench.data.word_vectors import UNKNOWN, encode_vectors

ROWS = "he 1 0.5\nran -2e-1 3\n"


def _file(tmp_path: Path, content: str | bytes, name: str = "vectors.txt") -> Path:
    path = tmp_path / name
    packed = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(packed) if name.endswith(".gz") else packed)
    return path


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        f"2 2\n{ROWS}",
        ROWS.replace("\n", " \n"),
        ROWS.replace("\n", "\r\n"),
        ROWS.replace("he ", "he\t"),
        f"{ROWS}\u0085 7 8\n".encode(),
        f"{ROWS}. . . 7 8\nat me@x.com 7 8\n",
        ROWS.encode() + b"caf\xe9 7 8\n",
        f"{ROWS}\n",
        f"{ROWS}he 9 9\nxyzzy 1 2\nxyzzy 3 4\n",
        f"2 2 \n{ROWS}".replace(" ", "  "),
        ROWS.encode("utf-16"),
        "".join(f" {line}\n" for line in f"2 2\n{ROWS}".splitlines()),
    ],
    ids=[
        *("GloVe", "word2vec", "blanks", "CRLF", "tab", "odd word", "words with blanks", "not UTF-8"),
        *("empty last line", "words twice", "aligned", "UTF-16", "aligned to the right"),
    ],
)
@pytest.mark.parametrize("name", ["vectors.txt", "vectors.txt.gz"])
def test_a_word_gets_its_vector_in_every_format(tmp_path: Path, content: str | bytes, name: str) -> None:
    found = encode_vectors(["ran", "he"], _file(tmp_path, content, name))
    assert found.flatten().tolist() == pytest.approx([-0.2, 3, 1, 0.5])


@pytest.mark.parametrize(
    ("word", "listed"),
    [
        ("He", "he"),
        ("heeeeee", "hee"),
        ("@me", "<user>"),
        ("http://t.co/x", "<url>"),
        ("17", "<number>"),
        ("#ran", "ran"),
    ],
)
def test_a_word_that_is_missing_goes_by_its_nearest_spelling(tmp_path: Path, word: str, listed: str) -> None:
    assert encode_vectors([word, "go"], _file(tmp_path, f"go 9 9\n{listed} 1 2\n")).tolist() == [[1, 2], [9, 9]]


def test_the_exact_spelling_goes_before_any_other(tmp_path: Path) -> None:
    assert encode_vectors(["US", "us"], _file(tmp_path, "us 1 1\nUS 2 2\n")).tolist() == [[2, 2], [1, 1]]


def test_an_unknown_word_is_zero_where_the_file_has_nothing_for_it(tmp_path: Path) -> None:
    assert encode_vectors(["he", "xyzzy"], _file(tmp_path, ROWS)).tolist() == [[1, 0.5], [0, 0]]


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_word_gets_the_files_own_vector_for_such(tmp_path: Path, name: str) -> None:
    assert encode_vectors(["he", "xyzzy"], _file(tmp_path, f"{ROWS}{name} 7 8\n")).tolist() == [[1, 0.5], [7, 8]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{ROWS}she 1\n", "line 3: 1 numbers behind a word, expected 2"),
        (f"{ROWS}she 1 2 3\n", "line 3: 3 numbers behind a word, expected 2"),
        (f"2 3\n{ROWS}", "line 2: 2 numbers behind a word, expected 3"),
        (f"3 2\n{ROWS}", "2 vectors, its first line promises 3"),
        (f"{ROWS}go 1 x\n", "line 3: the vector of 'go' is not of finite numbers"),
        (f"{ROWS}go 1 nan\n", "line 3: the vector of 'go' is not of finite numbers"),
        (f"{ROWS}go 1_5 1\n", "line 3: the vector of 'go' is not of finite numbers"),
        (f"{ROWS}\0\0", "holds binary data, not text"),
        ("xyzzy 1 2\n", "none of the 3 words of the data has a vector there"),
        ("", "is empty"),
        ("he\n", "line 1: 0 numbers behind a word"),
    ],
)
def test_a_file_that_is_not_right_is_named_with_the_line(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        encode_vectors(["he", "ran", "go"], _file(tmp_path, content))
    assert f"{tmp_path / 'vectors.txt'}" in str(caught.value)
    assert said in str(caught.value)


def test_a_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    path = _file(tmp_path, ROWS * 99, "vectors.txt.gz")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"cannot read .*vectors\.txt\.gz"):
        encode_vectors(["nothing"], path)


def _zip(content: bytes, *others: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("vectors.txt", *others):
            archive.writestr(name, content)
    return stream.getvalue()


PACKINGS = {"plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zip": _zip}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", ["vectors", "vectors.GZ", "vectors.gz", "vectors.bz2", "vectors.txt"])
def test_how_a_file_is_packed_is_read_off_its_first_bytes(tmp_path: Path, packing: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PACKINGS[packing](ROWS.encode()))
    assert encode_vectors(["ran", "he"], path).flatten().tolist() == pytest.approx([-0.2, 3, 1, 0.5])


@pytest.mark.parametrize("packing", [name for name in PACKINGS if name != "plain"])
def test_what_is_packed_and_cut_off_is_named(tmp_path: Path, packing: str) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(PACKINGS[packing](ROWS.encode() * 99)[:-9])
    with pytest.raises(DataError, match=r"cannot read .*vectors: .*; download it again"):
        encode_vectors(["he"], path)


def test_a_zip_of_several_files_lists_them(tmp_path: Path) -> None:
    path = tmp_path / "glove.zip"
    path.write_bytes(_zip(ROWS.encode(), "other.txt"))
    with pytest.raises(DataError, match=r"is a zip of 2 files, vectors\.txt, other\.txt; unpack it, give one"):
        encode_vectors(["he"], path)
