"""Findings: what a session found, as its files show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.ranking.rank import Overall, RankedBlock
from bench.records.record import Record
from bench.records.result import Result
from bench.reporting.views import Table
from bench.session.commands import Commands


@dataclass(frozen=True)
class Findings:
    """All that was found, in the order in which it came.

    Attributes:
        commands: that run a part of it again.
        results: of the cases.
        ranked: their blocks.
        overall: what the blocks say together.
        versus_relu: the paragraphs on activations that the user added.
        views: the tables that the experiments ask for beyond the ranking.
        failures: why a test without a result failed (no data, a contract that is broken), by node id.
        lost: node ids of the selected tests that never reported.
        unrecorded: that the device has no baselines, though they are required; empty where it has some.
    """

    commands: Commands
    results: Sequence[Result] = ()
    ranked: Sequence[RankedBlock] = ()
    overall: Sequence[Overall] = ()
    versus_relu: Sequence[str] = ()
    views: Sequence[Table] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    lost: Sequence[str] = ()
    unrecorded: str = ""

    @property
    def records(self) -> list[Record]:
        """Of all cases."""
        return [one for result in self.results for one in result.records]
