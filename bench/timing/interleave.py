"""Times calls in turn in one process, so that the drift of a shared machine cancels out of their ratios.

    seconds = interleave.measure_in_turn({"mine": f, "relu": g}, rounds=20, device=device)
    interleave.ratio(seconds["mine"], seconds["relu"]).median

Importing this module does not load torch, for the sake of collection.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from bench.training.device import clock

if TYPE_CHECKING:
    import torch

Call: TypeAlias = Callable[[], object]


def loops_for(call: Call, device: torch.device, minimum: float) -> int:
    """How often to repeat a call so that one sample takes at least `minimum` seconds; warms the call up."""
    loops = 1
    _sample(call, 1, device)
    while (taken := loops * _sample(call, loops, device)) < minimum:
        loops = max(2 * loops, math.ceil(1.2 * loops * minimum / max(taken, 1e-9)))
    return loops


def measure_in_turn(
    calls: Mapping[str, Call], *, rounds: int, device: torch.device, loops: Mapping[str, int] | None = None
) -> dict[str, list[float]]:
    """Seconds a call in each round; every round takes one sample of each call, in the order given.

    Args:
        calls: what to time, by name; warm them up first.
        rounds: samples of each.
        device: where they run; on CUDA the time is that between two events in the stream.
        loops: repetitions within a sample, by name; 1 unless given.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            taken[name].append(_sample(call, loops[name] if loops else 1, device))
    return taken


@dataclass(frozen=True)
class Ratio:
    """Median of the rounds' ratios, and the standard deviation of their logarithms."""

    median: float
    sd_log: float


def ratio(ones: Sequence[float], others: Sequence[float]) -> Ratio:
    """How `ones` relate to `others`, round by round: at least two rounds of each."""
    logs = [math.log(one / other) for one, other in zip(ones, others, strict=True)]
    return Ratio(math.exp(statistics.median(logs)), statistics.stdev(logs))


def _sample(call: Call, loops: int, device: torch.device) -> float:
    """Mean seconds a call over `loops` calls."""
    if device.type == "cuda":
        import torch

        begin = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(loops):
            call()
        end.record()
        end.synchronize()
        return float(begin.elapsed_time(end)) / 1000 / loops
    start = clock()
    for _ in range(loops):
        call()
    return (clock() - start) / loops
