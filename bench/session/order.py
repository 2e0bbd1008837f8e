"""The order in which a session's cases are best done side by side: `longest_first(cases, recorded.probes, "tiny")`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from bench.cases.case import Case, Experiment
from bench.records.probes import Probe, ProbeKey

Declared = tuple[Experiment, Case]


def longest_first(cases: Sequence[Declared], recorded: Mapping[ProbeKey, Probe], scale: str) -> list[Declared]:
    """Cases by what their training computes: rows seen, times the bytes that the recorded probe keeps for backward.

    A case that nothing is recorded of is taken for the longest of its block, and first where there is none: what turns
    out long at the end is what a session waits for.
    """
    known: dict[tuple[str, ...], float] = {}
    for key, probe in recorded.items():
        if key.scale == scale and "bytes_saved" in probe.series:
            rows = int(probe.recipe["steps"]) * int(probe.recipe["batch_size"])
            known[key.case.block] = max(known.get(key.case.block, 0.0), rows * probe.series["bytes_saved"][0])
    return sorted(cases, key=lambda one: -known.get(one[1].block, math.inf))
