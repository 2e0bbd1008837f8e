"""`python -m bench accept`: shows what runs change in the baselines, and writes it. `accept([folder], asked, ...)`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import experiments
from bench.records import acceptance, baseline
from bench.records.record import Key
from bench.reporting.files import ranking_tables
from bench.session.commands import PYTEST, Commands


def accept(
    folders: Sequence[Path], asked: Callable[[Key], bool], only_failing: bool, baseline_dir: Path
) -> tuple[str, list[str]]:
    """Print old, new and difference of each row, then write the rows; what to say at the end, and what was left out.

    Raises:
        ValueError: nothing is asked for.
        ResultsError: the baselines cannot be written.
    """
    found, notes = acceptance.acceptable(folders, asked, only_failing)
    if not found:
        raise ValueError("; ".join([f"nothing to accept in {', '.join(map(str, folders))}", *notes]))
    changes = acceptance.changes((row for row, _ in found), baseline.read(baseline_dir))
    if changes:
        print(ranking_tables.recorded(changes), flush=True)
        baseline.write((new for _, new in changes), baseline_dir)
    rows = f"{len(changes)} row{'s' * (len(changes) != 1)} to {baseline_dir / baseline.MEASURED}"
    as_recorded = len(found) - len(changes)
    written = f"wrote {rows}" + (f"; {as_recorded} of {len(found)} cases were as recorded" if as_recorded else "")
    failed = [row.key for row, said in found if not said or said.failed]
    return "\n".join([written, *_probes_to_record(failed, baseline_dir)]), notes


def _probes_to_record(keys: Sequence[Key], baseline_dir: Path) -> list[str]:
    """A command for each scale."""
    own = baseline_dir != baseline.FOLDER
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
