"""Words as ids of features, out of Brown clusters and spelling: `encode_features(words, seen, read_clusters(path))`.

What stands in for word vectors: a Brown cluster is the path to a leaf of a binary tree that puts together words used
alike in millions of tweets (Owoputi et al. 2013, "Improved Part-of-Speech Tagging for Online Conversational Text with
Word Clusters", section 3.1), and spelling says something of the words in no cluster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from bench.data import text
from bench.data.errors import DataError
from bench.data.word_forms import kind, normal, shape, spellings

# What one word is in each slot; None where a slot has nothing to say.
Features: TypeAlias = tuple[str | None, ...]

PREFIX_BITS = range(2, 17, 2)  # Owoputi et al. 2013, section 3.1
SUFFIXES = (1, 2, 3)  # letters
PREFIXES = (1, 2)
# What fewer training tokens have is unknown: so that what unknown features mean is learned too.
LEAST_COUNT = 2


def features(word: str, clusters: Mapping[str, str]) -> Features:
    """Of one word: prefixes of its cluster's path, its spelling, beginning and end, its shape and kind."""
    path = next((clusters[spelling] for spelling in spellings(word) if spelling in clusters), None)
    form = normal(word)
    return (
        *(path and path[:bits] for bits in PREFIX_BITS),
        form,
        *(form[-letters:] for letters in SUFFIXES),
        *(form[:letters] for letters in PREFIXES),
        shape(word),
        kind(word),
    )


def encode_features(words: Sequence[str], seen: Mapping[str, int], clusters: Mapping[str, str]) -> Tensor:
    """Ids of the features of each word (int64, words x slots).

    Each slot has ids of its own: one for what is unknown, then one for each feature that is frequent enough in the
    training part. 0 is left for padding.

    Args:
        words: without repetition.
        seen: how often each word stands in the training part.
        clusters: the path of each word that has one.
    """
    found = {word: features(word, clusters) for word in words}
    slots = list(zip(*found.values(), strict=True))
    ids: list[list[int]] = []
    unknown = 1
    for slot in slots:
        counts: Counter[str] = Counter()
        for word, feature in zip(found, slot, strict=True):
            if feature is not None:
                counts[feature] += seen.get(word, 0)
        known = sorted(feature for feature, count in counts.items() if count >= LEAST_COUNT)
        numbers = {feature: number for number, feature in enumerate(known, start=unknown + 1)}
        ids.append([unknown if feature is None else numbers.get(feature, unknown) for feature in slot])
        unknown += len(numbers) + 1
    return torch.tensor(ids).T.contiguous()


def read_clusters(path: Path) -> dict[str, str]:
    """The path of each word, a string of 0 and 1, of a file with `path<TAB>word<TAB>count` a line.

    Raises:
        DataError: the file cannot be read, or a line is something else.
    """
    clusters: dict[str, str] = {}
    for number, line in text.lines(path):
        if not line.strip():
            continue
        bits, _, rest = line.partition("\t")
        word, _, count = rest.rpartition("\t")
        if not word or not bits or set(bits) - {"0", "1"} or not count.isdecimal():
            raise DataError(
                f"{path}, line {number}: {line!r} is not a path of 0 and 1, a word and its count with tabs between "
                "them; download it again"
            )
        clusters[word] = bits
    if not clusters:
        raise DataError(f"{path} holds no cluster; download it again")
    return clusters
