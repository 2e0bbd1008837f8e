"""A conclusion and the rule by which comparisons become one: `conjunction(comparisons, missing)`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bench.stats.intervals import LEVEL, Estimate, holm

Answer: TypeAlias = Literal["supported", "refuted", "undetermined"]
SHOWN = 2  # comparisons spelt out; the others are counted


@dataclass(frozen=True)
class Conclusion:
    """What cases say of a claim.

    Attributes:
        n: runs, or pairs of runs, behind its smallest comparison; 0 where there are none.
        interval: the values that it rests on, with 95 % intervals.
        why: one sentence.
    """

    verdict: Answer
    n: int
    interval: str
    why: str


@dataclass(frozen=True)
class Contrast:
    """A difference that a claim says is positive, in the claimed direction whatever the metric's.

    Attributes:
        label: what is compared, and where.
        unit: written behind the numbers: ` points`, or nothing for a loss.
    """

    label: str
    estimate: Estimate
    unit: str = ""

    @property
    def text(self) -> str:
        one = self.estimate
        interval = f" [{one.low:+.3g}, {one.high:+.3g}]" if one.known else ""
        return f"{self.label} {one.value:+.3g}{interval}{self.unit}"


def nothing(why: str = "no records") -> Conclusion:
    """Where there is nothing to judge by."""
    return Conclusion("undetermined", 0, "", why)


def conjunction(comparisons: Sequence[Contrast], missing: Sequence[str] = ()) -> Conclusion:
    """A claim that all of several differences are positive.

    Supported where every one is, at 5 % after Holm; refuted where one is negative, likewise; otherwise, and where a
    part of the claim has no cases and no other part refutes it, undetermined.
    """
    if not comparisons:
        return nothing(_lack(missing).removeprefix("; ") or "no records")
    p_values = holm([one.estimate.p for one in comparisons])
    decided = [one for one, p in zip(comparisons, p_values, strict=True) if p < LEVEL]
    against = [one for one in decided if one.estimate.value < 0]
    open_ = [one for one in comparisons if one not in decided]
    n = min(one.estimate.n for one in comparisons)
    many = f" of {len(comparisons)}, Holm" if len(comparisons) > 1 else ""
    if against:
        return Conclusion("refuted", n, _text(against), f"the contrary holds in {len(against)}{many}")
    if open_:
        return Conclusion(
            "undetermined", n, _text(open_), f"not significantly different in {len(open_)}{many}{_lack(missing)}"
        )
    if missing:
        return Conclusion("undetermined", n, _text(decided), f"holds where there are records{_lack(missing)}")
    return Conclusion("supported", n, _text(decided), f"holds in all {len(decided)}, Holm" if many else "holds")


def bounded(comparison: Contrast, margin: float) -> Conclusion:
    """A claim that a value is not above a margin: supported or refuted where its interval lies on one side."""
    one = comparison.estimate
    limit = f"{margin:g}{comparison.unit}"
    if not one.known:
        return Conclusion("undetermined", one.n, comparison.text, "no interval")
    if one.high <= margin:
        return Conclusion("supported", one.n, comparison.text, f"at most {limit}")
    if one.low > margin:
        return Conclusion("refuted", one.n, comparison.text, f"more than {limit}")
    return Conclusion("undetermined", one.n, comparison.text, f"{limit} lies within the interval")


def _text(comparisons: Sequence[Contrast]) -> str:
    """The least clear of them first: by these the verdict stands."""
    weakest = sorted(comparisons, key=lambda one: -1.0 if math.isnan(one.estimate.p) else -one.estimate.p)
    more = f"; and {len(weakest) - SHOWN} more" if len(weakest) > SHOWN else ""
    return "; ".join(one.text for one in weakest[:SHOWN]) + more


def _lack(missing: Sequence[str]) -> str:
    if not missing:
        return ""
    more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    return f"; no records of {', '.join(missing[:SHOWN])}{more}"
