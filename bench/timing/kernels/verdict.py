"""Judges a kernel's ratio to relu against its recorded row: `kernels.judge(measurement, row, cases)`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from bench.timing.kernels._measurement import Measurement, measure

if TYPE_CHECKING:
    import torch

    from bench.timing.kernels._kernel import Kernel
    from bench.timing.kernels._rows import Row

VerdictName: TypeAlias = Literal["WITHIN", "REGRESSED", "IMPROVED", "NEW"]

# Of a whole session without any change, whatever the number of its kernels and on either side.
FALSE_ALARMS = 0.01
# Blocks of one sitting understate how much a shared machine drifts from day to day.
SD_FLOOR = 0.05


@dataclass(frozen=True)
class Verdict:
    """What the assertion says.

    Attributes:
        name: `WITHIN` the band, `REGRESSED` (slower, or keeps more bytes), `IMPROVED` (faster, or keeps
            fewer) or `NEW` (no row of this kernel on this machine).
        explanation: the figures, the band, and the commands to reproduce and to record.
    """

    name: VerdictName
    explanation: str

    @property
    def passed(self) -> bool:
        """Whether the kernel passes unless the session is told to be strict."""
        return self.name != "REGRESSED"


def half_width(sd: float, n: int, cases: int) -> float:
    """Of the band, in natural logarithms: a prediction interval of one more measurement.

    Args:
        sd: standard deviation of the recorded log ratios, raised to `SD_FLOOR`.
        n: how many they were.
        cases: kernels judged in the session, among which `FALSE_ALARMS` is shared out.
    """
    return _quantile(n, cases) * max(sd, SD_FLOOR) * math.sqrt(1 + 1 / n)


def judge(measurement: Measurement, row: Row | None, cases: int, options: Sequence[str] = ()) -> Verdict:
    """The verdict on a measurement; bytes kept have no noise and are compared exactly.

    Args:
        measurement: of this session.
        row: recorded for the same kernel on the same machine, or None.
        cases: kernels judged in the session.
        options: that the session's commands need.
    """
    # The brackets make -k mean this kernel alone, and forward not forward_backward.
    command = " ".join(["pytest bench/timing/test_kernels.py", f'-k "[{measurement.kernel.id}]"', "-n0", *options])
    commands = f"reproduce:  {command}\nrecord:     {command} --record"
    found = f"{measurement.ratio_relu:.2f} x relu, {measurement.bytes_saved} bytes kept"
    here = f"{measurement.device_name}, torch {measurement.torch}, {measurement.threads} thread"
    if row is None:
        return Verdict("NEW", f"NEW: {measurement.kernel.id}: {found}; no row for {here}\n{commands}")
    distance = math.log(measurement.ratio_relu) - row.mean_log_ratio_relu
    allowed = half_width(row.sd_log_ratio_relu, row.n, cases)
    name: VerdictName = "WITHIN"
    if distance < -allowed or measurement.bytes_saved < row.bytes_saved:
        name = "IMPROVED"
    if distance > allowed or measurement.bytes_saved > row.bytes_saved:
        name = "REGRESSED"
    low, middle, high = (math.exp(row.mean_log_ratio_relu + side * allowed) for side in (-1, 0, 1))
    return Verdict(
        name,
        f"{name}: {measurement.kernel.id}: {found}\n"
        f"recorded:   {middle:.2f} x relu, band {low:.2f} to {high:.2f} ({FALSE_ALARMS:.0%} false alarms in "
        f"{cases} kernels, n={row.n}, sd {row.sd_log_ratio_relu:.1%}, at least {SD_FLOOR:.0%}), "
        f"{row.bytes_saved} bytes kept\n"
        f"            on {row.device_name}, torch {row.torch}, {row.threads} thread, {row.date}\n"
        f"measured:   on {here}\n{commands}",
    )


def check(
    kernel: Kernel, row: Row | None, device: torch.device, cases: int, options: Sequence[str] = ()
) -> tuple[Measurement, Verdict]:
    """Measure and judge a kernel; one that falls outside its band is measured once more, and that counts."""
    measurement = measure(kernel, device)
    verdict = judge(measurement, row, cases, options)
    if verdict.name in ("REGRESSED", "IMPROVED"):
        measurement = measure(kernel, device)
        verdict = judge(measurement, row, cases, options)
    return measurement, verdict


@cache
def _quantile(n: int, cases: int) -> float:
    from scipy import stats

    return float(stats.t.isf(FALSE_ALARMS / max(cases, 1) / 2, n - 1))
