"""A results folder as sessions leave it, for the tests of the report: `folder(path)`, `many(records)`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.cases.case import Case
from bench.records import history, record
from bench.records.record import Record
from bench.records.result import Result
from made import runs

NASTY = "<script>document.title = 'owned'</script> & \"quoted\""
COMMAND = "pytest bench -k cnn-cnn-mnist-relu-sgd --scale tiny"
MESSAGE = (
    f"REGRESSED cnn-cnn-mnist-relu-sgd at tiny: {NASTY}\nreproduce: {COMMAND} --seeds 3\nre-record: {COMMAND} --record"
)
CURVES = {f"{part}_{what}": [0.9, 0.6, 0.5] for part in ("train", "validation") for what in ("loss", "accuracy")}


def runs_of(case: Case, value: float, seeds: int = 3, spread: float = 0.01, **more) -> list[Record]:
    """Of one case, around a value, with everything that views draw."""
    luck = np.random.default_rng(len(case.id)).normal(0, spread, seeds)
    made = runs([float(value + one) for one in luck], case=case, learning_rate=0.01, validation_size=100, **more)
    return [
        replace(one, curves=CURVES, digest=f"{one.seed:012x}", metrics={**one.metrics, "validation_accuracy": value})
        for one in made
    ]


def results() -> list[Result]:
    """One case that failed, two that want an eye, and others that are as recorded; one far below the others."""
    values = {"relu": 0.8, "elu": 0.9, "gelu": 0.91, "silu": 0.92, "mish": 0.905, "sigmoid": 0.1}
    said = {"relu": ("REGRESSED", NASTY), "elu": ("MOVED", NASTY), "gelu": ("NEW", "no row for this case")}
    made = []
    for optimizer in ("sgd", "adam"):
        for name, value in values.items():
            verdict, reason = said.get(name, ("SAME", "equal digests")) if optimizer == "sgd" else ("SAME", "equal")
            case = Case("cnn", "cnn", "mnist", name, optimizer)
            kept = tuple(runs_of(case, value))
            failed = verdict == "REGRESSED"
            made.append(Result(case, kept, verdict, reason, failed, MESSAGE if failed else "", ("curves",)))
    return made


def folder(path: Path) -> Path:
    """The records and the history of `results`."""
    made = results()
    for one in made:
        for run in one.records:
            record.save(run, path)
    history.append(made, path)
    return path


EXPERIMENTS = (
    "autoencoder",
    "cnn",
    "complex",
    "corruption",
    "mlp",
    "null_runs",
    "rates",
    "schedules",
    "wrn",
    "xresnet",
)


def many(count: int, seeds: int) -> list[Result]:
    """So many records, in blocks of five activations of ten experiments, as large as the recorded baselines."""
    made: list[Result] = []
    for block in range(count // seeds // 5):
        experiment = EXPERIMENTS[block % 10]
        variant = ("", "dropout0.5", "depth7", "psi16", "triangular")[block // 20]
        for place, name in enumerate(("relu", "elu", "gelu", "silu", "mish")):
            case = Case(experiment, experiment, "mnist", name, ("sgd", "adam")[block // 10 % 2], variant)
            kept = tuple(runs_of(case, 0.8 + 0.005 * place, seeds))
            made.append(Result(case, kept, "WITHIN", "inside the band", failed=False))
    return made
