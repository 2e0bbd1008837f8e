"""`python -m bench accept`: shows what runs change in the baselines, and writes it. `accept([folder], asked, ...)`."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench import experiments
from bench.display.tables import UNKNOWN, how_many
from bench.records import acceptance, addresses, baseline
from bench.records.acceptance import Asked
from bench.records.record import Key
from bench.records.verdict import VERDICTS
from bench.regression.judge import LEVEL
from bench.regression.refresh import RowChange, row_changes
from bench.reporting.files import ranking_tables
from bench.session.commands import PYTEST, Commands

SHOWN = 20  # rows, the most urgent first: what is behind them a reviewer skips, and git shows
SHOWN_DIFFERENCES = 6  # of fingerprints


def accept(
    folders: Sequence[Path], asked: Asked, only_failing: bool, baseline_dir: Path, dry: bool = False
) -> tuple[str, list[str]]:
    """Print what changes, then write the rows; what to say at the end, and what was left out.

    Args:
        asked: see `acceptance.acceptable`.
        baseline_dir: of `addresses.local`.
        dry: write nothing.

    Raises:
        ValueError: nothing is asked for.
        ResultsError: the baselines cannot be written.
    """
    found, notes = acceptance.acceptable(folders, asked, only_failing)
    if not found:
        raise ValueError("; ".join([f"nothing to accept in {', '.join(map(str, folders))}", *notes]))
    changes = row_changes(found, baseline.read(baseline_dir))
    print(changes_text(changes), flush=True)
    new = [one.new for one in changes if one.written]
    if not dry:
        baseline.write(new, baseline_dir)
        addresses.publish(baseline_dir)
    rows = f"{how_many(len(new), 'row')} to {addresses.typed(baseline_dir)}/{baseline.MEASURED}"
    as_recorded = len(found) - len(new)
    written = f"{'would write' if dry else 'wrote'} {rows}"
    written += f"; {as_recorded} of {len(found)} cases were as recorded" if as_recorded else ""
    failed = [one.row.key for one in found if not one.said or one.said.failed]
    return "\n".join([written, *_probes_to_record(failed, baseline_dir)]), notes


def changes_text(changes: Sequence[RowChange]) -> str:
    """How many rows move and how far, what differs between the fingerprints, and the rows that want a look."""
    counts = Counter(one.verdict for one in changes)
    total = ", ".join(f"{counts[name]} {name}" for name in VERDICTS if counts[name])
    beyond = sum(one.beyond for one in changes)
    other = [one for one in changes if one.first_steps]
    worth = [one for one in changes if one.written and (one.first_steps or one.verdict != "SAME")]
    shown = worth[:SHOWN]
    written = [(one.old, one.new) for one in changes if one.written]
    lines = [
        f"{how_many(len(changes), 'row')}: {total}",
        *([f"beyond the noise, at a false-alarm level of {LEVEL:.0%} for all rows: {beyond}"] if beyond else []),
        *([f"first steps CHANGED in {len(other)}, shown first: is that what was meant?"] if other else []),
        *_fingerprints(changes),
        *filter(None, [ranking_tables.on_fewer_runs(written)]),
        *([_table(shown)] if shown else []),
        *([f"and {len(worth) - len(shown)} more that shift by less"] if len(worth) > len(shown) else []),
        *(f"{one.new.key.case.id}: {one.first_steps or one.reason}" for one in shown if one.first_steps or one.beyond),
    ]
    return "\n".join(lines)


def _fingerprints(changes: Sequence[RowChange]) -> list[str]:
    """Each difference once, with the number of rows that it is in."""
    found = Counter(difference for one in changes if one.fingerprints for difference in one.fingerprints.split(", "))
    listed = [f"{difference} (in {rows})" for difference, rows in found.most_common(SHOWN_DIFFERENCES)]
    more = [f"{len(found) - len(listed)} more"] if len(found) > len(listed) else []
    return [f"fingerprint: {', '.join([*listed, *more])}"] if found else []


def _table(changes: Sequence[RowChange]) -> str:
    said = [f"CHANGED, {one.verdict}" if one.first_steps else one.verdict for one in changes]
    shifts = [UNKNOWN if math.isnan(one.shift) else f"{one.shift:+.1f}" for one in changes]
    return ranking_tables.changed_rows([(one.old, one.new) for one in changes], {"in sd": shifts, "verdict": said})


def _probes_to_record(keys: Sequence[Key], baseline_dir: Path) -> list[str]:
    """A command for each scale."""
    own = baseline_dir != baseline.FOLDER and not addresses.is_address(baseline_dir)
    places = [f"--baseline-dir {shlex.quote(str(baseline_dir))}"] if own else []
    files = dict.fromkeys(experiments.file_of(key.case.experiment) for key in keys)
    named = [shlex.quote(str(file)) if file else "bench" for file in files]
    start = " ".join(["pytest", *named, "-p bench.plugin"]) if any(files) else PYTEST
    commands = [
        Commands(scale, places, start=start).again([key.case for key in keys if key.scale == scale])
        for scale in dict.fromkeys(key.scale for key in keys)
    ]
    if not commands:
        return []
    shown = [f"  {command} --probe --record" for command in commands]
    return ["results hold no probes; where the first steps CHANGED, record them too:", *shown]
