"""Judges of everything but who is better: lines, gaps, momentum, rates and null runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from bench.display.tables import percent
from bench.ranking import learning_rates, spread
from bench.ranking.learning_rates import Sweep
from bench.records.case_runs import CaseRuns, grouped
from bench.reporting.claims import _differences as differences
from bench.reporting.claims._differences import BySeed
from bench.reporting.claims._judgement import Conclusion, bounded, conjunction, nothing, would_tell
from bench.reporting.claims._judges import Judge
from bench.reporting.views import hinges, null_runs
from bench.reporting.views.null_runs import NullRuns
from bench.stats import intervals, power
from bench.stats.intervals import LEVEL, Line

# Our own, since the sources name none: accuracies this many points apart are taken for equal where a claim is that
# something does not matter, and shares of null runs this far apart.
MARGIN = 1.0
NULL_MARGIN = 0.1


def not_linear(cases: Sequence[CaseRuns]) -> Conclusion:
    """The values do not lie on a line over the number of hinges (lack-of-fit F test).

    Refuted where no number's mean may lie more than `MARGIN` points off the line, by joint intervals.
    """
    lines = [fit for ladder in hinges.ladders(cases) if (fit := hinges.straight_line(ladder))]
    if not lines:
        return nothing("no records of three numbers of hinges with two runs each")
    n, measured = min(fit.n for fit in lines), cases[0].measured
    p, farthest = max(intervals.holm([fit.p for fit in lines])), max(fit.deviation for fit in lines) * measured.factor
    text = f"lack of fit p = {p:.2g}; off the line by at most {farthest:.2g} points"
    if p < LEVEL and farthest > MARGIN:
        return Conclusion("supported", n, text, "a straight line does not suffice")
    if farthest <= MARGIN:
        return Conclusion("refuted", n, text, f"a line within {MARGIN:g} point")
    tells = would_tell([_seeds_for_line(fit, MARGIN / measured.factor, len(lines)) for fit in lines])
    return Conclusion("undetermined", n, text, "the runs refute neither a line nor a bend", tells)


def _seeds_for_line(fit: Line, margin: float, lines: int) -> int | None:
    """Runs of each group that show a bend, or that there is none beyond a margin, whichever are fewer."""
    runs = fit.n / fit.groups
    bend = power.groups_for(fit.noncentrality / runs, fit.groups, fit.groups - 2, lines)
    spare = margin - fit.farthest
    straight = math.ceil(runs * ((fit.deviation - fit.farthest) / spare) ** 2) if spare > 0 else None
    return min((count for count in (bend, straight) if count), default=None)


def lead_does_not_grow(name: str, rivals: Sequence[str]) -> Judge:
    """The lead over the mean of the rivals rises by no more than `MARGIN` points from the flattest to the deepest."""

    def judge(cases: Sequence[CaseRuns]) -> Conclusion:
        leads: dict[int, BySeed] = {}
        for _, block in differences.titled_blocks(cases):
            if {name, *rivals} <= block.keys():
                one = block[name]
                others = differences.average([block[rival].of(one.metric) for rival in rivals])
                found = {seed: value - others[seed] for seed, value in one.of(one.metric).items() if seed in others}
                leads[_depth(one)] = found
        if len(leads) < 2:
            return nothing(f"no records of {name}, {', '.join(rivals)} at two depths")
        flat, deep, measured = min(leads), max(leads), cases[0].measured
        growth = intervals.difference(leads[deep], leads[flat]).times(measured.sign)
        label = f"growth of {name}'s lead from {flat} to {deep} layers"
        return bounded(differences.contrast(label, growth, measured), MARGIN)

    return judge


def wants_momentum(name: str, rivals: Sequence[str]) -> Judge:
    """sgd gains by momentum 0.9 with it, and more than with each rival."""

    def judge(cases: Sequence[CaseRuns]) -> Conclusion:
        comparisons, missing = [], []
        sgd = [one for one in cases if one.case.optimizer == "sgd"]
        for family in grouped(sgd, lambda one: (one.case.model, one.case.dataset)).values():
            title, metric = family[0].title("variant", "scale"), family[0].metric
            gains = _gains(family, metric)
            nought = dict.fromkeys(gains.get(name, {}), 0.0)
            for label, other in [(name, nought), *((f"{name} over {rival}", gains.get(rival, {})) for rival in rivals)]:
                if name in gains and other:
                    text = f"gain by momentum: {label} ({title})"
                    comparisons.append(differences.better(text, gains[name], other, metric))
                else:
                    missing.append(f"momentum0 and momentum0.9: {label} ({title})")
        return conjunction(comparisons, missing)

    return judge


def rate_matters_more(cases: Sequence[CaseRuns]) -> Conclusion:
    """Over rates, values spread more than over activations: standard deviations, seed by seed, for each network."""
    comparisons = []
    for sweep in _swept(cases):
        full = all(len(by_rate) == len(sweep.all_rates) for by_rate in sweep.rates.values())
        found = spread.beyond_activation([list(by_rate.values()) for by_rate in sweep.rates.values()]) if full else None
        if found:
            label = f"sd over rates less sd over activations ({sweep.title})"
            comparisons.append(differences.contrast(label, found, sweep.first.measured))
    return conjunction(comparisons)


def best_rates(claimed: dict[str, float]) -> Judge:
    """Each network's claimed rate better than its other rates, on average over the activations."""

    def judge(cases: Sequence[CaseRuns]) -> Conclusion:
        comparisons, missing, seen = [], [], set()
        for sweep in _swept(cases):
            model, metric = sweep.first.case.model, sweep.first.metric
            if model not in claimed:
                continue
            seen.add(model)
            by_rate = {
                rate: differences.average([at[rate].of(metric) for at in sweep.rates.values() if rate in at])
                for rate in sweep.all_rates
            }
            if claimed[model] not in by_rate:
                missing.append(f"{model} at {claimed[model]:g}")
                continue
            best = by_rate.pop(claimed[model])
            for rate, others in by_rate.items():
                label = f"{claimed[model]:g} over {rate:g} ({sweep.title})"
                comparisons.append(differences.better(label, best, others, metric))
        return conjunction(comparisons, [*missing, *(model for model in claimed if model not in seen)])

    return judge


