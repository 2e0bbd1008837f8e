"""Pictures for the page: a view's figure, in pieces that can be read, as inline SVG. `view_pictures("curves", ...)`."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.figure import Figure

from bench.records.case_runs import CaseRuns, grouped
from bench.reporting.views import View

# Taller pictures are drawn in pieces: nobody scrolls through one of two screens.
MOST_INCHES = 15.0
# Characters of one view: a page that everybody can open is worth more than the last pictures of a thousand. Of 10,000
# runs, three views are cut, and the page has 8 MB instead of 11.
MOST_OF_A_VIEW = 1_500_000
# Pieces are cut along these axes; not along the variant, which sweeps compare.
CUTS = ("experiment", "model", "dataset", "optimizer")


@dataclass(frozen=True)
class Picture:
    """One of them.

    Attributes:
        caption: what it shows; also its text for those who do not see it.
        markup: an `svg` element.
    """

    caption: str
    markup: Markup


def view_pictures(name: str, view: View, observations: Sequence[CaseRuns]) -> tuple[list[Picture], list[str]]:
    """The pictures of a view, and a line on each that is not drawn."""
    if view.figure is None:
        return [], []
    found: list[Picture] = []
    refused: list[str] = []
    for members, figure in _pieces(view, observations, CUTS):
        if isinstance(figure, str):
            refused.append(figure)
        else:
            found.append(inline(figure, f"{name}-{len(found)}", _caption(view.summary, members)))
        if sum(len(one.markup) for one in found) > MOST_OF_A_VIEW:
            refused.append(
                f"the page would grow too large with more; python -m bench {name} --plot {name}.svg draws any"
            )
            break
    return found, refused


def _pieces(
    view: View, observations: Sequence[CaseRuns], cuts: Sequence[str]
) -> Iterator[tuple[Sequence[CaseRuns], Figure | str]]:
    """Members and their picture, or why there is none; smaller and smaller until they can be read."""
    assert view.figure is not None
    try:
        figure = view.figure(observations)
        refusal = ""
    except ValueError as error:
        figure, refusal = None, str(error)
    if figure is not None and (figure.get_figheight() <= MOST_INCHES or not cuts):
        yield observations, figure
        return
    cut = False
    if cuts and (figure is not None or refusal):
        for members in grouped(observations, lambda one: one.case.fields[cuts[0]]).values():
            for piece in _pieces(view, members, cuts[1:]):
                cut = True
                yield piece
    if not cut and figure is not None:  # what only the whole can show
        yield observations, figure
    elif not cut and refusal:
        yield observations, refusal


def _caption(summary: str, members: Sequence[CaseRuns]) -> str:
    shared = [values for axis in CUTS if len(values := {one.case.fields[axis] for one in members}) == 1]
    return " · ".join([summary, *dict.fromkeys(value for (value,) in shared)])


def inline(figure: Figure, prefix: str, caption: str) -> Picture:
    """A figure as an element of the page: its ids begin with a prefix, its ground is clear."""
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    svg = text.getvalue()
    # Without prologue, metadata, and a style sheet that would hold for the whole page.
    svg = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(\bid="|\burl\(#|href="#)', rf"\g<1>{prefix}-", svg)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{Markup.escape(caption)}" ', 1)
    return Picture(caption, Markup(svg))  # matplotlib escapes what it writes
