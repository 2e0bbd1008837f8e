"""What each activation is: its curve, its derivative and its facts. `sheets.fact_sheets(["relu", "gelu"])`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import activations
from activations import _plot, _properties, _tables
from bench.reporting.page.pictures import Picture, inline


@dataclass(frozen=True)
class Sheet:
    """One activation.

    Attributes:
        picture: None where it is not a function of one number; the facts then say why.
    """

    name: str
    label: str
    facts: dict[str, str]
    picture: Picture | None


def fact_sheets(names: Iterable[str]) -> list[Sheet]:
    """A sheet each, in order of the names; a user's own that this process has not registered is left out."""
    known = set(activations.names())
    return [_sheet(name) for name in sorted(set(names)) if name in known]


def _sheet(name: str) -> Sheet:
    found = _properties.properties(name)
    label = activations.info(name).label
    if found.reason:
        return Sheet(name, label, _tables.facts(found), None)
    figure = _plot.figure_of([name])
    figure.suptitle("")  # the page has the label above
    return Sheet(name, label, _tables.facts(found), inline(figure, f"sheet-{name}", f"{label} and its derivative"))
