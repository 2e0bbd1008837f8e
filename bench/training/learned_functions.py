"""What each site computes while it is trained: `Functions().sample(sites, shapes)` after every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

# Where functions are sampled: most of what arrives behind a layer lies within 3, and steps of 0.1 show a hinge.
GRID = tuple(round(-3 + 0.1 * step, 1) for step in range(61))
DIGITS = 5  # of the values kept


@dataclass
class Functions:
    """Samples of trained functions, by site in order of their making, then by epoch from 0, untrained.

    Attributes:
        sampled: `place0` and on: for each epoch the mean over the place's units on `GRID`; `place0_sd`: its spread.
    """

    sampled: dict[str, list[list[float]]] = field(default_factory=dict)

    @torch.inference_mode()
    def sample(self, sites: Sequence[nn.Module], shapes: Sequence[tuple[int, ...]]) -> None:
        """Add one epoch.

        Args:
            sites: the activation instances.
            shapes: of one example behind each.
        """
        for place, (module, shape) in enumerate(zip(sites, shapes, strict=True)):
            parameter = next(module.parameters(), torch.empty(0))
            x = torch.tensor(GRID, dtype=parameter.dtype, device=parameter.device)
            outputs = module(x.view(-1, *(1 for _ in shape)).expand(-1, *shape).contiguous())
            units = outputs.flatten(1).cpu().double()  # some devices have no float64
            for name, values in ((f"place{place}", units.mean(1)), (f"place{place}_sd", units.std(1, correction=0))):
                rounded = [round(value, DIGITS) for value in values.tolist()]
                self.sampled.setdefault(name, []).append(rounded)
