"""The Hugging Face hub and folders in its layout: `hub.load("ylecun/mnist", remedy)`, asked once a process."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.data.errors import DataError
from bench.data.folder import below, expanded

if TYPE_CHECKING:
    import numpy as np

    from bench.data._registry import DatasetInfo

TIMEOUT = 5.0  # seconds
# What the hub calls the parts of a data set.
PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}


def opened(info: DatasetInfo, data_dir: Path | None) -> tuple[str, Any]:
    """A data set of the hub, from there or out of a folder in its layout: where it is, in words, and its parts.

    Raises:
        DataError: it cannot be had, or read.
    """
    name, configuration = str(info.hub), info.configuration
    if data_dir is None:
        where = ", ".join(filter(None, (name, configuration)))
        return where, load(name, remedy(name, configuration), configuration)
    folder, files = parquet_files(info, data_dir)
    return str(folder), load_files(files, folder)


def parquet_files(info: DatasetInfo, data_dir: Path) -> tuple[Path, list[Path]]:
    """The folder of a data set below `--data-dir`, and the parquet files in it.

    Raises:
        DataError: there are none; the message says how to get them.
    """
    folder = expanded(data_dir).joinpath(*filter(None, (info.hub, info.configuration)))
    files = below(folder, ".parquet")
    if not files:
        raise DataError(
            f"{info.label} is not in {folder} (no .parquet file there). "
            f"{remedy(str(info.hub), info.configuration)}; or leave it out to load from the hub"
        )
    return folder, files


def load_files(files: Iterable[Path], folder: Path) -> dict[str, Any]:
    """The parts of a data set out of parquet files below a folder, by the words in their names, as on the hub.

    Not by `datasets.load_dataset`, to which paths are patterns: of `a?b` and `a*b` it reads both.

    Raises:
        DataError: a file cannot be read.
    """
    import datasets
    import pyarrow.parquet

    parts: dict[str, list[Any]] = {}
    try:
        for path in files:
            with path.open("rb") as file:
                table = datasets.Dataset(pyarrow.parquet.read_table(file))
            parts.setdefault(_part_of(path.relative_to(folder)), []).append(table)
        return {part: datasets.concatenate_datasets(tables) for part, tables in parts.items()}
    except Exception as error:  # pyarrow and datasets have several kinds
        raise DataError(f"cannot read {path}: {error}; download them again") from error


def _part_of(path: Path) -> str:
    """The part whose name stands in that of a file, or else of the nearest folder; without any, all is for training."""
    for name in (path.stem, *(folder.name for folder in path.parents)):
        words = re.split(r"[^a-z]+", name.lower())
        for part, names in PARTS.items():
            if not set(names).isdisjoint(words):
                return part
    return "train"


@cache
def load(name: str, remedy: str, configuration: str | None = None) -> Any:
    """A data set of the hub, or one of its configurations.

    Args:
        remedy: for messages: how else to get the files.

    Raises:
        DataError: the hub cannot be reached, or has no such data set.
    """
    import datasets

    _reach(name, f"{remedy}; `digits` needs neither")
    try:
        return datasets.load_dataset(name, configuration)
    except Exception as error:  # network, hub and parquet errors alike mean that the data cannot be had
        raise DataError(f"cannot load {name} from the hub: {error}. {remedy}") from error


@cache
def snapshot(name: str, files: tuple[str, ...], remedy: str) -> Path:
    """The folder with some files of a model of the hub, those that it has.

    Raises:
        DataError: the hub cannot be reached, or has no such model.
    """
    import huggingface_hub

    _reach(name, remedy)
    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=[*files]))
    except Exception as error:  # as above
        raise DataError(f"cannot load {name} from the hub: {error}. {remedy}") from error


def _reach(name: str, remedy: str) -> None:
    reason = _unreachable()
    if reason:
        raise DataError(
            f"{name} is not at hand: the Hugging Face hub cannot be reached ({reason}). Run once with a network. "
            f"{remedy}"
        )


@cache
def _unreachable() -> str:
    """Why the hub cannot be reached, or an empty string; asked once a process, not once a case."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return ""  # the user's choice: datasets then looks into its own cache and says so itself
    try:
        urlopen(Request(constants.ENDPOINT, method="HEAD"), timeout=TIMEOUT).close()
    except HTTPError:
        return ""  # an answer, if not a welcome
    except OSError as error:
        return str(error)
    return ""


def stamp(files: Iterable[Path]) -> str:
    """Names files in the cache: changes when one of them does.

    Raises:
        DataError: one of them is a link to what is not there, or cannot be looked at.
    """
    facts = []
    for file in files:
        try:
            found = file.stat()
        except OSError as error:
            why = f"it is a link to {os.readlink(file)}, which is not there" if file.is_symlink() else error.strerror
            raise DataError(f"cannot read {file}: {why}; download it again") from error
        facts.append((file.name, found.st_size, found.st_mtime_ns))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def remedy(name: str, configuration: str | None = None) -> str:
    """How to get the files of a data set, or of one of its configurations, and how to say where they are."""
    inside = f"{name}/{configuration}" if configuration else name
    include = f"--include '{configuration}/*' " if configuration else ""
    return (
        f"Give --data-dir DIR (or ACTBENCH_DATA) with the hub's files as DIR/{inside}/..., for example made by "
        f"`hf download --repo-type dataset {name} {include}--local-dir DIR/{name}`"
    )


def part_table(loaded: Any, part: str, columns: Iterable[str]) -> Any:
    """One part of what was loaded.

    Raises:
        ValueError: there is no such part, or it lacks one of the columns; the message lists what there is.
    """
    if part not in loaded:
        raise ValueError(f"no such part; found: {', '.join(loaded)}")
    for column in columns:
        if column not in loaded[part].column_names:
            raise ValueError(f"no column {column!r}; found: {', '.join(loaded[part].column_names)}")
    return loaded[part]


def labels(table: Any, column: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The labels in a column.

    Raises:
        TypeError, ValueError: one is no whole number.
    """
    import numpy as np

    values = list(table[column])
    found = np.asarray(values, dtype=np.int64)
    if found.ndim != 1 or not np.array_equal(found, np.asarray(values, dtype=np.float64)):
        raise ValueError(f"the labels in column {column!r} are not whole numbers, the first being {values[0]!r}")
    return found
