"""Kernel timing and memory on the page: `costs.section(sources)`, the session's and the recorded ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.display.tables import UNKNOWN, how_many
from bench.records.verdict import worst
from bench.reporting.page.grid import Cell, Grid
from bench.reporting.page.sections import Group, Section
from bench.reporting.page.sources import Sources
from bench.reporting.page.standings import verdict
from bench.timing.kernels.recorded import RecordedKernel
from bench.timing.kernels.timings import TimedKernel

MODES = {"forward": "forward", "forward_backward": "forward and backward"}


@dataclass(frozen=True)
class _Cost:
    """One kernel, timed or recorded; ratios as geometric means, their spread as a standard deviation of logarithms."""

    activation: str
    mode: str
    where: str
    to_relu: float
    spread: float
    to_copy: float
    bytes_kept: int
    n: int
    verdict: str = ""


def section(sources: Sources) -> Section:
    """What each activation costs, in multiples of relu."""
    groups = [
        Group("this session", grids=_grids(map(_timed, sources.timings))),
        Group("recorded", grids=_grids(map(_recorded, sources.recorded_kernels))),
    ]
    lead = (
        "Time of a kernel in multiples of torch's relu and of a plain copy, measured in turn in one process, "
        "and what it keeps in memory for backward."
    )
    shown = [group for group in groups if group.grids]
    nothing = "timings of a session, or recorded ones: pytest bench/timing/test_kernels.py -n0"
    return Section("kernels", "Kernel timing and memory", lead, shown, "" if shown else nothing)


def _timed(timing: TimedKernel) -> _Cost:
    one, kernel = timing.measurement, timing.measurement.kernel
    where = _where(kernel.dtype, kernel.size, one.threads, one.device_name, one.torch)
    return _Cost(
        *(kernel.activation, kernel.mode, where, one.ratio_relu, one.sd_log_ratio_relu, one.ratio_copy),
        *(one.bytes_saved, one.n, timing.verdict),
    )


def _recorded(one: RecordedKernel) -> _Cost:
    where = _where(one.dtype, one.size, one.threads, one.device_name, one.torch)
    return _Cost(
        *(one.activation, one.mode, where, math.exp(one.mean_log_ratio_relu), one.sd_log_ratio_relu),
        *(one.ratio_copy, one.bytes_saved, one.n),
    )


def _where(dtype: str, size: str, threads: int, device: str, torch: str) -> str:
    return f"{dtype} · in {size} · {how_many(threads, 'thread')} · {device} · torch {torch}"


def _grids(found: Iterable[_Cost]) -> list[Grid]:
    """One a dtype, size and machine, the cheapest first."""
    tables: dict[str, dict[str, list[_Cost]]] = {}
    for one in found:
        tables.setdefault(one.where, {}).setdefault(one.activation, []).append(one)
    note = "± is the standard deviation of the ratio's logarithm between separate measurements"
    return [Grid(where, _columns(list(rows.values())), [note]) for where, rows in sorted(tables.items())]


def _columns(rows: Sequence[Sequence[_Cost]]) -> dict[str, list[Cell]]:
    ordered = sorted(rows, key=lambda modes: max(one.to_relu for one in modes if one.mode == modes[-1].mode))
    columns: dict[str, list[Cell]] = {"activation": [Cell(modes[0].activation) for modes in ordered]}
    for mode, name in MODES.items():
        known = [next((one for one in modes if one.mode == mode), None) for modes in ordered]
        if any(known):
            columns[f"{name} / relu"] = [
                Cell(f"{one.to_relu:.2f} ± {one.spread:.0%}" if one else UNKNOWN) for one in known
            ]
            columns[f"{name} / copy"] = [Cell(f"{one.to_copy:.2f}" if one else UNKNOWN) for one in known]
            if mode == "forward_backward":
                columns["KiB kept"] = [Cell(f"{one.bytes_kept / 1024:.0f}" if one else UNKNOWN) for one in known]
    columns["n"] = [Cell(str(modes[0].n)) for modes in ordered]
    if any(one.verdict for modes in ordered for one in modes):
        columns["verdict"] = [verdict(_first_to_see(modes)) for modes in ordered]
    return columns


def _first_to_see(modes: Sequence[_Cost]) -> str:
    """What wants attention first."""
    return worst(one.verdict for one in modes if one.verdict)
