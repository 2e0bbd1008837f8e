"""Images under shot noise: `shot_noise(images, psi=8, generator)`; drawn by `bench.data.picture`.

D5's document trains on CIFAR-10 'corrupted at psi 8, 16, 32, 64', 8 the noisiest, and gives no formula. Our reading,
to be labelled as such wherever its results are shown: psi is the peak count of shot noise, what a sensor in low light
sees when full white is psi photons on average.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.cases import seeding


def shot_noise(images: Tensor, psi: float, generator: torch.Generator) -> Tensor:
    """Poisson(psi * x) / psi, clipped to [0, 1].

    The mean is x and the variance x / psi, but for what is clipped: bright pixels stay below white, as in every image
    file, and as in the shot noise of the corruption benchmarks (Hendrycks and Dietterich 2019, arXiv 1903.12261).

    Args:
        images: pixels in [0, 1], on the CPU, of any shape.
        psi: photons that full white sends to a pixel on average, above 0.
        generator: of the CPU. Photons are counted image by image: more images do not change the first ones.
    """
    return (torch.poisson(images * psi, generator) / psi).clamp(max=1)


def corrupt(images: Tensor, psi: int, part: str) -> Tensor:
    """Shot noise that depends on the part and psi alone: all runs and all cases see the same corrupted images."""
    return shot_noise(images, psi, seeding.generator(psi, f"shot noise of the {part} part"))
