"""Runs: seeds, values, outcomes and digests of one case under one key. `Runs.of(records)`."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bench.records.record import Bits, Outcome, Record, bits_of


@dataclass(frozen=True)
class Runs:
    """The runs of one case under one key, in order of their seeds; the four sequences run parallel.

    Attributes:
        values: of the judged metric.
        digests: of final weights and training loss curve.
    """

    seeds: tuple[int, ...]
    values: tuple[float, ...]
    outcomes: tuple[Outcome, ...]
    digests: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raises ValueError where the sequences are not parallel."""
        lengths = {name: len(sequence) for name, sequence in vars(self).items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"there are {', '.join(f'{count} {name}' for name, count in lengths.items())}")

    @staticmethod
    def of(records: Iterable[Record]) -> Runs:
        """Those that records keep."""
        ordered = sorted(records, key=lambda one: one.seed)
        return Runs(
            seeds=tuple(one.seed for one in ordered),
            values=tuple(one.value for one in ordered),
            outcomes=tuple(one.outcome for one in ordered),
            digests=tuple(one.digest for one in ordered),
        )

    @property
    def n(self) -> int:
        return len(self.seeds)

    @property
    def bits(self) -> dict[int, Bits]:
        """By seed: what is equal where two runs are the same, see `record.bits_of`."""
        return dict(zip(self.seeds, map(bits_of, self.digests, self.values, self.outcomes), strict=True))

    @property
    def endings(self) -> tuple[Outcome, ...]:
        """The outcomes, where a run that trained to a value that is not finite has diverged."""
        pairs = zip(self.values, self.outcomes, strict=True)
        return tuple(
            "diverged" if outcome == "trained" and not math.isfinite(value) else outcome for value, outcome in pairs
        )

    @property
    def trained(self) -> tuple[float, ...]:
        """The values of the runs that trained, all finite."""
        return tuple(value for value, ending in zip(self.values, self.endings, strict=True) if ending == "trained")

    @property
    def mean(self) -> float:
        """Mean value of the runs that trained; NaN where none did."""
        return statistics.fmean(self.trained) if self.trained else math.nan

    @property
    def sd(self) -> float:
        """Standard deviation between the runs that trained; NaN with fewer than two."""
        return statistics.stdev(self.trained) if len(self.trained) > 1 else math.nan

    @property
    def untrained(self) -> str:
        """How many did not train, and why: `2 collapsed, 1 diverged`; empty where all did."""
        counts = Counter(ending for ending in self.endings if ending != "trained")
        return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))

    def count(self, *outcomes: Outcome) -> int:
        """How many ended in one of some outcomes."""
        return sum(ending in outcomes for ending in self.endings)
