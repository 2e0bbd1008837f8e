"""Who is best where: ranking, heat map and the count of first places. `standings.ranking_section(blocks, verdicts)`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bench import experiments
from bench.display.tables import heading, number, percent
from bench.ranking.rank import RankedBlock
from bench.records.record import Key
from bench.reporting.files import ranking_tables
from bench.reporting.page import axis, cases
from bench.reporting.page.grid import Cell, Grid
from bench.reporting.page.sections import Group, Section
from bench.stats import intervals

RUNS = "runs, mean, 95 %"  # heading of the dot plots
DOTS = "pale dots are single runs, the line is the interval, and a triangle at the edge lies beyond the axis"
LEADERS = (
    "first: nothing in its block is significantly better (Games-Howell at 5 %, of few runs more)",
    "in brackets the exact 95 % interval of the share (Clopper-Pearson), by whose lower end the rows are ordered",
)
SHADES = 4  # of the heat map behind the first


def ranking_section(blocks: Sequence[RankedBlock], verdicts: Mapping[Key, str]) -> Section:
    """A table a block, with the runs of each row as a dot plot."""
    groups = [
        Group(name, _question(name), [_ranked(block, verdicts) for block in members])
        for name, members in _by_experiment(blocks)
    ]
    lead = "Best first within each block: what shares model, data, optimizer and variant."
    return Section("ranking", "Ranking", lead, groups, f"{ranking_tables.LEGEND}; {DOTS}")


def _ranked(block: RankedBlock, verdicts: Mapping[Key, str]) -> Grid:
    scale = axis.block_axis(block)
    columns: dict[str, list[Cell]] = {}
    for name, texts in ranking_tables.columns(block, verdicts).items():
        if name == "activation":
            columns[name] = [
                Cell(text, href=cases.anchor(row.runs)) for text, row in zip(texts, block.rows, strict=True)
            ]
        elif name == "verdict":
            columns[name] = [verdict(text) for text in texts]
        else:
            columns[name] = [Cell(text) for text in texts]
        if name == heading(block.metric):
            columns[RUNS] = [Cell("", dots=scale.dots(row)) for row in block.rows]
    return Grid(block.title, columns, block.notes, scale.ends)


def verdict(name: str) -> Cell:
    """Coloured, and told by its word as well."""
    return Cell(name, look=f"verdict {name.lower()}" if name else "")


def leaders(blocks: Sequence[RankedBlock]) -> Grid:
    """How often each activation is first, alone or tied."""
    told = [block for block in blocks if len(block.rows) > 1]
    counts: dict[str, list[int]] = {}
    for block in told:
        first = [row for row in block.rows if row.best == 1]
        for row in block.rows:
            one = counts.setdefault(row.activation, [0, 0, 0])
            one[0] += 1
            one[1] += len(first) == 1 and row is first[0]
            one[2] += len(first) > 1 and row in first
    found = {name: intervals.share(alone + tied, blocks) for name, (blocks, alone, tied) in counts.items()}
    ordered = sorted(counts, key=lambda name: -found[name].low)
    columns = {
        "activation": ordered,
        "blocks": [str(counts[name][0]) for name in ordered],
        "alone first": [str(counts[name][1]) for name in ordered],
        "tied for first": [str(counts[name][2]) for name in ordered],
        "among the first": [percent(found[name]) for name in ordered],
    }
    cells = {name: [Cell(text) for text in texts] for name, texts in columns.items()}
    return Grid(f"How often among the first, in {len(told)} blocks", cells, LEADERS)


def heat_map(blocks: Sequence[RankedBlock]) -> Section:
    """Activation by block, one table an experiment."""
    groups = [Group(name, "", [_heat(members)]) for name, members in _by_experiment(blocks)]
    lead = "Each row is a block. The stronger its colour, the fewer activations are significantly better than it."
    note = "bold: nothing is significantly better; figures as in the ranking, fractions in per cent"
    return Section("heat", "Heat map", lead, groups, note)


def _heat(blocks: Sequence[RankedBlock]) -> Grid:
    names = list(dict.fromkeys(one for block in blocks for one in sorted(row.activation for row in block.rows)))
    columns: dict[str, list[Cell]] = {"block": [Cell(block.first.title("experiment")) for block in blocks]}
    for name in sorted(names):
        columns[name] = [_shade(block, name) for block in blocks]
    metrics = ", ".join(dict.fromkeys(heading(block.metric) for block in blocks))
    return Grid(f"{blocks[0].first.case.experiment}: {metrics}", columns)


def _shade(block: RankedBlock, name: str) -> Cell:
    row = next((row for row in block.rows if row.activation == name), None)
    if row is None:
        return Cell("")
    better = (row.best - 1) / max(len(block.rows) - 1, 1)
    shade = 0 if row.best == 1 else 1 + min(int(better * SHADES), SHADES - 1)
    return Cell(number(row.aggregate, block.metric), href=cases.anchor(row.runs), look=f"heat h{shade}")


def _by_experiment(blocks: Iterable[RankedBlock]) -> list[tuple[str, list[RankedBlock]]]:
    members: dict[str, list[RankedBlock]] = {}
    for block in blocks:
        members.setdefault(block.first.case.experiment, []).append(block)
    return list(members.items())


def _question(name: str) -> str:
    found = experiments.find(name)
    return found.question if found else ""
