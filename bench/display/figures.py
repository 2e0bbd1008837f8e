"""What the pictures share: style, colours and panels. `with style(): save_picture(panels(...)[0], Path("a.svg"))`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from activations._plot import COLOURS, STYLE, STYLES, SUFFIXES
from bench.records.case_runs import CaseRuns
from bench.stats.intervals import Estimate

# Taller pictures are read by nobody, and Agg refuses them somewhere.
MOST_PANELS = 60
ACROSS = 3
FENCE = 3.0  # quartile ranges: Tukey, Exploratory Data Analysis, 1977


def style() -> AbstractContextManager[None]:
    """The look of every picture of the suite, while it is made and saved."""
    return mpl.rc_context(STYLE)


def panels(rows: int, columns: int, width: float = 3.6, height: float = 2.6) -> tuple[Figure, list[list[Axes]]]:
    """An empty figure and its axes, row by row; sizes of one panel in inches.

    Raises:
        ValueError: too many panels for one picture.
    """
    if rows * columns > MOST_PANELS:
        raise ValueError(
            f"{rows * columns} panels are more than a picture holds ({MOST_PANELS}); "
            "ask for less with --experiment, --model, --dataset, --optimizer, --variant or --scale"
        )
    figure = Figure(figsize=(width * columns, height * rows + 0.3), layout="constrained")
    return figure, [list(row) for row in figure.subplots(rows, columns, squeeze=False)]


def panel_grid(count: int, height: float = 2.6) -> tuple[Figure, list[Axes]]:
    """An empty figure of so many panels, at most `ACROSS` in a row."""
    columns = min(ACROSS, count)
    figure, rows = panels(-(-count // columns), columns, height=height)
    places = [axes for row in rows for axes in row]
    for axes in places[count:]:
        axes.set_visible(False)
    return figure, places[:count]


def looks(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour and line style of each name: the same in all panels, and apart from each other."""
    pairs = [{"color": colour, "linestyle": style} for style, colour in itertools.product(STYLES, COLOURS)]
    return dict(zip(dict.fromkeys(names), itertools.cycle(pairs), strict=False))


def limits(found: Sequence[Estimate]) -> tuple[float, float]:
    """Ends of an axis for estimates and their intervals, without those beyond Tukey's far fences.

    One activation that collapsed shall not squeeze all others into one point.
    """
    known = [one for one in found if math.isfinite(one.value)]
    if not known:
        return 0.0, 1.0
    lower, upper = np.quantile([one.value for one in known], (0.25, 0.75))
    reach = FENCE * (upper - lower)
    near = [one for one in known if lower - reach <= one.value <= upper + reach]
    ends = [end for one in near for end in (one.value, *((one.low, one.high) if one.known else ()))]
    low, high = min(ends), max(ends)
    spare = abs(low) / 100 + 1e-9 if low == high else 0.0
    return low - spare, high + spare


def legend(figure: Figure, found: dict[str, dict[str, Any]], more: Sequence[Line2D] = ()) -> None:
    """One for all panels, below them."""
    handles = [Line2D([], [], label=name, **look) for name, look in found.items()]
    figure.legend(handles=[*handles, *more], loc="outside lower center", ncols=6, frameon=False, handlelength=2.8)


def title(axes: Axes, text: str, shown: Iterable[CaseRuns]) -> None:
    """A panel's, on as many lines as it needs, with the number of runs behind each mean."""
    sizes = sorted({one.n for one in shown})
    text = f"{text} · n={sizes[0]}" + (f"–{sizes[-1]}" if len(sizes) > 1 else "")
    words = text.split(" · ")
    half = (len(words) + 1) // 2
    lines = [" · ".join(words[:half]), " · ".join(words[half:])] if len(text) > 44 else [text]
    axes.set_title("\n".join(lines), loc="left", fontsize=9)


def check_suffix(file: Path) -> None:
    """Before anything is computed.

    Raises:
        ValueError: a suffix that matplotlib would not draw to.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise ValueError(f"cannot plot to {str(file)!r}: its suffix must be one of {', '.join(SUFFIXES)}")


def save_picture(figure: Figure, file: Path) -> None:
    """Write a picture; the same one is the same file.

    Raises:
        OSError: the file cannot be written.
    """
    metadata = {"Date": None} if file.suffix.lower() == ".svg" else None
    figure.savefig(file, dpi=150, facecolor="white", metadata=metadata)
