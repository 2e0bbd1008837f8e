"""The axis that the dot plots of a block share: `axis.block_axis(block).dots(row)`."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from bench.display import figures
from bench.display.tables import number
from bench.ranking.rank import RankedActivation, RankedBlock
from bench.reporting.page.grid import Dots

MARGIN = 0.04  # of the length, so that no dot is cut


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, in units of the metric."""

    low: float
    high: float
    metric: str

    @property
    def ends(self) -> tuple[str, str]:
        """As text."""
        return number(self.low, self.metric), number(self.high, self.metric)

    def dots(self, row: RankedActivation) -> Dots:
        """Where the runs of a row lie."""
        if not math.isfinite(row.aggregate):
            return Dots(None)
        mean = row.estimate
        interval = (mean.low, mean.high) if mean.known else (row.aggregate, row.aggregate)
        low, high = (self._place(end) for end in interval)
        inside = tuple(self._place(value) for value in row.runs.values if self.low <= value <= self.high)
        outside = "left" if row.aggregate < self.low else "right" if row.aggregate > self.high else ""
        return Dots(self._place(row.aggregate), low, high, inside, outside)

    def _place(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(100 * (MARGIN + (1 - 2 * MARGIN) * share), 1)


def block_axis(block: RankedBlock) -> Axis:
    """Of the figures of a block and their intervals, see `figures.limits`."""
    low, high = figures.limits([replace(row.estimate, value=row.aggregate) for row in block.rows])
    return Axis(low, high, block.metric)
