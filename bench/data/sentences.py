"""Reads the labelled sentences of GLUE as ids: `sentences.read(info("sst2"), where)`.

Warstadt et al. 2018, arXiv 1805.12471 (CoLA); Socher et al. 2013 (SST-2); Wang et al. 2018, arXiv 1804.07461 (GLUE).

GLUE does not give the labels of its test parts away. As in document A3, the test part is 1000 rows of the public
training part, the validation part is the public one. SST-2's training part holds the phrases of its sentences one by
one, so that most test rows are a piece of a sentence trained on: figures on the test part are above those on the
validation part, whose sentences are whole and new.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from bench.data import encoder, hub
from bench.data.errors import DataError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from bench.data._registry import DatasetInfo
    from bench.data.locations import Locations

# Of the test part in the public training part.
SPLIT_SEED = 0
# Ids of a sentence, the rest is cut off: transformers' run_glue.py. The longest of either corpus has 66 word pieces.
MAX_LENGTH = 128
# Of the vocabulary made here, in the order of their ids; the names are BERT's.
PAD, UNKNOWN, BEGIN, END = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


class Labelled(NamedTuple):
    """Sentences and their labels (int64)."""

    sentences: Sequence[str]
    labels: np.ndarray[Any, np.dtype[np.int64]]


def read(info: DatasetInfo, where: Locations) -> dict[str, Tensor]:
    """Ids (int64, N x tokens, padded with 0) and labels (int64, N) as `{train,validation,test}_{sentences,labels}`.

    The ids are those of the tokenizer of the encoder `where.bert`; without one, of words that are frequent in the
    training part.

    Raises:
        DataError: the data cannot be had or are not what their record says, or the tokenizer cannot be read, has more
            ids than the encoder, or pads with another one.
    """
    public = _public(info, where.data_dir)
    parts = {**_split(info, public["train"]), "validation": public["validation"]}
    bert, own = where.bert, parts["train"].sentences
    tokenizer = _pretrained(bert) if bert else vocabulary(own, info.vocab_size)
    ids = {
        part: tokenizer(one.sentences, truncation=True, max_length=MAX_LENGTH)["input_ids"]
        for part, one in parts.items()
    }
    padded = pad_sequence([torch.tensor(row) for rows in ids.values() for row in rows], batch_first=True)
    sentences = padded.split([len(rows) for rows in ids.values()])
    return {f"{name}_sentences": part.contiguous() for name, part in zip(parts, sentences, strict=True)} | {
        f"{name}_labels": torch.from_numpy(part.labels) for name, part in parts.items()
    }


def stamp(info: DatasetInfo, where: Locations) -> str:
    """Names a source and its tokenizer in the cache: changes when a file of the folder or of the tokenizer does.

    Raises:
        DataError: the folder holds no such data set, or there is no such encoder.
    """
    tokenizer = [Path(__file__)] if where.bert is None else encoder.tokenizer_files(where.bert)
    if where.data_dir is None:
        return f"hub-{hub.stamp(tokenizer)}"
    return hub.stamp([*hub.parquet_files(info, where.data_dir)[1], *tokenizer])


def vocabulary(sentences: Sequence[str], vocab_size: int | None) -> PreTrainedTokenizerBase:
    """A tokenizer that knows the most frequent words, in lower case and without accents, ties by spelling.

    Args:
        sentences: where words are counted.
        vocab_size: ids at most, those of the special tokens among them; None takes all words.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    words.normalizer = normalizers.BertNormalizer()
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.train_from_iterator(
        sentences,
        trainers.WordLevelTrainer(
            vocab_size=vocab_size or np.iinfo(np.int32).max, special_tokens=list(SPECIAL), show_progress=False
        ),
    )
    words.post_processor = processors.BertProcessing((END, SPECIAL.index(END)), (BEGIN, SPECIAL.index(BEGIN)))
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token=PAD)


def _pretrained(bert: str) -> PreTrainedTokenizerBase:
    from transformers import AutoConfig, AutoTokenizer

    folder = encoder.folder(bert)
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        rows = AutoConfig.from_pretrained(folder, local_files_only=True).vocab_size
    except Exception as error:  # transformers passes on what json and the tokenizer's own reader say
        raise DataError(
            f"cannot read tokenizer and configuration in {folder}: {type(error).__name__}: {error}; give --bert a "
            "folder that `save_pretrained` of model and tokenizer wrote, whole"
        ) from error
    if len(tokenizer) > rows:
        raise DataError(
            f"the tokenizer of {folder} has {len(tokenizer)} ids, and the model there embeds {rows}; give --bert a "
            "folder in which they belong together"
        )
    if tokenizer.pad_token_id != 0:
        raise DataError(
            f"the tokenizer of {folder} pads with id {tokenizer.pad_token_id}, and here 0 is padding; give --bert the "
            "folder of a BERT"
        )
    return tokenizer


def _split(info: DatasetInfo, public: Labelled) -> dict[str, Labelled]:
    """Training and test part out of the public training part, with equal shares of each class."""
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(
        np.arange(len(public.labels)), test_size=info.rows[1], stratify=public.labels, random_state=SPLIT_SEED
    )
    return {
        name: Labelled([public.sentences[row] for row in rows], public.labels[rows])
        for name, rows in (("train", train), ("test", test))
    }


def _public(info: DatasetInfo, data_dir: Path | None) -> dict[str, Labelled]:
    """The parts whose labels are public."""
    place, loaded = hub.opened(info, data_dir)
    found = {}
    for part, rows in (("train", sum(info.rows)), ("validation", info.validation_rows)):
        try:
            found[part] = _labelled(info, loaded, part, rows)
        except (TypeError, ValueError) as error:
            raise DataError(f"{place}, part {part!r}: {error}; download them again") from error
    return found


def _labelled(info: DatasetInfo, loaded: Any, part: str, rows: int) -> Labelled:
    table = hub.part_table(loaded, part, info.columns)
    sentence_column, label_column = info.columns
    sentences = list(table[sentence_column])
    if len(sentences) != rows:
        raise ValueError(f"{len(sentences)} rows, expected {rows}")
    for row, sentence in enumerate(sentences):
        if not isinstance(sentence, str):
            raise ValueError(f"row {row} holds {sentence!r}, expected a sentence")
    labels = hub.labels(table, label_column)
    if not 0 <= labels.min() <= labels.max() < info.num_classes:
        raise ValueError(f"labels from {labels.min()} to {labels.max()}, expected 0 to {info.num_classes - 1}")
    return Labelled(sentences, labels)
