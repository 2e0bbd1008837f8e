"""Two commits timed in turn: `comparison.compare_commits("v1.0", "HEAD", "apl and cache", "auto", Path.cwd())`.

On a machine that others use too, one commit after the other differs by whatever the others do meanwhile. So samples of
a few milliseconds are taken in turn, base, head and base again: what drifts slowly cancels out of their ratios, and
what does not shows in the ratio of base to itself. A block starts the three processes anew, since where code and
tensors come to lie is noise that no number of rounds within a process averages out.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TypeAlias

from tabulate import tabulate

from bench.display.tables import how_many
from bench.regression.worktrees import worktree
from bench.timing.ab import arms, items
from bench.timing.ab.arms import Arm
from bench.timing.ab.items import TimedEpoch
from bench.timing.ab.verdict import ComparedTimes, TimedBlock, judged
from bench.timing.kernels.kernel import Kernel

BLOCKS = 5  # and as many again of what they find: only all together can make it a finding
# Of an item in a block: as many turns of three rounds as fit into the budget, within these limits.
BUDGET_SECONDS = 0.6
TURNS = (3, 15)

Item: TypeAlias = Kernel | TimedEpoch
Lacking: TypeAlias = Mapping[Item, tuple[str, ...]]  # which arm does, and why
Start: TypeAlias = Callable[[], AbstractContextManager[Mapping[str, Arm]]]


def compare_commits(
    base: str, head: str, expression: str, device: str, repository: Path, tell: Callable[[str], None]
) -> tuple[str, bool]:
    """What was found, as text, and whether anything got worse, or is not in head any more.

    Args:
        base, head: commits, as git names them.
        expression: of `-k`, see `items.select`.
        device: as of `--device`.
        repository: a folder of it.
        tell: is given a line before each block, which takes seconds to minutes.

    Raises:
        ValueError: git cannot do it, nothing is selected that base has, or a commit cannot be timed.
    """
    chosen = items.select(expression)
    with worktree(repository, base) as old, worktree(repository, head) as new:
        found, lacking = timed_in_turn(chosen, partial(arms.started, old, new, device), tell)
    text, lost = times_text(found, lacking), any(name == "head" for name, _ in lacking.values())
    if not found and not lost:
        raise ValueError(f"nothing could be compared; {text.splitlines()[0]}")
    return text, lost or any(one.verdict == "REGRESSED" for one in found)


def timed_in_turn(
    chosen: Sequence[Item], start: Start, tell: Callable[[str], None]
) -> tuple[list[ComparedTimes], Lacking]:
    """What is found of each item, and which commit lacks some of them.

    Args:
        start: the arms `base`, `head` and `again`, anew.
        tell: is given a line before each block.
    """
    blocks: dict[Item, list[TimedBlock]] = {item: [] for item in chosen}
    lacking: dict[Item, tuple[str, ...]] = {}
    todo = list(chosen)
    for number in range(2 * BLOCKS):
        if number == BLOCKS:
            todo = [one.item for one in _judged(blocks, lacking) if one.verdict != "WITHIN"]
        if not todo:
            break
        what = "" if number < BLOCKS else " once more, since they look changed"
        tell(f"block {number % BLOCKS + 1} of {BLOCKS}: {how_many(len(todo), 'item')}{what}")
        with start() as three:
            for item in todo:
                try:
                    blocks[item].append(_block(item, three))
                except LookupError as error:
                    lacking[item] = error.args
        todo = [item for item in todo if item not in lacking]
    return _judged(blocks, lacking), lacking


def _judged(blocks: Mapping[Item, Sequence[TimedBlock]], lacking: Lacking) -> list[ComparedTimes]:
    return [judged(item, found, len(blocks)) for item, found in blocks.items() if item not in lacking]


def _block(item: Item, three: Mapping[str, Arm]) -> TimedBlock:
    """Each arm is the first of every third round, and none follows itself: it would find its tensors in the cache."""
    warm = {}
    for name, arm in three.items():
        try:
            warm[name] = arm.prepare(item)
        except LookupError as error:
            raise LookupError(name, str(error)) from error
    order = deque(three)
    taken: dict[str, list[float]] = {name: [] for name in order}
    least, most = TURNS
    turns, start = least, time.perf_counter()
    while len(taken["base"]) < turns * len(order):
        for name in order:
            taken[name].append(three[name].sample(warm["base"].loops))
        order.rotate(-1)
        if len(taken["base"]) == len(order):
            turns = min(max(int(BUDGET_SECONDS / (time.perf_counter() - start)), least), most)
    return TimedBlock(
        base=statistics.median(taken["base"]),
        head=statistics.median(taken["head"]),
        head_log=_median_log(taken["head"], taken["base"]),
        again_log=_median_log(taken["again"], taken["base"]),
        base_bytes=warm["base"].bytes_saved,
        head_bytes=warm["head"].bytes_saved,
    )


def _median_log(ones: Iterable[float], others: Iterable[float]) -> float:
    return statistics.median(math.log(one / other) for one, other in zip(ones, others, strict=True))


def times_text(found: Sequence[ComparedTimes], lacking: Lacking) -> str:
    """As a table, the largest ratio first; ± is the standard deviation between blocks."""
    rows = [
        {
            "timed": one.item.id,
            "base": _milliseconds([block.base for block in one.blocks]),
            "head": _milliseconds([block.head for block in one.blocks]),
            "head / base": _ratio(one.head_logs),
            "base / base": _ratio(one.again_logs),
            "shows": f"{one.reach:.0%}",
            "verdict": f"{one.verdict}{_bytes(one.blocks[-1])}",
        }
        for one in sorted(found, key=lambda one: -statistics.fmean(one.head_logs))
    ]
    legend = (
        "± between blocks of fresh processes; base / base is noise; what is below `shows` could not be told from it"
    )
    return "\n".join(
        [
            *([tabulate(rows, headers="keys", disable_numparse=True), legend] if rows else []),
            *(f"not compared: {item.id}: {name} lacks it: {why}" for item, (name, why) in lacking.items()),
        ]
    )


def _milliseconds(seconds: Iterable[float]) -> str:
    return f"{statistics.median(seconds) * 1e3:.3g} ms"


def _ratio(logs: Sequence[float]) -> str:
    return f"{math.exp(statistics.fmean(logs)):.3f} ± {statistics.stdev(logs):.1%}"


def _bytes(block: TimedBlock) -> str:
    if block.head_bytes == block.base_bytes:
        return ""
    return f", keeps {block.head_bytes:,} bytes, before {block.base_bytes:,}"
