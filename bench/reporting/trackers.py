"""Trackers draw figures from commit to commit: what they read. `trackers.export([folder], None, "bencher", file)`.

bencher                Bencher's metric format (bencher.dev/docs/reference/bencher-metric-format), by case and measure
customBiggerIsBetter   a list for the tool of that name of github.com/benchmark-action/github-action-benchmark, which
customSmallerIsBetter  takes one direction a file

Of a case they get the judged metric with its 95 % interval, `seconds` of training a run, likewise, and `bytes_saved`,
kept for backward by one batch; of a kernel its `ratio_relu`. Names are ids of cases and kernels, which stay what they
are. Fractions are fractions.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.ranking import rank
from bench.ranking.rank import RankedActivation
from bench.records import baseline
from bench.records.record import write_text
from bench.reporting.page import sources
from bench.stats import intervals
from bench.stats.intervals import Estimate
from bench.timing.kernels.timings import TimedKernel


@dataclass(frozen=True)
class TrackedFigure:
    """One number of a case or of a kernel.

    Attributes:
        name: the id of the case or of the kernel.
        where: what was measured where, for people.
    """

    name: str
    measure: str
    unit: str
    estimate: Estimate
    where: str
    higher_is_better: bool = False


def export(folders: Sequence[Path], scale: str | None, form: str, file: Path) -> tuple[str, list[str]]:
    """Write what results folders hold in one of `FORMATS`; what to say at the end, and what was left out.

    Args:
        scale: of the cases; None for all.

    Raises:
        ValueError: nothing that the format takes, or two figures of one name.
        ResultsError: the file cannot be written.
    """
    found = sources.merged(folders, baseline.FOLDER)
    ranked = rank.blocks(one for one in found.observations if scale in (None, one.key.scale))
    figures = [*_of_cases(row for block in ranked for row in block.rows), *_of_kernels(found.timings)]
    lost = [f"{one.name} {one.measure}" for one in figures if not math.isfinite(one.estimate.value)]
    _check_names(figures)
    content = FORMATS[form]([one for one in figures if math.isfinite(one.estimate.value)])
    if not content:
        raise ValueError(f"none of the {len(figures)} figures there goes into a file of the format {form}")
    write_text(file, json.dumps(content, indent=1, allow_nan=False) + "\n")
    notes = [f"left out {len(lost)} figures that are not finite, the first: {lost[0]}"] if lost else []
    return f"wrote {len(content)} entries to {file}", [*found.notes, *notes]


def _of_cases(rows: Iterable[RankedActivation]) -> Iterator[TrackedFigure]:
    for row in rows:
        one, unknown = row.runs, math.nan
        metric = one.measured.metric
        words = (f"n={one.n}", one.key.scale, one.data_label, one.key.device_class, row.outcomes)
        of_case = partial(TrackedFigure, one.case.id, where=", ".join(filter(None, words)))
        yield of_case(one.metric, metric.unit, row.estimate, higher_is_better=metric.higher_is_better)
        yield of_case("seconds", "s", intervals.mean(one.seconds))
        if one.bytes_saved is not None:
            yield of_case("bytes_saved", "bytes", Estimate(one.bytes_saved, unknown, unknown, one.n))


def _of_kernels(timings: Iterable[TimedKernel]) -> Iterator[TrackedFigure]:
    for one in (timed.measurement for timed in timings):
        ratio = Estimate(one.ratio_relu, math.nan, math.nan, one.n)
        where = f"{one.device_name}, torch {one.torch}, {one.threads} thread"
        yield TrackedFigure(one.kernel.id, "ratio_relu", "x relu", ratio, where)


def _check_names(figures: Sequence[TrackedFigure]) -> None:
    places = defaultdict(list)
    for one in figures:
        places[one.name, one.measure].append(one.where)
    for (name, _), where in places.items():
        if len(where) > 1:
            raise ValueError(
                f"{name} was measured in several places ({'; '.join(where)}), and a tracker knows it by name alone; "
                "give --scale, or one folder at a time"
            )


def _bencher(figures: Iterable[TrackedFigure]) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for one in figures:
        ends = {"lower_value": one.estimate.low, "upper_value": one.estimate.high} if one.estimate.known else {}
        found[one.name][one.measure] = {"value": one.estimate.value, **ends}
    return found


def _github_action_benchmark(figures: Iterable[TrackedFigure], *, bigger: bool) -> list[dict[str, str | float]]:
    return [
        {
            "name": f"{one.name} {one.measure}",
            "unit": one.unit,
            "value": one.estimate.value,
            **({"range": f"± {one.estimate.half:.4g}"} if one.estimate.known else {}),
            "extra": one.where,
        }
        for one in figures
        if one.higher_is_better == bigger
    ]


FORMATS: Mapping[str, Callable[[Sequence[TrackedFigure]], Any]] = {
    "bencher": _bencher,
    "customBiggerIsBetter": partial(_github_action_benchmark, bigger=True),
    "customSmallerIsBetter": partial(_github_action_benchmark, bigger=False),
}
