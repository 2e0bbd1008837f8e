"""One number for tensors, by which two machines agree on them: `figure([weight, bias])`.

The root mean square of all values, each with a weight of its own for its position and its sign. It is positive and
cannot cancel, it is continuous, and it sees a value, a sign, an order or a number of values that changed. The weights
are exact in float64, so that they are the same on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache

import torch
from torch import Tensor

# At most of one tensor, evenly spaced: some hold millions of values.
SAMPLES = 2**15


def figure(tensors: Iterable[Tensor]) -> float:
    """Weighted root mean square of the values of some tensors on one device; 0 of none.

    Args:
        tensors: of any shapes and dtypes; of more than `SAMPLES` values every n-th counts.
    """
    total, count = 0.0, 0
    for place, tensor in enumerate(tensors):
        values = sample(tensor).double()
        positive, negative = (weights[: len(values)] for weights in _weights(values.device))
        squares = torch.where(values < 0, negative, positive) * values.square()
        total += (0.5 + place * math.pi % 1) * squares.sum().item()
        count += len(values)
    return math.sqrt(total / count) if count else 0.0


def sample(tensor: Tensor) -> Tensor:
    """The values that `figure` looks at, in one dimension; a view where that can be."""
    values = tensor.detach().flatten()
    return values[:: max(1, math.ceil(len(values) / SAMPLES))]


@cache
def _weights(device: torch.device) -> tuple[Tensor, Tensor]:
    """From 0.5 to 1.5 by position: those of values from 0 on, and those of values below."""
    places = torch.arange(SAMPLES, dtype=torch.float64)
    positive, negative = (0.5 + places * math.sqrt(step) % 1 for step in (5, 3))
    return positive.to(device), negative.to(device)
