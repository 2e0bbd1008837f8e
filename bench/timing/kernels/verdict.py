"""Judges a kernel's ratio to relu against its recorded row: `check_kernel(kernel, row, device, cases)`.

The words are those of a case (`bench.records.verdict`), and so is the level: without any change one session in a
hundred raises a false alarm, however many kernels it times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from bench.timing.kernels.measurement import Measurement, measure_kernel
from bench.timing.kernels.timings import TimedKernel

if TYPE_CHECKING:
    import torch

    from bench.timing.kernels.kernel import Kernel
    from bench.timing.kernels.recorded import RecordedKernel

# Of a whole session without any change, whatever the number of its kernels and on either side.
FALSE_ALARMS = 0.01
# Blocks of one sitting understate how much a shared machine drifts from day to day.
SD_FLOOR = 0.05


def check_kernel(
    kernel: Kernel,
    row: RecordedKernel | None,
    device: torch.device,
    cases: int,
    options: Sequence[str] = (),
    judging: Sequence[str] = (),
) -> TimedKernel:
    """Measure and judge a kernel; one that falls outside its band is measured once more, and that counts."""
    found = judge_kernel(measure_kernel(kernel, device), row, cases, options, judging)
    if found.verdict in ("REGRESSED", "IMPROVED"):
        found = judge_kernel(measure_kernel(kernel, device), row, cases, options, judging)
    return found


def judge_kernel(
    measurement: Measurement,
    row: RecordedKernel | None,
    cases: int,
    options: Sequence[str] = (),
    judging: Sequence[str] = (),
) -> TimedKernel:
    """The verdict on a measurement.

    `WITHIN` the band, `REGRESSED` (slower, or keeps more bytes), `IMPROVED` (faster, or keeps fewer), or `NEW`. Bytes
    kept have no noise and are the same on all machines of a class: they are compared exactly, with a row of another
    machine too, where the time is `NEW`.

    Args:
        measurement: of this session.
        row: recorded for the same kernel on this machine or another of its class, or None.
        cases: kernels judged in the session.
        options: that the session's commands need.
        judging: those that its verdicts depend on, for the command that reproduces this one.
    """
    # The brackets make -k mean this kernel alone, and forward not forward_backward.
    command = " ".join(["pytest bench/timing/test_kernels.py", f'-k "[{measurement.kernel.id}]"', "-n0", *options])
    commands = f"reproduce: {' '.join([command, *judging])}\nre-record: {command} --record"
    found = f"{measurement.ratio_relu:.2f} x relu, {measurement.bytes_saved} bytes kept"
    here = f"{measurement.device_name}, torch {measurement.torch}, {measurement.threads} thread"
    more = measurement.bytes_saved - row.bytes_saved if row else 0
    elsewhere = row is not None and (row.device_name, row.threads) != (measurement.device_name, measurement.threads)
    if row is None or (elsewhere and not more):
        text = f"NEW: {measurement.kernel.id}: {found}; no row for {here}\n{commands}"
        return TimedKernel(measurement, "NEW", text)
    distance = math.log(measurement.ratio_relu) - row.mean_log_ratio_relu
    allowed = math.inf if elsewhere else half_width(row.sd_log_ratio_relu, row.n, cases)
    verdict = "WITHIN"
    if distance < -allowed or more < 0:
        verdict = "IMPROVED"
    if distance > allowed or more > 0:
        verdict = "REGRESSED"
    low, middle, high = (math.exp(row.mean_log_ratio_relu + by) for by in (-allowed, 0, allowed))
    band = (
        "not compared with another machine's"
        if elsewhere
        else f"band {low:.2f} to {high:.2f} ({FALSE_ALARMS:.0%} false alarms in {cases} kernels, n={row.n}, "
        f"sd {row.sd_log_ratio_relu:.1%}, at least {SD_FLOOR:.0%})"
    )
    text = (
        f"{verdict}: {measurement.kernel.id}: {found}\n"
        f"recorded: {middle:.2f} x relu, {band}, {row.bytes_saved} bytes kept, on {row.device_name}, "
        f"torch {row.torch}, {row.threads} thread, {row.date}\n"
        f"measured: on {here}\n{commands}"
    )
    return TimedKernel(measurement, verdict, text, row)


def half_width(sd: float, n: int, cases: int) -> float:
    """Half of the band, in natural logarithms: a prediction interval of one more measurement.

    Args:
        sd: standard deviation of the recorded log ratios, raised to `SD_FLOOR`.
        n: how many they were.
        cases: kernels judged in the session, among which `FALSE_ALARMS` is shared out.
    """
    return _quantile(n, cases) * max(sd, SD_FLOOR) * math.sqrt(1 + 1 / n)


@cache
def _quantile(n: int, cases: int) -> float:
    from scipy import stats

    return float(stats.t.isf(FALSE_ALARMS / max(cases, 1) / 2, n - 1))
