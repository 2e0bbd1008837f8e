"""The files of a session in its results folder: `files.write(findings, folder)`.

summary.md       verdicts, commands, rankings: one page, also GitHub's job summary
ranking.md       everything that the terminal shows
ranking.csv      one row an activation and block: the axes, scale, data, device_class, metric (what is judged), best and
                 worst (the range of ranks), figure, half_width (of the mean's 95 % interval), n, outcomes (of runs that
                 did not train), test_loss, epochs_to_stop, seconds, bytes_saved, verdict, reported (by the literature)
ranking.json     the same rows
ranking.tex      the same as booktabs tables, one a block
records.jsonl    one line a run, everything that is kept of it
records.parquet  one row a run: the axes, scale, seed, outcome, verdict (of its case), data, data_hash, device_class,
                 metric (what is judged), every metric under its own name, seconds, seconds_to_target, bytes_saved,
                 peak_bytes, num_parameters, digest, recipe_version, recipe and fingerprint (JSON), date
curves.parquet   one row a run, curve and epoch: the axes, scale, seed, epoch (from 1), curve, value

The axes are experiment, model, dataset, activation, optimizer and variant. Fractions are fractions, seconds are of
training, bytes are counted. CSV and Parquet hold NaN and infinity; JSON has neither, they are null there.
A session replaces all of them. `runs/` keeps one file a run, which only the same case, scale and seed replaces, and
`history.jsonl` is added to, so that sessions with one --results-dir add up there.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench import data
from bench.cases.case import AXES
from bench.ranking.rank import RankedActivation, RankedBlock
from bench.records.record import Record, finite, to_json, write_bytes
from bench.reporting.files import latex, ranking_tables, summary
from bench.reporting.files.findings import Findings

_CURVES = (*AXES, "scale", "seed", "epoch", "curve", "value")


def write(findings: Findings, folder: Path) -> None:
    """Write all of `FILES`, each so that it is there whole or not at all.

    Raises:
        ResultsError: the folder cannot be written.
    """
    for name, make in FILES.items():
        made = make(findings)
        write_bytes(folder / name, made.encode() if isinstance(made, str) else made)


def _markdown(findings: Findings) -> str:
    return ranking_tables.markdown(findings.ranked, findings.overall, findings.results, findings.beside, findings.views)


def _csv(findings: Findings) -> str:
    return pd.DataFrame(_ranking(findings)).to_csv(index=False)


def _json(findings: Findings) -> str:
    return json.dumps(finite(_ranking(findings)), indent=1, allow_nan=False) + "\n"


def _jsonl(findings: Findings) -> str:
    return "".join(f"{to_json(one)}\n" for one in findings.records)


def _records(findings: Findings) -> bytes:
    rows = [_run(one, result.verdict) for result in findings.results for one in result.records]
    frame = pd.DataFrame(rows).astype({"peak_bytes": "Int64", "seconds_to_target": "float64"})
    return _parquet(frame)


def _curves(findings: Findings) -> bytes:
    rows = [
        (*one.case.fields.values(), one.scale, one.seed, epoch, curve, value)
        for one in findings.records
        for curve, values in one.curves.items()
        for epoch, value in enumerate(values, start=1)
    ]
    return _parquet(pd.DataFrame(rows, columns=pd.Index(_CURVES)))


def _parquet(frame: pd.DataFrame) -> bytes:
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
        "half_width": row.mean.half,
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
        "seconds": one.seconds,
        "seconds_to_target": one.seconds_to_target,
        "bytes_saved": one.bytes_saved,
        "peak_bytes": one.peak_bytes,
        "num_parameters": one.num_parameters,
        "digest": one.digest,
        "recipe_version": one.recipe["version"],
        "recipe": json.dumps(one.recipe, sort_keys=True),
        "fingerprint": json.dumps(one.fingerprint, sort_keys=True),
        "date": one.date,
    }


FILES: dict[str, Callable[[Findings], str | bytes]] = {
    "summary.md": summary.render,
    "ranking.md": _markdown,
    "ranking.csv": _csv,
    "ranking.json": _json,
    "ranking.tex": latex.render,
    "records.jsonl": _jsonl,
    "records.parquet": _records,
    "curves.parquet": _curves,
}
