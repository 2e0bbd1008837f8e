"""Learning rates (D3, B1, B3): the best activation at each rate, and the best rate of each activation.

Both are chosen by the validation metric; the test value is then shown. A choice that the data do not support is
shown as a tie with all that do not differ significantly from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench.display.tables import INTERVAL, Table, axis_label, cell, heading, runs, seeds, source
from bench.ranking import learning_rates
from bench.ranking.learning_rates import Sweep
from bench.records.case_runs import CaseRuns
from bench.stats import intervals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ASIDE = 1.06  # between activations at one rate in the picture, lest their intervals hide each other
TIED = (
    "ties: not significantly different from the best by validation, paired by seed, 5 % after Holm; "
    "one seed shows nothing"
)


def tables(cases: Sequence[CaseRuns]) -> list[Table]:
    """Two a sweep."""
    return [table for sweep in _swept(cases) for table in (_by_rate(sweep), _by_activation(sweep))]


def figure(cases: Sequence[CaseRuns]) -> Figure | None:
    """The validation metric against the rate, one panel a sweep, with 95 % intervals.

    Only of activations that were trained at two rates or more: one point shows no sensitivity.
    """
    from bench.display import figures

    sweeps = [curves for sweep in _swept(cases) if (curves := _curves(sweep)).rates]
    if not sweeps:
        return None
    looks = figures.looks(name for sweep in sweeps for name in sweep.rates)
    drawing, places = figures.panel_grid(len(sweeps))
    for axes, sweep in zip(places, sweeps, strict=True):
        metric = learning_rates.chosen_by(sweep.first.metric)
        for place, (name, by_rate) in enumerate(sweep.rates.items()):
            aside = ASIDE ** (place - (len(sweep.rates) - 1) / 2)
            found = [(rate, one, intervals.mean(one.metrics[metric])) for rate, one in sorted(by_rate.items())]
            axes.errorbar(
                [rate * aside for rate, _, _ in found],
                [one.aggregate(metric) for _, one, _ in found],
                [[_half(one) for _, _, one in found]] * 2,
                **looks[name],
                marker="o",
                markersize=3,
                capsize=2,
            )
        axes.set_xscale("log")
        axes.set_xlabel("learning rate")
        axes.set_ylabel(axis_label(metric))
        shown = [one for by_rate in sweep.rates.values() for one in by_rate.values()]
        figures.title(axes, sweep.title, shown)
    figures.legend(drawing, looks)
    return drawing


def _swept(cases: Sequence[CaseRuns]) -> list[Sweep]:
    """Sweeps of two rates or more, of the cases that have a metric to choose by."""
    measured = [one for one in cases if learning_rates.chosen_by(one.metric) in one.metrics]
    return [sweep for sweep in learning_rates.sweeps(measured) if len(sweep.all_rates) > 1]


def _curves(sweep: Sweep) -> Sweep:
    return Sweep({name: by_rate for name, by_rate in sweep.rates.items() if len(by_rate) > 1})


def _by_rate(sweep: Sweep) -> Table:
    at_rate = {
        rate: {name: by_rate[rate] for name, by_rate in sweep.rates.items() if rate in by_rate}
        for rate in sweep.all_rates
    }
    return _table(sweep, "best activation per rate", "rate", {f"{rate:g}": at for rate, at in at_rate.items()})


def _by_activation(sweep: Sweep) -> Table:
    groups = {
        name: {f"{rate:g}": one for rate, one in sorted(by_rate.items())} for name, by_rate in sweep.rates.items()
    }
    return _table(sweep, "best rate per activation", "activation", groups)


def _table(sweep: Sweep, name: str, given: str, groups: Mapping[str, Mapping[str, CaseRuns]]) -> Table:
    test = sweep.first.metric
    metric = learning_rates.chosen_by(test)
    chosen = "activation" if given == "rate" else "rate"
    columns: dict[str, list[str]] = {
        word: [] for word in (given, f"best {chosen}", "ties", heading(metric), heading(test), "n", "seeds")
    }
    for label, candidates in groups.items():
        best = max(candidates, key=lambda word: candidates[word].score(metric))
        others = {word: one for word, one in candidates.items() if word != best}
        tied = learning_rates.tied(candidates[best], list(others.values()), metric)
        ties = ", ".join(word for word, one in others.items() if one in tied)
        one = candidates[best]
        row = (label, best, ties, cell(one, metric), cell(one, test), runs(one), seeds(one))
        for cells, text in zip(columns.values(), row, strict=True):
            cells.append(text)
    everything = [one for candidates in groups.values() for one in candidates.values()]
    aggregate = f"{sweep.first.recipe['aggregate']} over runs, chosen by {axis_label(metric)}; {INTERVAL}"
    return Table(f"{sweep.title}: {name}", columns, (aggregate, TIED, source(everything)))


def _half(found: intervals.Estimate) -> float:
    return found.half if found.known else 0.0
