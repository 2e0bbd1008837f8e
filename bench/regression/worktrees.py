"""Other commits, each in a work tree of its own beside the one at hand: `with worktree(repository, "v1") as tree:`."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def worktree(repository: Path, commit: str) -> Iterator[Path]:
    """A folder with the files of a commit, gone afterwards; the one at hand stays as it is.

    Args:
        repository: a folder of it.

    Raises:
        ValueError: git has no such commit, or cannot make the folder.
    """
    named = commit_of(repository, commit)
    with tempfile.TemporaryDirectory(prefix="actbench-") as temporary:
        tree = Path(temporary) / "tree"
        git(repository, "worktree", "add", "--detach", str(tree), named)
        try:
            yield tree
        finally:
            git(repository, "worktree", "remove", "--force", str(tree))


def commit_of(repository: Path, name: str) -> str:
    """The full name of a commit that may be called in any way that git knows.

    Raises:
        ValueError: git knows none.
    """
    return git(repository, "rev-parse", "--verify", f"{name}^{{commit}}").strip()


def git(folder: Path, *arguments: str) -> str:
    """What git prints.

    Raises:
        ValueError: it fails; the message says why.
    """
    found = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment_of(folder), text=True, capture_output=True, check=False
    )
    if found.returncode:
        raise ValueError(f"git {' '.join(arguments[:2])}: {found.stderr.strip() or found.stdout.strip()}")
    return found.stdout


def environment_of(tree: Path) -> dict[str, str]:
    """In which the code of a work tree is imported, whatever is installed."""
    return {**os.environ, "PYTHONPATH": str(tree)}
