"""Noise on test inputs: `uniform_noise(inputs, amplitude, generator)`."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform_noise(inputs: Tensor, amplitude: float, generator: torch.Generator) -> Tensor:
    """Inputs plus U[-amplitude, amplitude].

    Not clipped: the source (arXiv 1606.08415, section 3.1, amplitudes up to 3) says nothing of it. The same generator
    gives the same noise at every amplitude, but for its size.

    Args:
        inputs: any shape and device.
        amplitude: on the scale of the inputs, see `bench.cases.recipe.CONTRAST`.
        generator: of the CPU, so that every device sees the same noise.
    """
    noise = torch.rand(inputs.shape, generator=generator).to(inputs.device)
    return inputs + amplitude * (2 * noise - 1)
