"""History: every session appends its cases to `history.jsonl`, one case of one session a line."""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from bench.cases.case import Case
from bench.cases.metric import Measured
from bench.records import conform, json_lines, verdict
from bench.records.record import Key, builtin, finite
from bench.records.result import Result
from bench.records.runs import Runs
from bench.records.sharing import append_lines

FILE = "history.jsonl"


@dataclass(frozen=True)
class Entry:
    """One case in one session.

    Attributes:
        date: of its last run, UTC; read from a file, not before that of the entry before it.
        commit: what `git describe` says of the folder that pytest ran in; empty outside a repository.
        environment: scale, recipe version, data hash and device class: only equal ones make one history.
        metric: the judged one, whose values the runs hold.
        verdict, reason, failed, message: as in `Result`.
    """

    date: str
    commit: str
    case: Case
    environment: tuple[str, int, str, str]
    metric: str
    runs: Runs
    verdict: str
    reason: str = ""
    failed: bool = False
    message: str = ""

    @property
    def key(self) -> Key:
        """What the runs were judged under."""
        return Key(self.case, *self.environment)

    @property
    def series(self) -> tuple[Any, ...]:
        """What entries of one history share."""
        return (self.case, self.environment)


def entry_of(result: Result, commit: str) -> Entry:
    """What is kept of a case's result."""
    first = result.records[0]
    return Entry(
        date=max(one.date for one in result.records),
        commit=commit,
        case=result.case,
        environment=(first.scale, int(first.recipe["version"]), first.data_hash, first.device_class),
        metric=str(first.recipe["metric"]),
        runs=Runs.of(result.records),
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
    append_lines(folder / FILE, [_line(entry_of(one, commit)) for one in results])


def _line(entry: Entry) -> str:
    """Strict JSON: a value that is not finite becomes null; the runs' fields stand among the entry's own."""
    fields = {**vars(entry), **asdict(entry.runs), "case": entry.case.fields}
    del fields["runs"]
    return json.dumps(finite(builtin(fields)), allow_nan=False)


def read(folder: Path) -> list[Entry]:
    """The entries of a results folder as sessions wrote them, none where there is no history; NaN stands for null.

    None is older than the one before it: a session that resumes judges old runs anew, and is the later one.

    Half lines are left out, see `json_lines.half_lines`.

    Raises:
        ResultsError: a whole line is no entry; the message names it.
    """
    found = json_lines.read(folder / FILE, _parse, "history entry")
    dates = accumulate((one.date for one in found), max)
    return [replace(one, date=date) for one, date in zip(found, dates, strict=True)]


def _parse(fields: dict[str, Any]) -> Entry:
    runs = Runs(
        seeds=tuple(fields.pop("seeds")),
        values=tuple(math.nan if value is None else value for value in fields.pop("values")),
        outcomes=tuple(fields.pop("outcomes")),
        digests=tuple(fields.pop("digests")),
    )
    own = {"case": Case(**fields["case"]), "environment": tuple(fields["environment"]), "runs": runs}
    entry = Entry(**{**fields, **own, "metric": Measured.parse(fields["metric"]).name})
    conform.check_types(entry)
    verdict.info(entry.verdict)
    return entry


def _commit() -> str:
    """Empty where there is no repository, no git, or no commit yet."""
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return os.environ.get("GITHUB_SHA", "")[:12]
    return asked.stdout.strip()
