"""Quarantine: cases known to be flaky on a device, which run and are shown and never fail. `quarantine.read(folder)`.

`<baseline folder>/quarantine.csv` has a line for each: the id of the case, its scale, the device class as baselines
name it, a reason, and the last day (`2026-12-31`) on which it holds.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import activations
from bench import experiments
from bench.cases.case import Case, did_you_mean
from bench.cases.recipe import SCALES
from bench.records.baseline import MEASURED
from bench.records.csv_rows import BaselineError, read_rows

FILE = "quarantine.csv"
_DEVICE_CLASS = re.compile(r"cpu|mps|cuda_[^A-Z -]+")  # see `fingerprint.device_class`
COLUMNS = ("case", "scale", "device_class", "reason", "until")


class Place(NamedTuple):
    """Where a case is flaky."""

    case: Case
    scale: str
    device_class: str


@dataclass(frozen=True)
class Quarantine:
    """Why a case does not fail there, and the last day of that."""

    reason: str
    until: datetime.date

    def __str__(self) -> str:
        return f"in quarantine until {self.until}: {self.reason}"


def read(folder: Path) -> dict[Place, Quarantine]:
    """The entries of a baseline folder; none where it has no such file.

    Raises:
        BaselineError: an entry that has expired, one of a case that is not known, without a reason, or twice; the
            message names file and line.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    found: dict[Place, Quarantine] = {}
    for where, row in read_rows(path, COLUMNS):
        try:
            place, entry = _parse({column: value.strip() for column, value in row.items()})
        except ValueError as error:
            raise BaselineError(f"{where}: {error}") from error
        if place in found:
            raise BaselineError(f"{where}: a second entry for {place.case.id} there; keep one")
        found[place] = entry
    return found


def _parse(row: dict[str, str]) -> tuple[Place, Quarantine]:
    scale, until = row["scale"], _day(row["until"])
    if scale not in SCALES:
        raise ValueError(f"scale {scale!r}; known: {', '.join(SCALES)}")
    for column in ("device_class", "reason"):
        if not row[column]:
            raise ValueError(f"{column} is empty; give one")
    if not _DEVICE_CLASS.fullmatch(row["device_class"]):
        raise ValueError(
            f"device_class {row['device_class']!r}; known: cpu, mps, and cuda_ with the name of the card, as the files "
            f"in {MEASURED} have it"
        )
    case = _case(row["case"], scale)
    if until < datetime.datetime.now(datetime.UTC).date():
        raise ValueError(f"the quarantine of {case.id} expired on {until}; mend the case, or give a later day")
    return Place(case, scale, row["device_class"]), Quarantine(row["reason"], until)


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"until {text!r} is no day; write one as 2026-12-31") from None


def _case(name: str, scale: str) -> Case:
    """Raises ValueError where no experiment has it at that scale."""
    experiment = experiments.find(name.partition("-")[0])
    if experiment is None:
        raise ValueError(
            f"case {name!r} is of no experiment that is known here; known: {', '.join(experiments.names())}"
        )
    known = {case.id: case for case in experiment.cases(scale, activations.names())}
    if name not in known:
        advice = did_you_mean(name, known) or "pytest bench --collect-only -q lists them"
        raise ValueError(f"there is no case {name!r} at {scale}; {advice}")
    return known[name]
