"""CSV files of a baseline folder, one row a line and sorted, so that two branches merge: `read_rows(path, COLUMNS)`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bench.records.record import write_text

T = TypeVar("T")


class BaselineError(ValueError):
    """A file of a baseline folder that cannot be read; the message names the file and the line."""


def csv_files(folder: Path) -> list[Path]:
    """Those of a folder by name, without what operating systems hide there."""
    return [path for path in sorted(folder.glob("*.csv")) if not path.name.startswith(".")]


def other_files(folder: Path) -> list[Path]:
    """What lies in a folder and is read by nobody, hidden files left out."""
    return [path for path in sorted(folder.glob("*")) if path.suffix != ".csv" and not path.name.startswith(".")]


def read_rows(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> Iterator[tuple[str, dict[str, str]]]:
    """Where each row of a file stands, for messages, and its text by column.

    Args:
        optional: columns behind the others that a file may lack.

    Raises:
        BaselineError: it is no such file; the message names it and the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets put a mark in front
            rows = csv.DictReader(file, strict=True)
            if tuple(rows.fieldnames or ()) not in (tuple(columns), (*columns, *optional)):
                raise BaselineError(
                    f"{path}, line 1: the columns are not {', '.join(columns)}; re-record, or move the file away"
                )
            for row in rows:
                where = f"{path}, line {rows.line_num}"
                if None in row or None in row.values():
                    raise BaselineError(
                        f"{where}: malformed row (not {len(rows.fieldnames or ())} fields); fix or re-record it"
                    )
                yield where, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BaselineError(f"{path} cannot be read as CSV ({error}); fix it, or move it away and re-record") from error


def parsed_rows(
    path: Path, columns: Sequence[str], parse: Callable[[dict[str, str]], T], optional: Sequence[str] = ()
) -> Iterator[tuple[str, T]]:
    """Where each row of a file stands, and what `parse` makes of it; the columns are those of `read_rows`.

    Raises:
        BaselineError: it is no such file, or a row cannot be parsed; the message names file and line.
    """
    for where, row in read_rows(path, columns, optional):
        try:
            yield where, parse(row)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BaselineError(f"{where}: malformed row ({error}); fix or re-record it") from error


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a file so that it is there whole or not at all.

    Raises:
        ResultsError: the folder cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
