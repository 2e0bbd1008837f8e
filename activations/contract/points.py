"""Where activations are measured: `points.grid(torch.float32)`, dense in the middle, and at the ends of the dtype."""

from __future__ import annotations

import functools

import numpy as np
import torch

from activations.reference import Array

DENSE = 300
REACH = 12.0
HALF_TYPES = (torch.bfloat16, torch.float16)
# exp overflows at 88.7 (float32) and 709.8 (float64), and is zero from -104 and -745.2 on.
EDGES = (15.0, 17.0, 20.0, 21.0, 25.0, 30.0, 50.0, 88.0, 88.5, 89.0, 103.0, 104.0, 105.0, 709.0, 710.0, 745.0, 746.0)
POWERS = (-300, -200, -100, -44, -38, -37, -30, -20, -16, *range(-12, 7), 8, 12, 16, 19, 20, 30, 37, 38, 100, 154, 200)


@functools.cache
def grid(dtype: torch.dtype, inputs: int = 1) -> Array:
    """Finite points that the dtype represents, of shape (points, inputs).

    The half types share their points as far as they go, and so do float32 and float64: exact values are computed once.
    For two inputs each point of the first is paired with a random one of the second.
    """
    numbers = np.random.default_rng(0)
    if dtype in HALF_TYPES:
        magnitude = np.exp2(numbers.uniform(-9, np.log2(REACH), DENSE))
        dense = _rounded(magnitude * numbers.choice([-1, 1], DENSE), torch.bfloat16)  # a float16 too, in this range
    else:
        dense = _rounded(numbers.uniform(-REACH, REACH, DENSE), torch.float32)
    one = np.concatenate([dense, ends(dtype)])
    return np.stack([one, *(numbers.permutation(one) for _ in range(inputs - 1))], axis=1)


@functools.cache
def ends(dtype: torch.dtype) -> Array:
    """±0, the smallest and largest numbers, powers of ten, and where exp overflows and vanishes."""
    info = torch.finfo(dtype)
    smallest = info.smallest_normal
    round_ones = np.array([*EDGES, *(10.0**power for power in POWERS)])
    round_ones = np.where((round_ones > 1e-37) & (round_ones < 1e38), _rounded(round_ones, _narrow(dtype)), round_ones)
    positive = _rounded(np.array([0.0, smallest * info.eps, smallest, *round_ones, info.max]), dtype)
    positive = np.unique(positive[np.isfinite(positive)])
    return np.concatenate([positive, -positive])


def _narrow(dtype: torch.dtype) -> torch.dtype:
    return torch.bfloat16 if dtype in HALF_TYPES else torch.float32


def _rounded(x: Array, dtype: torch.dtype) -> Array:
    found: Array = torch.from_numpy(x).to(dtype).double().numpy()
    return found
