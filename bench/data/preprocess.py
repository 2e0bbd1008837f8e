"""What a network gets to see of the pixels: `PREPROCESSING["zca"](train, peak)` fits a transform on training images.

Each function takes the images trained on (float32 in [0, peak], N x C x H x W; `standard` also takes frames of
speech, N x features) and gives a function that is applied to every part. Statistics never come from validation or test
images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor

from bench.data import store
from bench.data.errors import DataError

Transform: TypeAlias = Callable[[Tensor], Tensor]

# Added to each eigenvalue of the covariance, as in the GELU paper's own code: github.com/hendrycks/GELUs, nn.py,
# which takes it from Salimans and Kingma (arXiv 1602.07868).
ZCA_EPSILON = 1e-5
CHUNK = 5000  # rows that are held in float64 at a time
# Of fewer the whitening takes less than a second.
CACHED_PIXELS = 1000


def scale_to_range(train: Tensor, peak: int) -> Transform:
    """To [-1, 1], whatever the images are."""
    return lambda images: images * (2 / peak) - 1


def scale_to_unit_range(train: Tensor, peak: int) -> Transform:
    """To [0, 1], as torchvision's ToTensor has them."""
    return lambda images: images / peak


def standardise(train: Tensor, peak: int) -> Transform:
    """To mean 0 and standard deviation 1 in each channel, or feature."""
    variance, mean = torch.var_mean(train, dim=(0, *range(2, train.ndim)), keepdim=True)
    return lambda images: (images - mean) / variance.sqrt()


def whiten(train: Tensor, peak: int) -> Transform:
    """ZCA whitening of images scaled to [-1, 1]: uncorrelated pixels of variance 1, changed as little as that allows.

    Of CIFAR-10's 3072 pixels the matrix takes about a minute on two cores, half of that for the eigenvalues: it is kept
    in the cache folder.

    Raises:
        DataError: fewer images than pixels. Their covariance is singular, and what other images have outside the
            span of these would grow up to 300 times. Or the cache is corrupt or cannot be written.
    """
    rows, pixels = len(train), train[0].numel()
    if rows < pixels:
        raise DataError(
            f"the preprocessing zca needs at least as many training rows as an image has values, {pixels}; the recipe "
            f"takes {rows}. Give it a larger train_size, smaller images, or the preprocessing standard"
        )
    make = partial(_whitening, train, peak)
    fitted = make() if pixels < CACHED_PIXELS else store.cached(store.place("zca", _stamp(train, peak)), make)[0]
    scale, mean, matrix = scale_to_range(train, peak), fitted["mean"], fitted["matrix"]
    return lambda images: ((scale(images).flatten(1) - mean) @ matrix).view_as(images)


def _whitening(train: Tensor, peak: int) -> dict[str, Tensor]:
    """Mean and matrix by which scaled images are whitened, in float32."""
    rows, pixels = len(train), train[0].numel()
    scale = scale_to_range(train, peak)
    mean = torch.stack([scale(chunk).flatten(1).double().sum(0) for chunk in train.split(CHUNK)]).sum(0) / rows
    covariance = torch.zeros(pixels, pixels, dtype=torch.float64)
    for chunk in train.split(CHUNK):
        centred = scale(chunk).flatten(1).double() - mean
        covariance.addmm_(centred.T, centred, alpha=1 / rows)
    values, vectors = torch.linalg.eigh(covariance)
    matrix = (vectors * (values + ZCA_EPSILON).rsqrt()) @ vectors.T
    return {"mean": mean.float(), "matrix": matrix.float()}


def _stamp(train: Tensor, peak: int) -> str:
    """Names what the bits of a whitening depend on: the images, and how this process computes."""
    computed_by = (torch.__version__, torch.backends.cpu.get_cpu_capability(), torch.get_num_threads())
    digest = hashlib.sha256(repr((tuple(train.shape), peak, ZCA_EPSILON, computed_by)).encode())
    digest.update(train.contiguous().numpy().data)
    return digest.hexdigest()[:16]


PREPROCESSING: dict[str, Callable[[Tensor, int], Transform]] = {
    "range": scale_to_range,
    "unit_range": scale_to_unit_range,
    "standard": standardise,
    "zca": whiten,
}
