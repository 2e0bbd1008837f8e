"""Data probes: what networks see of each data set, one CSV row a way to prepare it. `data_probes.read(folder)`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.records.csv_rows import BaselineError, parsed_rows, write_rows
from bench.records.sharing import locked

FILE = "data_probes.csv"


class DataKey(NamedTuple):
    """The data and what a recipe makes of it, as text; what it leaves out is empty."""

    dataset: str
    data_hash: str
    preprocessing: str
    psi: str
    minimum_image_size: str
    train_size: str
    validation_size: str
    test_size: str
    augmentation: str
    batch_size: str


# What is measured, in the order in which it arises.
FIGURES = (
    *("train_inputs", "train_labels", "validation_inputs", "validation_labels", "test_inputs", "test_labels"),
    *("batch_labels", "batch_inputs"),
)
COLUMNS = (*DataKey._fields, *FIGURES)


@dataclass(frozen=True)
class DataProbe:
    """What a network sees of a data set.

    Attributes:
        figures: by the names of `FIGURES`, see `bench.training.figures`: of the rows of each part in their order, and
            of the first batches of seed 0 in theirs, augmented.
    """

    key: DataKey
    figures: Mapping[str, float]

    def to_row(self) -> dict[str, str]:
        """As text by column; the inverse of `from_row`."""
        return {**self.key._asdict(), **{name: f"{value:.9g}" for name, value in self.figures.items()}}

    @staticmethod
    def from_row(row: Mapping[str, str]) -> DataProbe:
        """Raises ValueError where a figure is no number."""
        figures = {name: float(row[name]) for name in FIGURES if row.get(name)}
        return DataProbe(DataKey(*(row[name] for name in DataKey._fields)), figures)


def read(folder: Path) -> dict[DataKey, DataProbe]:
    """All data probes of a baseline folder; none without the file.

    Raises:
        BaselineError: a row is malformed or stands there twice; the message names file and line.
    """
    found: dict[DataKey, DataProbe] = {}
    path = folder / FILE
    for where, probe in parsed_rows(path, COLUMNS, DataProbe.from_row) if path.exists() else ():
        if probe.key in found:
            raise BaselineError(f"{where}: a second row for {probe.key.dataset} prepared likewise; keep one")
        found[probe.key] = probe
    return found


def write(probes: Iterable[DataProbe], folder: Path) -> None:
    """Merge data probes into the file of a folder.

    Raises:
        ResultsError: the folder cannot be written.
    """
    new = {probe.key: probe for probe in probes}
    if new:
        with locked(folder):
            rows = read(folder) | new
            write_rows(folder / FILE, COLUMNS, (probe.to_row() for _, probe in sorted(rows.items())))
