"""Acceptance: which runs of results folders may become baselines without training. `acceptable([folder], asked)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from bench import experiments
from bench.cases.case import Case
from bench.records import code, history
from bench.records.baseline import Baseline
from bench.records.history import Entry
from bench.records.record import Key, Record
from bench.records.results_folder import load_records, of_one_code

Asked: TypeAlias = Callable[[Sequence[Case]], Callable[[Key], bool]]


@dataclass(frozen=True)
class AcceptableRuns:
    """Runs of one key that may become a row.

    Attributes:
        records: of one fingerprint.
        said: what their session said of them; None where nothing is known of it.
    """

    records: tuple[Record, ...]
    said: Entry | None

    @cached_property
    def row(self) -> Baseline:
        """What they make."""
        return Baseline.of(self.records)

    def are_in(self, recorded: Baseline | None) -> bool:
        """Whether a row says all that they say: their bits, under their fingerprint."""
        if recorded is None or recorded.fingerprint != self.row.fingerprint:
            return False
        return self.row.runs.bits.items() <= recorded.runs.bits.items()


def acceptable(
    folders: Sequence[Path], asked: Asked, only_failing: bool = False
) -> tuple[list[AcceptableRuns], list[str]]:
    """The runs that make a row each, and a line on each kind of runs left out.

    Only runs of today's code and recipes count, and of a row those under the fingerprint of its latest.

    Args:
        asked: takes the cases that there are, and tells whether the runs of a key are meant.
        only_failing: leave out what did not fail.

    Raises:
        ValueError: no runs, or `only_failing` without a history that says what failed.
        ResultsError: a line of a history is none.
    """
    loaded = [load_records(folder) for folder in folders]
    records, left_out = of_one_code(one for found, _ in loaded for one in found)
    notes = [*(note for _, unreadable in loaded for note in unreadable), *left_out]
    if not records:
        raise ValueError(f"no records in {', '.join(str(folder / 'runs') for folder in folders)}")
    said = history.latest(entry for folder in folders for entry in history.read(folder))
    if only_failing and not said:
        raise ValueError(f"nothing says what failed: no {history.FILE} in {', '.join(map(str, folders))}")
    is_asked = asked(list(dict.fromkeys(one.case for one in records)))
    by_key: dict[Key, list[Record]] = {}
    for one in records:
        if is_asked(one.key) and (not only_failing or (one.key in said and said[one.key].failed)):
            by_key.setdefault(one.key, []).append(one)
    kept = []
    for key, runs in by_key.items():
        latest = max(runs, key=lambda one: one.date)
        if why := _why_not(latest):
            notes.append(f"left out {key.case.id} at {key.scale}: {why}")
            continue
        alike = [one for one in runs if one.fingerprint == latest.fingerprint]
        if len(alike) < len(runs):
            notes.append(
                f"left out {len(runs) - len(alike)} runs of {key.case.id}: of another fingerprint than its latest"
            )
        kept.append(AcceptableRuns(tuple(alike), said.get(key)))
    return kept, notes


def _why_not(one: Record) -> str:
    """Why runs cannot be today's baseline; empty where they can."""
    recipe = experiments.recipe_of(one.case, one.scale)
    if recipe is None:
        return f"experiment {one.case.experiment!r} is not known here; give its file with --load"
    if recipe.version != one.key.recipe_version:
        return f"its recipe is of version {one.key.recipe_version}, today's is {recipe.version}; train it again"
    if one.code != code.code_of(one.case.experiment):
        return "its runs are of other code than this; check out the commit that they are of, or train it again"
    return ""
