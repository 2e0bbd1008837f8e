"""The convolutional network of the GELU paper: `models.build("gelu_cnn", input_shape=(3, 32, 32), ...)`."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from models.narrow import scaled
from models.slot import Slot


class GELUCNN(nn.Sequential):
    """Nine convolutions with batch norm behind noise on the input, and a mean over the image.

    Table 1 of Hendrycks and Gimpel 2016, arXiv 1606.08415, after Salimans and Kingma 2016, arXiv 1602.07868: three
    times 96@3x3, pool, dropout, three times 192@3x3, pool, dropout, 192@3x3 without padding, two times 192@1x1.
    The inputs are to be whitened (ZCA).

    Args:
        input_shape: `(channels, height, width)`, 12 pixels or more a side.
        num_classes: width of the output.
        slot: what makes the activations.
        width: what all channel counts are multiplied by.
        dropout: behind both pools.
        noise: standard deviation of the Gaussian noise on the inputs in training.

    Shape:
        Input `(N, *input_shape)`; output `(N, num_classes)`.

    Raises:
        ValueError: a width not positive, or a dropout outside [0, 1].
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_classes: int,
        slot: Slot,
        width: float = 1.0,
        dropout: float = 0.5,
        noise: float = 0.15,
    ) -> None:
        few, many = slot.units(scaled(96, width)), slot.units(scaled(192, width))
        conv = partial(_conv, slot)
        super().__init__(
            GaussianNoise(noise),
            *(*conv(input_shape[0], few), *conv(few, few), *conv(few, few)),
            *(nn.MaxPool2d(2), nn.Dropout(dropout)),
            *(*conv(few, many), *conv(many, many), *conv(many, many)),
            *(nn.MaxPool2d(2), nn.Dropout(dropout)),
            *(*conv(many, many, padding=0), *conv(many, many, 1), *conv(many, many, 1)),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(many, num_classes)),
        )
        slot.fill(self, input_shape)


class GaussianNoise(nn.Module):
    """Adds noise of a standard deviation in training, drawn from torch's global generator, and nothing otherwise."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        return x + self.std * torch.randn_like(x) if self.training else x

    def extra_repr(self) -> str:
        return f"std={self.std}"


def _conv(slot: Slot, inputs: int, outputs: int, size: int = 3, padding: int | None = None) -> tuple[nn.Module, ...]:
    """A convolution with its norm and activation; it keeps height and width unless told otherwise."""
    padding = size // 2 if padding is None else padding
    conv = nn.Conv2d(inputs, slot.inputs(outputs), size, padding=padding, bias=False)
    return conv, nn.BatchNorm2d(conv.out_channels), slot.lazy()
