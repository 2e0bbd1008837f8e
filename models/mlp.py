"""The fully connected network of the GELU paper: `models.build("mlp", input_shape=(1, 28, 28), ...)`."""

from __future__ import annotations

from math import prod

from torch import nn

from models._registry import ActivationFactory


class MLP(nn.Sequential):
    """`depth` hidden layers of `width` units, an activation after each, and a linear output.

    8 layers of 128 in Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.1.

    Shape:
        Input `(N, *input_shape)`, flattened; output `(N, num_classes)`.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_classes: int,
        activation: ActivationFactory,
        width: int = 128,
        depth: int = 8,
    ) -> None:
        layers: list[nn.Module] = [nn.Flatten()]
        inputs = prod(input_shape)
        for _ in range(depth):
            layers += [nn.Linear(inputs, width), activation((width,))]
            inputs = width
        super().__init__(*layers, nn.Linear(inputs, num_classes))
