"""Code: what a run was made by, as a digest of all sources that can change its numbers. `code_of("mlp")`.

Runs of other code are no runs of the same thing, be their case, seed and recipe equal: they are not reused, not
averaged with today's, and not recorded beside them. A user's own activation is not part of it: its digest is in the
fingerprint, since it is of that activation's cases alone.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from bench import experiments

ROOT = Path(__file__).parents[2]
FOLDERS = ("activations", "models", *(f"bench/{room}" for room in ("cases", "experiments", "data", "training")))


def code_of(experiment: str) -> str:
    """The digest for an experiment; the files of a user's own are part of it."""
    own = experiments.own_code_of(experiment)
    return hashlib.sha256(f"{_suite()}{own}".encode()).hexdigest()[:12]


@cache
def _suite() -> str:
    """Read once a process, in milliseconds; the same on every system and in an installed package."""
    digest = hashlib.sha256()
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode())
            digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()