def null_runs_differ(cases: Sequence[CaseRuns]) -> Conclusion:
    """In some block activations have null runs (collapsed or diverged) more or less often (Fisher's exact test, Holm).

    Refuted where in every block all shares lie within `NULL_MARGIN` of each other, by intervals that hold together.
    """
    blocks = [(title, block) for title, block in differences.titled_blocks(cases) if len(block) > 1]
    if not blocks:
        return nothing("no records of two activations" if cases else "no records")
    counts = [{name: null_runs.counted([one]) for name, one in block.items()} for _, block in blocks]
    adjusted = intervals.holm([_fisher(found) for found in counts])
    widths = [_width(found) for found in counts]
    n = min(one.runs for found in counts for one in found.values())
    p, place = min(zip(adjusted, range(len(blocks)), strict=True))
    most, least = (pick(counts[place].items(), key=lambda pair: pair[1].rate.value) for pick in (max, min))
    shares = ", ".join(f"{name} {percent(one.rate)}" for name, one in (most, least))
    text = f"{shares} ({blocks[place][0]})"
    many = f" in the clearest of {len(blocks)} blocks, Holm" if len(blocks) > 1 else ""
    if p < LEVEL:
        return Conclusion("supported", n, text, f"Fisher's exact test p = {p:.2g}{many}")
    if max(widths) <= NULL_MARGIN:
        return Conclusion("refuted", n, text, f"all shares within {max(widths):.0%} of each other")
    tells = would_tell([power.runs_for_shares(most[1].rate.value, least[1].rate.value, len(blocks))])
    return Conclusion("undetermined", n, text, f"p = {p:.2g}{many}; shares may be {max(widths):.0%} apart", tells)


def _fisher(counts: Mapping[str, NullRuns]) -> float:
    table = np.array([[one.nulls, one.runs - one.nulls] for one in counts.values()])
    if not table.sum(0).all():  # no null run, or no other: nothing to test
        return 1.0
    # More than two rows have no closed form in scipy.
    return float(stats.fisher_exact(table, method=stats.MonteCarloMethod(rng=np.random.default_rng(0))).pvalue)


def _width(counts: Mapping[str, NullRuns]) -> float:
    """How far apart the shares may be."""
    joint = [intervals.share(one.nulls, one.runs, 1 - LEVEL / len(counts)) for one in counts.values()]
    return max(one.high for one in joint) - min(one.low for one in joint)


def _depth(one: CaseRuns) -> int:
    """Layers, from the variant (`depth7`) or else the network's name (`apl_cnn7`)."""
    depth = one.case.settings.get("depth")
    return int(depth or one.case.model.removeprefix("apl_cnn"))


def _gains(family: Sequence[CaseRuns], metric: str) -> dict[str, BySeed]:
    """What momentum 0.9 adds to momentum 0, by activation and seed."""
    found = {(one.activation, one.case.settings.get("momentum")): one.of(metric) for one in family}
    return {
        name: {seed: value - found[name, 0.0][seed] for seed, value in runs.items() if seed in found[name, 0.0]}
        for (name, momentum), runs in found.items()
        if momentum == 0.9 and (name, 0.0) in found
    }


def _swept(cases: Sequence[CaseRuns]) -> list[Sweep]:
    return [sweep for sweep in learning_rates.sweeps(cases) if len(sweep.all_rates) > 1]
