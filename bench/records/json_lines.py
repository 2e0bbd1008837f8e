"""Files of one JSON object a line, as a results folder keeps them: `json_lines.read(path, parse, "verdict")`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from bench.records.record import ResultsError

_Entry = TypeVar("_Entry")


def read(path: Path, parse: Callable[[dict[str, Any]], _Entry], noun: str) -> list[_Entry]:
    """The entries of a file, without its half lines; none where there is no such file.

    Args:
        noun: what a line is, for the message.

    Raises:
        ResultsError: a whole line that is none of them, or a file that cannot be read; the message names it.
    """
    found = []
    for number, line in _lines(path):
        try:
            found.append(parse(json.loads(line)))
        except json.JSONDecodeError:
            continue  # `half_lines` tells of it
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ResultsError(f"{path}, line {number} is not a {noun} ({error!r}); delete the line") from error
    return found


def half_lines(path: Path) -> list[str]:
    """What `read` leaves out of a file, as one note: lines that a killed session, or a full disk, has cut short."""
    halves = []
    for number, line in _lines(path):
        try:
            json.loads(line)
        except json.JSONDecodeError:
            halves.append(number)
    numbers = ", ".join(map(str, halves))
    return [f"left out of {path} what a session that was killed has half written: line {numbers}"] if halves else []


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    if not path.exists():
        return
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")  # a character may be cut in two
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror}") from error
    yield from enumerate(text.splitlines(), start=1)
