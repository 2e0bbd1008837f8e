"""History: every session appends its cases to `history.jsonl`, one case of one session a line."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.cases.case import Case
from bench.records import json_lines
from bench.records.baseline import Key
from bench.records.record import Bits, Outcome, ResultsError, bits_by_seed, builtin, finite
from bench.records.result import Result

FILE = "history.jsonl"


@dataclass(frozen=True)
class Entry:
    """One case in one session.

    Attributes:
        date: of its last run, UTC.
        commit: what `git describe` says of the folder that pytest ran in; empty outside a repository.
        environment: scale, recipe version, data hash and device class: only equal ones make one history.
        values, outcomes, digests: run by run, in order of the seeds.
        verdict, reason, failed, message: as in `Result`.
    """

    date: str
    commit: str
    case: Case
    environment: tuple[str, int, str, str]
    metric: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    outcomes: tuple[Outcome, ...]
    digests: tuple[str, ...]
    verdict: str
    reason: str = ""
    failed: bool = False
    message: str = ""

    @property
    def bits(self) -> dict[int, Bits]:
        """By seed, see `record.bits_of`."""
        return bits_by_seed(self.seeds, self.digests, self.values, self.outcomes)

    @property
    def trained(self) -> list[float]:
        return [value for value, outcome in zip(self.values, self.outcomes, strict=True) if outcome == "trained"]

    @property
    def mean(self) -> float:
        """Of the runs that trained; NaN where none did."""
        return statistics.fmean(self.trained) if self.trained else math.nan

    @property
    def key(self) -> Key:
        return Key(self.case, *self.environment)

    @property
    def series(self) -> tuple[Any, ...]:
        return (self.case, self.environment)


def entry_of(result: Result, commit: str) -> Entry:
    """What is kept of a case's result."""
    records = sorted(result.records, key=lambda one: one.seed)
    first = records[0]
    return Entry(
        date=max(one.date for one in records),
        commit=commit,
        case=result.case,
        environment=(first.scale, int(first.recipe["version"]), first.data_hash, first.device_class),
        metric=str(first.recipe["metric"]),
        seeds=tuple(one.seed for one in records),
        values=tuple(one.value for one in records),
        outcomes=tuple(one.outcome for one in records),
        digests=tuple(one.digest for one in records),
        verdict=result.verdict,
        reason=result.reason,
        failed=result.failed,
        message=result.message,
    )


def latest(found: Iterable[Entry]) -> dict[Key, Entry]:
    """The entry that counts of each key: that of the latest date, and of equal dates the last."""
    return {one.key: one for one in sorted(found, key=lambda one: one.date)}


def append(results: Iterable[Result], folder: Path) -> None:
    """Add a session to the history of a results folder.

    Raises:
        ResultsError: it cannot be written.
    """
    commit = _commit()
    lines = "".join(f"{_line(entry_of(one, commit))}\n" for one in results)
    path = folder / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(lines)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror}; make room there or give another place") from error


def _line(entry: Entry) -> str:
    """Strict JSON: a value that is not finite becomes null."""
    return json.dumps(finite(builtin(asdict(entry))), allow_nan=False)


def read(folder: Path) -> list[Entry]:
    """The entries of a results folder in order of their dates, none where no session wrote any; NaN stands for null.

    Raises:
        ResultsError: a line is no entry; the message names it.
    """
    return sorted(json_lines.read(folder / FILE, _parse, "history entry"), key=lambda one: one.date)


def _parse(fields: dict[str, Any]) -> Entry:
    sequences = {name: tuple(fields[name]) for name in ("seeds", "outcomes", "digests", "environment")}
    values = tuple(math.nan if value is None else value for value in fields["values"])
    return Entry(**{**fields, **sequences, "values": values, "case": Case(**fields["case"])})


def _commit() -> str:
    """Empty where there is no repository, no git, or no commit yet."""
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return os.environ.get("GITHUB_SHA", "")[:12]
    return asked.stdout.strip()
