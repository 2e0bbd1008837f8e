"""The tables of a session as text: `ranking_tables.render(findings)`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tabulate import tabulate

import activations
from bench.display.tables import UNKNOWN, cell, heading, how_many, number, runs
from bench.ranking.rank import Overall, RankedBlock
from bench.records.baseline import Baseline
from bench.records.record import Key
from bench.records.result import Result
from bench.records.verdict import VERDICTS
from bench.reporting.files.findings import Findings

SHOWN_IDS = 5
FEWER = ", of fewer runs"
LEGEND = (
    "mean ± 95 % interval, or median [95 % interval], over n seeds; a rank such as 1–3 is a tie,\n"
    "activations that share a letter are tied;\n"
    "`>` tells apart, `~` does not (Games-Howell at 5 %, which for 13 activations of 3 runs is 13 %);\n"
    "MB kept: for backward, by one batch"
)


def ranking_table(block: RankedBlock, verdicts: Mapping[Key, str], style: str = "simple") -> str:
    """The table of one block."""
    return tabulate(columns(block, verdicts), headers="keys", tablefmt=style, disable_numparse=True)


def columns(block: RankedBlock, verdicts: Mapping[Key, str]) -> dict[str, list[str]]:
    """Its cells by heading; columns that say nothing (no reported figure, the same epochs for all) are left out."""
    rows, metric = block.rows, block.metric
    found = {
        "rank": [row.rank for row in rows],
        "ties": [row.letters for row in rows],
        "activation": [row.activation for row in rows],
        heading(metric): [cell(row.runs, metric) for row in rows],
        "n": [runs(row.runs) for row in rows],
        "reported": ["" if row.reported is None else number(row.reported, metric) for row in rows],
        "test loss": [_text(row.mean_of("test_loss"), ".3f") for row in rows],
        "epochs": [_text(row.mean_of("epochs_to_stop"), ".4g") for row in rows],
        "s a run": [_text(row.seconds, ".2f") for row in rows],
        "MB kept": ["" if row.runs.bytes_saved is None else f"{row.runs.bytes_saved / 1e6:.2f}" for row in rows],
        "verdict": [verdicts.get(row.runs.key, "") for row in rows],
    }
    if len(set(found["epochs"])) == 1:
        del found["epochs"]
    return {title: values for title, values in found.items() if any(value.strip(UNKNOWN) for value in values)}


def verdicts_of(results: Iterable[Result]) -> dict[Key, str]:
    """What was said of each case."""
    return {result.records[0].key: result.verdict for result in results if result.records}


def agreement(found: Sequence[Overall]) -> str:
    """Mean ranks over the blocks that rank the same activations, and how far these agree."""
    lines = []
    for one in found:
        ranks = ", ".join(f"{activations.info(name).label} {mean:.1f}" for name, mean in one.mean_ranks)
        lines.append(f"mean rank over {one.blocks} blocks: {ranks}")
        lines.append(f"agreement between them: Kendall's W = {one.kendalls_w:.2f} (0 none, 1 the same order in all)")
    return "\n".join(lines)


def counts(results: Sequence[Result]) -> str:
    """`26 cases, 78 runs: 25 SAME, 1 REGRESSED`."""
    said = Counter(result.verdict for result in results)
    total = sum(len(result.records) for result in results)
    shown = ", ".join(f"{n} {name}" for name, n in said.most_common())
    return f"{how_many(len(results), 'case')}, {how_many(total, 'run')}: {shown}"


def verdicts(results: Sequence[Result]) -> str:
    """Counts of the verdicts, and the cases that want attention though they pass."""
    lines = [counts(results)]
    lines += [
        f"quarantined {result.case.id}: {result.verdict}, {result.reason}" for result in results if result.quarantine
    ]
    for name in (one.name for one in VERDICTS.values() if one.noted):
        noted = [result for result in results if result.verdict == name and not result.quarantine]
        lines += [f"{name} {result.case.id}: {result.reason}" for result in noted[:SHOWN_IDS]]
        if len(noted) > SHOWN_IDS:
            lines.append(f"{name}: and {len(noted) - SHOWN_IDS} more, all in ranking.csv")
    return "\n".join(lines)


def render(findings: Findings) -> str:
    """All of it as plain text, for the terminal."""
    said = verdicts_of(findings.results)
    parts = [
        "\n".join([block.title, ranking_table(block, said), block.line, *block.notes]) for block in findings.ranked
    ]
    parts += filter(None, [agreement(findings.overall), LEGEND, *(table.render() for table in findings.views)])
    return "\n\n".join([*parts, *findings.versus_relu, verdicts(findings.results)])


def _text(value: float, form: str) -> str:
    return UNKNOWN if math.isnan(value) else format(value, form)


def recorded(changes: Sequence[tuple[Baseline | None, Baseline]]) -> str:
    """What `--record` wrote: old, new and the difference."""
    return "\n".join(filter(None, [changed_rows(changes), on_fewer_runs(changes)]))


def changed_rows(
    changes: Sequence[tuple[Baseline | None, Baseline]], more: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Rows before and after, as a table.

    Args:
        more: further columns, by their headings.
    """

    def shown(row: Baseline | None) -> str:
        if row is None:
            return UNKNOWN
        mean = f"{row.runs.mean:.4f}" if row.runs.trained else UNKNOWN
        return f"{mean} (n={row.runs.n}, {len(row.runs.trained)} trained)"

    def difference(old: Baseline | None, new: Baseline) -> str:
        if old is None:
            return "new"
        if old.runs.bits == new.runs.bits:
            return "the same bits"
        moved = f"{new.runs.mean - old.runs.mean:+.4f}" if old.runs.trained and new.runs.trained else UNKNOWN
        return moved + FEWER if new.runs.n < old.runs.n else moved

    cells = {
        "case": [new.key.case.id for _, new in changes],
        "old": [shown(old) for old, _ in changes],
        "new": [shown(new) for _, new in changes],
        "difference": [difference(old, new) for old, new in changes],
        **(more or {}),
    }
    return tabulate(cells, headers="keys", disable_numparse=True)


def on_fewer_runs(changes: Sequence[tuple[Baseline | None, Baseline]]) -> str:
    """How many rows rest on fewer runs than before, and what that means; empty where none does."""
    fewer = sum(old is not None and new.runs.n < old.runs.n for old, new in changes)
    advice = "their bands widen; without --seeds as many are recorded as the recipe says"
    return f"{fewer} of {len(changes)} rows rest on fewer runs than before: {advice}" if fewer else ""
