"""Learned functions (A7): what the activation of each site computes, epoch by epoch, mean over its units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.display.tables import Table, runs, seeds, source
from bench.records.case_runs import CaseRuns

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def tables(cases: Sequence[CaseRuns]) -> list[Table]:
    """One a case with kept functions: how far each place has moved, and how far apart its units are."""
    return [_table(one) for one in _kept(cases)]


def figure(cases: Sequence[CaseRuns]) -> Figure | None:
    """A column a site; for each case a row of functions and one of their change since the untrained one."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.ticker import MaxNLocator

    from bench.display import figures
    from bench.training.learned_functions import GRID  # loads torch, which the tables do without

    kept = _kept(cases)
    if not kept:
        return None
    last = max(len(mean_over_runs(one, "place0")) for one in kept) - 1
    colours = colormaps["viridis"]
    norm = Normalize(0, max(1, last))
    drawing, grid = figures.panels(2 * len(kept), max(len(places(one)) for one in kept), width=2.1, height=1.9)
    for one, row, below in zip(kept, grid[::2], grid[1::2], strict=True):
        for axes in [*row[len(places(one)) :], *below[len(places(one)) :]]:
            axes.set_visible(False)
        for place, *pair in zip(places(one), row, below, strict=False):
            values = mean_over_runs(one, place)
            for axes, shown in zip(pair, (values, values - values[0]), strict=True):
                axes.axhline(0, color="#bbbbbb", linewidth=0.6, zorder=0)
                axes.axvline(0, color="#bbbbbb", linewidth=0.6, zorder=0)
                for epoch, curve in enumerate(shown):
                    axes.plot(GRID, curve, color=colours(norm(epoch)), linewidth=1.2)
            pair[0].set_title(place.replace("place", "place "), loc="left", fontsize=9)
            pair[1].sharey(below[0])
        row[0].set_ylabel(f"{one.activation}(x)")
        below[0].set_ylabel("change since\nepoch 0")
        row[0].set_title("\nplace 0", loc="left", fontsize=9)  # the empty line makes room for the row's own title
        text = f"{one.title()} · n={one.n}, mean over units and runs"
        row[0].annotate(
            text, (0, 1), (0, 17), xycoords="axes fraction", textcoords="offset points", fontsize=9
        ).set_in_layout(False)
    bar = drawing.colorbar(ScalarMappable(norm, colours), ax=[axes for row in grid for axes in row], aspect=40)
    bar.set_label("epoch, 0 is untrained")
    bar.ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    return drawing


def places(one: CaseRuns) -> list[str]:
    """`place0`, `place1`, ... in order of use."""
    names = [name for name in one.functions[0] if not name.endswith("_sd")]
    return sorted(names, key=lambda name: int(name.removeprefix("place")))


def mean_over_runs(one: CaseRuns, name: str) -> NDArray[np.float64]:
    """(epochs, points), over the epochs that all runs have."""
    shortest = min(len(functions[name]) for functions in one.functions)
    values: NDArray[np.float64] = np.mean([functions[name][:shortest] for functions in one.functions], axis=0)
    return values


def _kept(cases: Sequence[CaseRuns]) -> list[CaseRuns]:
    return [one for one in cases if one.functions and all(one.functions)]


def _table(one: CaseRuns) -> Table:
    found = [(place, mean_over_runs(one, place), mean_over_runs(one, f"{place}_sd")) for place in places(one)]
    columns = {
        "place": [place for place, _, _ in found],
        "moved since epoch 0": [f"{_size(values[-1] - values[0]):.4f}" for _, values, _ in found],
        "in the last epoch": [f"{_size(values[-1] - values[-2]):.4f}" for _, values, _ in found],
        "spread over units": [f"{_size(spread[-1]):.4f}" for _, _, spread in found],
    }
    epochs = len(found[0][1]) - 1
    title = f"{one.title()}: {one.activation} over {epochs} epochs"
    notes = (
        f"root mean square over x in [-3, 3]; n={runs(one)}, seeds {seeds(one)}",
        source([one]),
    )
    return Table(title, columns, notes)


def _size(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2)))
