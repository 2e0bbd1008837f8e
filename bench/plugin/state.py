"""Plugin state: what the hooks of one process share. `config.stash[STATE]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench.cases.case import Case
from bench.records.result import Result
from bench.session.runner import Runner
from bench.session.settings import Settings
from bench.timing.kernels.timings import TimedKernel
from bench.timing.peers.comparison import PeerTimes
from bench.timing.peers.correctness import PeerErrors


@dataclass
class PluginState:
    """What the hooks of one process share.

    Attributes:
        started: whether tests began to run.
        selected: node ids of all tests that should report; empty in xdist's workers.
        reported: node ids of those that have.
        failures: why a test without a result failed, by node id.
        cases_failed: whether a case is among these.
        unrecorded: that the device has no baselines, though they are required; empty where it has some.
        first_with: the first case that could not be trained, by why; others refer to it.
        untimed: timings left out because of xdist.
        why_nothing: why no test is selected; empty where some are.
        unasked: tests beside peers left out for want of `--peers`.
        results: of the cases trained.
        run_again: cases whose result is of an attempt that will be repeated.
        probed: of those of which the first steps alone were asked for.
        files: that declare the cases.
        timed, peer_times, peer_errors: what the timing tests found, for their tables.
        tables: those of the peers, by the name of their file.
        ranking: the tables of the session.
        recorded: what `--record` wrote, as a table.
        planned: what `--plan` found, as tables.
        written: which files were, a line a folder.
        unwritten: why files could not be written.
        no_job_summary: why GitHub's could not.
    """

    settings: Settings
    runner: Runner | None = None
    results: list[Result] = field(default_factory=list)
    run_again: set[Case] = field(default_factory=set)
    probed: list[Result] = field(default_factory=list)
    files: dict[Case, Path] = field(default_factory=dict)
    timed: list[TimedKernel] = field(default_factory=list)
    peer_times: list[PeerTimes] = field(default_factory=list)
    peer_errors: list[PeerErrors] = field(default_factory=list)
    tables: dict[str, str] = field(default_factory=dict)
    started: bool = False
    selected: set[str] = field(default_factory=set)
    reported: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
    cases_failed: bool = False
    unrecorded: str = ""
    first_with: dict[str, str] = field(default_factory=dict)
    untimed: int = 0
    unasked: int = 0
    why_nothing: str = ""
    ranking: str = ""
    recorded: str = ""
    planned: str = ""
    written: list[str] = field(default_factory=list)
    unwritten: list[str] = field(default_factory=list)
    no_job_summary: str = ""


STATE = pytest.StashKey[PluginState]()


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of xdist's workers."""
    return hasattr(config, "workerinput")


def under_xdist(config: pytest.Config) -> bool:
    """Whether this process is one of xdist's workers or their controller."""
    return is_worker(config) or bool(getattr(config.option, "dist", "no") != "no")
