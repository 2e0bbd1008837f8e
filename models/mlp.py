"""The fully connected network of the GELU paper: `models.build("mlp", input_shape=(1, 28, 28), ...)`."""

from __future__ import annotations

from functools import partial
from math import prod

from torch import nn

from models.slot import Slot


class MLP(nn.Sequential):
    """`depth` hidden layers of `width` units, an activation after each, and a linear output.

    8 layers of 128 in Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.1; with dropout 0.5 behind each
    activation, and without.

    Shape:
        Input `(N, *input_shape)`, flattened; output `(N, num_classes)`.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_classes: int,
        slot: Slot,
        width: int = 128,
        depth: int = 8,
        dropout: float = 0.0,
    ) -> None:
        layers: list[nn.Module] = [nn.Flatten()]
        inputs, units = prod(input_shape), slot.units(width)
        for _ in range(depth):
            layers += [nn.Linear(inputs, slot.inputs(units)), slot((units,))]
            if dropout:  # no empty layers in between: recorded digests hold the layers' names
                layers.append(nn.Dropout(dropout))
            inputs = units
        super().__init__(*layers, nn.Linear(inputs, num_classes))


# Section 3.4 of the same paper.
timit_mlp = partial(MLP, width=2048, depth=5, dropout=0.5)
