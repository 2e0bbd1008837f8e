"""Repeats: seeds that have no run of their own, which no band shows. `repeats.repeated(records, row)`."""

from __future__ import annotations

from collections.abc import Sequence

from bench.records.baseline import Baseline
from bench.records.case_runs import grouped
from bench.records.record import Record


def repeated(records: Sequence[Record], row: Baseline) -> tuple[str, str]:
    """`CHANGED` and the seeds in words where some share a run that trained and no recorded ones do; else empty."""
    trained = grouped((one for one in records if one.outcome == "trained"), lambda one: one.digest)
    alike = max(trained.values(), key=len, default=[])
    if len(alike) < 2 or len(set(row.runs.digests)) < row.runs.n:
        return "", ""
    seeds = ", ".join(str(one.seed) for one in alike)
    return "CHANGED", f"the runs of seeds {seeds} are one to the bit, and those recorded differ: seeds draw nothing"
