"""Reads a text as rows of characters, each labelled by the one behind it: `characters.read(info("text"), where)`.

A character is a byte, of UTF-8 where the text is not ASCII. Karpathy's tiny Shakespeare (github.com/karpathy/char-rnn)
is on the hub in three parts; a text of the user's is cut likewise, the end of it for testing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bench.data import hub, text
from bench.data.errors import DataError

if TYPE_CHECKING:
    from bench.data._registry import DatasetInfo
    from bench.data.locations import Locations

PARTS = ("train", "validation", "test")
# Of a user's text, where its training part and its validation part end: the shares of tiny Shakespeare.
ENDS = (0.9, 0.95)
COLUMN = "text"  # of the hub's data set: one row a part


def read(info: DatasetInfo, where: Locations) -> dict[str, Tensor]:
    """Characters and those behind them (uint8, N x characters) as `{train,validation,test}_{text,labels}`.

    Raises:
        DataError: the text cannot be had, is not what its record says, or is too short for a row of each part.
    """
    parts = _published(info, where.data_dir) if info.hub else _cut(_given(info, where))
    found = {}
    for name, part in zip(PARTS, parts, strict=True):
        ids = torch.frombuffer(bytearray(part), dtype=torch.uint8) if part else torch.empty(0, dtype=torch.uint8)
        rows = (len(ids) - 1) // info.shape[0]
        if rows < 1:
            raise DataError(
                f"{info.label}: its {name} part has {len(ids)} characters, a row {info.shape[0]} and one behind them; "
                "give a longer text"
            )
        used = rows * info.shape[0]
        found[f"{name}_text"], found[f"{name}_labels"] = (
            ids[start : start + used].clone().view(rows, -1) for start in (0, 1)
        )
    return found


def stamp(info: DatasetInfo, where: Locations) -> str:
    """Names a source and its rows in the cache: changes when a file does.

    Raises:
        DataError: no text was given, or the folder holds no such data set.
    """
    rows = f"rows{info.shape[0]}"
    if not info.hub:
        return f"{hub.stamp([_given(info, where)])}-{rows}"
    source = "hub" if where.data_dir is None else hub.stamp(hub.parquet_files(info, where.data_dir)[1])
    return f"{source}-{rows}"


def _given(info: DatasetInfo, where: Locations) -> Path:
    if where.text is None:
        raise DataError(f"{info.label} is a text of yours: give it with --text FILE; `made_text` needs none")
    return where.text


def _cut(path: Path) -> list[bytes]:
    lines = (line for _, line in text.lines(path, errors="surrogateescape"))
    whole = "\n".join(lines).encode("utf-8", errors="surrogateescape")
    first, second = (round(end * len(whole)) for end in ENDS)
    return [whole[:first], whole[first:second], whole[second:]]


def _published(info: DatasetInfo, data_dir: Path | None) -> list[bytes]:
    place, loaded = hub.opened(info, data_dir)
    wanted = dict(zip(PARTS, (info.rows[0], info.validation_rows, info.rows[1]), strict=True))
    found = []
    for part, rows in wanted.items():
        try:
            (whole,) = hub.part_table(loaded, part, [COLUMN])[COLUMN]
            found.append(whole.encode("utf-8"))
            if (held := (len(found[-1]) - 1) // info.shape[0]) != rows:
                raise ValueError(f"{held} rows of {info.shape[0]} characters, expected {rows}")
        except (AttributeError, TypeError, ValueError) as error:
            raise DataError(f"{place}, part {part!r}: {error}; download it again") from error
    return found
