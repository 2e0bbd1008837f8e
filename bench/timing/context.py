"""What the timing tests are handed by their fixture `timing`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.session.settings import Settings
from bench.timing import kernels

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class TimingContext:
    """What a timing test needs of its session.

    Attributes:
        settings: what the command line asks for.
        device: to time on.
        cases: timings selected in the session, among which its false alarms are shared.
        rows: what was found; the table at the end is made of it.
        compared, counted: likewise, beside peers.
    """

    settings: Settings
    device: torch.device
    cases: int
    rows: list[Any]
    compared: list[kernels.Compared]
    counted: list[kernels.Count]
