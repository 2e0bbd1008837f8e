"""Augmentation of training batches by name, each image its own draw: `AUGMENTATIONS["crop_flip"](batch, generator)`.

What is drawn, from a CPU generator so that every device sees the same, is apart from what is done with it to a batch
(N x C x H x W, on any device): `epoch` draws for all batches of an epoch and moves it to the device at once. A copy in
every step would have the CPU wait for the card. torchvision's transforms do the same to a whole batch, and its loaders
call them image by image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

Draws: TypeAlias = tuple[Tensor, ...]  # the first dimension of each goes over the images

# D2: the authors' repository flips so often and rotates so far to either side (degrees).
FLIP_RATE = 0.4
MAX_ANGLE = 30.0
# What a rotation turns in from outside: black in the preprocessing `range`, as torchvision fills pictures.
BLACK = -1.0
# He et al. 2015, arXiv 1512.03385, section 4.2.
PADDING = 4


@dataclass(frozen=True)
class Augmentation:
    """Random changes of images.

    Attributes:
        draw: what is random, for so many images, from a generator of the CPU.
        apply: what that makes of a batch on whose device it is.
    """

    draw: Callable[[int, torch.Generator], Draws]
    apply: Callable[..., Tensor]

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """A batch with its own draw."""
        return self.apply(batch, *(drawn.to(batch.device) for drawn in self.draw(len(batch), generator)))

    def epoch(self, images: int, batch_size: int, generator: torch.Generator, device: torch.device) -> Iterator[Draws]:
        """For each batch of an epoch, in turn, what `__call__` would draw for it, on the device."""
        sizes = [min(batch_size, images - start) for start in range(0, images, batch_size)]
        drawn = [self.draw(size, generator) for size in sizes]
        moved = [torch.cat(column).to(device).split(batch_size) for column in zip(*drawn, strict=True)]
        yield from zip(*moved, strict=True) if moved else drawn


def _draw_flip_rotate(images: int, generator: torch.Generator) -> Draws:
    """-1 where an image is flipped, else 1; cosine and sine of the angle by which it is turned."""
    flip, turn = torch.rand(2, images, generator=generator)
    mirror = torch.where(flip < FLIP_RATE, -1.0, 1.0)
    angle = (2 * turn - 1) * math.radians(MAX_ANGLE)
    return mirror, angle.cos(), angle.sin()


def _flip_rotate(batch: Tensor, mirror: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Horizontal flip with probability 0.4, then rotation by up to 30 degrees to either side (D2).

    Nearest pixel, as torchvision's RandomRotation does unless told otherwise. Pixels from outside are -1: black, if
    the batch is scaled to [-1, 1] as D2 scales it.
    """
    height, width = batch.shape[2:]
    zero = torch.zeros_like(cos)
    # Of each place of the output, in halves of width and height from the centre, the place that it comes from.
    rows = [mirror * cos, -mirror * sin * (height / width), zero], [sin * (width / height), cos, zero]
    origins = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1).to(batch.dtype)
    grid = F.affine_grid(origins, list(batch.shape), align_corners=False)
    return F.grid_sample(batch - BLACK, grid, mode="nearest", padding_mode="zeros", align_corners=False) + BLACK


def _draw_crop_flip(images: int, generator: torch.Generator) -> Draws:
    down, right = torch.randint(2 * PADDING + 1, (2, images), generator=generator)
    return down, right, torch.rand(images, generator=generator) < 0.5


def _crop_flip(batch: Tensor, down: Tensor, right: Tensor, flip: Tensor, mode: str = "constant") -> Tensor:
    """Pads by 4, crops at random to the old size, flips horizontally with probability 0.5 (He et al. 2015).

    The padding is 0, the mean of standardised images, since the source pads after it has subtracted the mean; or with
    `reflect` the mirror image of what is inside, as in fastai (D1).
    """
    height, width = batch.shape[2:]
    images = torch.arange(len(batch), device=batch.device)
    windows = F.pad(batch, [PADDING] * 4, mode).unfold(2, height, 1).unfold(3, width, 1)
    cropped = windows[images, :, down, right]
    return torch.where(flip[:, None, None, None], cropped.flip(3), cropped)


AUGMENTATIONS: dict[str, Augmentation] = {
    "none": Augmentation(lambda images, generator: (), lambda batch: batch),
    "flip_rotate": Augmentation(_draw_flip_rotate, _flip_rotate),
    "crop_flip": Augmentation(_draw_crop_flip, _crop_flip),
    "reflect_crop_flip": Augmentation(_draw_crop_flip, partial(_crop_flip, mode="reflect")),
}
