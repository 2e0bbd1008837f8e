"""Words as vectors out of a text file of word2vec or GloVe: `encode_vectors(words, Path("glove.50d.txt"))`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from bench.data import text
from bench.data.errors import DataError
from bench.data.word_forms import spellings

# A file's own vector for unknown words: GloVe's names, and that of the file of the GELU paper's authors.
UNKNOWN = ("<unk>", "<UNK>", "unk", "UUUNKKK")


def encode_vectors(words: Sequence[str], path: Path) -> Tensor:
    """The vector of each word (float32, words x dimensions), under the first of its spellings that the file has.

    A word without one gets the file's own vector for unknown words, or else zeros: the other custom, the mean of rare
    words, needs counts that such files do not have. Of a word that stands there twice the first vector counts, as in
    gensim.

    Raises:
        DataError: the file cannot be read, a row is malformed, or no word has a vector.
    """
    wanted = {spelling for word in words for spelling in spellings(word)} | set(UNKNOWN)
    vectors = _read(path, wanted)
    found = [next((spelling for spelling in spellings(word) if spelling in vectors), None) for word in words]
    if not any(found):
        raise DataError(
            f"{path}: none of the {len(words)} words of the data has a vector there; give vectors of English words, "
            "best of tweets"
        )
    dimensions = len(next(iter(vectors.values())))
    unknown = next((vectors[name] for name in UNKNOWN if name in vectors), [0.0] * dimensions)
    return torch.tensor([vectors[spelling] if spelling else unknown for spelling in found])


def _read(path: Path, wanted: set[str]) -> dict[str, list[float]]:
    """The vectors of the wanted words; the others are passed over, so that files of gigabytes may be read."""
    vectors: dict[str, list[float]] = {}
    promised = dimensions = None
    rows = 0
    for number, line in text.lines(path, errors="replace"):  # what is not UTF-8 in the crawled words is no word of ours
        word, *values = line.replace("\t", " ").rstrip(" ").split(" ")
        values = [value for value in values if value]  # aligned columns have several blanks between them
        if not word and values and (number == 1 or not _numbers(values[:1])):  # aligned to the right
            word = values.pop(0)
        if not word and not values:
            continue
        if number == 1 and len(values) == 1 and word.isdecimal() and values[0].isdecimal():
            promised, dimensions = int(word), int(values[0])
            continue
        rows += 1
        dimensions = dimensions or len(values)
        if len(values) > dimensions and not _numbers(values[:-dimensions]):
            continue  # a word with blanks in it, as GloVe's largest file has some
        if len(values) != dimensions or not dimensions:
            raise DataError(
                f"{path}, line {number}: {len(values)} numbers behind a word, expected {dimensions or 'some'}"
                "; give a text file of word2vec or GloVe (not a .bin), whole"
            )
        if word not in wanted or word in vectors:
            continue
        numbers = _numbers(values)
        if not numbers:
            raise DataError(
                f"{path}, line {number}: the vector of {word!r} is not of finite numbers; download it again"
            )
        vectors[word] = numbers
    if promised is not None and rows != promised:
        raise DataError(f"{path}: {rows} vectors, its first line promises {promised}; download it again")
    return vectors


def _numbers(values: Sequence[str]) -> list[float] | None:
    """None where one is not a finite number."""
    if any("_" in value for value in values):  # 1_5 is 15 to Python alone
        return None
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None
