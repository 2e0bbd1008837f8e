"""Baselines at an address of fsspec, as `s3://bucket/rows` or `hf://datasets/me/rows`: `addresses.local(place)`.

At an address lie measured rows alone, those of each card in files of their own. What means the same on every machine
(first steps, what networks see of data, quarantine, what the literature reports) is that of the repository: it is part
of the code that is judged.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bench.data.folder import expanded
from bench.records import baseline, probes
from bench.records.csv_rows import BaselineError, csv_files
from bench.records.record import ResultsError, in_file_name


def local(place: str | Path) -> Path:
    """The folder that a place names; of an address one with what lies there now, for as long as this process lives.

    Where nothing lies at an address there are no rows, as in a folder that nothing was recorded into.

    Raises:
        BaselineError: the address cannot be read, or the folder is one inside a baseline folder; the message says why.
    """
    if "://" not in str(place):
        folder = expanded(place)
        if folder.absolute().name in (baseline.MEASURED, probes.FOLDER) and csv_files(folder):
            raise BaselineError(f"{folder} holds the rows of one kind alone; give the folder that it lies in")
        return folder
    address = str(place)
    temporary = tempfile.mkdtemp(prefix="actbench-")
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    try:
        folder = Path(temporary) / in_file_name(address)
        shutil.copytree(baseline.FOLDER, folder, ignore=shutil.ignore_patterns(baseline.MEASURED, ".*"))
        (folder / baseline.MEASURED).mkdir()
        for name, content in _files(address).items():
            (folder / baseline.MEASURED / name).write_bytes(content)
    except Exception as error:  # every file system has errors of its own
        raise BaselineError(f"cannot read the baselines at {address}: {error}; give another place") from error
    return folder


def typed(folder: Path) -> str:
    """A folder of `local` as it was given: by its address where it has one."""
    name = unquote(folder.name)
    return name if "://" in name else str(folder)


def is_address(folder: Path) -> bool:
    """Whether a folder of `local` is the copy of an address."""
    return typed(folder) != str(folder)


def publish(folder: Path) -> None:
    """Put the measured rows of a folder of `local` where they came from: files that are others now, each whole.

    Nothing keeps two people from publishing at once; of one file the later one's rows stay.

    Raises:
        ResultsError: the address cannot be written; the message says why.
    """
    if not is_address(folder):
        return
    address = typed(folder)
    try:
        before = _files(address)
        files, root = _opened(address)
        for path in csv_files(folder / baseline.MEASURED):
            if before.get(path.name) != (content := path.read_bytes()):
                _put(files, f"{root}/{baseline.MEASURED}", path.name, content)
    except Exception as error:  # likewise
        raise ResultsError(f"cannot write the baselines at {address}: {error}; ask for the rights to it") from error


def _files(address: str) -> dict[str, bytes]:
    """The measured rows of an address, file by file."""
    files, root = _opened(address)
    try:
        listed = files.ls(f"{root}/{baseline.MEASURED}", detail=False)
    except FileNotFoundError:
        return {}
    return {path.rpartition("/")[2]: files.cat_file(path) for path in listed if path.endswith(".csv")}


def _put(files: Any, folder: str, name: str, content: bytes) -> None:
    """Folders are made where there are such things: asked for one, an object store may want to make a bucket."""
    try:
        files.pipe_file(f"{folder}/{name}", content)
    except FileNotFoundError:
        files.makedirs(folder, exist_ok=True)
        files.pipe_file(f"{folder}/{name}", content)


def _opened(address: str) -> tuple[Any, str]:
    """The file system of an address, without what it remembers of an earlier session, and the path in it."""
    import fsspec

    files, root = fsspec.url_to_fs(address)
    files.invalidate_cache()
    return files, root.rstrip("/")
