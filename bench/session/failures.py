"""What a case that fails prints: numbers, band, seeds, fingerprint, and commands. `failures.of_runs(result, ...)`."""

from __future__ import annotations

from collections.abc import Iterable

from bench.records.baseline import Baseline
from bench.records.record import Key
from bench.records.result import Result
from bench.session.settings import Settings


def nearest(key: Key, recorded: Iterable[Baseline]) -> str:
    """What is recorded for a case under another key, as advice."""
    rows = [row for row in recorded if row.key.case == key.case]
    if not rows:
        return "none is recorded for this case"

    def differing(row: Baseline) -> list[str]:
        pairs = zip(Key._fields, row.key, key, strict=True)
        return [f"{name} {theirs}" for name, theirs, ours in pairs if theirs != ours]

    row = min(rows, key=lambda row: len(differing(row)))
    return f"the nearest row has {', '.join(differing(row))}: {row.runs.mean:.4f}, n={row.runs.n}"


def of_first_steps(result: Result, settings: Settings) -> str:
    """What a case that fails by its first steps prints."""
    commands = settings.commands
    record = f"{commands.again([result.case])} --probe --record"
    return "\n".join(
        [
            f"{result.verdict} {result.case.id} at {settings.scale}: {result.reason}",
            f"reproduce: {commands.judged([result.case], '--probe')}",
            f"if it is meant, raise the recipe's version and re-record: {record}",
        ]
    )


def of_runs(result: Result, settings: Settings, difference: str, wanted: int, cases: int) -> str:
    """What a case that was trained prints.

    Args:
        difference: of the fingerprints, recorded and now; empty where there is none.
        wanted: seeds that it was given before any fresh ones.
        cases: that the session selected.
    """
    from bench.regression.judge import LEVEL

    case, records, commands = result.case, result.records, settings.commands
    shards = f" in {settings.shard.of} shards" if settings.shard else ""
    metric = records[0].recipe["metric"]
    outcomes = ["" if one.outcome == "trained" else f" {one.outcome}" for one in records]
    runs = ", ".join(f"{one.seed}: {one.value:.4f}{lost}" for one, lost in zip(records, outcomes, strict=True))
    return "\n".join(
        [
            f"{result.verdict} {case.id} at {settings.scale}: {result.reason}",
            f"{metric} by seed: {runs}",
            f"false-alarm level: {LEVEL:.0%} a session, cases selected: {cases}{shards}",
            f"fingerprint: {difference or 'as recorded'}",
            f"reproduce: {commands.judged([case], f'--seeds {wanted}')}",
            f"re-record: {commands.again([case])} --record",
            f"or accept these runs: {commands.accept('--case', case.id)}",
        ]
    )
