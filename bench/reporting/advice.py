"""Which activation for a network? Three sentences, computed from runs. `advice.advised(cases, kernels)`.

What is tied at the top, what to avoid, and what matters more than the activation. Over many networks they are about
networks in general (see `bench.ranking.contests`), over few about these alone, where each ranking holds its own 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy import stats

from bench.cases.case import REFERENCE
from bench.cases.recipe import SCALES
from bench.display.tables import how_many, percent
from bench.ranking import contests, spread
from bench.ranking.contests import Contenders
from bench.ranking.rank import RankedActivation, RankedBlock
from bench.records.case_runs import CaseRuns, grouped
from bench.stats import intervals, power
from bench.stats.intervals import LEVEL
from bench.timing.kernels.recorded import RecordedKernel

SHOWN = 6  # names spelt out
NOTHING_ELSE = "these runs do not tell: they have one optimizer and one learning rate."
TIMED = ("float32", "memory", "forward_backward")  # of kernels, what training waits for


class Sentence(NamedTuple):
    """One of the three.

    Attributes:
        title: what it is about.
        evidence: the sections of the page that it rests on.
    """

    title: str
    text: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Advice:
    """What runs of one scale say.

    Attributes:
        blocks: the rankings that it rests on.
    """

    scale: str
    blocks: tuple[RankedBlock, ...]
    sentences: tuple[Sentence, ...]

    @property
    def basis(self) -> str:
        """`2 rankings at small: cnn on MNIST and cnn on digits; n = 3 runs a mean.`"""
        problems = [f"{model} on {data}" for model, data in dict.fromkeys(map(contests.problem_of, self.blocks))]
        sizes = sorted({row.runs.n for block in self.blocks for row in block.rows})
        n = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        small = " At tiny, thin networks are trained for seconds." if self.scale == "tiny" else ""
        return (
            f"{how_many(len(self.blocks), 'ranking')} at {self.scale}: {_listed(problems)}; n = {n} runs a mean.{small}"
        )


def advised(
    cases: Sequence[CaseRuns], kernels: Iterable[RecordedKernel], around: Sequence[CaseRuns] = ()
) -> Advice | None:
    """What the runs say at the largest scale that says it of networks in general, or else of these.

    Args:
        cases: with the activations to choose from.
        kernels: whose times tell which activation is cheap.
        around: with other optimizers and rates too; the same unless given.

    Returns:
        None where no two activations were measured together.
    """
    by_scale = {scale: contests.contests(one for one in cases if one.key.scale == scale) for scale in reversed(SCALES)}
    found = [(scale, blocks, contests.could_be_best(blocks)) for scale, blocks in by_scale.items() if blocks]
    if not found:
        return None
    scale, blocks, contenders = next((one for one in found if one[2]), found[0])
    surroundings = [one for one in around or cases if one.key.scale == scale]
    times = _times(kernels, blocks)
    top = _among_many(contenders, blocks, times) if contenders else _among_these(blocks, times)
    return Advice(scale, tuple(blocks), (top, _avoid(blocks), _matters(surroundings)))


def _among_many(found: Contenders, blocks: Sequence[RankedBlock], times: dict[str, float]) -> Sentence:
    """Of networks in general."""
    leader = next(iter(found.tied or found.shares))
    share = found.shares[leader]
    problems = len({contests.problem_of(block) for block in blocks})
    beaten = [f"{one.rival} ({one.name} beat it on {one.won}, lost on {one.lost})" for one in found.beaten.values()]
    text = (
        f"{len(found.tied)} of {len(found.shares)} activations could be the best (95 % confidence, sign tests over "
        f"{problems} networks on data sets, at {blocks[0].first.key.scale})"
        f"{f', but not {_listed(beaten)}' if beaten else ''}; most often unbeaten is {leader}, in {percent(share)} of "
        f"{share.n} rankings{_cheapest(found.tied, times)}."
    )
    return Sentence("Tied at the top" if len(found.tied) > 1 else "Best", text, ("ranking", "heat"))


def _among_these(blocks: Sequence[RankedBlock], times: dict[str, float]) -> Sentence:
    """Of these networks alone, and of the activations that all of their rankings have, if any has."""
    shares = contests.shares_of_first(blocks)
    everywhere = {name: one for name, one in shares.items() if one.n == len(blocks)} or shares
    most = max(one.value for one in everywhere.values())
    tied = [name for name, one in everywhere.items() if one.value == most]
    unbeaten = round(most * everywhere[tied[0]].n)
    where = f"in {unbeaten} of {how_many(len(blocks), 'ranking')}" if len(blocks) > 1 else "in this ranking"
    fact = f"nothing is significantly better {where} (Games-Howell, 5 % in each)"
    if len(tied) == 1:
        return Sentence("Best", f"{tied[0]}: {fact}.", ("ranking",))
    title = "It is a tie" if len(tied) == len(everywhere) else "Tied at the top"
    return Sentence(title, f"{_listed(tied)}: {fact}{_takes(blocks)}{_cheapest(tied, times)}.", ("ranking",))


def _takes(blocks: Sequence[RankedBlock]) -> str:
    """Seeds that would tell what these do not: a difference of one point, of a loss of one per cent."""
    needed = []
    for block in blocks:
        samples = [row.runs.values for row in block.rows]
        sd, points = power.typical_sd(samples), block.first.measured.points
        unit = 0.01 if points else 0.01 * abs(block.rows[0].aggregate)
        if math.isfinite(sd) and math.isfinite(unit) and unit:
            needed.append((power.seeds_for(unit, sd, len(samples)), points))
    if not needed:
        return ""
    seeds, points = max(needed)
    return f"; to tell a difference of 1{points.removesuffix('s') or ' %'} takes {seeds:,} seeds"


def _avoid(blocks: Sequence[RankedBlock]) -> Sentence:
    """What fails to train where the reference trains; else what is behind it everywhere."""
    if lost := _lost_more(blocks):
        optimizer, places = max(grouped(lost, lambda one: one[1]).items(), key=lambda pair: len(pair[1]))
        names = sorted({name for name, _ in places})
        there = [
            block
            for block in blocks
            if block.first.case.optimizer == optimizer and {*names} & {row.activation for row in block.rows}
        ]
        text = (
            f"{_listed(names)} with {optimizer}: {_listed([_lost(there, name) for name in names])} of their runs did "
            f"not train, and of {REFERENCE}'s {_lost(there, REFERENCE)} (Fisher's exact test, 5 % after Holm)."
        )
        return Sentence("Avoid", text, ("null_runs",))
    if not any(row.activation == REFERENCE for block in blocks for row in block.rows):
        return Sentence("Avoid", f"these rankings do not tell: they have no {REFERENCE} to compare with.", ("ranking",))
    behind = []
    for name in sorted({row.activation for block in blocks for row in block.rows}):
        leads = [one for block in blocks if (one := contests.lead(block, name, REFERENCE)) is not None]
        behind += [f"{name} (in {len(leads)})"] * (set(leads) == {-1})
    if behind:
        text = f"{_listed(behind)}: significantly worse than {REFERENCE} in every ranking of both (Games-Howell)."
        return Sentence("Avoid", text, ("ranking",))
    text = f"nothing: none loses significantly more runs than {REFERENCE}, and none is behind it in every ranking."
    return Sentence("Avoid", text, ("ranking",))


def _lost_more(blocks: Iterable[RankedBlock]) -> list[tuple[str, str]]:
    """Activations that lose more runs than the reference, with the optimizer; one entry a ranking that shows it."""
    places, p_values = [], []
    for block in blocks:
        references = [row for row in block.rows if row.activation == REFERENCE]
        for row, reference in product(block.rows, references):
            sides = np.array([[_nulls(one), one.runs.n - _nulls(one)] for one in (row, reference)])
            places.append((row.activation, block.first.case.optimizer))
            p_values.append(float(stats.fisher_exact(sides, alternative="greater").pvalue))
    return [place for place, p in zip(places, intervals.holm(p_values), strict=True) if p < LEVEL]


def _nulls(row: RankedActivation) -> int:
    return row.runs.runs.count("collapsed", "diverged")


def _lost(blocks: Iterable[RankedBlock], name: str) -> str:
    rows = [row for block in blocks for row in block.rows if row.activation == name]
    return f"{sum(map(_nulls, rows))} of {sum(row.runs.n for row in rows)}"


def _matters(cases: Sequence[CaseRuns]) -> Sentence:
    """How often the rate and the optimizer move a result more than the activation does."""
    said = []
    for factor, tables in (("learning rate", spread.by_rate(cases)), ("optimizer", spread.by_optimizer(cases))):
        gaps = [gap for table in tables if (gap := spread.beyond_activation(table))]
        told = [gap.value for gap, p in zip(gaps, intervals.holm([gap.p for gap in gaps]), strict=True) if p < LEVEL]
        more, less = (sum(sign * value > 0 for value in told) for sign in (1, -1))
        if gaps:
            said.append(f"the {factor} in {more} of {how_many(len(gaps), 'comparison')}, and less in {less}")
    text = (
        f"{'; '.join(said)} (standard deviations over what was tried, seed by seed, 5 % after Holm)."
        if said
        else NOTHING_ELSE
    )
    return Sentence("Matters more than the activation", text, ("rates", "variance"))


def _times(kernels: Iterable[RecordedKernel], blocks: Sequence[RankedBlock]) -> dict[str, float]:
    """Multiples of the reference's time by activation, of the kind of device of the rankings, large tensors."""
    device = blocks[0].first.key.device_class
    told = [one for one in kernels if (one.device_class, one.dtype, one.size, one.mode) == (device, *TIMED)]
    return {one.activation: math.exp(one.mean_log_ratio_relu) for one in told}


def _cheapest(names: Sequence[str], times: dict[str, float]) -> str:
    known = {name: times[name] for name in names if name in times}
    if len(known) < 2:
        return ""
    name = min(known, key=lambda one: known[one])
    others = sorted(ratio for other, ratio in known.items() if other != name)
    ends = " to ".join(dict.fromkeys(f"{ratio:.1f}" for ratio in (others[0], others[-1])))
    own = "" if name == REFERENCE else f", {known[name]:.1f} times {REFERENCE}'s time"
    return f"; the cheapest is {name}{own}, the others take {ends} times {REFERENCE}'s time"


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:SHOWN])
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
