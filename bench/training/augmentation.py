"""Augmentation of training batches by name, each image its own draw: `AUGMENTATIONS["crop_flip"](batch, generator)`.

Functions of a batch (N x C x H x W, on any device) and a CPU generator, so that every device sees the same draws.
torchvision's transforms do the same to a whole batch, and its loaders call them image by image.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

# D2: the authors' repository flips so often and rotates so far to either side (degrees).
FLIP_RATE = 0.4
MAX_ANGLE = 30.0
# What a rotation turns in from outside: black in the preprocessing `range`, as torchvision fills pictures.
BLACK = -1.0
# He et al. 2015, arXiv 1512.03385, section 4.2.
PADDING = 4


def flip_rotate(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Horizontal flip with probability 0.4, then rotation by up to 30 degrees to either side (D2).

    Nearest pixel, as torchvision's RandomRotation does unless told otherwise. Pixels from outside are -1: black, if
    the batch is scaled to [-1, 1] as D2 scales it.
    """
    height, width = batch.shape[2:]
    flip, turn = torch.rand(2, len(batch), generator=generator)
    mirror = torch.where(flip < FLIP_RATE, -1.0, 1.0)
    angle = (2 * turn - 1) * math.radians(MAX_ANGLE)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros(len(batch))
    # Of each place of the output, in halves of width and height from the centre, the place that it comes from.
    rows = [mirror * cos, -mirror * sin * (height / width), zero], [sin * (width / height), cos, zero]
    origins = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1).to(batch)
    grid = F.affine_grid(origins, list(batch.shape), align_corners=False)
    return F.grid_sample(batch - BLACK, grid, mode="nearest", padding_mode="zeros", align_corners=False) + BLACK


def crop_flip(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Pads by 4, crops at random to the old size, flips horizontally with probability 0.5 (He et al. 2015).

    The padding is 0, the mean of standardised images: the source pads after it has subtracted the mean.
    """
    height, width = batch.shape[2:]
    images = torch.arange(len(batch), device=batch.device)
    down, right = torch.randint(2 * PADDING + 1, (2, len(batch)), generator=generator).to(batch.device)
    flip = (torch.rand(len(batch), generator=generator) < 0.5).to(batch.device)
    windows = F.pad(batch, [PADDING] * 4).unfold(2, height, 1).unfold(3, width, 1)
    cropped = windows[images, :, down, right]
    return torch.where(flip[:, None, None, None], cropped.flip(3), cropped)


AUGMENTATIONS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "none": lambda batch, generator: batch,
    "flip_rotate": flip_rotate,
    "crop_flip": crop_flip,
}
