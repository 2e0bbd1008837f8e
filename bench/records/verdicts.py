"""Verdicts: what a session said of its cases, kept in its results folder. `verdicts.read(Path("results"))`.

One JSON line a case and environment; the next session of the same case replaces it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.cases.case import Case
from bench.records import json_lines
from bench.records.baseline import Key, key_of
from bench.records.record import write_text
from bench.records.result import Result

FILE = "verdicts.jsonl"


@dataclass(frozen=True)
class JudgedCase:
    """What was said of one case in one environment.

    Attributes:
        verdict, reason, failed, message, views: as in `Result`.
        seeds: of the runs that it was said of.
        date: of the last of them, UTC, ISO 8601.
    """

    key: Key
    verdict: str
    reason: str
    failed: bool
    message: str
    views: tuple[str, ...]
    seeds: tuple[int, ...]
    date: str


def judged_case(result: Result) -> JudgedCase:
    """What is kept of a case's result."""
    records = sorted(result.records, key=lambda one: one.seed)
    return JudgedCase(
        key=key_of(records[0]),
        verdict=result.verdict,
        reason=result.reason,
        failed=result.failed,
        message=result.message,
        views=result.views,
        seeds=tuple(one.seed for one in records),
        date=max(one.date for one in records),
    )


def latest(found: Iterable[JudgedCase]) -> dict[Key, JudgedCase]:
    """One a key: that of the latest date, and of equal dates the last."""
    kept: dict[Key, JudgedCase] = {}
    for one in found:
        if one.key not in kept or one.date >= kept[one.key].date:
            kept[one.key] = one
    return kept


def write(results: Iterable[Result], folder: Path) -> None:
    """Put the verdicts of a session in their place among those of a results folder.

    Raises:
        ResultsError: the file cannot be written, or what is there is not one of verdicts.
    """
    kept = latest([*read(folder), *map(judged_case, results)])
    write_text(folder / FILE, "".join(f"{_line(one)}\n" for _, one in sorted(kept.items())))


def read(folder: Path) -> list[JudgedCase]:
    """The verdicts of a results folder; none where no session wrote any.

    Raises:
        ResultsError: a line is not a verdict; the message names it.
    """
    return json_lines.read(folder / FILE, _parse, "verdict")


def _parse(fields: dict[str, Any]) -> JudgedCase:
    sequences = {name: tuple(fields[name]) for name in ("views", "seeds")}
    key = Key(**{**fields["key"], "case": Case(**fields["key"]["case"])})
    return JudgedCase(**{**fields, **sequences, "key": key})


def _line(one: JudgedCase) -> str:
    return json.dumps({**asdict(one), "key": {**one.key._asdict(), "case": one.key.case.fields}})
