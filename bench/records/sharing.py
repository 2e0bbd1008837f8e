"""Folders that several sessions write to: `with locked(folder): ...` from reading to replacing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from bench.records.record import ResultsError

LOCK = ".lock"  # beside what it guards, so that sessions of several machines meet at it
PATIENCE = 60.0  # seconds; merging takes a fraction of one


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep all other sessions from what they merge into the files of a folder; the folder is made if need be.

    Raises:
        ResultsError: the folder cannot be written, or another session has held the lock for a minute.
    """
    lock = filelock.FileLock(folder / LOCK, timeout=PATIENCE, mode=0o666)  # other users of a shared folder lock it too
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise ResultsError(
            f"another session has been writing to {folder} for {PATIENCE:g} s; when it has ended, run with --resume"
        ) from error
    except (OSError, NotImplementedError) as error:
        raise ResultsError(f"cannot write {folder}: {error}; make room there or give another place") from error
    try:
        yield
    finally:
        lock.release()


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Add whole lines to a file that others add to as well; half a line that a killed session left is ended first.

    Raises:
        ResultsError: the file cannot be written.
    """
    with locked(path.parent):
        try:
            with path.open("ab+") as file:
                if file.seek(0, 2) and (file.seek(-1, 2), file.read(1))[1] != b"\n":
                    file.write(b"\n")
                file.write("".join(f"{line}\n" for line in lines).encode())
        except OSError as error:
            raise ResultsError(
                f"cannot write {path}: {error.strerror}; make room there or give another place"
            ) from error
