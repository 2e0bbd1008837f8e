"""A Ray cluster: actors on its nodes do the jobs, one after the other each, and this process hands them out.

    pytest bench --engine ray                          # a cluster of its own on this machine
    pytest bench --engine ray:head:6379                # one that is there

An actor is a process that is kept, so that torch is imported and data loaded once for many jobs, and that keeps its
card for life. It gets its next job when it has done one: a slow node holds up no job but its own, and what is asked for
later can go first.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bench.cases.case import Case
from bench.data import DataError
from bench.display.tables import how_many
from bench.engines import Ended, EngineChoice, RunLostError
from bench.engines.job import Job, Known, Told
from bench.engines.shipping import OwnFiles, stage, unpack
from bench.training.out_of_memory import OutOfMemoryError

T = TypeVar("T")

RETRIES = 3  # of a job whose actor died
STARTS = 20  # of actors, one after the other, that come to nothing
LOCAL_CLUSTER = "local"  # what Ray calls a new one
SECONDS_TO_ANSWER = 10  # that a cluster is given
# Of a new cluster, read when Ray is imported: it listens to this machine alone, and trains at the session's priority.
OWN_CLUSTER = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_worker_niceness": "0"}
OBJECTS = 2**27  # bytes of shared memory, of a new cluster: what travels is small
NAMED = (DataError, OutOfMemoryError, ValueError)  # what a job raises that needs no traceback
CARD = "accelerator_type:"  # of the resources that a node has


class Actor:
    """A process on a node that does one job after the other; what it has loaded stays for the next ones."""

    def __init__(self, own: OwnFiles, threads: str | None) -> None:
        """Before torch is imported: Ray would have it compute with as many threads as the actor has CPUs.

        Args:
            threads: OMP_NUM_THREADS where the session is, so that a run has as many there and here.
        """
        os.environ.pop("OMP_NUM_THREADS", None)
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = threads
        self._own: OwnFiles | None = own
        self._known = Known()

    def ready(self) -> None:
        """Returns when the process has started."""

    def do(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """What comes of a job, both as plain data."""
        if self._own:  # here, so that a file that does not import is that job's error
            unpack(self._own)
            self._own = None
        try:
            plain: dict[str, Any] = Job.from_builtin(fields).do(self._known).to_builtin()
        except DataError as error:
            raise DataError(f"on {socket.gethostname()}: {error}") from None
        return plain


class Ray:
    """See `bench.engines.Engine`."""

    actor = Actor

    def __init__(self, choice: EngineChoice, jobs: Sequence[Job[Any]], ended: Ended, told: Told) -> None:
        self._ended = ended
        self._queue: deque[Job[Any]] = deque()
        self._asked: set[tuple[Any, ...]] = set()  # keys of what waits, runs, or has an outcome that nobody took yet
        self._outcomes: dict[tuple[Any, ...], Any] = {}
        self._lost: Counter[tuple[Any, ...]] = Counter()
        self._running: dict[Any, tuple[Any, Job[Any] | None]] = {}  # actors by what they are to answer: no job, or this
        self._idle: list[Any] = []
        self._started: set[Any] = set()
        self._failed_starts = 0
        self._open: Counter[Case] = Counter()
        self._completed: deque[Case] = deque()
        with tempfile.TemporaryDirectory() as folder:
            own = stage(jobs, Path(folder))
            self._ray = _connected(choice.address, folder)
        try:
            self._needs = _needs(self._nodes(), choice, jobs)
            if not self._rooms():
                raise ValueError(f"--engine ray: no node has what a run takes: {self}")
        except ValueError:
            self.close()
            raise
        others = {name: amount for name, amount in self._needs.items() if name not in ("CPU", "GPU")}
        made = self._ray.remote(self.actor).options(
            num_cpus=self._needs["CPU"], num_gpus=self._needs["GPU"], resources=others
        )
        self._start: Callable[[], Any] = partial(made.remote, own, os.environ.get("OMP_NUM_THREADS"))
        self.submit(jobs)

    def __str__(self) -> str:
        nodes, rooms = how_many(len(self._nodes()), "node"), how_many(self._rooms(), "run")
        each = ", ".join(f"{amount:g} {name}" for name, amount in self._needs.items() if amount)
        return f"ray, {nodes}, {rooms} at a time of {each} each"

    def submit(self, jobs: Sequence[Job[Any]]) -> None:
        new = [job for job in jobs if job.key not in self._asked]
        self._asked.update(job.key for job in new)
        self._open.update(job.case for job in new)
        self._queue.extendleft(reversed(new))
        self._grow()

    def outcome(self, job: Job[T]) -> T:
        self.submit([job])
        while job.key not in self._outcomes:
            self._turn()
        self._asked.remove(job.key)
        found = self._outcomes.pop(job.key)
        if isinstance(found, Exception):
            raise found
        result: T = found
        return result

    def completed(self, *, wait: bool) -> Case | None:
        self._turn(0)
        while wait and self._open and not self._completed:
            self._turn()
        return self._completed.popleft() if self._completed else None

    def close(self) -> None:
        self._ray.shutdown()

    def _turn(self, timeout: float | None = None) -> None:
        """Take in what has ended, and hand out what waits.

        Args:
            timeout: seconds to wait for something to end; None waits for it.
        """
        if not self._running:
            return
        ended, _ = self._ray.wait([*self._running], timeout=timeout)
        if ended:  # and what else has, by now
            ended, _ = self._ray.wait([*self._running], num_returns=len(self._running), timeout=0)
        for one in ended:
            actor, job = self._running.pop(one)
            try:
                found = self._ray.get(one)
            except self._ray.exceptions.RayTaskError as error:
                found = error.cause if isinstance(error.cause, NAMED) else error
            except self._ray.exceptions.RayError as error:
                self._ray.kill(actor)  # it may be out of reach alone
                self._lose(actor, job, error)
                continue
            if job:
                self._end(job, found if isinstance(found, Exception) else job.result.from_builtin(found))
            elif actor not in self._started:
                self._started.add(actor)
                self._failed_starts = 0
                self._grow()
            self._hand_to(actor)

    def _hand_to(self, actor: Any) -> None:
        if not self._queue:
            self._idle.append(actor)
            return
        job = self._queue.popleft()
        self._running[actor.do.remote(job.to_builtin())] = actor, job

    def _grow(self) -> None:
        """As many actors as there is room for, and as many again, but no more than jobs wait.

        So a node that joins has some to do at once, and a cluster that grows by itself is asked to. Idle ones are asked
        first whether they are still there: no job is to die of an actor that was dead before.
        """
        called = [actor for actor, job in self._running.values() if job is None]
        free = sum(actor in self._started for actor in called)
        idle = [self._idle.pop() for _ in range(min(len(self._queue) - free, len(self._idle)))]
        room = 2 * self._rooms() + 1 - len(self._running) - len(self._idle) - len(idle)
        new = [self._start() for _ in range(min(len(self._queue) - len(called) - len(idle), room))]
        for actor in (*idle, *new):
            self._running[actor.ready.remote()] = actor, None

    def _end(self, job: Job[Any], outcome: Any) -> None:
        self._outcomes[job.key] = outcome
        if not isinstance(outcome, Exception):
            self._ended(job, outcome)
        self._open[job.case] -= 1
        if not self._open[job.case]:
            del self._open[job.case]
            self._completed.append(job.case)

    def _lose(self, actor: Any, job: Job[Any] | None, error: Exception) -> None:
        """Ask again for a job whose actor died, a few times; and for nothing any more where none comes up."""
        why = " ".join(str(error).split())
        if job:
            self._lost[job.key] += 1
            if self._lost[job.key] <= RETRIES:
                self._queue.appendleft(job)
            else:
                self._end(job, RunLostError(f"{job.name}: what did it died {RETRIES + 1} times, at last: {why}"))
        elif actor not in self._started:
            self._failed_starts += 1
            while self._queue and self._failed_starts >= STARTS:
                job = self._queue.popleft()
                self._end(job, RunLostError(f"{job.name}: {STARTS} processes in a row did not start: {why}"))
        self._grow()

    def _nodes(self) -> list[dict[str, Any]]:
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]

    def _rooms(self) -> int:
        """How many actors the nodes hold at once, where nobody else is."""
        return sum(
            min(int(node.get(name, 0) / amount + 1e-9) for name, amount in self._needs.items() if amount)
            for node in self._nodes()
        )


def _needs(nodes: Sequence[Mapping[str, float]], choice: EngineChoice, jobs: Sequence[Job[Any]]) -> dict[str, float]:
    """What an actor takes of its node: a core for each thread of the recipes, and a card where they are trained on one.

    A recipe that leaves the threads to torch gets all cores of a node, or one beside a card.

    Raises:
        ValueError: there is no card, there are several models, or there is none of the one that is asked for.
    """
    threads = [job.recipe.threads for job in jobs]
    with_card = [node for node in nodes if node.get("GPU")]
    if not with_card or not {job.device for job in jobs} <= {"auto", "cuda"}:
        if choice.accelerator or choice.gpus_per_run or any(job.device == "cuda" for job in jobs):
            raise ValueError("--engine ray: a card is asked for, and no node of the cluster has one")
        cores = min((node["CPU"] for node in nodes if node.get("CPU")), default=1)
        return {"CPU": max((cores if count is None else count for count in threads), default=1), "GPU": 0}
    models = sorted({name.removeprefix(CARD) for node in with_card for name in node if name.startswith(CARD)})
    if choice.accelerator and choice.accelerator not in models:
        raise ValueError(
            f"--engine-accelerator {choice.accelerator}: the cluster has {', '.join(models) or 'no names'}"
        )
    if len(models) > 1 and not choice.accelerator:
        raise ValueError(
            f"--engine ray: the cards of the cluster are of {len(models)} models, and rows of one ranking must be of "
            f"one: choose by --engine-accelerator {' or '.join(models)}"
        )
    card = {f"{CARD}{choice.accelerator}": 0.001} if choice.accelerator else {}  # as Ray asks for a model
    return {"CPU": max((count or 1 for count in threads), default=1), "GPU": choice.gpus_per_run or 1, **card}


def _connected(address: str, folder: str) -> Any:
    """Ray, connected to a cluster or with a new one on this machine; its processes run in a copy of the folder.

    Raises:
        ValueError: there is no cluster at the address, or it is of another version of Ray or Python.
    """
    address = address or os.environ.get("RAY_ADDRESS") or LOCAL_CLUSTER
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    options: dict[str, Any] = {"runtime_env": {"working_dir": folder}, "log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL_CLUSTER:
        os.environ.update({name: os.environ.get(name, value) for name, value in OWN_CLUSTER.items()})
        options |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1", "object_store_memory": OBJECTS}
    import ray

    host, _, port = address.rpartition(":")
    try:
        if port.isdigit():  # Ray itself waits for minutes
            socket.create_connection((host.removeprefix("ray://"), int(port)), SECONDS_TO_ANSWER).close()
        ray.init(address=address, **options)
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(f"--engine ray: cannot join the cluster {address}: {error}") from error
    return ray
