"""What a terminal shows of kernels: at the start how long they will take, then a line each as they are timed."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from typing import Any

import pytest

from bench.plugin import progress
from bench.plugin.items import is_timing, parameters_of
from bench.plugin.state import STATE
from bench.timing.kernels import recorded
from bench.timing.kernels.kernel import Kernel
from bench.timing.kernels.measurement import SECONDS


class KernelLines:
    """Lives in the one process that times."""

    def __init__(self, config: pytest.Config) -> None:
        self.config, self.state = config, config.stash[STATE]
        self.start = 0.0
        self.expected: dict[str, float] = {}  # seconds, by node id
        self.done: set[str] = set()

    def pytest_report_collectionfinish(self, items: Sequence[pytest.Item]) -> str | None:
        """About how long they will take, before the first."""
        measurements = recorded.BLOCKS if self.state.settings.record else 1
        self.expected = {
            item.nodeid: measurements * SECONDS[one.size]
            for item in items
            for one in parameters_of(item)
            if isinstance(one, Kernel) and is_timing(item)
        }
        if not self.expected or self.config.option.collectonly or self.state.settings.plan:
            return None
        self.start = time.monotonic()
        each = f" (each {measurements} times)" if measurements > 1 else ""
        total = progress.duration(sum(self.expected.values()))
        return f"kernels to time: {len(self.expected)}{each}, about {total} on one core"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """Hang the line on the report, where the kernel was timed."""
        report = yield
        if call.when == "call" and item.nodeid in self.expected:
            timed = (one for one in reversed(self.state.timed) if one.measurement.kernel in parameters_of(item))
            report.kernel_line = next((one.line for one in timed), "")
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """No letter for what has a line of its own."""
        return (report.outcome, "", "") if getattr(report, "kernel_line", "") else None

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        line = getattr(report, "kernel_line", "")
        if not line:
            return
        self.done.add(report.nodeid)
        place = f"{len(self.done)}/{len(self.expected)}"
        progress.keep(self.config, f"{place:>8}  {line}  {report.duration:.1f} s", red=report.failed)
        write = progress.writer(self.config)
        if write and len(self.done) < len(self.expected):
            done = sum(self.expected[one] for one in self.done)
            left = (time.monotonic() - self.start) * (sum(self.expected.values()) / done - 1)
            write(f"{progress.duration(left)} left")
