"""Reads CMU's tweets with part-of-speech tags, a word and its two neighbours a row: `tweets.read(info, where)`.

Gimpel et al. 2011, "Part-of-Speech Tagging for Twitter", as corrected for Owoputi et al. 2013. A word is given by ids
of features (`bench.data.word_features`), or by its vector in the file of `--vectors` (`bench.data.word_vectors`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.data import hub, text, word_features, word_forms, word_vectors
from bench.data.errors import DataError
from bench.data.folder import expanded, has_file

if TYPE_CHECKING:
    from bench.data._registry import DatasetInfo
    from bench.data.locations import Locations


class Token(NamedTuple):
    """A word of a tweet, or what stands for one (an emoticon, an address), with its tag."""

    word: str
    tag: str


Tweet: TypeAlias = list[Token]

# Gimpel et al. 2011, table 1; a label is the place of a tag here.
TAGS = tuple("NO^SZVLMAR!DP&TXY#@~UE$,G")
FOLDER = "brendano/twitter-pos"
FILES = {"train": "oct27.train.conll", "validation": "oct27.dev.conll", "test": "oct27.test.conll"}
CLUSTERS = "6mpaths.gz"
_REMEDY = (
    f"The Hugging Face hub does not have it: get {', '.join(FILES.values())} (release 0.3, CC BY 3.0) and the Brown "
    f"clusters {CLUSTERS} from github.com/brendano/ark-tweet-nlp or http://www.cs.cmu.edu/~ark/TweetNLP/, put them "
    f"into DIR/{FOLDER} and give --data-dir DIR (or ACTBENCH_DATA)"
)


def read(info: DatasetInfo, where: Locations) -> dict[str, Tensor]:
    """`{train,validation,test}_tokens` and `_labels` (int64, N).

    Tokens are int64, N x 3 x features, or with `--vectors` float32, N x 3 x dimensions: the left neighbour, the word,
    the right neighbour. Where a tweet begins or ends there is no neighbour, and all is 0.

    Raises:
        DataError: a file is missing, malformed or of another edition.
    """
    parts = {part: read_conll(path) for part, path in _files(info, where, FILES).items()}
    sizes = [sum(map(len, tweets)) for tweets in parts.values()]
    train, test = info.rows
    if sizes != [train, info.validation_rows, test]:
        raise DataError(
            f"{info.label}: {sizes} tokens in {', '.join(FILES.values())}, expected "
            f"{[train, info.validation_rows, test]}, those of release 0.3; download them again"
        )
    words = list(dict.fromkeys(token.word for tweets in parts.values() for tweet in tweets for token in tweet))
    if where.vectors:
        encoded = word_vectors.encode_vectors(words, where.vectors)
    else:
        (clusters,) = _files(info, where, {"clusters": CLUSTERS}).values()
        seen = Counter(token.word for tweet in parts["train"] for token in tweet)
        encoded = word_features.encode_features(words, seen, word_features.read_clusters(clusters))
    table = F.pad(encoded, (0, 0, 1, 0))
    rows = {word: row for row, word in enumerate(words, start=1)}
    return {
        name: values
        for part, tweets in parts.items()
        for name, values in ((f"{part}_tokens", table[windows(tweets, rows)]), (f"{part}_labels", _labels(tweets)))
    }


def stamp(info: DatasetInfo, where: Locations) -> str | None:
    """Names a source with `--vectors` in the cache, since files of vectors are large; None without.

    Changes when a file of the source changes, or the code by which words are looked up.

    Raises:
        DataError: a file is missing.
    """
    files = _files(info, where, FILES).values()
    if where.vectors is None:
        return None
    return hub.stamp([*files, where.vectors, Path(word_forms.__file__)])


def read_conll(path: Path) -> list[Tweet]:
    """The tweets of a file with `word<TAB>tag` a line and an empty line between two tweets.

    Tweets without a token (several empty lines) are left out, as are blanks behind a tag.

    Raises:
        DataError: a line is something else, or a tag unknown, or there is no tweet.
    """
    tweets: list[Tweet] = [[]]
    for number, line in text.lines(path):
        if not line.strip():
            tweets.append([])
            continue
        word, tab, tag = line.partition("\t")
        tag = tag.rstrip(" ")
        if not word or not tab or tag not in TAGS:
            raise DataError(
                f"{path}, line {number}: {line!r} is not a word, a tab and one of the {len(TAGS)} tags "
                f"{' '.join(TAGS)}; fix the line or download the file again"
            )
        tweets[-1].append(Token(word, tag))
    if not any(tweets):
        raise DataError(f"{path} holds no tweet; download it again")
    return [tweet for tweet in tweets if tweet]


def windows(tweets: Sequence[Tweet], rows: Mapping[str, int]) -> Tensor:
    """N x 3: the rows of the left neighbour, the word and the right neighbour; 0 beyond the ends of a tweet."""
    return torch.cat(
        [F.pad(torch.tensor([rows[token.word] for token in one]), (1, 1)).unfold(0, 3, 1) for one in tweets]
    )


def _labels(tweets: Sequence[Tweet]) -> Tensor:
    return torch.tensor([TAGS.index(token.tag) for tweet in tweets for token in tweet])


def _files(info: DatasetInfo, where: Locations, names: Mapping[str, str]) -> dict[str, Path]:
    """Paths of some files by what they hold."""
    if where.data_dir is None:
        raise DataError(f"{info.label} is not at hand. {_REMEDY}")
    folder = expanded(where.data_dir) / FOLDER
    missing = [name for name in names.values() if not has_file(folder / name)]
    if missing:
        raise DataError(f"{info.label}: no {', '.join(missing)} in {folder}. {_REMEDY}")
    return {held: folder / name for held, name in names.items()}
