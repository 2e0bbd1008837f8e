"""A case over time: every session appends to `history.jsonl`, and `python -m bench history` marks where it changed.

A line is one case of one session. Sessions of equal bits are one state, however often they were run; where the states'
means step is found by PELT (Killick et al. 2012, arXiv 1101.1438) with the spread of the runs as the noise.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from bench import json_lines
from bench.case import Case
from bench.observation import is_fraction
from bench.record import Bits, Outcome, ResultsError, bits_by_seed, builtin, finite, untrained
from bench.result import Result
from bench.views._table import heading

FILE = "history.jsonl"
# What a further step must save of the squared deviations, in variances of a mean, beyond 2 log(states). Simulated with
# three runs a state and normal noise: at most 2 % of histories of 5 to 30 states without a step show one, and 90 % of
# those of 12 states show one of three standard errors in their middle.
PENALTY = 10.0


@dataclass(frozen=True)
class Entry:
    """One case in one session.

    Attributes:
        date: of its last run, UTC.
        commit: what `git describe` says of the folder that pytest ran in; empty outside a repository.
        environment: scale, recipe version, data hash and device class: only equal ones make one history.
        values, outcomes, digests: run by run, in order of the seeds.
    """

    date: str
    commit: str
    case: Case
    environment: tuple[str, int, str, str]
    metric: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    outcomes: tuple[Outcome, ...]
    digests: tuple[str, ...]
    verdict: str

    @property
    def bits(self) -> dict[int, Bits]:
        """By seed, see `record.bits_of`."""
        return bits_by_seed(self.seeds, self.digests, self.values, self.outcomes)

    @property
    def trained(self) -> list[float]:
        return [value for value, outcome in zip(self.values, self.outcomes, strict=True) if outcome == "trained"]

    @property
    def mean(self) -> float:
        """Of the runs that trained; NaN where none did."""
        return statistics.fmean(self.trained) if self.trained else math.nan

    @property
    def series(self) -> tuple[Any, ...]:
        return (self.case, self.environment)


def entry_of(result: Result, commit: str) -> Entry:
    """What is kept of a case's result."""
    records = sorted(result.records, key=lambda one: one.seed)
    first = records[0]
    return Entry(
        date=max(one.date for one in records),
        commit=commit,
        case=result.case,
        environment=(first.scale, int(first.recipe["version"]), first.data_hash, first.device_class),
        metric=str(first.recipe["metric"]),
        seeds=tuple(one.seed for one in records),
        values=tuple(one.value for one in records),
        outcomes=tuple(one.outcome for one in records),
        digests=tuple(one.digest for one in records),
        verdict=result.verdict,
    )


def append(results: Iterable[Result], folder: Path) -> None:
    """Add a session to the history of a results folder.

    Raises:
        ResultsError: it cannot be written.
    """
    commit = _commit()
    lines = "".join(f"{_line(entry_of(one, commit))}\n" for one in results)
    path = folder / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(lines)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror}; make room there or give another place") from error


def _line(entry: Entry) -> str:
    """Strict JSON: a value that is not finite becomes null."""
    return json.dumps(finite(builtin(asdict(entry))), allow_nan=False)


def read(path: Path) -> list[Entry]:
    """The entries of a history file, in order of their dates; NaN stands for a value that was none.

    Raises:
        ValueError: there is no such file.
        ResultsError: a line is no entry; the message names it.
    """
    if not path.is_file():
        raise ValueError(f"no history at {path}; every `pytest bench --results-dir {path.parent}` adds to it")
    return sorted(json_lines.read(path, _parse, "history entry"), key=lambda one: one.date)


def _parse(fields: dict[str, Any]) -> Entry:
    sequences = {name: tuple(fields[name]) for name in ("seeds", "outcomes", "digests", "environment")}
    values = tuple(math.nan if value is None else value for value in fields["values"])
    return Entry(**{**fields, **sequences, "values": values, "case": Case(**fields["case"])})


def _commit() -> str:
    """Empty where there is no repository, no git, or no commit yet."""
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return os.environ.get("GITHUB_SHA", "")[:12]
    return asked.stdout.strip()


def states(entries: Sequence[Entry]) -> list[Entry]:
    """Those entries of one series whose bits differ from those of the entry before, on the seeds that both have."""

    def moved(one: Entry, other: Entry) -> bool:
        before, after = one.bits, other.bits
        shared = before.keys() & after.keys()
        return not shared or any(before[seed] != after[seed] for seed in shared)

    kept = list(entries[:1])
    for entry in entries[1:]:
        if moved(kept[-1], entry):
            kept.append(entry)
    return kept


def steps(series: Sequence[Entry]) -> list[int]:
    """Positions among the states of one series where the mean steps to another level.

    Only states with a run that trained count; with no two such runs in any of them there is no noise to go by.
    """
    import ruptures

    told = [(place, one) for place, one in enumerate(series) if one.trained]
    squares = sum(float(np.var(one.trained) * len(one.trained)) for _, one in told)
    freedom = sum(len(one.trained) - 1 for _, one in told)
    if len(told) < 2 or not squares:
        return []
    noise = math.sqrt(squares / freedom)
    scaled = np.array([[one.mean * math.sqrt(len(one.trained)) / noise] for _, one in told])
    penalty = 2 * math.log(len(told)) + PENALTY
    ends = ruptures.Pelt(model="l2", min_size=1, jump=1).fit(scaled).predict(pen=penalty)
    return [told[end][0] for end in ends[:-1]]


def report(entries: Sequence[Entry], everything: bool = False) -> str:
    """As text: every series with a step, its states before and after; or all series in full."""
    rows = []
    kept = sorted(entries, key=lambda one: (one.series, one.date))
    count = 0
    for _, group in groupby(kept, key=lambda one: one.series):
        count += 1
        series = states(list(group))
        found = steps(series)
        shown = range(len(series)) if everything else sorted({near for step in found for near in (step - 1, step)})
        rows += [_row(series, place, place in found) for place in shown]
    total = f"{count} case(s) in {len({one.commit for one in entries})} commit(s), {len(entries)} entries"
    if not rows:
        return f"{total}: no step beyond the noise"
    return f"{tabulate(rows, headers='keys', disable_numparse=True)}\n{total}; ▲ and ▼ mark where the mean steps"


def _row(series: Sequence[Entry], place: int, stepped: bool) -> dict[str, str]:
    one = series[place]
    scale = 100 if is_fraction(one.metric) else 1
    gain = (one.mean - series[place - 1].mean) * scale if place else math.nan
    return {
        "case": f"{one.case.id} {one.environment[0]}",
        "date": one.date[:16].replace("T", " "),
        "commit": one.commit,
        "metric": heading(one.metric),
        "mean": f"{one.mean * scale:.4g}" if one.trained else "–",
        "n": ", ".join(filter(None, (str(len(one.values)), untrained(one.outcomes)))),
        "verdict": one.verdict,
        "step": f"{'▲' if gain > 0 else '▼'} {gain:+.3g}" if stepped else "",
    }
