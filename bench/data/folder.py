"""What lies in a user's folder, by names and not by patterns: `folder.entries(path)`, `folder.below(path, ".parquet")`.

What file managers leave there is passed over: macOS's `._SX11.WAV` and `.DS_Store`, `@eaDir`, `Thumbs.db` and the like.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from bench.data.errors import DataError

LEFT_BY_OTHERS = ("thumbs.db", "desktop.ini", "__macosx", "@eadir", "#recycle", "$recycle.bin", "lost+found")


def entries(folder: Path) -> list[Path]:
    """The files and folders in one, in the order of their names in small letters.

    Raises:
        DataError: it cannot be listed.
    """
    try:
        found = [path for path in folder.iterdir() if not _is_left_by_others(path.name)]
    except OSError as error:
        raise DataError(f"cannot list {folder}: {error.strerror}; give a folder that can be read") from error
    return sorted(found, key=lambda path: path.name.lower())


def below(folder: Path, *suffixes: str) -> list[Path]:
    """The files with one of these suffixes, in any letter case, in a folder and the folders below it; sorted.

    Links are followed, to each folder once.

    Raises:
        DataError: one of the folders cannot be listed, or the first is a link to nothing.
    """
    has_file(folder)
    found: list[Path] = []
    met: set[Path] = set()
    ahead = [folder] if folder.is_dir() else []
    while ahead:
        place = ahead.pop()
        if place.resolve() not in met:
            met.add(place.resolve())
            for path in entries(place):
                (ahead if path.is_dir() else found).append(path)
    return sorted(path for path in found if path.suffix.lower() in suffixes)


def has_file(path: Path) -> bool:
    """Whether there is such a file.

    Raises:
        DataError: there is a link of that name, and nothing where it leads to; or its folder cannot be looked into.
    """
    try:
        if path.is_symlink() and not path.exists():
            raise DataError(f"{path} is a link to {os.readlink(path)}, which is not there; download it again")
        return path.is_file()
    except OSError as error:
        raise DataError(f"cannot look at {path}: {error.strerror}; give a folder that can be read") from error


def expanded(path: str | Path) -> Path:
    """A path with the home folder in the place of a leading `~`; one that only looks so stays as it is."""
    return Path(os.path.expanduser(path))


def typed_text(text: str) -> str:
    """What was typed behind an option, for argparse.

    Raises:
        ArgumentTypeError: nothing, as of a variable that is not set; as a path it would mean the working folder.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("nothing is given; give something, or leave the option out")
    return text


def typed_path(text: str) -> Path:
    """A path that was typed behind an option, for argparse; a shell leaves the `~` of `--to=~/page` as it is.

    Raises:
        ArgumentTypeError: as `typed_text`.
    """
    return expanded(typed_text(text))


def _is_left_by_others(name: str) -> bool:
    return name.startswith(".") or name.lower() in LEFT_BY_OTHERS
