"""Where the jobs of a session are done: in this process, or on a Ray cluster. `engines.find("ray")`.

An engine is a class as `Engine` says, in a module of its own, with a line in `ENGINES`. Importing this package loads
neither torch nor Ray.
"""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from bench.cases.case import Case
from bench.engines.job import Job, Told

T = TypeVar("T")
Ended: TypeAlias = Callable[[Job[Any], Any], None]  # a job, and what came of it

LOCAL = "local"
ENGINES: Mapping[str, str] = {LOCAL: "bench.engines.local:Local", "ray": "bench.engines.on_ray:Ray"}
NEEDED: Mapping[str, str] = {"ray": "ray"}  # packages, of the extra of the same name


class RunLostError(RuntimeError):
    """What was to do a job died with it, again and again; the message says how often and why."""


@dataclass(frozen=True)
class EngineChoice:
    """Which engine is asked for, and what it is told.

    Attributes:
        name: one of `ENGINES`.
        address: of a cluster that is there; empty for one of the session's own.
        gpus_per_run: share of a card, or number of cards; None leaves it to the engine.
        accelerator: the one model of card that is used, as the cluster calls it; None where it has no other.
    """

    name: str = LOCAL
    address: str = ""
    gpus_per_run: float | None = None
    accelerator: str | None = None

    @staticmethod
    def parse(text: str, gpus_per_run: float | None = None, accelerator: str | None = None) -> EngineChoice:
        """`ray`, or `ray:head:6379` with an address.

        Raises:
            ValueError: an unknown engine, one whose package is not installed, or what it does not take.
        """
        name, _, address = text.partition(":")
        if name not in ENGINES:
            raise ValueError(f"--engine {text}: unknown engine {name!r}; known: {', '.join(ENGINES)}")
        if name in NEEDED and importlib.util.find_spec(NEEDED[name]) is None:
            raise ValueError(f'--engine {name} needs a package that is not installed: pip install -e ".[{name}]"')
        if name == LOCAL and (address or gpus_per_run or accelerator):
            raise ValueError(
                f"--engine {LOCAL} takes no address, --gpus-per-run or --engine-accelerator: give --engine ray"
            )
        return EngineChoice(name, address, gpus_per_run, accelerator)


class Engine(Protocol):
    """Does jobs; `str` of it says in a line where, and how many at a time."""

    def __init__(self, choice: EngineChoice, jobs: Sequence[Job[Any]], ended: Ended, told: Told) -> None:
        """Begin with the jobs of a session, in this order.

        Args:
            ended: called once for each job that came to something, as soon as it did.
            told: how far a run has come, by engines that know it.

        Raises:
            ValueError: it cannot do them; the message says what is missing.
        """

    def submit(self, jobs: Sequence[Job[Any]]) -> None:
        """Ask for more, in this order and before all that waits; what was asked for before is not asked for twice."""

    def outcome(self, job: Job[T]) -> T:
        """What came of a job, asked for or not; waits for it, and forgets it.

        Raises:
            DataError, OutOfMemoryError, ValueError: what the job raised.
            RunLostError: see there.
        """

    def completed(self, *, wait: bool) -> Case | None:
        """A case of which all jobs have ended, in the order in which they did; None where there is none.

        Args:
            wait: for the next one, as long as there are jobs under way.
        """

    def close(self) -> None:
        """Leave nothing behind: what waits and what runs is given up."""


def find(name: str) -> type[Engine]:
    """The engine of a name of `ENGINES`."""
    found: type[Engine] = pkgutil.resolve_name(ENGINES[name])
    return found
