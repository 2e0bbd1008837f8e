"""What the ratios of three arms say: `verdict.judged(item, blocks, items)`.

A ratio of head to base is a finding where it is larger than chance makes it by the noise that base shows against
itself, and larger than anybody acts on. The level is that of a session: of runs of the whole comparison without any
change one in a hundred finds something, however many items it times.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.stats.moderated import upper_quantile
from bench.timing.ab.items import TimedEpoch
from bench.timing.kernels.kernel import Kernel

LEVEL = 0.01
LEAST = math.log(1.02)  # two per cent


@dataclass(frozen=True)
class TimedBlock:
    """What one start of the three processes found of an item.

    Attributes:
        base, head: median seconds of a call.
        head_log, again_log: median over the rounds of the logarithm of head / base, and of base again / base.
        base_bytes, head_bytes: kept for backward.
    """

    base: float
    head: float
    head_log: float
    again_log: float
    base_bytes: int
    head_bytes: int


@dataclass(frozen=True)
class ComparedTimes:
    """An item of both commits.

    Attributes:
        blocks: each of fresh processes.
        verdict: `REGRESSED` (slower, or it keeps more bytes), `IMPROVED` (faster, or fewer) or `WITHIN`.
        reach: the least change of the ratio that these blocks could have shown.
    """

    item: Kernel | TimedEpoch
    blocks: tuple[TimedBlock, ...]
    verdict: str
    reach: float

    @property
    def head_logs(self) -> list[float]:
        return [one.head_log for one in self.blocks]

    @property
    def again_logs(self) -> list[float]:
        return [one.again_log for one in self.blocks]


def judged(item: Kernel | TimedEpoch, blocks: Sequence[TimedBlock], items: int) -> ComparedTimes:
    """The verdict on two blocks or more of one of so many items.

    Base against itself has no difference, so that its ratios vary around 1; those of head around their own mean. Both
    tell of one noise.
    """
    head, again = [one.head_log for one in blocks], [one.again_log for one in blocks]
    middle, n = statistics.fmean(head), len(blocks)
    df = 2 * n - 1
    variance = (sum((one - middle) ** 2 for one in head) + sum(one**2 for one in again)) / df
    reach = max(LEAST, upper_quantile(LEVEL / 2 / items, df) * math.sqrt(variance / n))
    more = max(one.head_bytes - one.base_bytes for one in blocks)
    verdict = "WITHIN"
    if middle < -reach or more < 0:
        verdict = "IMPROVED"
    if middle > reach or more > 0:
        verdict = "REGRESSED"
    return ComparedTimes(item, tuple(blocks), verdict, math.expm1(reach))
