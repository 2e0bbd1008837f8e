"""What the timing tests are handed by their fixture `timing`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.session.settings import Settings

if TYPE_CHECKING:
    import torch

    from bench.timing.kernels.timings import TimedKernel
    from bench.timing.peers.comparison import PeerTimes
    from bench.timing.peers.correctness import PeerErrors


@dataclass(frozen=True)
class TimingContext:
    """What a timing test needs of its session.

    Attributes:
        settings: what the command line asks for.
        device: to time on.
        cases: timings selected in the session, among which its false alarms are shared.
        timed, peer_times, peer_errors: what was found; the tables at the end are made of it.
    """

    settings: Settings
    device: torch.device
    cases: int
    timed: list[TimedKernel]
    peer_times: list[PeerTimes]
    peer_errors: list[PeerErrors]
