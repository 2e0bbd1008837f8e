"""Source lines: where activations, networks and experiments are written down. `source_lines.activation_line("tact")`.

They are found in the text of the files: nothing is imported for them.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import NamedTuple

import activations
import models


class SourceLine(NamedTuple):
    """A line of a file, from 1."""

    file: Path
    line: int


def activation_line(name: str) -> SourceLine | None:
    """Its class or function; the record of one that is torch's own; None where it is not known here."""
    try:
        entry = activations.info(name)
    except ValueError:  # one that a user's test file registers is known to the process that imported it
        return None
    if Path(entry.source).is_file():
        return definition(Path(entry.source), entry.label)
    trained = entry.module or entry.function
    if isinstance(trained, str) and trained.startswith("activations."):
        return _named(trained)
    catalogue = sorted(Path(activations.__file__).with_name("_catalogue").glob("*.py"))
    found = (_matching(file, rf'^ *name="{entry.name}"') for file in catalogue)
    return next(filter(None, found), None)


def model_line(name: str) -> SourceLine | None:
    """The class or function that makes a network; None where it is not known here."""
    try:
        make = models.info(name).module
    except ValueError:
        return None
    return _named(make if isinstance(make, str) else f"{make.__module__}:{getattr(make, '__name__', '')}")


def definition(file: Path, name: str) -> SourceLine:
    """The line of a file that defines a name at its top level; the first line where none does."""
    return _matching(file, rf"^(?:(?:class|def) )?{re.escape(name)}\b") or SourceLine(file, 1)


def _named(reference: str) -> SourceLine | None:
    module, _, name = reference.partition(":")
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return definition(Path(spec.origin), name) if spec and spec.origin else None


def _matching(file: Path, pattern: str) -> SourceLine | None:
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    match = re.search(pattern, text, re.MULTILINE)
    return SourceLine(file, 1 + text.count("\n", 0, match.start())) if match else None
