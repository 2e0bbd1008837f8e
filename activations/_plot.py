"""Plots of functions and derivatives: `draw(["relu", "gelu"], Path("two.svg"))`.

A few functions share two panels, f on the left and f' on the right; more of them get a small panel each. Colours are
those of Okabe and Ito, told apart by readers of every colour vision; line styles do the same in print.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from activations._curve import NoFactsError, curve_of
from activations._piecewise import NARROW, REACH, Piecewise
from activations._record import Activation
from activations._registry import info
from activations.reference import Array

SUFFIXES = (".png", ".svg", ".pdf")
TOGETHER = 6  # more than so many curves in one panel cannot be told apart
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
STYLES = ("-", (0, (6, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)), (0, (3, 1)), (0, (8, 1, 1, 1, 1, 1)))
POINTS = 40  # of each piece
STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.6,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "actbench",  # the same picture is the same file
    "mathtext.fontset": "cm",
}


class Arc(NamedTuple):
    """A curve from one break to the next."""

    x: Array
    value: Array
    slope: Array


Drawn: TypeAlias = tuple[str, list[Arc]]  # label and curve


def draw(names: Sequence[str], file: Path, window: tuple[float, float] = (-4.0, 4.0)) -> None:
    """Functions and derivatives of activations, into a file.

    Args:
        names: names or aliases.
        file: its suffix says the format, one of SUFFIXES.
        window: the least and the greatest x.

    Raises:
        ValueError: an activation that is not a function of one number, or another suffix or window.
        OSError: the file cannot be written.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise ValueError(f"cannot plot to {str(file)!r}: its suffix must be one of {', '.join(SUFFIXES)}")
    if not -REACH <= window[0] < window[1] <= REACH:
        raise ValueError(
            f"cannot plot from {window[0]:g} to {window[1]:g}: it takes {-REACH:g} <= from < to <= {REACH:g}"
        )
    with mpl.rc_context(STYLE):
        figure = figure_of(names, window)
        metadata = {"Date": None} if file.suffix.lower() == ".svg" else None
        figure.savefig(file, dpi=200, facecolor="white", bbox_inches="tight", metadata=metadata)


def figure_of(names: Sequence[str], window: tuple[float, float] = (-4.0, 4.0)) -> Figure:
    """As `draw`, not yet in a file; made and saved in `STYLE`.

    Raises:
        ValueError: an activation that is not a function of one number.
    """
    curves = [drawn(info(name), window) for name in names]
    return _together(curves, window) if len(curves) <= TOGETHER else _apart(curves, window)


def drawn(entry: Activation, window: tuple[float, float]) -> Drawn:
    """The curve of an activation, cut where it jumps or has a kink."""
    try:
        return entry.label, _arcs(Piecewise(curve_of(entry)), window)
    except NoFactsError as error:
        raise NoFactsError(f"cannot plot {entry.name!r}: {error}") from error


def _arcs(function: Piecewise, window: tuple[float, float]) -> list[Arc]:
    """The curve within the window, cut where the function jumps or has a kink."""
    cuts = [one.x for one in function.breaks]
    found: list[Arc] = []
    for piece in function.pieces:
        low, high = max(piece.low, window[0]), min(piece.high, window[1])
        if low >= high:
            continue
        x = np.linspace(low, high, POINTS)
        arc = Arc(x, piece.polynomial(x), piece.polynomial.deriv()(x))
        if found and not any(abs(low - cut) <= NARROW for cut in cuts):
            found[-1] = Arc(*(np.concatenate(pair) for pair in zip(found[-1], arc, strict=True)))
        else:
            found.append(arc)
    return found


def _together(curves: Sequence[Drawn], window: tuple[float, float]) -> Figure:
    figure = Figure(figsize=(7.2, 3.1))
    left, right = figure.subplots(1, 2)
    for axes, title, order in ((left, "$f(x)$", 1), (right, "$f\\,'(x)$", 2)):
        _frame(axes, window, [arc[order] for _, arcs in curves for arc in arcs])
        axes.set_title(title, loc="left", fontsize=10)
        for (label, arcs), colour, style in zip(curves, COLOURS, STYLES, strict=False):
            _line(axes, arcs, order, colour, style, label, 1.6)
    handles, labels = left.get_legend_handles_labels()
    if len(labels) == 1:
        figure.suptitle(labels[0], x=0.01, ha="left", fontsize=11)
    else:
        figure.legend(
            handles,
            labels,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.02),
            ncols=TOGETHER,
            frameon=False,
            handlelength=2.8,
        )
    figure.tight_layout(w_pad=2)
    return figure


def _apart(curves: Sequence[Drawn], window: tuple[float, float]) -> Figure:
    columns = min(6, math.ceil(math.sqrt(len(curves))))
    rows = math.ceil(len(curves) / columns)
    figure = Figure(figsize=(1.7 * columns + 0.4, 1.5 * rows + 0.5))
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    shown = [values for _, arcs in curves for arc in arcs for values in (arc.value, arc.slope)]
    for axes, item in itertools.zip_longest(grid.flat, curves):
        if item is None:
            axes.set_visible(False)
            continue
        label, arcs = item
        _frame(axes, window, shown)
        axes.set_title(label, loc="left", fontsize=8.5, pad=3)
        axes.tick_params(labelsize=7, length=2)
        _line(axes, arcs, 2, COLOURS[1], STYLES[1], "$f\\,'(x)$", 1.0)
        _line(axes, arcs, 1, COLOURS[0], STYLES[0], "$f(x)$", 1.5)
    for axes in grid.flat[len(curves) - columns : len(curves)]:  # the lowest of each column
        axes.tick_params(labelbottom=True)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles[::-1],
        labels[::-1],
        loc="upper right",
        bbox_to_anchor=(1, 1),
        borderaxespad=0,
        ncols=2,
        frameon=False,
    )
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.18 / figure.get_figheight()))
    return figure


def _frame(axes: Axes, window: tuple[float, float], shown: Sequence[Array]) -> None:
    """Axes through zero, as high as the curves, but no more than they are wide: x^2 would flatten everything else."""
    tallest = max(map(abs, window))
    low = max(min(float(values.min()) for values in shown), -tallest)
    high = min(max(float(values.max()) for values in shown), tallest)
    margin = 0.06 * (high - low or 1)
    axes.set_xlim(*window)
    axes.set_ylim(low - margin, high + margin)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.axhline(0, color="#bbbbbb", linewidth=0.6, zorder=0)
    axes.axvline(0, color="#bbbbbb", linewidth=0.6, zorder=0)


def _line(axes: Axes, arcs: Sequence[Arc], order: int, colour: str, style: Any, label: str, width: float) -> None:
    """Arcs in one colour; where one ends and the next begins at another height, open dots."""
    for number, arc in enumerate(arcs):
        axes.plot(
            arc.x,
            arc[order],
            color=colour,
            linestyle=style,
            linewidth=width,
            label=None if number else label,
            solid_capstyle="round",
            zorder=3,
        )
    for before, after in itertools.pairwise(arcs):
        ends = (before[order][-1], after[order][0])
        if abs(ends[1] - ends[0]) > 1e-3:
            axes.plot(
                [before.x[-1], after.x[0]],
                ends,
                "o",
                markersize=2.2 * width,
                markeredgewidth=0.6 * width,
                markerfacecolor="white",
                markeredgecolor=colour,
                zorder=4,
            )
