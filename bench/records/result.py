"""Result: a case of a session with its records and what was said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.cases.case import Case
from bench.records import record
from bench.records.record import Record
from bench.records.runs import Runs


@dataclass(frozen=True)
class Result:
    """A case with its records and what was said of it.

    Attributes:
        records: of all seeds, fresh ones included.
        verdict: one of `bench.records.verdict.VERDICTS`.
        reason: one sentence with the numbers.
        failed: whether the case fails.
        message: what a failing case prints: number, band, seeds, fingerprint, commands.
        views: names of the views that its experiment is shown in, see `bench.reporting.views`.
    """

    case: Case
    records: tuple[Record, ...]
    verdict: str
    reason: str
    failed: bool
    message: str = ""
    views: tuple[str, ...] = ()

    def to_builtin(self) -> dict[str, Any]:
        """For xdist's wire; the inverse of `from_builtin`."""
        plain: dict[str, Any] = record.builtin({**vars(self), "case": self.case.fields, "records": []})
        return {**plain, "records": [one.to_builtin() for one in self.records]}

    @staticmethod
    def from_builtin(fields: Mapping[str, Any]) -> Result:
        records = tuple(Record.from_builtin(one) for one in fields["records"])
        return Result(**{**fields, "case": Case(**fields["case"]), "records": records, "views": tuple(fields["views"])})

    @property
    def line(self) -> str:
        """`id  0.9694 ± 0.0021 (n=3)  SAME`: one line for the terminal."""
        import numpy as np

        runs = Runs.of(self.records)
        mean = np.mean(runs.values)
        spread = f" ± {np.std(runs.values, ddof=1):.4f}" if runs.n > 1 else ""
        size = ", ".join(filter(None, (f"n={runs.n}", runs.untrained)))
        seconds = sum(one.seconds for one in self.records)
        return f"{self.case.id}  {mean:.4f}{spread} ({size})  {self.verdict}  {seconds:.1f} s"
