"""Learning rate schedules by name, stepped after every batch: `schedules.build("cosine", optimizer, steps)`.

All are torch's own; a recipe's `learning_rate` is the highest rate of each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

# The lowest rate of a triangle is the highest over this: OneCycleLR's and fastai's default.
TRIANGLE_DIVISOR = 25


def _linear_from_half(optimizer: Optimizer, steps: int) -> LRScheduler:
    """Constant, then linear to zero over the second half: Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.5."""
    from torch.optim.lr_scheduler import LambdaLR

    return LambdaLR(optimizer, lambda step: min(1.0, 2 * (1 - step / steps)))


def _cosine(optimizer: Optimizer, steps: int) -> LRScheduler:
    """Half a cosine down to zero: Loshchilov and Hutter 2016, arXiv 1608.03983, without restarts."""
    from torch.optim.lr_scheduler import CosineAnnealingLR

    return CosineAnnealingLR(optimizer, steps)


def _triangular(optimizer: Optimizer, steps: int) -> LRScheduler:
    """One triangle, up for the first half and down for the second: Smith 2017, arXiv 1506.01186."""
    from torch.optim.lr_scheduler import CyclicLR

    highest = [group["lr"] for group in optimizer.param_groups]
    lowest = [rate / TRIANGLE_DIVISOR for rate in highest]
    return CyclicLR(optimizer, lowest, highest, step_size_up=max(1, steps // 2), cycle_momentum=False)


def _one_cycle(optimizer: Optimizer, steps: int) -> LRScheduler:
    """torch's one-cycle policy, momentum left alone: Smith and Topin 2017, arXiv 1708.07120."""
    from torch.optim.lr_scheduler import OneCycleLR

    highest = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, highest, total_steps=steps, cycle_momentum=False)


SCHEDULES: dict[str, Callable[[Optimizer, int], LRScheduler] | None] = {
    "constant": None,
    "linear_from_half": _linear_from_half,
    "cosine": _cosine,
    "triangular": _triangular,
    "one_cycle": _one_cycle,
}


def build(name: str, optimizer: Optimizer, steps: int) -> LRScheduler | None:
    """The scheduler of a run of so many optimizer steps; None where the rate is constant.

    Raises:
        ValueError: unknown schedule; the message lists the known ones.
    """
    if name not in SCHEDULES:
        raise ValueError(f"unknown schedule {name!r}; known: {', '.join(SCHEDULES)}")
    make = SCHEDULES[name]
    return make(optimizer, steps) if make else None
