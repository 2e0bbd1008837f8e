"""A conclusion and the rule by which comparisons become one: `conjunction(comparisons, missing)`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bench.stats import power
from bench.stats.intervals import LEVEL, Estimate, holm

Answer: TypeAlias = Literal["supported", "refuted", "undetermined"]
SHOWN = 2  # comparisons spelt out; the others are counted
MANY = f"more than {power.MOST_RUNS:,} seeds would tell"


@dataclass(frozen=True)
class Conclusion:
    """What cases say of a claim.

    Attributes:
        n: runs, or pairs of runs, behind its smallest comparison; 0 where there are none.
        interval: the values that it rests on, with 95 % intervals.
        why: one sentence.
        tells: how many seeds would decide it, if the differences are as large as they seem; empty where it is decided,
            and where nothing can be said.
    """

    verdict: Answer
    n: int
    interval: str
    why: str
    tells: str = ""

    @property
    def reason(self) -> str:
        """Why, and what would tell."""
        return "; ".join(filter(None, (self.why, self.tells)))


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

    def seeds(self, comparisons: int = 1, margin: float = 0.0) -> int | None:
        """How many would tell it from a margin, one of several comparisons; None where too many, or none, would."""
        return power.pairs_for(self.estimate.value - margin, self.estimate.sd, comparisons)


def would_tell(seeds: Sequence[int | None]) -> str:
    """`41 seeds would tell`: as many as the last of several comparisons takes."""
    if not seeds:
        return ""
    known = [count for count in seeds if count is not None]
    return f"{max(known)} seeds would tell" if len(known) == len(seeds) else MANY


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
        why = f"not significantly different in {len(open_)}{many}{_lack(missing)}"
        return Conclusion("undetermined", n, _text(open_), why, "" if missing else _deciding(open_, len(comparisons)))
    if missing:
        return Conclusion("undetermined", n, _text(decided), f"holds where there are records{_lack(missing)}")
    return Conclusion("supported", n, _text(decided), f"holds in all {len(decided)}, Holm" if many else "holds")


def _deciding(open_: Sequence[Contrast], comparisons: int) -> str:
    """What would refute the claim where one difference seems to contradict it, else what would support it."""
    if not all(one.estimate.known for one in open_):
        return ""
    against = [one.seeds(comparisons) for one in open_ if one.estimate.value < 0]
    if against:
        return would_tell([min((seeds for seeds in against if seeds), default=None)])
    return would_tell([one.seeds(comparisons) for one in open_])


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
    tells = would_tell([comparison.seeds(margin=margin)])
    return Conclusion("undetermined", one.n, comparison.text, f"{limit} lies within the interval", tells)


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
