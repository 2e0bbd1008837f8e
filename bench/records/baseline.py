"""Baselines: what was recorded, one CSV row a case and environment. `baseline.read(folder)`, `baseline.write(...)`.

The rows are text, sorted, one a line, so that two branches merge and a diff reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.cases.case import AXES, Case
from bench.cases.metric import Measured
from bench.records import conform
from bench.records.csv_rows import BaselineError, csv_files, parsed_rows, write_rows
from bench.records.record import OUTCOMES, Key, Record, in_file_name
from bench.records.runs import Runs
from bench.records.sharing import locked

# In a wheel they lie inside the package, in a checkout beside it.
PACKAGED = Path(__file__).parents[1] / "baselines"
INSTALLED = PACKAGED.is_dir()
FOLDER = PACKAGED if INSTALLED else Path(__file__).parents[2] / "baselines"
MEASURED = "measured"
KERNELS = "kernels."  # what the names of files begin with that are another room's, `bench.timing.kernels.recorded`
COLUMNS = (
    *AXES,
    *("scale", "recipe_version", "data_hash", "device_class"),
    *("metric", "n", "trained", "mean", "sd"),
    *("seeds", "values", "outcomes", "digests", "metrics", "fingerprint", "date"),
)
OF_CARDS = ("peak_bytes",)  # behind them in files with rows of cards, which alone have it


@dataclass(frozen=True)
class Baseline:
    """The recorded runs of one case in one environment.

    Attributes:
        metric: the judged one, whose values the runs hold.
        metrics: those that are not judged and that all runs have, by name, run by run as well.
        date: of the latest run.
        peak_bytes: the most that a run took of a card's memory, see `Record`; None elsewhere, and where it is unknown.
    """

    key: Key
    metric: str
    runs: Runs
    metrics: dict[str, list[float]]
    fingerprint: dict[str, Any]
    date: str
    peak_bytes: int | None = None

    @staticmethod
    def of(records: Sequence[Record]) -> Baseline:
        """What the records of one case and environment make."""
        first, *_ = ordered = sorted(records, key=lambda record: record.seed)
        metric = first.recipe["metric"]
        shared = set.intersection(*(set(record.metrics) for record in ordered))  # some may have run with --gradients
        others = sorted(shared - {metric})
        return Baseline(
            key=first.key,
            metric=metric,
            runs=Runs.of(ordered),
            metrics={name: [_rounded(record.metrics[name]) for record in ordered] for name in others},
            fingerprint=first.fingerprint,
            date=max(record.date for record in ordered)[:10],
            peak_bytes=max(
                (one.peak_bytes for one in ordered if one.peak_bytes is not None and not one.gradients), default=None
            ),
        )


def read(folder: Path) -> dict[Key, Baseline]:
    """All recorded baselines below a baseline folder (`<folder>/measured/*.csv`).

    Raises:
        BaselineError: a malformed row; the message names file and line.
    """
    baselines: dict[Key, Baseline] = {}
    for path in csv_files(folder / MEASURED):
        if path.name.startswith(KERNELS):
            continue
        for where, baseline in parsed_rows(path, COLUMNS, _parse, OF_CARDS):
            if _path(baseline.key, folder) != path:
                name = _path(baseline.key, folder).name
                raise BaselineError(f"{where}: the row of {baseline.key.case.id} belongs into {name}; move it there")
            if baseline.key in baselines:
                raise BaselineError(f"{where}: a second row for {baseline.key.case.id}; keep one")
            baselines[baseline.key] = baseline
    return baselines


def has_device(rows: Iterable[Key], key: Key) -> bool:
    """Whether anything is recorded of the device of a key at its scale."""
    return any((one.scale, one.device_class) == (key.scale, key.device_class) for one in rows)


def write(baselines: Iterable[Baseline], folder: Path) -> list[tuple[Baseline | None, Baseline]]:
    """Merge baselines into the files of a folder; rows of other keys stay. Returns (old, new) for each.

    Raises:
        ResultsError: the folder cannot be written.
        BaselineError: a malformed row in a file that is there.
    """
    with locked(folder):
        rows = read(folder)
        changes = [(rows.get(new.key), new) for new in sorted(baselines, key=lambda one: one.key)]
        rows.update({new.key: new for _, new in changes})
        for path in sorted({_path(new.key, folder) for _, new in changes}):
            of_file = [row for key, row in sorted(rows.items()) if _path(key, folder) == path]
            columns = (*COLUMNS, *OF_CARDS) if any(row.peak_bytes is not None for row in of_file) else COLUMNS
            write_rows(path, columns, map(_format, of_file))
    return changes


def _path(key: Key, folder: Path) -> Path:
    return folder / MEASURED / f"{key.case.experiment}.{key.scale}.{in_file_name(key.device_class)}.csv"


def _format(baseline: Baseline) -> dict[str, Any]:
    key, runs = baseline.key, baseline.runs
    return {
        **key.case.fields,
        "scale": key.scale,
        "recipe_version": key.recipe_version,
        "data_hash": key.data_hash,
        "device_class": key.device_class,
        "metric": baseline.metric,
        "n": runs.n,
        **_derived(runs),
        "seeds": " ".join(map(str, runs.seeds)),
        "values": " ".join(map(repr, runs.values)),
        "outcomes": " ".join(runs.outcomes),
        "digests": " ".join(runs.digests),
        "metrics": json.dumps(baseline.metrics, sort_keys=True),
        "fingerprint": json.dumps(baseline.fingerprint, sort_keys=True),
        "date": baseline.date,
        "peak_bytes": "" if baseline.peak_bytes is None else baseline.peak_bytes,
    }


def _derived(runs: Runs) -> dict[str, str]:
    """For the reader's eye."""
    return {
        "trained": str(len(runs.trained)),
        "mean": f"{runs.mean:.6f}" if runs.trained else "",
        "sd": f"{runs.sd:.6f}" if len(runs.trained) > 1 else "",
    }


