"""The files of a session in its results folder: ranking.md, ranking.csv, records.jsonl, curves.parquet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from bench.rank import Block, Overall
from bench.record import ResultsError, to_json, write_text
from bench.report import tables
from bench.session import Result
from bench.views import Table


def write(
    results: Sequence[Result],
    ranked: Sequence[Block],
    found: Sequence[Overall],
    beside: Sequence[str],
    views: Sequence[Table],
    folder: Path,
) -> None:
    """Write the four files, each atomically.

    Raises:
        ResultsError: the folder cannot be written.
    """
    records = [one for result in results for one in result.records]
    write_text(folder / "records.jsonl", "".join(f"{to_json(one)}\n" for one in records))
    write_text(folder / "ranking.md", tables.markdown(ranked, found, results, beside, views))
    rows = [
        {
            **block.case.fields,
            "scale": block.scale,
            "data": block.data_label,
            "metric": block.metric,
            **asdict(row),
        }
        for block in ranked
        for row in block.rows
    ]
    text = io.StringIO()
    pd.DataFrame(rows).to_csv(text, index=False)
    write_text(folder / "ranking.csv", text.getvalue())
    curves = [
        {
            **one.case.fields,
            "scale": one.scale,
            "seed": one.seed,
            "epoch": epoch,
            "curve": curve,
            "value": value,
        }
        for one in records
        for curve, values in one.curves.items()
        for epoch, value in enumerate(values, start=1)
    ]
    unfinished = folder / ".curves.parquet"
    try:
        pd.DataFrame(curves).to_parquet(unfinished, index=False)
        unfinished.replace(folder / "curves.parquet")
    except OSError as error:
        raise ResultsError(f"cannot write {folder / 'curves.parquet'}: {error.strerror}") from error
