"""Bisect: which commit changed the first steps of some cases. `python -m bench bisect v1.0 HEAD -k "mlp and elu"`.

`git bisect run` with probes, in a work tree of its own: the one at hand stays as it is. What counts as good are the
first steps as the good commit itself takes them, so that neither baselines nor data are needed.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.regression.worktrees import commit_of, environment_of, git, worktree

# git's word for a commit that cannot be judged: pytest could not even collect there.
SKIP = 125
_FIRST_BAD = re.compile(r"^([0-9a-f]{40}) is the first .*bad.* commit$", re.MULTILINE)
_SAID = re.compile(r"^(?:E +)?((?:CHANGED|NEW) \S+ at \S+: .*)$", re.MULTILINE)


def bisect(good: str, bad: str, options: Sequence[str], repository: Path) -> str:
    """The first commit behind a good one at which a selected case is CHANGED: its author, and what differs first.

    Args:
        good, bad: commits, as git names them.
        options: of `pytest bench --probe`, such as `-k` and `--scale`.
        repository: a folder of it.

    Raises:
        ValueError: git cannot do it, the good commit takes no probes, or the bad one is as good.
    """
    good, bad = (commit_of(repository, name) for name in (good, bad))
    with tempfile.TemporaryDirectory() as folder, worktree(repository, good) as tree:
        return _bisected(good, bad, options, tree, Path(folder))


def _bisected(good: str, bad: str, options: Sequence[str], tree: Path, folder: Path) -> str:
    recorded = _probe(tree, folder, [*options, "--record"])
    if recorded.returncode:
        raise ValueError(f"{good} takes no probes of these cases:\n{recorded.stdout}")
    git(tree, "checkout", "--detach", bad)
    judged = _probe(tree, folder, options)
    if not judged.returncode:
        raise ValueError(f"{bad} is as good as {good}: no selected case is CHANGED")
    git(tree, "bisect", "start", bad, good)
    command = " ".join(map(shlex.quote, _command(folder, options)))
    script = f'{command} > "{folder}/$(git rev-parse HEAD)" 2>&1; code=$?; [ $code -gt 1 ] && exit {SKIP}; exit $code'
    found = git(tree, "bisect", "run", "sh", "-c", script)
    match = _FIRST_BAD.search(found)
    if match is None:
        raise ValueError(f"git bisect found no single commit:\n{found}")
    commit = match[1]
    said = _SAID.findall((folder / commit).read_text() if (folder / commit).exists() else judged.stdout)
    return "\n".join([git(tree, "show", "--no-patch", "--format=%h  %an  %as  %s", commit).strip(), *said[:1]])


def _command(folder: Path, options: Sequence[str]) -> list[str]:
    pytest = [sys.executable, "-m", "pytest", "bench", "--probe", "-q", "-p", "no:cacheprovider"]
    return [*pytest, "--baseline=require", "--baseline-dir", str(folder), *options]


def _probe(tree: Path, folder: Path, options: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(folder, options), cwd=tree, env=environment_of(tree), text=True, capture_output=True, check=False
    )
