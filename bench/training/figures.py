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

from bench.records.probes import ZERO

# At most of one tensor, evenly spaced: some hold millions of values.
SAMPLES = 2**15
# Of the weights, which then repeat: a prime, so that equal tensors side by side do not get equal ones.
PERIOD = 65_521


def figure(tensors: Iterable[Tensor]) -> float:
    """Weighted root mean square of the values of some tensors; 0 of none.

    Args:
        tensors: of any shapes, dtypes and devices; of more than `SAMPLES` values every n-th counts.
    """
    samples = [sample(tensor).cpu().double() for tensor in tensors]  # some devices have no float64
    if not samples:
        return 0.0
    values = torch.cat(samples)
    positive, negative = (weights.repeat(math.ceil(len(values) / PERIOD))[: len(values)] for weights in _weights())
    return (torch.where(values < 0, negative, positive) * values.square()).mean().sqrt().item()


def sample(tensor: Tensor, most: int = SAMPLES, row: int = 1) -> Tensor:
    """Evenly spaced values, so many at most, in one dimension; a view where that can be.

    Args:
        row: values of each row of the tensor, of which all places are to be met: a distance that has a factor in common
            with it meets the same few in every row, as of MNIST's 55,000 images the black pixels at the edges.
    """
    values = tensor.detach().flatten()
    if not len(values):
        return values
    distance = math.ceil(len(values) / most)
    while math.gcd(distance, row) > 1:
        distance += 1
    return values[::distance]


def relative_error(exact: Tensor, values: Tensor) -> float:
    """Root mean square of the differences over that of the exact values, where both are numbers.

    Infinite where only one of two is a number, and where an error stands beside zeros.
    """
    numbers = exact.isfinite() & values.isfinite()
    size, error = (torch.where(numbers, one, 0).norm().item() for one in (exact, values - exact))
    same = torch.equal(exact.isfinite(), values.isfinite())
    return 0.0 if same and error <= ZERO else error / size if same and size else math.inf


@cache
def _weights() -> tuple[Tensor, Tensor]:
    """From 0.5 to 1.5 by position: those of values from 0 on, and those of values below."""
    places = torch.arange(PERIOD, dtype=torch.float64)
    positive, negative = (0.5 + places * math.sqrt(step) % 1 for step in (5, 3))
    return positive, negative
