"""What the literature reports, `reported.csv` of a baseline folder: `cells(folder)` one by one, `read(folder)`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bench.cases.case import AXES, Case
from bench.cases.metric import Measured

Reported: TypeAlias = Mapping[Case, Mapping[str, float]]  # by case and metric


@dataclass(frozen=True)
class ReportedCell:
    """One number of a document.

    Attributes:
        source: the document, by its file.
        metric: as records name it.
    """

    source: str
    case: Case
    metric: str
    value: float


def rows(folder: Path) -> list[dict[str, str]]:
    """Every row as it stands; an empty list where there is no such file.

    Raises:
        ValueError: the file cannot be read; the message names it.
    """
    path = folder / "reported.csv"
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as CSV ({error}); fix it") from error


def cells(folder: Path) -> list[ReportedCell]:
    """Those values that are of a case, in the order of the file.

    Raises:
        ValueError: a malformed row, or one of an unknown metric; the message names file and line.
    """
    found = []
    for line, row in enumerate(rows(folder), start=2):
        try:
            axes = [row[axis] for axis in AXES]
            metric, value = Measured.parse(row["metric"]).name, float(row["value"])
            if all(axes[:-1]):  # only the variant may be empty
                found.append(ReportedCell(row.get("source", ""), Case(*axes), metric, value))
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{folder / 'reported.csv'}, row {line}: malformed ({error}); fix it") from error
    return found


def read(folder: Path) -> Reported:
    """By case and metric, those values that are of a case.

    Raises:
        ValueError: as `cells`.
    """
    found: dict[Case, dict[str, float]] = {}
    for one in cells(folder):
        found.setdefault(one.case, {})[one.metric] = one.value
    return found
