"""Made records for the tests, and a check that several share: `record(seed=0, value=0.9)`, `runs([0.9, 0.8])`."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from bench.cases.case import Case
from bench.ranking import rank
from bench.ranking.rank import RankedBlock
from bench.records import case_runs
from bench.records.case_runs import CaseRuns
from bench.records.record import Key, Record
from bench.records.result import Result
from bench.records.runs import Runs

SIZES = {"train_size": None, "validation_size": 1000}
HERE = {"device": "cpu", "torch": "2.14"}
ELSEWHERE = {"device": "cpu", "torch": "2.15"}


def record(
    seed: int,
    value: float,
    outcome: str = "trained",
    fingerprint=None,
    case=None,
    scale="tiny",
    data_hash="0",
    **recipe,
) -> Record:
    settings = {
        "metric": "test_accuracy",
        "aggregate": "mean",
        "version": 1,
        "train_size": 100,
        "validation_size": 100,
        "test_size": 1000,
        "learning_rate": 0.1,
        **recipe,
    }
    return Record(
        case=case or Case("cnn", "cnn", "mnist", "elu", "sgd"),
        scale=scale,
        seed=seed,
        recipe=settings,
        data_hash=data_hash,
        device_class="cpu",
        fingerprint=fingerprint or HERE,
        outcome=outcome,
        metrics={"test_loss": 1.0, "epochs_to_stop": 2.0, settings["metric"]: value},
        curves={"train_loss": [1.0, 0.5]},
        functions={},
        digest=f"{seed}-{value}-{outcome}",
        seconds=1.0,
        seconds_to_target=None,
        bytes_saved=1,
        peak_bytes=None,
        num_parameters=1,
        date="2026-11-21T00:00:00+00:00",
        code="c0de",
    )


def runs(values, outcome="trained", first_seed=0, **kwargs) -> list[Record]:
    return [record(seed, value, outcome, **kwargs) for seed, value in enumerate(values, start=first_seed)]


def ranked(*results: Result, reported=None) -> list[RankedBlock]:
    """The blocks that a session of these results would rank; `reported` is what the literature reports."""
    records = [one for result in results for one in result.records]
    return rank.blocks(case_runs.from_records(records, reported or {}))


def runs_of_case(case, metrics, scale="paper", data_hash="0", outcomes=None, provenance="results", **more) -> CaseRuns:
    """Of a case whose metrics are given run by run; `more` are fields of the runs_of_case, or else of its recipe."""
    n = len(next(iter(metrics.values())))
    own = ("curves", "functions", "gradients", "gradient_steps", "reported", "seeds", "seconds", "bytes_saved")
    fields = {name: more.pop(name) for name in own if name in more}
    settings = {"metric": "test_accuracy", "aggregate": "mean", "learning_rate": 1e-3, **SIZES, **more}
    return CaseRuns(
        key=Key(case, scale, 1, data_hash, "cpu"),
        recipe=settings,
        runs=Runs(
            seeds=tuple(fields.pop("seeds", range(n))),
            values=tuple(map(float, metrics.get(settings["metric"], [math.nan] * n))),
            outcomes=tuple(outcomes or ["trained"] * n),
            digests=("",) * n,
        ),
        metrics={name: tuple(map(float, values)) for name, values in metrics.items()},
        provenance=provenance,
        **fields,
    )


def one_line_error(main: Callable[[list[str]], int], line: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on standard error with which a command line ends, nothing printed and 2 as its exit code."""
    try:
        code = main(line.split())
    except SystemExit as stop:  # argparse's own
        code = stop.code
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    return err
