"""Robustness (B2): accuracy and log loss of trained networks when the test inputs get uniform noise in [-a, a].

Each activation is shown at its rate that is best by validation on clean data. a is on the scale of pixels in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench.cases.metric import Measured
from bench.display.tables import INTERVAL, Table, axis_label, cell, heading, runs, seeds, source
from bench.ranking import learning_rates
from bench.ranking.learning_rates import Sweep
from bench.records.case_runs import CaseRuns

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def metrics(one: CaseRuns) -> list[str]:
    """What is looked at under noise: the judged metric and the loss, as far as they were measured so."""
    return [name for name in dict.fromkeys([one.metric, "test_loss"]) if amplitudes(one, name)]


def amplitudes(one: CaseRuns, metric: str) -> dict[float, str]:
    """The names under which a metric was measured, by amplitude, ascending; the clean one is at 0."""
    clean = Measured.parse(metric)
    noisy = [each for each in map(Measured.parse, one.metrics) if each.noise and replace(each, noise=None) == clean]
    found = {each.noise or 0.0: each.name for each in noisy}
    return dict(sorted({0.0: metric, **found}.items())) if found and metric in one.metrics else {}


def tables(cases: Sequence[CaseRuns]) -> list[Table]:
    """One a sweep and metric: a row an amplitude, a column an activation."""
    return [_table(sweep, shown, metric) for sweep, shown in _measured(cases) for metric in _shared(shown)]


def figure(cases: Sequence[CaseRuns]) -> Figure | None:
    """A row a sweep, judged metric on the left, log loss on the right; bands are a standard deviation over seeds."""
    from bench.display import figures

    measured = _measured(cases)
    if not measured:
        return None
    looks = figures.looks(name for _, shown in measured for name in shown)
    most = max(len(_shared(shown)) for _, shown in measured)
    drawing, grid = figures.panels(len(measured), most)
    for row, (sweep, shown) in zip(grid, measured, strict=True):
        for axes in row[len(_shared(shown)) :]:
            axes.set_visible(False)
        for axes, metric in zip(row, _shared(shown), strict=False):
            for name, one in shown.items():
                found = amplitudes(one, metric)
                a = list(found)
                values = np.array([one.metrics[metric] for metric in found.values()])
                middle = np.array([one.aggregate(metric) for metric in found.values()])
                spread = values.std(axis=1, ddof=1) if one.n > 1 else np.zeros(len(a))
                axes.plot(a, middle, **looks[name], linewidth=1.6)
                colour = looks[name]["color"]
                axes.fill_between(a, middle - spread, middle + spread, color=colour, alpha=0.15, linewidth=0)
            axes.set_xlabel("a, of uniform noise in [-a, a]")
            axes.set_ylabel(axis_label(metric))
        figures.title(row[0], sweep.title, shown.values())
    figures.legend(drawing, looks)
    return drawing


def _measured(cases: Sequence[CaseRuns]) -> list[tuple[Sweep, Mapping[str, CaseRuns]]]:
    found = [(sweep, sweep.chosen()) for sweep in learning_rates.sweeps(cases)]
    return [(sweep, shown) for sweep, each in found if (shown := _under_noise(each))]


def _shared(shown: Mapping[str, CaseRuns]) -> list[str]:
    """The metrics that all of them have under noise."""
    first, *others = map(metrics, shown.values())
    return [name for name in first if all(name in other for other in others)]


def _under_noise(chosen: Mapping[str, CaseRuns]) -> dict[str, CaseRuns]:
    return {name: one for name, one in chosen.items() if metrics(one)}


def _table(sweep: Sweep, shown: Mapping[str, CaseRuns], metric: str) -> Table:
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
        f"{sweep.first.recipe['aggregate']} over runs, each activation at its best rate by validation; {INTERVAL}",
        source(shown.values()),
    )
    return Table(f"{sweep.title}: {heading(metric)} under noise in [-a, a]", columns, notes)
