"""Made sentences in GLUE's layout, and a small BERT on disk: `made_text.write(tmp_path)`, `made_text.bert(folder)`."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from bench.data import DatasetInfo
from bench.data.sentences import vocabulary
from made_data import write as write_parquet

TOY = DatasetInfo(
    "toy_text",
    "Toy sentences",
    num_classes=2,
    shape=(8,),
    rows=(40, 10),
    validation_rows=12,
    kind="sentences",
    vocab_size=20,
    reader="bench.data.sentences",
    hub="somebody/glue",
    configuration="toy",
    columns=("sentence", "label"),
)
GOOD, BAD, OTHERS = ("good", "great", "fine"), ("bad", "poor", "dull"), ("the", "a", "film", "plot", "is", "was", ".")
PARTS = {"train": sum(TOY.rows), "validation": TOY.validation_rows, "test": 9}


def columns(part: str) -> dict[str, list[Any]]:
    """Sentences of 2 to 9 words with one that tells the label, all different; the labels of `test` are not public."""
    draw = random.Random(part)
    labels = [int(row % 5 < 3) for row in range(PARTS[part])]
    sentences = []
    for row, label in enumerate(labels):
        words = [*draw.choices(OTHERS, k=draw.randint(0, 7)), draw.choice(GOOD if label else BAD)]
        draw.shuffle(words)
        sentences.append(f"{' '.join(words)} {part}{row}")
    return {"sentence": sentences, "label": [-1] * PARTS[part] if part == "test" else labels}


def file(data_dir: Path, part: str) -> Path:
    return data_dir / str(TOY.hub) / str(TOY.configuration) / f"{part}-00000-of-00001.parquet"


def write(data_dir: Path) -> Path:
    """All parts below a folder, beside another configuration of the same data set."""
    for part in PARTS:
        write_parquet(file(data_dir, part), columns(part))
        other = file(data_dir, part).parents[1] / "other" / f"{part}-00000-of-00001.parquet"
        write_parquet(other, {"question": ["?"], "label": [0]})
    return data_dir


def bert(folder: Path, pad_token: str = "[PAD]") -> Path:
    """Configuration, weights and tokenizer of a BERT without a head, drawn at random, by `save_pretrained`."""
    import torch
    from transformers import BertConfig, BertModel

    tokenizer = vocabulary(columns("train")["sentence"], None)
    tokenizer.pad_token = pad_token
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
