"""Learning rates (D3, B1, B3): the best activation at each rate, and the best rate of each activation.

Both are chosen by the validation metric; the test figure is then shown. A choice that the data do not support is
shown as a tie with all that they do not tell from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench.display.tables import INTERVAL, Table, cell, heading, runs, seeds, source
from bench.ranking import learning_rates
from bench.ranking.learning_rates import Setting
from bench.records.case_runs import Observation
from bench.stats import intervals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ASIDE = 1.06  # between activations at one rate in the picture, lest their intervals hide each other
TIED = "ties: not told from the best by validation, paired by seed, 5 % after Holm; one seed tells nothing apart"


def tables(observations: Sequence[Observation]) -> list[Table]:
    """Two a setting."""
    return [table for setting in _swept(observations) for table in (_by_rate(setting), _by_activation(setting))]


def figure(observations: Sequence[Observation]) -> Figure | None:
    """The validation metric against the rate, one panel a setting, with 95 % intervals.

    Only of activations that were trained at two rates or more: one point shows no sensitivity.
    """
    from bench.display import figures

    settings = [curves for setting in _swept(observations) if (curves := _curves(setting)).rates]
    if not settings:
        return None
    looks = figures.looks(name for setting in settings for name in setting.rates)
    drawing, places = figures.grid(len(settings))
    for axes, setting in zip(places, settings, strict=True):
        metric = learning_rates.validation(setting.first.metric)
        for place, (name, by_rate) in enumerate(setting.rates.items()):
            aside = ASIDE ** (place - (len(setting.rates) - 1) / 2)
            found = [(rate, one, intervals.mean(one.metrics[metric])) for rate, one in sorted(by_rate.items())]
            axes.errorbar(
                [rate * aside for rate, _, _ in found],
                [one.figure(metric) for _, one, _ in found],
                [[_half(one) for _, _, one in found]] * 2,
                **looks[name],
                marker="o",
                markersize=3,
                capsize=2,
            )
        axes.set_xscale("log")
        axes.set_xlabel("learning rate")
        axes.set_ylabel(metric.replace("_", " "))
        shown = [one for by_rate in setting.rates.values() for one in by_rate.values()]
        figures.title(axes, setting.title, shown)
    figures.legend(drawing, looks)
    return drawing


def _swept(observations: Sequence[Observation]) -> list[Setting]:
    """Settings with two rates or more, of the observations that have a metric to choose by."""
    measured = [one for one in observations if learning_rates.validation(one.metric) in one.metrics]
    return [setting for setting in learning_rates.settings(measured) if len(setting.all_rates) > 1]


def _curves(setting: Setting) -> Setting:
    return Setting({name: by_rate for name, by_rate in setting.rates.items() if len(by_rate) > 1})


def _by_rate(setting: Setting) -> Table:
    at_rate = {
        rate: {name: by_rate[rate] for name, by_rate in setting.rates.items() if rate in by_rate}
        for rate in setting.all_rates
    }
    return _table(setting, "best activation per rate", "rate", {f"{rate:g}": at for rate, at in at_rate.items()})


def _by_activation(setting: Setting) -> Table:
    groups = {
        name: {f"{rate:g}": one for rate, one in sorted(by_rate.items())} for name, by_rate in setting.rates.items()
    }
    return _table(setting, "best rate per activation", "activation", groups)


def _table(setting: Setting, name: str, given: str, groups: Mapping[str, Mapping[str, Observation]]) -> Table:
    test = setting.first.metric
    metric = learning_rates.validation(test)
    chosen = "activation" if given == "rate" else "rate"
    columns: dict[str, list[str]] = {
        word: [] for word in (given, f"best {chosen}", "ties", heading(metric), heading(test), "n", "seeds")
    }
    for label, candidates in groups.items():
        best = max(candidates, key=lambda word: learning_rates.merit(candidates[word], metric))
        others = {word: one for word, one in candidates.items() if word != best}
        tied = learning_rates.tied(candidates[best], list(others.values()), metric)
        ties = ", ".join(word for word, one in others.items() if one in tied)
        one = candidates[best]
        row = (label, best, ties, cell(one, metric), cell(one, test), runs(one), seeds(one))
        for cells, text in zip(columns.values(), row, strict=True):
            cells.append(text)
    everything = [one for candidates in groups.values() for one in candidates.values()]
    aggregate = f"{setting.first.recipe['aggregate']} over runs, chosen by {metric.replace('_', ' ')}; {INTERVAL}"
    return Table(f"{setting.title}: {name}", columns, (aggregate, TIED, source(everything)))


def _half(found: intervals.Estimate) -> float:
    return found.half if found.known else 0.0
