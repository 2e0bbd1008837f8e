"""Which worker takes which case where only first steps are taken: `Alike(config, log)`, a scheduler of pytest-xdist."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling


class Alike(LoadScopeScheduling):  # type: ignore[misc]
    """Cases that differ in experiment and variant alone go to one worker: many of them share their first steps."""

    def _split_scope(self, nodeid: str) -> str:
        _, *axes = nodeid.rpartition("[")[2].removesuffix("]").split("-")
        return "-".join(axes[:4]) or nodeid
