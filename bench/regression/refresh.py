"""Refresh: what many runs change in the recorded rows at once, as an upgrade of torch does. `row_changes(found, rows)`.

The words are those of `bench.regression.judge`, and so is the level of false alarms, here of all rows together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.records.acceptance import AcceptableRuns
from bench.records.baseline import Baseline
from bench.records.case_runs import step_of
from bench.records.record import Key
from bench.records.verdict import fails
from bench.regression import judge, probes
from bench.training import fingerprint

UNMOVED = ("MOVED", "WITHIN")  # of one fingerprint, or of two


@dataclass(frozen=True)
class RowChange:
    """A recorded row and the one that would take its place.

    Attributes:
        old: None where nothing is recorded.
        written: whether the new one says anything that the old one does not.
        verdict: `SAME` (equal bits), `MOVED` (other bits, no difference beyond the noise), `NEW`, or what is beyond it.
        reason: of the verdict, with the numbers.
        shift: of the mean, in standard deviations between runs, positive for better; NaN where it is not known.
        first_steps: what differs first in the first steps, as the session of the runs said it; empty where nothing.
    """

    old: Baseline | None
    new: Baseline
    written: bool
    verdict: str
    reason: str
    shift: float
    first_steps: str

    @property
    def fingerprints(self) -> str:
        """What differs between them; empty where nothing does, or nothing is recorded."""
        return fingerprint.differences(self.old.fingerprint, self.new.fingerprint) if self.old else ""

    @property
    def beyond(self) -> bool:
        """Whether it moves by more than noise."""
        return self.verdict not in ("SAME", "MOVED", "NEW")

    @property
    def urgency(self) -> tuple[bool, bool, float]:
        """What a reviewer looks at first: other first steps, then what fails, then the largest shift."""
        size = 0.0 if math.isnan(self.shift) else abs(self.shift)
        return not self.first_steps, not fails(self.verdict), -size


def row_changes(found: Sequence[AcceptableRuns], recorded: Mapping[Key, Baseline]) -> list[RowChange]:
    """What the runs change, the most urgent first."""
    changes = []
    for runs in found:
        old, first = recorded.get(runs.row.key), runs.records[0]
        pool = [row for row in recorded.values() if row.key.pool == first.key.pool]
        step = step_of(runs.row.metric, first.case.dataset, first.recipe["test_size"])
        judgement = judge.judge(runs.records, old, judge.prior_of(pool, step), cases=len(found))
        changes.append(
            RowChange(
                old=old,
                new=runs.row,
                written=judgement.verdict != "SAME" or not runs.are_in(old),
                verdict=_word(old, runs.row, judgement.verdict),
                reason=judgement.reason,
                shift=judgement.shift,
                first_steps=probes.said_to_differ(runs.said.reason) if runs.said else "",
            )
        )
    return sorted(changes, key=lambda one: (*one.urgency, one.new.key))


def _word(old: Baseline | None, new: Baseline, verdict: str) -> str:
    """Of a judgement in which equal bits under another fingerprint are not yet the same."""
    if old is None or verdict not in UNMOVED:
        return verdict
    before, after = old.runs.bits, new.runs.bits
    shared = before.keys() & after.keys()
    return "SAME" if shared and all(before[seed] == after[seed] for seed in shared) else "MOVED"