def _parse(row: dict[str, str]) -> Baseline:
    key = Key(
        Case(**{axis: row[axis] for axis in AXES}),
        row["scale"],
        int(row["recipe_version"]),
        row["data_hash"],
        row["device_class"],
    )
    words = {column: row[column].split() for column in ("seeds", "values", "outcomes", "digests")}
    for column, values in words.items():
        if len(values) != int(row["n"]) or not values:
            raise ValueError(f"{column} has {len(values)} entries, n says {row['n']}")
    if len(set(words["seeds"])) < len(words["seeds"]):
        raise ValueError(f"a seed stands there twice: {row['seeds']}")
    unknown = set(words["outcomes"]) - set(OUTCOMES)
    if unknown:
        raise ValueError(f"outcome {', '.join(sorted(unknown))}; known: {', '.join(OUTCOMES)}")
    baseline = Baseline(
        key=key,
        metric=Measured.parse(row["metric"]).name,
        runs=Runs(
            seeds=tuple(map(int, words["seeds"])),
            values=tuple(map(float, words["values"])),
            outcomes=tuple(outcome for word in words["outcomes"] for outcome in OUTCOMES if outcome == word),
            digests=tuple(words["digests"]),
        ),
        metrics=json.loads(row["metrics"]),
        fingerprint=json.loads(row["fingerprint"]),
        date=row["date"],
        peak_bytes=int(row["peak_bytes"]) if row.get("peak_bytes") else None,
    )
    conform.check_types(baseline)
    for name, measured in baseline.metrics.items():
        if len(measured) != baseline.runs.n:
            raise ValueError(f"metrics has {len(measured)} entries of {name}, n says {row['n']}")
    for column, derived in _derived(baseline.runs).items():  # a row edited by hand shows here
        if row[column] != derived:
            raise ValueError(f"{column} is {row[column]!r}, its values give {derived!r}")
    return baseline


def _rounded(value: float) -> float:
    """To what a reader can use: six digits. Only the judged values are kept to the last bit."""
    return float(f"{value:.6g}")
