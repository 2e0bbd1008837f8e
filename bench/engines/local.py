"""This process: a job is done when its outcome is asked for, in the order of the session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from bench.cases.case import Case
from bench.engines import Ended, EngineChoice
from bench.engines.job import Job, Known, Told

T = TypeVar("T")


class Local:
    """See `bench.engines.Engine`."""

    def __init__(self, choice: EngineChoice, jobs: Sequence[Job[Any]], ended: Ended, told: Told) -> None:
        self._ended, self._told = ended, told
        self._known = Known()

    def __str__(self) -> str:
        return "this process, one run at a time"

    def submit(self, jobs: Sequence[Job[Any]]) -> None:
        pass

    def outcome(self, job: Job[T]) -> T:
        found = job.do(self._known, self._told)
        self._ended(job, found)
        return found

    def completed(self, *, wait: bool) -> Case | None:
        return None

    def close(self) -> None:
        pass
