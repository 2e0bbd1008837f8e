"""Result: a case of a session with its records and what was said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.cases.case import Case
from bench.records import probes, record
from bench.records.data_probes import DataProbe
from bench.records.probes import Probe
from bench.records.record import Record
from bench.records.runs import Runs


@dataclass(frozen=True)
class Result:
    """A case with its records and what was said of it.

    Attributes:
        records: of all seeds, fresh ones included; none where only the first steps were asked for.
        verdict: one of `bench.records.verdict.VERDICTS`.
        reason: one sentence with the numbers.
        failed: whether the case fails.
        message: what a failing case prints: number, band, seeds, fingerprint, commands.
        probe: its first steps; None where they were not taken.
        data_probe: what its networks see; None where the data was not at hand.
        views: names of the views that its experiment is shown in, see `bench.reporting.views`.
        quarantine: why it does not fail whatever its verdict, see `bench.records.quarantine`; else empty.
    """

    case: Case
    records: tuple[Record, ...]
    verdict: str
    reason: str
    failed: bool
    message: str = ""
    probe: Probe | None = None
    data_probe: DataProbe | None = None
    views: tuple[str, ...] = ()
    quarantine: str = ""

    def to_builtin(self) -> dict[str, Any]:
        """For xdist's wire; the inverse of `from_builtin`."""
        own: dict[str, Any] = {
            "case": self.case.fields,
            "probe": None if self.probe is None else probes.to_row(self.probe),
            "data_probe": None if self.data_probe is None else self.data_probe.to_row(),
            "records": [],
        }
        plain: dict[str, Any] = record.builtin({**vars(self), **own})
        return {**plain, "records": [one.to_builtin() for one in self.records]}

    @staticmethod
    def from_builtin(fields: Mapping[str, Any]) -> Result:
        records = tuple(Record.from_builtin(one) for one in fields["records"])
        own: dict[str, Any] = {
            "case": Case(**fields["case"]),
            "probe": None if fields["probe"] is None else probes.from_row(fields["probe"]),
            "data_probe": None if fields["data_probe"] is None else DataProbe.from_row(fields["data_probe"]),
            "views": tuple(fields["views"]),
        }
        return Result(**{**fields, **own, "records": records})

    @property
    def said(self) -> str:
        """The verdict, and that it does not count where the case is in quarantine."""
        return f"{self.verdict} (quarantined)" if self.quarantine else self.verdict

    @property
    def line(self) -> str:
        """`id  0.9694 ± 0.0021 (n=3)  SAME`: one line for the terminal."""
        if not self.records:
            return f"{self.case.id}  {self.said}"
        import numpy as np

        runs = Runs.of(self.records)
        mean = np.mean(runs.values)
        spread = f" ± {np.std(runs.values, ddof=1):.4f}" if runs.n > 1 else ""
        size = ", ".join(filter(None, (f"n={runs.n}", runs.untrained)))
        seconds = sum(one.seconds for one in self.records)
        return f"{self.case.id}  {mean:.4f}{spread} ({size})  {self.said}  {seconds:.1f} s"
