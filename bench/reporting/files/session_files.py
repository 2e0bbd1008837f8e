"""The files of a session in its results folder: `session_files.write(findings, folder)`.

summary.md       what a person reads: verdicts, commands, rankings on one page, also GitHub's job summary
ranking.csv      one row an activation and block: the axes, scale, data, device_class, metric (what is judged), best and
                 worst (the range of ranks), figure, half_width (of the mean's 95 % interval), n, outcomes (of runs that
                 did not train), test_loss, epochs_to_stop, seconds, bytes_saved, verdict, reported (by the literature)
ranking.tex      the same as booktabs tables, one a block
records.parquet  one row a run: the axes, scale, seed, outcome, verdict (of its case), data, data_hash, device_class,
                 metric (what is judged), every metric under its own name, every curve as <name>_by_epoch (a list),
                 seconds, seconds_to_target, bytes_saved, peak_bytes, num_parameters, digest, code (of what made it),
                 recipe_version, recipe and fingerprint (JSON), date

The axes are experiment, model, dataset, activation, optimizer and variant. Fractions are fractions, seconds are of
training, bytes are counted; NaN and infinity stay what they are. A session replaces all of these. `runs/` keeps one
JSON file a run, with everything that is kept of it, which only the same case, scale, recipe version, data, device
class and seed replaces; `history.jsonl` is added to, a line a case with its verdict. So sessions with one --results-dir
add up in these two.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench import data
from bench.ranking.rank import RankedActivation, RankedBlock
from bench.records.record import Record, write_bytes, write_text
from bench.records.sharing import locked
from bench.reporting.files import latex, ranking_tables, summary
from bench.reporting.files.findings import Findings


def write(findings: Findings, folder: Path) -> None:
    """Write all of `FILES`, each so that it is there whole or not at all.

    Raises:
        ResultsError: the folder cannot be written.
    """
    made = {name: make(findings) for name, make in FILES.items()}
    with locked(folder):  # the files of one session belong together
        for name, content in made.items():
            if isinstance(content, str):
                write_text(folder / name, content)
            else:
                write_bytes(folder / name, content)


def _csv(findings: Findings) -> str:
    return pd.DataFrame(_ranking(findings)).to_csv(index=False)


def _records(findings: Findings) -> bytes:
    rows = [_run(one, result.verdict) for result in findings.results for one in result.records]
    frame = pd.DataFrame(rows).astype({"peak_bytes": "Int64", "seconds_to_target": "float64"})
    held = io.BytesIO()
    frame.to_parquet(held, index=False)
    return held.getvalue()


def _ranking(findings: Findings) -> Sequence[dict[str, Any]]:
    said = ranking_tables.verdicts_of(findings.results)
    return [_row(block, row, said[row.runs.key]) for block in findings.ranked for row in block.rows]


def _row(block: RankedBlock, row: RankedActivation, verdict: str) -> dict[str, Any]:
    one = row.runs
    return {
        **one.case.fields,
        "scale": one.key.scale,
        "data": one.data_label,
        "device_class": one.key.device_class,
        "metric": block.metric,
        "best": row.best,
        "worst": row.worst,
        "figure": row.aggregate,
        "half_width": row.estimate.half,
        "n": one.n,
        "outcomes": row.outcomes,
        "test_loss": row.mean_of("test_loss"),
        "epochs_to_stop": row.mean_of("epochs_to_stop"),
        "seconds": row.seconds,
        "bytes_saved": one.bytes_saved,
        "verdict": verdict,
        "reported": row.reported,
    }


def _run(one: Record, verdict: str) -> dict[str, Any]:
    return {
        **one.case.fields,
        "scale": one.scale,
        "seed": one.seed,
        "outcome": one.outcome,
        "verdict": verdict,
        "data": data.label_of(one.case.dataset, one.data_hash),
        "data_hash": one.data_hash,
        "device_class": one.device_class,
        "metric": one.recipe["metric"],
        **one.metrics,
        **{f"{name}_by_epoch": values for name, values in one.curves.items()},
        "seconds": one.seconds,
        "seconds_to_target": one.seconds_to_target,
        "bytes_saved": one.bytes_saved,
        "peak_bytes": one.peak_bytes,
        "num_parameters": one.num_parameters,
        "digest": one.digest,
        "code": one.code,
        "recipe_version": one.recipe["version"],
        "recipe": json.dumps(one.recipe, sort_keys=True),
        "fingerprint": json.dumps(one.fingerprint, sort_keys=True),
        "date": one.date,
    }


FILES: dict[str, Callable[[Findings], str | bytes]] = {
    "summary.md": summary.render,
    "ranking.csv": _csv,
    "ranking.tex": latex.render,
    "records.parquet": _records,
}
