"""Probes: the first steps of each case in float64, one CSV row a case, for every machine. `probes.read(folder)`.

The rows are text, sorted, one a line, so that two branches merge and a diff reads.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bench.cases.case import AXES, Case
from bench.cases.recipe import SCALES
from bench.records.baseline import BaselineError
from bench.records.record import write_text

# What is measured, in the order in which it arises; a case may lack some. Several numbers stand with blanks between.
SERIES = (
    "weights",
    "activation_parameters",
    "inputs",
    "first_site_input",
    "sites",
    "output",
    "losses",
    "gradients",
    "updates",
    "evaluation",
    "rates",
    "bytes_saved",
)
COLUMNS = (*AXES, "scale", "recipe_version", "recipe", "counts", *SERIES)


class ProbeKey(NamedTuple):
    """What must be equal for two probes to be compared; neither data nor device are part of it."""

    case: Case
    scale: str
    recipe_version: int


@dataclass(frozen=True)
class Probe:
    """What the first steps of a case came to.

    Attributes:
        recipe: its fields that the first steps do not show, such as the number of epochs.
        counts: how many there are of what only some are measured of: `sites`, `layers`.
        series: by the names of `SERIES`; of `evaluation` see `metrics`.
        metrics: names of the numbers of `evaluation`.
    """

    key: ProbeKey
    recipe: Mapping[str, Any]
    counts: Mapping[str, int]
    series: Mapping[str, tuple[float, ...]]
    metrics: tuple[str, ...]


def path_of(key: ProbeKey, folder: Path) -> Path:
    """The file of a probe below a baseline folder."""
    return folder / "probes" / f"{key.case.experiment}.{key.scale}.csv"


def read(folder: Path) -> dict[ProbeKey, Probe]:
    """All recorded probes below a baseline folder (`<folder>/probes/*.csv`).

    Raises:
        BaselineError: a row is malformed, stands there twice, or belongs into another file; the message names file and
            line.
    """
    found: dict[ProbeKey, Probe] = {}
    for path in sorted((folder / "probes").glob("*.csv")):
        for where, probe in _rows(path):
            if path_of(probe.key, folder) != path:
                raise BaselineError(f"{where}: the row of {probe.key.case.id} at {probe.key.scale} is not of this file")
            if probe.key in found:
                raise BaselineError(f"{where}: a second row for {probe.key.case.id}; keep one")
            found[probe.key] = probe
    return found


def write(probes: Iterable[Probe], folder: Path) -> None:
    """Merge probes into the files of a folder. Rows of other cases stay; those of a case's other versions go.

    Raises:
        ResultsError: the folder cannot be written.
    """
    new = {probe.key: probe for probe in probes}
    replaced = {key[:2] for key in new}
    rows = {key: probe for key, probe in read(folder).items() if key[:2] not in replaced} | new
    for path in sorted({path_of(key, folder) for key in new}):
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_format(probe) for key, probe in sorted(rows.items()) if path_of(key, folder) == path)
        write_text(path, text.getvalue())


def _rows(path: Path) -> Iterator[tuple[str, Probe]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise BaselineError(f"{path}, line 1: the columns are not {', '.join(COLUMNS)}; re-record")
        for row in rows:
            where = f"{path}, line {rows.line_num}"
            try:
                yield where, _parse(row)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise BaselineError(f"{where}: malformed row ({error}); fix or re-record") from error


def _format(probe: Probe) -> dict[str, Any]:
    series = {name: " ".join(map(_number, values)) for name, values in probe.series.items()}
    evaluation = zip(probe.metrics, probe.series.get("evaluation", ()), strict=True)
    return {
        **probe.key.case.fields,
        "scale": probe.key.scale,
        "recipe_version": probe.key.recipe_version,
        "recipe": json.dumps(dict(probe.recipe), sort_keys=True),
        "counts": " ".join(f"{name}={count}" for name, count in probe.counts.items()),
        **series,
        "evaluation": " ".join(f"{name}={_number(value)}" for name, value in evaluation),
    }


def _parse(row: Mapping[str, str]) -> Probe:
    if None in row or None in row.values():
        raise ValueError(f"it has not {len(COLUMNS)} fields")
    if row["scale"] not in SCALES:
        raise ValueError(f"scale {row['scale']!r}; known: {', '.join(SCALES)}")
    words = [word.split("=") for word in row["evaluation"].split()]
    series = {name: tuple(map(float, row[name].split())) for name in SERIES if name != "evaluation" and row[name]}
    series["evaluation"] = tuple(float(value) for _, value in words)
    for name, values in series.items():
        if any(math.isinf(value) for value in values):
            raise ValueError(f"{name} is not finite")
    return Probe(
        key=ProbeKey(Case(**{axis: row[axis] for axis in AXES}), row["scale"], int(row["recipe_version"])),
        recipe=dict(json.loads(row["recipe"])),
        counts={name: int(count) for name, count in (word.split("=") for word in row["counts"].split())},
        series=series,
        metrics=tuple(name for name, _ in words),
    )


def _number(value: float) -> str:
    """All digits that a float64 holds for certain; the two behind them are rounding, and another on each machine."""
    return f"{value:.15g}"
