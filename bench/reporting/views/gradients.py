"""Gradients (A4): how much of them reaches the input, ranked, and the norm of every layer's along the run, drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.display.tables import UNKNOWN, Table, runs, seeds, source
from bench.ranking import learning_rates
from bench.records.case_runs import CaseRuns, grouped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATIO = "vanishing_ratio"
MOST_PANELS, ACROSS = 16, 4
MOST_NAMES, LONGEST_NAME = 20, 30  # of layers, beside a panel
PANEL, BESIDE = 2.1, 2.8  # inches across: a panel, and the names and the colour bar together
DECADES = 10  # of the colour scale at most: else a dying layer would leave one colour to all others
NOTES = (
    "vanishing ratio: root mean square gradient of the first layer over that of the last; median over steps",
    "and runs, beside it the least and the greatest run; 1: nothing is lost on the way to the input, 0: all is",
    "ties: not significantly different by the logarithms, paired by seed, 5 % after Holm; one seed shows nothing",
)


def tables(cases: Sequence[CaseRuns]) -> list[Table]:
    """One a block, the least vanishing gradient first."""
    return [_table(members) for members in _ranked(cases)]


def figure(cases: Sequence[CaseRuns]) -> Figure | None:
    """The norm by layer and step, a panel an activation, each block from the least to the most vanishing gradient.

    Raises:
        ValueError: more panels than can be compared.
    """
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm

    from bench.display import figures

    kept = [one for one in cases if one.gradients and all(one.gradients)]
    if len(kept) > MOST_PANELS:
        raise ValueError(
            f"{len(kept)} heat maps are more than can be compared ({MOST_PANELS}); "
            "ask for less with --activation, --experiment, --model, --dataset, --optimizer, --variant or --scale"
        )
    ranked = _ranked(kept)
    if not ranked:
        return None
    lines = [members[start : start + ACROSS] for members in ranked for start in range(0, len(members), ACROSS)]
    norms = {one.key: median_over_runs(one) for one in kept}
    look: dict[str, Any] = {
        "cmap": colormaps["viridis"].with_extremes(bad="#d9d9d9"),
        "norm": LogNorm(*_limits(norms.values())),
    }
    columns = max(map(len, lines))
    drawing, grid = figures.panels(len(lines), columns, width=PANEL + BESIDE / columns, height=2.7)
    for line, places in zip(lines, grid, strict=True):
        for axes in places[len(line) :]:
            axes.set_visible(False)
        for axes, one in zip(places, line, strict=False):
            _draw(axes, one, norms[one.key], look)
            figures.title(axes, f"{one.activation} · ratio {_number(median_ratio(one))}", [one])
            if axes is not places[0] and layers(one) == layers(line[0]):
                axes.set_yticklabels([])
        words = line[0].title().split(" · ")
        half = (len(words) + 1) // 2
        places[0].set_ylabel(f"{' · '.join(words[:half])}\n{' · '.join(words[half:])}\nlayer, from the input up")
    bar = drawing.colorbar(ScalarMappable(**look), ax=[axes for places in grid for axes in places], aspect=40)
    bar.set_label("L2 norm of the gradient\nmedian over runs; grey: zero or not finite")
    drawing.supxlabel("step of the optimizer", fontsize=9)
    return drawing


def layers(one: CaseRuns) -> list[str]:
    """Names of the layers, from the input to the output."""
    return list(one.gradients[0])


def median_over_runs(one: CaseRuns) -> NDArray[np.float64]:
    """(layers, steps), over the steps that all runs have."""
    shortest = min(map(len, one.gradient_steps))
    values = [[gradients[name][:shortest] for name in layers(one)] for gradients in one.gradients]
    found: NDArray[np.float64] = np.median(np.array(values, dtype=float), axis=0)
    return found


def median_ratio(one: CaseRuns) -> float:
    """Over the runs that have one; NaN where none has."""
    return float(np.median(known)) if (known := _known(one)) else math.nan


def _known(one: CaseRuns) -> list[float]:
    return [value for value in one.metrics[RATIO] if math.isfinite(value)]


def _ranked(cases: Sequence[CaseRuns]) -> list[list[CaseRuns]]:
    """Blocks, each from the least vanishing gradient down; unknown ratios go last."""

    def place(one: CaseRuns) -> tuple[bool, float]:
        ratio = median_ratio(one)
        return (math.isnan(ratio), -ratio)

    measured = [one for one in cases if RATIO in one.metrics]
    return [sorted(members, key=place) for members in grouped(measured, lambda one: one.block).values()]


def _table(members: Sequence[CaseRuns]) -> Table:
    columns = {
        "activation": [one.activation for one in members],
        "vanishing ratio": [_number(median_ratio(one)) for one in members],
        "over runs": [_range(_known(one)) for one in members],
        "ties": [_ties(one, members) for one in members],
        "n": [runs(one) for one in members],
        "seeds": [seeds(one) for one in members],
    }
    return Table(f"{members[0].title()}: gradients", columns, (*NOTES, source(members)))


def _ties(one: CaseRuns, members: Sequence[CaseRuns]) -> str:
    others = [other for other in members if other is not one]
    tied = learning_rates.tied(one, others, RATIO)
    return "all others" if len(tied) == len(others) > 1 else ", ".join(other.activation for other in tied)


def _range(values: Sequence[float]) -> str:
    return f"{_number(min(values))} to {_number(max(values))}" if len(values) > 1 else ""


def _number(ratio: float) -> str:
    return f"{ratio:.2g}" if math.isfinite(ratio) else UNKNOWN


def _limits(norms: Iterable[NDArray[np.float64]]) -> tuple[float, float]:
    """The least and the greatest norm that colours tell apart."""
    drawn = np.concatenate([values[np.isfinite(values) & (values > 0)] for values in norms])
    highest = drawn.max(initial=0) or 1.0
    return max(drawn.min(initial=highest / 10), highest / 10**DECADES), highest


def _draw(axes: Axes, one: CaseRuns, norms: NDArray[np.float64], look: Mapping[str, Any]) -> None:
    steps = one.gradient_steps[0][: norms.shape[1]]
    shown = np.ma.masked_where(~np.isfinite(norms) | (norms == 0), norms)
    axes.pcolormesh(steps, range(len(norms)), shown, shading="nearest", rasterized=True, **look)
    names = layers(one)
    # The first and the last layer, and some between.
    marked = np.unique(np.linspace(0, len(names) - 1, min(MOST_NAMES, len(names))).round().astype(int))
    axes.set_yticks(marked, [_short(names[place]) for place in marked], fontsize=6.5)


def _short(name: str) -> str:
    """The end of a layer's name, cut at a dot."""
    while len(name) > LONGEST_NAME and "." in name:
        name = name.partition(".")[2]
    return name
