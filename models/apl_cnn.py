"""The networks that APL units are tried in: `models.build("apl_cnn3", input_shape=(3, 32, 32), dropout=0.5, ...)`."""

from __future__ import annotations

from functools import partial

from torch import nn

from models.narrow import scaled
from models.slot import Slot

CHANNELS = (96, 128, 256)


class APLCNN(nn.Sequential):
    """5x5 convolutions of 96, 128, 256 and again 256 channels, three pools, two linear layers of 2048 units.

    The slides (A5, A6) give the convolutions of the shallowest network; they are those of Agostinelli et al. 2014,
    arXiv 1412.6830, section 3.1, and so the rest is taken from there: a max pool and two mean pools of 3x3 with stride
    2, the linear layers and the dropout. Where the slides' deeper networks have their further convolutions they do not
    say: here behind the third, before the last pool.

    Args:
        convolutions: 3 or more.
        input_shape: `(channels, height, width)`, 8 pixels or more a side.
        num_classes: width of the output.
        slot: what makes the activations.
        width: what all channels and units are multiplied by.
        dropout: behind the last pool and the linear layers; before every pool and behind the first two half as much.

    Shape:
        Input `(N, *input_shape)`; output `(N, num_classes)`.

    Raises:
        ValueError: a width not positive, or a dropout outside [0, 1].
    """

    def __init__(
        self,
        convolutions: int,
        input_shape: tuple[int, ...],
        num_classes: int,
        slot: Slot,
        width: float = 1.0,
        dropout: float = 0.5,
    ) -> None:
        channels, height, breadth = input_shape
        one, two, three, units = (slot.units(scaled(full, width)) for full in (*CHANNELS, 2048))
        conv = partial(_conv, slot)
        deeper = [layer for _ in range(convolutions - 3) for layer in conv(three, three)]
        for _ in range(3):
            height, breadth = height // 2, breadth // 2
        super().__init__(
            *(*conv(channels, one), *_pool(nn.MaxPool2d, dropout / 2, dropout / 2)),
            *(*conv(one, two), *_pool(nn.AvgPool2d, dropout / 2, dropout / 2)),
            *(*conv(two, three), *deeper, *_pool(nn.AvgPool2d, dropout / 2, dropout)),
            nn.Flatten(),
            *(nn.Linear(three * height * breadth, slot.inputs(units)), slot.lazy(), nn.Dropout(dropout)),
            *(nn.Linear(units, slot.inputs(units)), slot.lazy(), nn.Dropout(dropout)),
            nn.Linear(units, num_classes),
        )
        slot.fill(self, input_shape)


apl_cnn3 = partial(APLCNN, 3)
apl_cnn5 = partial(APLCNN, 5)
apl_cnn7 = partial(APLCNN, 7)


def _conv(slot: Slot, inputs: int, outputs: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, slot.inputs(outputs), 5, padding=2), slot.lazy()


def _pool(kind: type[nn.MaxPool2d | nn.AvgPool2d], before: float, behind: float) -> tuple[nn.Module, ...]:
    """A pool of 3x3 that halves height and width, between two dropouts."""
    return nn.Dropout(before), kind(3, stride=2, ceil_mode=True), nn.Dropout(behind)
