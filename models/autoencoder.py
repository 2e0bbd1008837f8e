"""The deep autoencoder of the GELU paper: `models.build("autoencoder", input_shape=(1, 28, 28), ...)`."""

from __future__ import annotations

from itertools import pairwise
from math import prod

from torch import nn

from models.narrow import scaled
from models.slot import Slot

HIDDEN = (1000, 500, 250, 30, 250, 500, 1000)


class Autoencoder(nn.Sequential):
    """Linear layers of 1000, 500, 250, 30, 250, 500 and 1000 units and one back to the size of the input.

    Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.2. An activation follows every layer but the last, the code
    of 30 units too, as in the authors' mnist_ae.py; in Hinton and Salakhutdinov 2006 that code is linear.

    Args:
        input_shape: shape of one example.
        num_classes: not used, since labels are not; every network is asked for it.
        slot: what makes the activations.
        width: what all hidden layers are multiplied by.

    Shape:
        Input `(N, *input_shape)`, flattened; output `(N, prod(input_shape))`.

    Raises:
        ValueError: a width not positive.
    """

    def __init__(self, input_shape: tuple[int, ...], num_classes: int, slot: Slot, width: float = 1.0) -> None:
        sizes = [prod(input_shape), *(slot.units(scaled(units, width)) for units in HIDDEN)]
        hidden: list[nn.Module] = []
        for inputs, units in pairwise(sizes):
            hidden += [nn.Linear(inputs, slot.inputs(units)), slot((units,))]
        super().__init__(nn.Flatten(), *hidden, nn.Linear(sizes[-1], sizes[0]))
