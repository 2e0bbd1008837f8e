"""Over all problems (Demsar 2006): mean ranks, Friedman's test, Kendall's W, and which activations differ.

A problem is a network on a data set, see `bench.ranking.problems`. The critical-difference diagram is drawn only where
there are problems enough for the post-hoc test to find any two activations different.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.display.tables import Table, interval, source, spans
from bench.ranking.agreement import Agreement, agreement_over, problems_needed
from bench.ranking.problems import Family, families
from bench.records.case_runs import CaseRuns
from bench.stats.intervals import LEVEL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INTERVAL = "interval: 95 %, bootstrap over problems, where there are four or more"
POST_HOC = "differs from: Wilcoxon's signed-rank test over problems, all pairs, 5 % after Holm"


def tables(cases: Sequence[CaseRuns]) -> list[Table]:
    """One a family."""
    return [_table(family, agreement_over(family)) for family in families(cases)]


def figure(cases: Sequence[CaseRuns]) -> Figure | None:
    """Critical-difference diagrams, one a family with enough problems: dots on one bar do not differ significantly."""
    from bench.display import figures

    found = [(family, agreement_over(family)) for family in families(cases)]
    shown = [(family, one) for family, one in found if one.pairs is not None]
    if not shown:
        return None
    from scikit_posthocs import critical_difference_diagram  # loads seaborn: a second

    tallest = max(len(family.names) for family, _ in shown)
    drawing, grid = figures.panels(len(shown), 1, width=7.2, height=1.2 + 0.16 * tallest)
    for (axes,), (family, one) in zip(grid, shown, strict=True):
        critical_difference_diagram(
            {name: rank.value for name, rank in one.ranks.items()},
            one.pairs,
            alpha=LEVEL,
            ax=axes,
            label_fmt_left="{label} {rank:.1f}",
            label_fmt_right="{rank:.1f} {label}",
            label_props={"fontsize": 8.5},
            text_h_margin=0.03,
            marker_props={"s": 14, "color": "#0072B2"},
            elbow_props={"color": "#444444", "linewidth": 0.7},
            crossbar_props={"color": "#0072B2", "linewidth": 2, "marker": "o", "markersize": 4.5},
        )
        axes.spines["top"].set_visible(True)
        axes.set_xlim(1, len(family.names))
        axes.set_title(f"mean ranks: {family.title}", loc="left", fontsize=9, pad=20)
    return drawing


def _table(family: Family, found: Agreement) -> Table:
    needed, n = problems_needed(len(family.names)), len(family.problems)
    columns = {
        "activation": list(found.ranks),
        "mean rank": [interval(rank, "{:.1f}") for rank in found.ranks.values()],
        "differs from": [_apart(name, found) for name in found.ranks],
    }
    test = (
        f"Friedman's test, by permutation: p = {found.p:.2g}; "
        f"Kendall's W = {found.kendalls_w:.2f} (0: no agreement, 1: the same order in all)"
    )
    why = (
        POST_HOC
        if n >= needed
        else f"no post-hoc test and no critical-difference diagram: with {len(family.names)} activations, fewer than "
        f"{needed} problems cannot tell any two apart (Wilcoxon, Holm), here are {n}"
    )
    members = family.cases
    return Table(family.title, columns, (test, why, INTERVAL, family.note, spans(members), source(members)))


def _apart(name: str, found: Agreement) -> str:
    if found.pairs is None:
        return ""
    return ", ".join(other for other in found.ranks if found.pairs.loc[name, other] < LEVEL) or "none"
