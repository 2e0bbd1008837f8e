"""Files of one JSON object a line, as a results folder keeps them: `json_lines.read(path, parse, "verdict")`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from bench.records.record import ResultsError

_Entry = TypeVar("_Entry")


def read(path: Path, parse: Callable[[dict[str, Any]], _Entry], noun: str) -> list[_Entry]:
    """The entries of a file; none where there is no such file.

    Args:
        noun: what a line is, for the message.

    Raises:
        ResultsError: a line that cannot be parsed; the message names it.
    """
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(parse(json.loads(line)))
        except (ValueError, TypeError, KeyError) as error:
            raise ResultsError(f"{path}, line {number} is not a {noun} ({error!r}); delete the line") from error
    return found
