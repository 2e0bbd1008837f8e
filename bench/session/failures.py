"""What a case that fails prints: numbers, band, seeds, fingerprint, and commands. `failures.of_runs(result, ...)`."""

from __future__ import annotations

from collections.abc import Iterable

from bench.records import addresses
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


def of_device(results: Iterable[Result], settings: Settings) -> str:
    """What a session says once, and fails by, that requires baselines where its device has none; empty elsewhere.

    Its cases pass as NEW then, since to each of them the same would have to be said.
    """
    new = [one for one in results if one.verdict == "NEW" and not (one.failed or one.quarantine)]
    records = [one.records[0] for one in new if one.records]
    if not (records and settings.require):
        return ""
    devices = ", ".join(sorted({one.device_class for one in records}))
    return (
        f"no rows of {devices} at {settings.scale} in {addresses.typed(settings.baseline_dir)}: what {len(records)} "
        "cases came to was compared with nothing, only their first steps were. If the commit is to be trusted, as one "
        "of the main branch and not a pull request's own, these runs become its rows by"
    )


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
