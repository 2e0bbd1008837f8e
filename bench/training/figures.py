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
# Of the weights, which then repeat: a prime, so that equal tensors side by side do not get equal ones.
PERIOD = 65_521


def figure(tensors: Iterable[Tensor]) -> float:
    """Weighted root mean square of the values of some tensors on one device; 0 of none.

    Args:
        tensors: of any shapes and dtypes; of more than `SAMPLES` values every n-th counts.
    """
    samples = [sample(tensor).double() for tensor in tensors]
    if not samples:
        return 0.0
    values = torch.cat(samples)
    positive, negative = (
        weights.repeat(math.ceil(len(values) / PERIOD))[: len(values)] for weights in _weights(values.device)
    )
    return (torch.where(values < 0, negative, positive) * values.square()).mean().sqrt().item()


def sample(tensor: Tensor) -> Tensor:
    """The values that `figure` looks at, in one dimension; a view where that can be."""
    values = tensor.detach().flatten()
    return values[:: math.ceil(len(values) / SAMPLES)] if len(values) else values


@cache
def _weights(device: torch.device) -> tuple[Tensor, Tensor]:
    """From 0.5 to 1.5 by position: those of values from 0 on, and those of values below."""
    places = torch.arange(PERIOD, dtype=torch.float64)
    positive, negative = (0.5 + places * math.sqrt(step) % 1 for step in (5, 3))
    return positive.to(device), negative.to(device)
