r"""ranking.tex: the ranking of each block as a booktabs table, for `\input`. `latex.render(findings)`.

It needs the package booktabs and no other. An activation that nothing ranks above is bold.
"""

from __future__ import annotations

import pandas as pd

from bench.display.tables import cell, heading, number, runs
from bench.ranking.rank import RankedBlock
from bench.reporting.files.findings import Findings

_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"$<$",
        ">": r"$>$",
        "±": r"$\pm$",
        "·": r"$\cdot$",
        "²": r"$^2$",
        "β": r"$\beta$",
        "–": "--",
        **{character: f"\\{character}" for character in "&%$#_{}"},
    }
)


def render(findings: Findings) -> str:
    """All blocks, one table each."""
    return "% \\usepackage{booktabs}\n\n" + "\n".join(_table(block) for block in findings.ranked)


def escape_latex(text: str) -> str:
    """Text as LaTeX shows it, with the characters of our labels spelt in ASCII."""
    return text.translate(_ESCAPES)


def _table(block: RankedBlock) -> str:
    columns = {
        "rank": [row.rank for row in block.rows],
        "activation": [row.label for row in block.rows],
        heading(block.metric): [cell(row.runs, block.metric) for row in block.rows],
        "n": [runs(row.runs) for row in block.rows],
        "reported": ["" if row.reported is None else number(row.reported, block.metric) for row in block.rows],
    }
    shown = {escape_latex(title): list(map(escape_latex, cells)) for title, cells in columns.items() if any(cells)}
    best = [row.best == 1 for row in block.rows]
    shown["activation"] = [
        rf"\textbf{{{label}}}" if first else label for first, label in zip(best, shown["activation"], strict=True)
    ]
    label = "tab:" + "-".join(filter(None, (*map(str, block.first.case.block), block.first.key.scale)))
    return str(
        pd.DataFrame(shown)
        .style.hide(axis="index")
        .to_latex(
            hrules=True,
            column_format="rl" + "r" * (len(shown) - 2),
            position_float="centering",
            caption=escape_latex(f"{block.title}. Mean and 95 % interval over n seeds; a range of ranks is a tie."),
            label=label,
        )
    )
