"""Which activations could be the best over several networks? `contests.contests(cases)`, then `could_be_best(...)`.

A contest is a ranking in which each activation has its rate that is best by validation, as if tuned; a problem is a
network on a data set, and its contests (another optimizer, another variant) are one piece of evidence together.

The best of many activations is not the one that looks best. What can be said with 95 % confidence is which are not it:
those that some other one beats too often. Each is tried against every other by a one-sided sign test over the problems,
at 5 % shared among its rivals, so that the true best is left out in one of twenty worlds at most, however it was found
(subset selection, Gupta 1965, doi 10.1080/00401706.1965.10490251; Hsu 1984, doi 10.1214/aos/1176346739).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations

from scipy import stats

from bench.ranking import learning_rates, rank
from bench.ranking.rank import RankedBlock
from bench.records.case_runs import CaseRuns, grouped
from bench.stats import intervals
from bench.stats.intervals import LEVEL, Estimate

FEWEST_PROBLEMS = 6  # of fewer no sign test reaches 5 % on both sides


@dataclass(frozen=True)
class Duel:
    """Two activations over the problems that have both.

    Attributes:
        won, lost: problems in most of whose contests the first is significantly better, or the other.
        problems: that have both.
    """

    name: str
    rival: str
    won: int
    lost: int
    problems: int

    @property
    def p(self) -> float:
        """Of the one-sided sign test that the first wins more often than it loses."""
        tried = self.won + self.lost
        return float(stats.binomtest(self.won, tried, alternative="greater").pvalue) if tried else 1.0


@dataclass(frozen=True)
class Contenders:
    """The activations that were measured in enough problems.

    Attributes:
        shares: of their contests those in which nothing is significantly better, by name, the surest first.
        beaten: those that are not the best, each with the duel that says so.
    """

    shares: dict[str, Estimate]
    beaten: dict[str, Duel]

    @property
    def tied(self) -> list[str]:
        """Those of which any could be the best."""
        return [name for name in self.shares if name not in self.beaten]


def contests(cases: Iterable[CaseRuns]) -> list[RankedBlock]:
    """Those of two activations or more, each at its best rate."""
    chosen = (list(sweep.chosen().values()) for sweep in learning_rates.sweeps(cases))
    return [rank.ranked(members) for members in chosen if len(members) > 1]


def problem_of(block: RankedBlock) -> tuple[str, str]:
    """Network and data set."""
    return (block.first.case.model, block.first.data_label)


def shares_of_first(blocks: Iterable[RankedBlock]) -> dict[str, Estimate]:
    """How often nothing is significantly better, by activation, with the exact interval; by its lower end."""
    rows = grouped((row for block in blocks for row in block.rows), lambda row: row.activation)
    found = {name: intervals.share(sum(row.best == 1 for row in each), len(each)) for name, each in rows.items()}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1].low, pair[0])))


def lead(block: RankedBlock, name: str, rival: str) -> int | None:
    """1 where the first is significantly better, -1 where the other is; None where one of them is missing."""
    places = {row.activation: place for place, row in enumerate(block.rows)}
    if not {name, rival} <= places.keys():
        return None
    one, other = places[name], places[rival]
    if (min(one, other), max(one, other)) not in block.separated:
        return 0
    return 1 if one < other else -1


def duel(blocks: Sequence[RankedBlock], name: str, rival: str) -> Duel:
    """The two over all problems that have both."""
    leads = [
        [one for block in each if (one := lead(block, name, rival)) is not None]
        for each in grouped(blocks, problem_of).values()
    ]
    told = [sum(each) for each in leads if each]
    return Duel(name, rival, sum(one > 0 for one in told), sum(one < 0 for one in told), len(told))


def could_be_best(blocks: Sequence[RankedBlock]) -> Contenders | None:
    """None where fewer than two activations were measured in `FEWEST_PROBLEMS` problems."""
    problems = {
        name: {problem for problem, _ in each}
        for name, each in grouped(
            ((problem_of(block), row.activation) for block in blocks for row in block.rows), lambda pair: pair[1]
        ).items()
    }
    shares = {name: one for name, one in shares_of_first(blocks).items() if len(problems[name]) >= FEWEST_PROBLEMS}
    if len(shares) < 2:
        return None
    level = LEVEL / (len(shares) - 1)
    lost = [one for name, rival in permutations(shares, 2) if (one := duel(blocks, name, rival)).p < level]
    worst = {name: min(each, key=lambda one: one.p) for name, each in grouped(lost, lambda one: one.rival).items()}
    return Contenders(shares, worst)
