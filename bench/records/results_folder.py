"""A results folder's runs, as far as they belong together: `records, notes = read_records(Path("results"))`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.records import record
from bench.records.record import OWN_CODE, Record, ResultsError


def read_records(folder: Path) -> tuple[list[Record], list[str]]:
    """The records of a results folder that may be compared with each other, and a line on each kind of others."""
    found, unreadable = load_records(folder)
    kept, notes = of_one_code(found)
    return kept, unreadable + notes


def load_records(folder: Path) -> tuple[list[Record], list[str]]:
    """All records of a results folder, and a note on the files that are none, if there are any."""
    found: list[Record] = []
    unreadable: list[str] = []
    for path in sorted((folder / "runs").glob("*.json")):
        try:
            one = record.load(path)
        except ResultsError as error:
            unreadable.append(str(error))
        else:
            found += [one] if one else []
    if not unreadable:
        return found, []
    return found, [f"left out {len(unreadable)} files that are no records, the first: {unreadable[0]}"]


def of_one_code(records: Iterable[Record]) -> tuple[list[Record], list[str]]:
    """Runs that may be compared with each other, once each, and a line on each kind of others.

    Of a block those count that were made by the code of its latest run; of a user's own activation those of the latest
    version of its file; of the same key and seed the latest.
    """
    found = sorted(records, key=lambda one: one.date)
    todays, older = _latest(found, lambda one: (one.case.block, *one.key[1:]), lambda one: one.code)
    own, stale = _latest(todays, lambda one: one.key, lambda one: one.fingerprint.get(OWN_CODE))
    kept = {(one.key, one.seed): one for one in own}
    notes = [
        *_note(older, "of other code than the latest of their block"),
        *_note(stale, "from before the file of their activation, or one that it imports, changed"),
    ]
    unknown = sum(not one.code for one in kept.values())
    if unknown:
        notes.append(f"{unknown} of {len(kept)} runs do not say what code they are of: they are of an earlier version")
    return sorted(kept.values(), key=lambda one: (one.key, one.seed)), notes


def _latest(
    ordered: Sequence[Record], place: Callable[[Record], Hashable], version: Callable[[Record], Any]
) -> tuple[list[Record], list[Record]]:
    """The runs of the version of the last run in their place, and the others."""
    counts = {place(one): version(one) for one in ordered}
    kept = [one for one in ordered if version(one) == counts[place(one)]]
    return kept, [one for one in ordered if version(one) != counts[place(one)]]


def _note(left_out: Sequence[Record], why: str) -> list[str]:
    if not left_out:
        return []
    cases = Counter(one.case.id for one in left_out)
    first, count = next(iter(cases.items()))
    runs = f"{len(left_out)} run{'s' * (len(left_out) > 1)} of {len(cases)} case{'s' * (len(cases) > 1)}"
    return [f"left out {runs} {why}, the first: {first} ({count}); run again what is to be shown"]
