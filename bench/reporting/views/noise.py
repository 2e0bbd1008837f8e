"""Robustness (B2): accuracy and log loss of trained networks when the test inputs get uniform noise in [-a, a].

Each activation is shown at its rate that is best by validation on clean data. a is on the scale of pixels in [0, 1].
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.display.tables import INTERVAL, Table, cell, heading, runs, seeds, source
from bench.ranking import learning_rates
from bench.ranking.learning_rates import Setting
from bench.records.case_runs import Observation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS = ("test_accuracy", "test_loss")


def amplitudes(one: Observation, metric: str) -> dict[float, str]:
    """The names under which a metric was measured, by amplitude, ascending; the clean one is at 0."""
    found = {float(match[1]): name for name in one.metrics if (match := re.fullmatch(rf"{metric}_noise(.+)", name))}
    return dict(sorted({0.0: metric, **found}.items())) if found and metric in one.metrics else {}


def tables(observations: Sequence[Observation]) -> list[Table]:
    """One a setting and metric: a row an amplitude, a column an activation."""
    return [
        _table(setting, shown, metric)
        for setting, shown in _measured(observations)
        for metric in METRICS
        if all(amplitudes(one, metric) for one in shown.values())
    ]


def figure(observations: Sequence[Observation]) -> Figure | None:
    """A row a setting, accuracy on the left and log loss on the right; bands are a standard deviation over seeds."""
    from bench.display import figures

    measured = _measured(observations)
    if not measured:
        return None
    looks = figures.looks(name for _, shown in measured for name in shown)
    drawing, grid = figures.panels(len(measured), len(METRICS))
    for row, (setting, shown) in zip(grid, measured, strict=True):
        for axes, metric in zip(row, METRICS, strict=True):
            for name, one in shown.items():
                found = amplitudes(one, metric)
                a = list(found)
                values = np.array([one.metrics[metric] for metric in found.values()])
                middle = np.array([one.figure(metric) for metric in found.values()])
                spread = values.std(axis=1, ddof=1) if one.n > 1 else np.zeros(len(a))
                axes.plot(a, middle, **looks[name], linewidth=1.6)
                colour = looks[name]["color"]
                axes.fill_between(a, middle - spread, middle + spread, color=colour, alpha=0.15, linewidth=0)
            axes.set_xlabel("a, of uniform noise in [-a, a]")
            axes.set_ylabel(metric.replace("_", " "))
        figures.title(row[0], setting.title, shown.values())
    figures.legend(drawing, looks)
    return drawing


def _measured(observations: Sequence[Observation]) -> list[tuple[Setting, Mapping[str, Observation]]]:
    found = [(setting, setting.chosen()) for setting in learning_rates.settings(observations)]
    return [(setting, shown) for setting, each in found if (shown := _under_noise(each))]


def _under_noise(chosen: Mapping[str, Observation]) -> dict[str, Observation]:
    return {name: one for name, one in chosen.items() if amplitudes(one, METRICS[0])}


def _table(setting: Setting, shown: Mapping[str, Observation], metric: str) -> Table:
    names = {a: name for one in shown.values() for a, name in amplitudes(one, metric).items()}
    columns = {
        "a": [*(f"{a:g}" for a in sorted(names)), "n", "seeds", "rate"],
        **{
            activation: [
                *(cell(one, names[a]) for a in sorted(names)),
                runs(one),
                seeds(one),
                f"{one.recipe['learning_rate']:g}",
            ]
            for activation, one in shown.items()
        },
    }
    notes = (
        f"{setting.first.recipe['aggregate']} over runs, each activation at its best rate by validation; {INTERVAL}",
        source(shown.values()),
    )
    return Table(f"{setting.title}: {heading(metric)} under noise in [-a, a]", columns, notes)
