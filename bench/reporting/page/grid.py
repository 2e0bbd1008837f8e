"""A table of the page, cell by cell: `Grid.of(table)`, or cells that link, are coloured or hold a dot plot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.display.tables import UNKNOWN
from bench.reporting.views import Table

# What a column of figures may hold: `97.04 ± 0.85`, `1–3`, `20 (2 collapsed)`, `10 % [1, 44]`, `1.5e-05`, `–`.
_FIGURE = re.compile(r"[+-]?[\d.]+(e[+-]?\d+)?(?![\w-])([ –±x%(\[].*)?")


@dataclass(frozen=True)
class Dots:
    """Where the runs of a row lie on the axis of its block, in per cent of its length.

    Attributes:
        middle: of the figure; None where it is not a number.
        low, high: of its interval; equal to the figure where it has none.
        runs: of each seed.
        outside: `left` or `right` where the figure lies beyond the axis, else empty.
    """

    middle: float | None
    low: float = 0.0
    high: float = 0.0
    runs: tuple[float, ...] = ()
    outside: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: escaped when it is written.
        href: where on the page it leads.
        look: CSS classes.
        dots: drawn behind the text.
    """

    text: str
    href: str = ""
    look: str = ""
    dots: Dots | None = None


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        title: its caption.
        columns: cells by heading.
        notes: lines below.
        axis: the ends of the dot plots, as text.
    """

    title: str
    columns: Mapping[str, Sequence[Cell]]
    notes: Sequence[str] = ()
    axis: tuple[str, str] = ("", "")
    numeric: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        figures = {name for name, cells in self.columns.items() if _are_figures(one.text for one in cells)}
        object.__setattr__(self, "numeric", frozenset(figures))

    @property
    def rows(self) -> list[tuple[Cell, ...]]:
        return list(zip(*self.columns.values(), strict=True))

    @staticmethod
    def of(table: Table) -> Grid:
        """That of a view: text alone, columns without any left out."""
        shown = {name: cells for name, cells in table.columns.items() if any(cells)}
        return Grid(table.title, {name: [Cell(text) for text in cells] for name, cells in shown.items()}, table.notes)


def _are_figures(texts: Iterable[str]) -> bool:
    said = [text for text in texts if text not in ("", UNKNOWN)]
    return bool(said) and all(_FIGURE.fullmatch(text) for text in said)
