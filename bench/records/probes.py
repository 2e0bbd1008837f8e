"""Probes: the first steps of each case in float64, one CSV row a case, for every machine. `probes.read(folder)`.

The rows are text, sorted, one a line, so that two branches merge and a diff reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.cases.case import AXES, Case
from bench.cases.recipe import SCALES
from bench.records.csv_rows import BaselineError, csv_files, parsed_rows, write_rows
from bench.records.sharing import locked

FOLDER = "probes"  # below a baseline folder
# What is measured, in the order in which it arises; a case may lack some. Several numbers have blanks between them.
SERIES = (
    *("weights", "activation_parameters", "inputs", "first_site_input", "sites", "output", "losses"),
    *("gradients", "activation_gradients", "updates", "activation_updates", "rates", "bytes_saved"),
)
MOST = 8  # sites, and groups of layers, that are measured
# Series of which it is also measured how far rounding carries them in the precision that the recipe trains in, with how
# many of their numbers: those of the first step, since the next ones enlarge it.
ROUNDED = {
    **dict.fromkeys(("sites", "output", "gradients", "activation_gradients"), MOST),
    **dict.fromkeys(("losses", "updates", "activation_updates"), 1),
}
COLUMNS = (
    *(*AXES, "scale", "recipe_version", "recipe", "num_sites", "num_layers"),
    *(*SERIES, "evaluation", "tolerances", "rounding"),
)
# Likewise, one by one: values of the outputs of activations and network in the first step.
ROUNDED_VALUES = ("site_values", "output_values")
RATES_OF_A_RUN = 9
# What rounding may leave in the place of zero, as of a gradient behind a dead layer.
ZERO = 1e-20


class ProbeKey(NamedTuple):
    """What must be equal for two probes to be compared; neither data nor device are part of it."""

    case: Case
    scale: str
    recipe_version: int


@dataclass(frozen=True)
class Probe:
    """What the first steps of a case came to.

    Attributes:
        recipe: its fields that the first steps do not show, such as the number of epochs, but for those left out.
        series: by the names of `SERIES`; what a case lacks is left out. `weights`, `inputs`, `output` and the like are
            figures (see `bench.training.figures`) of the first step; `sites` those of the outputs of its activations,
            `gradients` those of groups of layers from the output to the input; `losses` and `updates` have one number
            a step; `rates` are of the whole run.
        evaluation: metrics of the network behind the last step, by name.
        tolerances: how far rounding may move what comes from a quantity on, such as `losses.2`, where that is further
            than elsewhere; see `bench.regression.probes.with_tolerances`.
        rounding: how far the same steps in the precision that the recipe trains in, as float32, lie from those in
            float64, relative to their size and in epsilons of that precision: the furthest number of each of the
            series `ROUNDED`, and the furthest of the tensors of `ROUNDED_VALUES`.
        num_sites: activations that a forward pass uses.
        num_layers: modules with trainable weights, activations left out.
        layers: their names, from the output to the input; not recorded.
    """

    key: ProbeKey
    recipe: Mapping[str, str | int]
    series: Mapping[str, tuple[float, ...]]
    evaluation: Mapping[str, float]
    num_sites: int
    num_layers: int
    tolerances: Mapping[str, float] = field(default_factory=dict)
    rounding: Mapping[str, float] = field(default_factory=dict)
    layers: tuple[str, ...] = field(default=(), compare=False)


def apart(one: object, other: object) -> float:
    """Relative difference of two values; infinite where they are not both numbers, and differ."""
    if one == other or (one != one and other != other):  # NaN equals itself here
        return 0.0
    if not isinstance(one, float) or not isinstance(other, float) or not math.isfinite(one - other):
        return math.inf
    return abs(one - other) / max(abs(one), abs(other)) if abs(one - other) > ZERO else 0.0


def chosen(sites: int) -> list[int]:
    """Which of so many sites are measured: `MOST` at most, evenly spaced, the first and the last among them."""
    if sites <= MOST:
        return list(range(sites))
    return [round(place * (sites - 1) / (MOST - 1)) for place in range(MOST)]


def groups(layers: int) -> list[slice]:
    """Into which so many layers are put together, each of as many neighbours, `MOST` groups at most."""
    size = max(1, math.ceil(layers / MOST))
    return [slice(start, min(start + size, layers)) for start in range(0, layers, size)]


def probes_file(key: ProbeKey, folder: Path) -> Path:
    """The file of a probe below a baseline folder."""
    return folder / FOLDER / f"{key.case.experiment}.{key.scale}.csv"


def read(folder: Path) -> dict[ProbeKey, Probe]:
    """All recorded probes below a baseline folder (`<folder>/probes/*.csv`).

    Raises:
        BaselineError: a row is malformed, stands there twice, or belongs into another file; the message names file and
            line.
    """
    found: dict[ProbeKey, Probe] = {}
    for path in csv_files(folder / FOLDER):
        for where, probe in parsed_rows(path, COLUMNS, from_row):
            if probes_file(probe.key, folder) != path:
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
    with locked(folder):
        rows = {key: probe for key, probe in read(folder).items() if key[:2] not in replaced} | new
        for path in sorted({probes_file(key, folder) for key in new}):
            of_file = (to_row(probe) for key, probe in sorted(rows.items()) if probes_file(key, folder) == path)
            write_rows(path, COLUMNS, of_file)


def to_row(probe: Probe) -> dict[str, str]:
    """As text by column; the inverse of `from_row`."""
    return {
        **probe.key.case.fields,
        "scale": probe.key.scale,
        "recipe_version": str(probe.key.recipe_version),
        "recipe": _words(probe.recipe),
        "num_sites": str(probe.num_sites),
        "num_layers": str(probe.num_layers),
        **{name: " ".join(map(_number, values)) for name, values in probe.series.items()},
        "evaluation": _words(probe.evaluation),
        "tolerances": _words(probe.tolerances),
        "rounding": " ".join(f"{name}={value:.2g}" for name, value in probe.rounding.items()),
    }


def from_row(row: Mapping[str, str]) -> Probe:
    """The probe that a row of text is of.

    Raises:
        ValueError, TypeError, KeyError: it is of none.
    """
    if row["scale"] not in SCALES:
        raise ValueError(f"scale {row['scale']!r}; known: {', '.join(SCALES)}")
    series = {name: tuple(map(float, row[name].split())) for name in SERIES if row.get(name)}
    missing = {"weights", "inputs", "output", "losses", "rates", "gradients", "updates"} - series.keys()
    if missing:
        raise ValueError(f"no {', '.join(sorted(missing))}")
    num_sites, num_layers = int(row["num_sites"]), int(row["num_layers"])
    for name, wanted in (("sites", len(chosen(num_sites))), ("gradients", len(groups(num_layers)))):
        if len(series.get(name, ())) != wanted:
            raise ValueError(f"{name} has {len(series.get(name, ()))} entries and not {wanted}")
    return Probe(
        key=ProbeKey(Case(**{axis: row[axis] for axis in AXES}), row["scale"], int(row["recipe_version"])),
        recipe={name: _parsed(value) for name, value in _pairs(row["recipe"])},
        series=series,
        evaluation={name: float(value) for name, value in _pairs(row["evaluation"])},
        num_sites=num_sites,
        num_layers=num_layers,
        tolerances={name: float(value) for name, value in _pairs(row["tolerances"])},
        rounding={name: float(value) for name, value in _pairs(row["rounding"])},
    )


def _words(values: Mapping[str, str | float]) -> str:
    return " ".join(f"{name}={_number(one) if isinstance(one, float) else one}" for name, one in values.items())


def _pairs(words: str) -> list[list[str]]:
    return [word.split("=") for word in words.split()]


def _parsed(word: str) -> str | int:
    return int(word) if word.isdecimal() else word


def _number(value: float) -> str:
    """All digits that a float64 holds for certain; those behind them are rounding, and others on each machine."""
    return f"{value:.15g}"
