"""Code on its way to other machines: the suite's own sources, and a user's files that some jobs need.

own = stage(jobs, folder)      # where the session is
unpack(own)                    # in the folder, wherever it has come to
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import activations
from activations._user import files_beside, import_file
from bench import experiments
from bench.engines.job import Job
from bench.records.code import ROOT

PACKAGES = ("activations", "models", "bench")


@dataclass(frozen=True)
class OwnFiles:
    """A user's files, relative to the folder.

    Attributes:
        activations: as `file.py:name`.
        experiments: with what pytest imports before them.
    """

    activations: tuple[str, ...]
    experiments: tuple[str, ...]


def stage(jobs: Iterable[Job[Any]], folder: Path) -> OwnFiles:
    """Copy to a folder all that a process needs to do some jobs, and that is no installed package."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            _copy(path, folder / path.relative_to(ROOT))
    entries = [activations.info(name) for name in sorted({job.case.activation for job in jobs})]
    declaring = [experiments.file_of(name) for name in sorted({job.case.experiment for job in jobs})]
    with_it = [path for file in declaring if file for path in (file.with_name("conftest.py"), file) if path.is_file()]
    own = {entry.label: Path(entry.source).absolute() for entry in entries if entry.family == "user"}
    folders = list(dict.fromkeys(path.parent for path in (*own.values(), *with_it)))
    places = {parent: Path("own", str(number)) for number, parent in enumerate(folders)}
    for path in (*own.values(), *with_it):
        for one in files_beside(path):
            if one.is_relative_to(path.parent):
                _copy(one, folder / places[path.parent] / one.relative_to(path.parent))
    return OwnFiles(
        activations=tuple(f"{places[path.parent] / path.name}:{label}" for label, path in own.items()),
        experiments=tuple(str(places[path.parent] / path.name) for path in with_it),
    )


def unpack(own: OwnFiles) -> None:
    """Make a user's activations and experiments known to this process, which runs in the folder.

    Raises:
        ValueError: a file does not import here.
    """
    for reference in own.activations:
        activations.register(activations.load(reference))
    for file in map(Path, own.experiments):
        if file.name == "conftest.py":
            import_file(file)
        else:
            experiments.load(file)


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)
