"""The tables of a session as text: `tables.render(blocks, results)`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from tabulate import tabulate

import activations
from bench.baseline import Baseline
from bench.rank import Block, Overall, Row
from bench.session import Result
from bench.views import Table

# Verdicts that pass but want somebody's eye.
NOTED = ("CHANGED", "IMPROVED", "NEW")
SHOWN_IDS = 5
LEGEND = (
    "mean ± 95 % interval over n seeds; a rank such as 1–3 is a tie; `>` tells apart, `~` does not (Games-Howell, 5 %)"
)


def ranking(block: Block, style: str = "simple") -> str:
    """The table of one block; columns that say nothing (no reported figure) are left out."""
    scale, digits = (100, 2) if block.percent else (1, 4)
    name = block.metric.replace("_", " ") + (" %" if block.percent else "")
    columns = {
        "rank": [row.rank for row in block.rows],
        "activation": [row.activation for row in block.rows],
        name: [_interval(row, scale, digits) for row in block.rows],
        "n": [f"{row.n} ({row.outcomes})" if row.outcomes else str(row.n) for row in block.rows],
        "reported": ["" if row.reported is None else f"{row.reported * scale:.{digits}f}" for row in block.rows],
        "test loss": ["–" if math.isnan(row.test_loss) else f"{row.test_loss:.3f}" for row in block.rows],
        "epochs": [f"{row.epochs_to_stop:.4g}" for row in block.rows],
        "s a run": [f"{row.seconds:.2f}" for row in block.rows],
        "MB for backward": [f"{row.bytes_saved / 1e6:.2f}" for row in block.rows],
        "verdict": [row.verdict for row in block.rows],
    }
    shown = {title: values for title, values in columns.items() if any(values)}
    return tabulate(shown, headers="keys", tablefmt=style, disable_numparse=True)


def agreement(found: Sequence[Overall]) -> str:
    """Mean ranks over the blocks that rank the same activations, and how far these agree."""
    lines = []
    for one in found:
        ranks = ", ".join(f"{activations.info(name).label} {mean:.1f}" for name, mean in one.mean_ranks)
        lines.append(f"mean rank over {one.blocks} blocks: {ranks}")
        lines.append(f"agreement between them: Kendall's W = {one.kendalls_w:.2f} (0 none, 1 the same order in all)")
    return "\n".join(lines)


def verdicts(results: Sequence[Result]) -> str:
    """Counts of the verdicts, and the cases that want attention though they pass."""
    counts = Counter(result.verdict for result in results)
    runs = sum(len(result.records) for result in results)
    lines = [
        f"{_count(len(results), 'case')}, {_count(runs, 'run')}: "
        + ", ".join(f"{n} {name}" for name, n in counts.most_common())
    ]
    for name in NOTED:
        noted = [result for result in results if result.verdict == name]
        lines += [f"{name} {result.case.id}: {result.reason}" for result in noted[:SHOWN_IDS]]
        if len(noted) > SHOWN_IDS:
            lines.append(f"{name}: and {len(noted) - SHOWN_IDS} more, all in ranking.csv")
    return "\n".join(lines)


def render(
    ranked: Sequence[Block],
    found: Sequence[Overall],
    results: Sequence[Result],
    beside: Sequence[str] = (),
    views: Sequence[Table] = (),
) -> str:
    """All of it as plain text.

    Args:
        beside: the paragraphs on activations that the user added.
        views: the tables that the experiments ask for beyond the ranking.
    """
    parts = [
        "\n".join(filter(None, (block.title, ranking(block), block.line, block.agreement_with_literature)))
        for block in ranked
    ]
    shown = [table.render() for table in views]
    return "\n\n".join([*parts, *filter(None, (agreement(found), LEGEND, *shown, *beside, verdicts(results)))])


def markdown(
    ranked: Sequence[Block],
    found: Sequence[Overall],
    results: Sequence[Result],
    beside: Sequence[str] = (),
    views: Sequence[Table] = (),
) -> str:
    """All of it as GitHub's Markdown."""
    parts = [
        "\n\n".join(
            filter(
                None,
                (f"## {block.title}", ranking(block, "github"), block.line, block.agreement_with_literature),
            )
        )
        for block in ranked
    ]
    tail = [text.replace("\n", "  \n") for text in (agreement(found), LEGEND, *beside, verdicts(results)) if text]
    shown = ["## Views", *(table.render("github") for table in views)] if views else []
    return "\n\n".join(["# Ranking", *parts, "## Over all blocks", *tail, *shown]) + "\n"


def _interval(row: Row, scale: int, digits: int) -> str:
    if math.isnan(row.figure):
        return "–"
    half = "" if row.half_width is None else f" ± {row.half_width * scale:.{digits}f}"
    return f"{row.figure * scale:.{digits}f}{half}"


def recorded(changes: Sequence[tuple[Baseline | None, Baseline]]) -> str:
    """What `--record` wrote: old, new and the difference."""

    def shown(row: Baseline | None) -> str:
        if row is None:
            return "–"
        mean = "–" if row.mean is None else f"{row.mean:.4f}"
        return f"{mean} (n={len(row.seeds)}, {len(row.trained)} trained)"

    def difference(old: Baseline | None, new: Baseline) -> str:
        if old is None:
            return "new"
        if old.digests == new.digests:
            return "the same bits"
        return "–" if old.mean is None or new.mean is None else f"{new.mean - old.mean:+.4f}"

    rows = [(new.key.case.id, shown(old), shown(new), difference(old, new)) for old, new in changes]
    return tabulate(rows, headers=("case", "old", "new", "difference"), disable_numparse=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
