"""What a report is made of: results folders merged, or recorded baselines. `sources.merged([Path("results")], ...)`.

Folders of several workers, shards or machines may overlap: of runs of equal case, environment and seed the latest
counts. That two of them differ in bits though their fingerprints are equal is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.records import baseline, case_runs, history, json_lines, reported
from bench.records.baseline import Baseline
from bench.records.case_runs import CaseRuns
from bench.records.history import Entry
from bench.records.record import Key, Record
from bench.records.result import Result
from bench.records.results_folder import load_records, of_one_code
from bench.timing.kernels import timings
from bench.timing.kernels.recorded import RecordedKernel, read_kernels
from bench.timing.kernels.timings import TimedKernel, latest_timings, read_timings


@dataclass(frozen=True)
class Sources:
    """What is known when the page is made.

    Attributes:
        observations: of the records, or of the recorded baselines where there are no records.
        records: by the key of their observation, in order of their seeds.
        baselines: likewise.
        verdicts: what the sessions said.
        timings: of kernels, those of the sessions.
        recorded_kernels: rows of the baseline folder.
        notes: what a reader must know of the merging, a line each.
    """

    observations: Sequence[CaseRuns]
    records: Mapping[Key, Sequence[Record]]
    baselines: Mapping[Key, Baseline]
    verdicts: Mapping[Key, Entry]
    timings: Sequence[TimedKernel]
    recorded_kernels: Sequence[RecordedKernel]
    notes: Sequence[str] = ()


def merged(folders: Sequence[Path], baseline_dir: Path) -> Sources:
    """All of some results folders; of no folder, the recorded baselines.

    Raises:
        ValueError: a folder without runs and timings, or nothing recorded.
        BaselineError, ResultsError: a malformed line.
    """
    if not folders:
        return _recorded(baseline_dir)
    records, said, timed, notes = [], [], [], []
    for folder in folders:
        found, left_out = load_records(folder)
        measured = read_timings(folder)
        if not found and not measured:
            if not folder.is_dir() or len(folders) == 1:
                missing = folder / "runs"
                raise ValueError(f"no records in {missing}; make some with: pytest bench --results-dir {folder}")
            notes.append(f"nothing was trained or timed in {folder}")
        notes += [
            *left_out,
            *json_lines.half_lines(folder / history.FILE),
            *json_lines.half_lines(folder / timings.FILE),
        ]
        records.append(found)
        said += history.read(folder)
        timed += measured
    merged_runs, conflicts = _latest(records)
    kept, of_others = of_one_code(merged_runs)
    return _of_records(
        kept, history.latest(said), latest_timings(timed), [*conflicts, *notes, *of_others], baseline_dir
    )


def of_session(results: Iterable[Result], timed: Iterable[TimedKernel], baseline_dir: Path) -> Sources:
    """What one session trained, judged and timed."""
    kept = list(results)
    records = [one for result in kept for one in result.records]
    return _of_records(
        records, history.latest(history.entry_of(one, "") for one in kept), list(timed), [], baseline_dir
    )


def _of_records(
    records: Sequence[Record],
    said: Mapping[Key, Entry],
    timed: Sequence[TimedKernel],
    notes: Sequence[str],
    baseline_dir: Path,
) -> Sources:
    ordered = sorted(records, key=lambda one: (one.key, one.seed))
    observations, stale = case_runs.of_one_recipe(case_runs.from_records(ordered, reported.read(baseline_dir)))
    by_key: dict[Key, list[Record]] = {one.key: [] for one in observations}
    for one in ordered:
        by_key.get(one.key, []).append(one)
    return Sources(
        observations=observations,
        records=by_key,
        baselines={},
        verdicts=said,
        timings=timed,
        recorded_kernels=list(read_kernels(baseline_dir).values()),
        notes=[*notes, *stale],
    )


def _recorded(baseline_dir: Path) -> Sources:
    found, notes = case_runs.recorded_runs(baseline_dir)
    if not found:
        raise ValueError(
            f"nothing is recorded in {baseline_dir / 'measured'}; give a results folder, or --baseline-dir"
        )
    rows = baseline.read(baseline_dir)
    return Sources(
        observations=found,
        records={},
        baselines={one.key: rows[one.key] for one in found},
        verdicts={},
        timings=[],
        recorded_kernels=list(read_kernels(baseline_dir).values()),
        notes=notes,
    )


def _latest(folders: Iterable[Iterable[Record]]) -> tuple[list[Record], list[str]]:
    """The latest run of each key and seed, and a line where others of equal fingerprint have other bits."""
    kept: dict[tuple[Key, int], Record] = {}
    differing: list[str] = []
    for records in folders:
        for one in records:
            place = (one.key, one.seed)
            other = kept.get(place)
            if other and other.code == one.code and other.fingerprint == one.fingerprint and other.bits != one.bits:
                differing.append(f"{one.case.id} seed {one.seed} ({other.digest}, {one.digest})")
            if other is None or one.date >= other.date:
                kept[place] = one
    if not differing:
        return list(kept.values()), []
    note = (
        f"{len(differing)} run(s) of equal case, seed and fingerprint differ in bits between the folders, "
        f"the first: {differing[0]}; the later one is shown"
    )
    return list(kept.values()), [note]
