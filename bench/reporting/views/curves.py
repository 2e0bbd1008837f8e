"""Learning curves (B1, B3, A6, D1, D4, D5): training and validation, epoch by epoch, with the spread over seeds.

Runs that stopped early count as far as they went.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.cases.metric import Measured, Metric, PartName
from bench.display.tables import Table, axis_label, number, runs, seeds, source
from bench.records.case_runs import CaseRuns, grouped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PARTS: tuple[PartName, ...] = ("train", "validation")
# More activations than colours are told apart by line styles, which then cannot tell training from validation.
TOGETHER = 6
DASHED = (0, (3, 2))


def tables(cases: Sequence[CaseRuns]) -> list[Table]:
    """One a block: what each curve comes from and where it ends."""
    return [_table(members) for members in _blocks(cases)]


def figure(cases: Sequence[CaseRuns]) -> Figure | None:
    """A row a block, loss and what else is kept of both parts or judged; bands are a standard deviation over seeds."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import LogLocator, MaxNLocator

    from bench.display import figures

    blocks = _blocks(cases)
    if not blocks:
        return None
    quantities = list(dict.fromkeys(metric for members in blocks for metric in _quantities(members)))
    looks = figures.looks(one.activation for members in blocks for one in members)
    crowded = len(looks) > TOGETHER
    drawing, grid = figures.panels(len(blocks), len(quantities))
    for row, members in zip(grid, blocks, strict=True):
        for axes, metric in zip(row, quantities, strict=True):
            for one in members:
                look = looks[one.activation]
                _draw(axes, one, Measured(metric, "validation").name, {**look, "linewidth": 1.6})
                if not crowded:
                    _draw(axes, one, Measured(metric, "train").name, {**look, "linewidth": 0.9, "linestyle": DASHED})
            if metric.name == "loss":
                axes.set_yscale("log")
                axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axes.yaxis.set_major_formatter("{x:g}")
                axes.yaxis.set_minor_formatter("")
            axes.set_xlabel("epoch")
            quantity = metric.name.replace("_", " ")
            axes.set_ylabel(f"validation {quantity}" if crowded else quantity)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figures.title(row[0], members[0].title(), members)
    kinds = [
        Line2D([], [], color="#555555", linewidth=1.6, label="validation"),
        Line2D([], [], color="#555555", linewidth=0.9, linestyle=DASHED, label="training"),
    ]
    figures.legend(drawing, looks, [] if crowded else kinds)
    return drawing


def stacked(curves: Iterable[Sequence[float]]) -> NDArray[np.float64]:
    """(runs, epochs), NaN where a run had stopped."""
    kept = list(curves)
    longest = max(map(len, kept), default=0)
    return np.array([[*curve, *[math.nan] * (longest - len(curve))] for curve in kept])


def averaged(curves: Iterable[Sequence[float]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation by epoch, over the runs that have a finite value there; NaN where none has."""
    values = np.ma.masked_invalid(stacked(curves))
    return values.mean(axis=0).filled(np.nan), values.std(axis=0).filled(np.nan)


def _blocks(cases: Sequence[CaseRuns]) -> list[list[CaseRuns]]:
    return list(grouped([one for one in cases if any(one.curves)], lambda one: one.block).values())


def _quantities(members: Sequence[CaseRuns]) -> list[Metric]:
    """The metrics that are shown: those kept of the training part, the loss first, and the judged one."""
    curves = [Measured.parse(name) for one in members for curves in one.curves for name in curves]
    training = [curve.metric for curve in curves if curve.part == "train"]
    judged = [curve.metric for curve in curves if curve.metric == members[0].measured.metric]
    return sorted(dict.fromkeys([*training, *judged]), key=lambda metric: metric.name != "loss")


def _draw(axes: Axes, one: CaseRuns, name: str, look: dict[str, object]) -> None:
    kept = [curves[name] for curves in one.curves if name in curves]
    if not any(map(math.isfinite, itertools.chain(*kept))):
        return
    middle, spread = averaged(kept)
    epochs = np.arange(1, len(middle) + 1)
    axes.plot(epochs, middle, **look, marker="o" if len(epochs) == 1 else None)  # type: ignore[arg-type]
    axes.fill_between(epochs, middle - spread, middle + spread, color=str(look["color"]), alpha=0.15, linewidth=0)


def _table(members: Sequence[CaseRuns]) -> Table:
    first = members[0].curves[0]
    names = [Measured(metric, part).name for metric in _quantities(members) for part in PARTS]
    shown = [name for name in names if name in first]
    columns = {
        "activation": [one.activation for one in members],
        "epochs": [f"{statistics.fmean(len(curves['train_loss']) for curves in one.curves):.4g}" for one in members],
        "first train loss": [_at(one, "train_loss", 0) for one in members],
        **{f"last {axis_label(name)}": [_at(one, name, -1) for one in members] for name in shown},
        "n": [runs(one) for one in members],
        "seeds": [seeds(one) for one in members],
    }
    notes = ("mean (standard deviation) over runs, accuracies in per cent", source(members))
    return Table(members[0].title(), columns, notes)


def _at(one: CaseRuns, name: str, epoch: int) -> str:
    values = [curves[name][epoch] for curves in one.curves if curves.get(name)]
    if not values:
        return ""
    with np.errstate(invalid="ignore"):  # a loss that is not finite has no spread
        spread = f" ({number(float(np.std(values, ddof=1)), name)})" if len(values) > 1 else ""
    return number(statistics.fmean(values), name) + spread
