"""Noise on test inputs: `uniform_noise(inputs, amplitude, generator)`."""

from __future__ import annotations

import torch
from torch import Tensor

# Inputs in [-1, 1] for pixels in [0, 1].
RANGE_PER_PIXEL = 2


def uniform_noise(inputs: Tensor, amplitude: float, generator: torch.Generator) -> Tensor:
    """Inputs plus U[-amplitude, amplitude] on the scale of pixels in [0, 1], where the GELU paper has them.

    Not clipped: the source (arXiv 1606.08415, section 3.1, amplitudes up to 3) says nothing of it. The same generator
    gives the same noise at every amplitude, but for its size.

    Args:
        inputs: any shape and device, scaled to [-1, 1] (the preprocessing `range`).
        amplitude: 0.5 moves a pixel by half the way from black to white at most.
        generator: of the CPU, so that every device sees the same noise.
    """
    noise = torch.rand(inputs.shape, generator=generator).to(inputs.device)
    return inputs + RANGE_PER_PIXEL * amplitude * (2 * noise - 1)
