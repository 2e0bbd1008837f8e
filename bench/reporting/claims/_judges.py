"""Judges of who is better: functions that make one, `beats("gelu", ["relu", "elu"])`, to apply to cases.

Runs of cases are those of one scale, device and data, so that whatever a judge joins belongs together. Differences are
taken within a block (one network, data set, optimizer and variant), seed by seed where seeds are shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from bench.cases.metric import Measured
from bench.records.case_runs import CaseRuns
from bench.reporting.claims import _differences as differences
from bench.reporting.claims._judgement import Conclusion, conjunction, nothing, would_tell
from bench.stats import intervals
from bench.stats.intervals import LEVEL

NOISY = ("test_accuracy", "test_loss")  # what the source shows under noise
Judge: TypeAlias = Callable[[Sequence[CaseRuns]], Conclusion]


def beats(name: str, rivals: Sequence[str], metric: str | None = None) -> Judge:
    """Better than every rival in every block; `metric` is the judged one unless given."""
    return ordered([(name, rival) for rival in rivals], metric)


def best(names: Sequence[str], rivals: Sequence[str]) -> Judge:
    """Each of some better than each of the others, in every block."""
    return ordered([(name, rival) for name in names for rival in rivals])


def ordered(pairs: Sequence[tuple[str, str]], metric: str | None = None) -> Judge:
    """The first of each pair better than the second in every block, each at its rate that is best by validation."""

    def judge(cases: Sequence[CaseRuns]) -> Conclusion:
        return conjunction(*differences.over_all(pairs, differences.at_best_rates(cases), metric))

    return judge


def robust(name: str, rivals: Sequence[str]) -> Judge:
    """Better than every rival under noise: accuracy and log loss, each the mean over all amplitudes above 0."""

    def judge(cases: Sequence[CaseRuns]) -> Conclusion:
        comparisons, missing = [], []
        for title, block in differences.at_best_rates(cases):
            for metric in NOISY:
                found = {activation: differences.mean_under_noise(one, metric) for activation, one in block.items()}
                for rival in rivals:
                    if found.get(name) and found.get(rival):
                        label = f"{name} over {rival} ({Measured.parse(metric).label} under noise, {title})"
                        comparisons.append(differences.better(label, found[name], found[rival], metric))
                    else:
                        missing.append(f"{name} versus {rival}, {Measured.parse(metric).label} under noise ({title})")
        return conjunction(comparisons, missing)

    return judge


def typically(names: Sequence[str], rival: str, metric: str) -> Judge:
    """Each of some better than one rival in the median of all blocks in which the metric of both was measured.

    Seed by seed; losses by their ratios. A mean would be decided by the few blocks in which one explodes.
    """

    def judge(cases: Sequence[CaseRuns]) -> Conclusion:
        comparisons, missing = [], []
        measured = [one for one in cases if metric in one.metrics]  # old baselines hold the judged one alone
        for name in names:
            shared = [block for _, block in differences.titled_blocks(measured) if {name, rival} <= block.keys()]
            gains = [differences.gains(block[name], block[rival], metric) for block in shared]
            if not gains:
                missing.append(f"{name} versus {rival}")
                continue
            label = f"{name} over {rival} ({Measured.parse(metric).label}, median of {len(gains)} blocks)"
            comparisons.append(differences.middle(label, gains, metric))
        return conjunction(comparisons, missing)

    return judge


def loses_by_replacing(own: str) -> Judge:
    """A network's own activation better than the average of all that replace it, in every block."""

    def judge(cases: Sequence[CaseRuns]) -> Conclusion:
        comparisons, missing = [], []
        for title, block in differences.titled_blocks(cases):
            others = [one for activation, one in block.items() if activation != own]
            if own not in block or not others:
                missing.append(f"{own} and a replacement ({title})")
                continue
            metric = block[own].metric
            replaced = differences.average([one.of(metric) for one in others])
            label = f"{own} over the mean of {len(others)} replacements ({title})"
            comparisons.append(differences.better(label, block[own].of(metric), replaced, metric))
        return conjunction(comparisons, missing)

    return judge


def no_single_best(cases: Sequence[CaseRuns]) -> Conclusion:
    """Every activation is beaten in some block: none is best in all. Refuted where one beats all others in all.

    Kendall's W is shown beside: how far the blocks agree, from 0 to 1, and how often random orders agree as much.
    """
    found = [(title, block) for title, block in differences.titled_blocks(cases) if len(block) > 1]
    names = sorted(set.intersection(*(set(block) for _, block in found))) if found else []
    if len(found) < 2 or len(names) < 3:
        return nothing("no records of two blocks that share three activations" if found else "no records")
    duels = [(place, one, other) for place in range(len(found)) for one in names for other in names if one < other]
    contrasts = [differences.within_block(*found[place], one, other) for place, one, other in duels]
    compared = [contrast.estimate for contrast in contrasts]
    adjusted = intervals.holm([estimate.p for estimate in compared])
    won, lost = [], []
    for (_, one, other), estimate, p in zip(duels, compared, adjusted, strict=True):
        if p < LEVEL:
            won.append(one if estimate.value > 0 else other)
            lost.append(other if estimate.value > 0 else one)
    scores = [[block[name].score(block[name].metric) for name in names] for _, block in found]
    w, p = intervals.kendalls_w(scores)
    text = f"Kendall's W = {w:.2f} over {len(found)} blocks and {len(names)} activations, p = {p:.2g}"
    n = min(estimate.n for estimate in compared)
    champions = [name for name in names if won.count(name) == len(found) * (len(names) - 1)]
    if champions:
        return Conclusion("refuted", n, text, f"{champions[0]} beats all others in all blocks, Holm")
    unbeaten = [name for name in names if name not in lost]
    if not unbeaten:
        return Conclusion("supported", n, text, "each is beaten by another in some block, Holm")
    gains = [
        (one, other, contrast) if contrast.estimate.value > 0 else (other, one, contrast)
        for (_, one, other), contrast in zip(duels, contrasts, strict=True)
    ]
    tells = _would_part(unbeaten, [(worse, contrast.seeds(len(duels))) for _, worse, contrast in gains])
    return Conclusion("undetermined", n, text, f"beaten in no block, Holm: {', '.join(unbeaten)}", tells)


def _would_part(unbeaten: Sequence[str], duels: Sequence[tuple[str, int | None]]) -> str:
    """How many seeds would show each of some activations beaten somewhere; `duels` are the losers with the seeds.

    One that leads everywhere will not be.
    """
    needed = {name: [seeds for loser, seeds in duels if loser == name and seeds] for name in unbeaten}
    return would_tell([min(seeds, default=None) for seeds in needed.values()])
