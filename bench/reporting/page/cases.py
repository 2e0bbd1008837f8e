"""What a case's entry on the page shows, as compact as JSON gets: `cases.collected(sources)`.

Recipes and fingerprints, which hundreds of cases share, are written once and numbered.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.records.baseline import Baseline
from bench.records.case_runs import CaseRuns
from bench.records.history import Entry
from bench.records.record import Record, builtin
from bench.reporting.page.sources import Sources


@dataclass(frozen=True)
class Cases:
    """What the page's script draws the entries from.

    Attributes:
        recipes, fingerprints: each of them once.
        runs_under: runs by the number of their fingerprint.
        entries: by the id of the case, one a scale, data and device.
    """

    recipes: Sequence[Mapping[str, Any]]
    fingerprints: Sequence[Mapping[str, Any]]
    runs_under: Mapping[int, int]
    entries: Mapping[str, Sequence[Mapping[str, Any]]]

    @property
    def as_json(self) -> dict[str, Any]:
        return {"recipes": self.recipes, "fingerprints": self.fingerprints, "cases": self.entries}


def collected(sources: Sources) -> Cases:
    """The entries of all cases."""
    recipes: list[Any] = []
    fingerprints: list[Any] = []
    runs_under: Counter[int] = Counter()
    entries: dict[str, list[dict[str, Any]]] = {}
    for one in sources.observations:
        runs = _of_records(sources.records[one.key]) if sources.records else _of_baseline(sources.baselines[one.key])
        taken = [_number(fingerprint, fingerprints) for fingerprint in runs.pop("fingerprints")]
        runs_under.update(taken)
        verdict = sources.verdicts.get(one.key)
        entry = {
            **_shared(one),
            **runs,
            **(_said(verdict) if verdict else {}),
            "recipe": _number(_plain(one.recipe), recipes),
            "fingerprint": taken if len(set(taken)) > 1 else taken[:1],
        }
        entries.setdefault(one.case.id, []).append(entry)
    return Cases(recipes, fingerprints, runs_under, entries)


def _number(value: Any, known: list[Any]) -> int:
    """The place of a value among those that are known, of a new one behind them."""
    if value not in known:
        known.append(value)
    return known.index(value)


def anchor(one: CaseRuns) -> str:
    """Where its entry stands on the page."""
    return f"#case-{one.case.id}"


def _shared(one: CaseRuns) -> dict[str, Any]:
    return {
        "where": one.title("experiment", "model", "optimizer", "variant"),
        "environment": {
            "scale": one.key.scale,
            "data": one.data_label,
            "data hash": one.key.data_hash,
            "device": one.key.device_class,
            "recipe version": one.key.recipe_version,
        },
        "metric": one.metric,
        "reported": _plain(one.reported),
        "seeds": one.seeds,
        "outcomes": "".join(outcome[0] for outcome in one.outcomes),
        "metrics": {name: [_short(value) for value in values] for name, values in one.metrics.items()},
    }


def _of_records(records: Sequence[Record]) -> dict[str, Any]:
    return {
        "digests": [one.digest for one in records],
        "seconds": [_short(one.seconds) for one in records],
        "dates": [one.date[:19] for one in records],
        "parameters": records[0].num_parameters,
        "bytes_saved": records[0].bytes_saved,
        "fingerprints": [one.fingerprint for one in records],
    }


def _of_baseline(row: Baseline) -> dict[str, Any]:
    return {"digests": row.runs.digests, "dates": [row.date], "fingerprints": [row.fingerprint] * row.runs.n}


def _said(verdict: Entry) -> dict[str, Any]:
    return {"verdict": verdict.verdict, "reason": verdict.reason, "message": verdict.message}


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = builtin({name: fields[name] for name in sorted(fields)})
    return found


def _short(value: float) -> float | None:
    """To six digits; None where JSON has no number."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
