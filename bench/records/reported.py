"""What the literature reports, `reported.csv` of a baseline folder: `rows(folder)` as it stands, `read(folder)`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from bench.cases.case import AXES, Case
from bench.cases.metric import Measured

Reported: TypeAlias = Mapping[Case, Mapping[str, float]]  # by case and metric


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


def read(folder: Path) -> Reported:
    """By case and metric, those values that are of a case.

    Raises:
        ValueError: a malformed row, or one of an unknown metric; the message names file and line.
    """
    found: dict[Case, dict[str, float]] = {}
    for line, row in enumerate(rows(folder), start=2):
        try:
            axes = [row[axis] for axis in AXES]
            metric, value = Measured.parse(row["metric"]).name, float(row["value"])
            if all(axes[:-1]):  # only the variant may be empty
                found.setdefault(Case(*axes), {})[metric] = value
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{folder / 'reported.csv'}, row {line}: malformed ({error}); fix it") from error
    return found
