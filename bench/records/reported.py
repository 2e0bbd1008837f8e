"""The literature's figures, `reported.csv` of a baseline folder: `reported.rows(folder)`, `reported.read(folder)`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from bench.cases.case import AXES, Case

Reported: TypeAlias = Mapping[Case, Mapping[str, float]]  # by case and metric


def rows(folder: Path) -> list[dict[str, str]]:
    """Every row as it stands; an empty list where there is no such file."""
    path = folder / "reported.csv"
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read(folder: Path) -> Reported:
    """By case and metric, those figures that are of a case."""
    found: dict[Case, dict[str, float]] = {}
    for row in rows(folder):
        axes = [row[axis] for axis in AXES]
        if all(axes[:-1]):  # only the variant may be empty
            found.setdefault(Case(*axes), {})[row["metric"]] = float(row["value"])
    return found
