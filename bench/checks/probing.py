"""What probes notice: planted faults, and rounding alone. `python -m bench.checks faults`, `... rounding`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from unittest.mock import patch

import torch

from bench import experiments
from bench.cases.case import Case
from bench.cases.recipe import MemoryFormat, Recipe
from bench.checks.faults import FAULTS, Fault
from bench.records.probes import Probe, ProbeKey
from bench.regression.probes import distance, first_difference
from bench.training import probe

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Finding:
    """A probe against its recorded one.

    Attributes:
        name: of the fault, or id of the case.
        scale: of the case.
        distance: the largest relative difference of a number; infinite where one is missing.
        message: what a session would say; empty where nothing differs.
    """

    name: str
    scale: str
    distance: float
    message: str


def faults(recorded: dict[ProbeKey, Probe], device: torch.device = CPU) -> Iterator[Finding]:
    """Each planted fault, against the recorded probe of the case that it reaches.

    Raises:
        ValueError: that case is not recorded.
    """
    for fault in FAULTS.values():
        case = case_of(fault)
        with fault.planted():
            yield _finding(fault.name, case, fault.scale, recorded, device)


def rounding(recorded: dict[ProbeKey, Probe], scale: str, every: int, device: torch.device = CPU) -> Iterator[Finding]:
    """Every n-th case of a scale as it is, against its recorded probe.

    Raises:
        ValueError: a case is not recorded.
    """
    found = [one for name in experiments.names() if (one := experiments.find(name))]
    for case in [case for experiment in found for case in experiment.cases(scale)][::every]:
        yield _finding(case.id, case, scale, recorded, device)


def case_of(fault: Fault) -> Case:
    """The case that a fault is tried on.

    Raises:
        ValueError: there is none of that id.
    """
    experiment = experiments.find(fault.case.split("-")[0])
    for case in experiment.cases(fault.scale) if experiment else ():
        if case.id == fault.case:
            return case
    raise ValueError(f"fault {fault.name}: no case {fault.case} at {fault.scale}")


def _finding(name: str, case: Case, scale: str, recorded: dict[ProbeKey, Probe], device: torch.device) -> Finding:
    experiment = experiments.find(case.experiment)
    assert experiment is not None
    now = probe.take_probe(case, experiment.recipe(case, scale), scale, device)
    if now.key not in recorded:
        raise ValueError(
            f"{case.id} has no probe at {scale}: pytest bench --probe --record --scale {scale} -k {case.id}"
        )
    before = recorded[now.key]
    return Finding(name, scale, distance(before, now), first_difference(before, now))


@contextmanager
def conditions(threads: int, *, onednn: bool, channels_last: bool) -> Iterator[None]:
    """Other circumstances than a recipe's own: number of threads, oneDNN's kernels, and the memory format."""
    layout: MemoryFormat = "channels_last" if channels_last else "contiguous"
    before = torch.backends.mkldnn.enabled

    def on(recipe: Recipe, device_type: str) -> Recipe:
        return replace(recipe, threads=threads, memory_format=layout)

    torch.backends.mkldnn.enabled = onednn  # type: ignore[assignment]
    try:
        with patch.object(Recipe, "on", on):
            yield
    finally:
        torch.backends.mkldnn.enabled = before
