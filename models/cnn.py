"""PyTorch's CIFAR-10 tutorial network: `models.build("cnn", input_shape=(3, 32, 32), ...)`."""

from __future__ import annotations

from torch import nn

from models._registry import ActivationFactory


class CNN(nn.Sequential):
    """conv 6@5x5, pool, conv 16@5x5, pool, linear 120, 84, classes; one activation after all but the last.

    pytorch.org/tutorials/beginner/blitz/cifar10_tutorial, with the input channels and the first linear layer
    adapted to the images.

    Shape:
        Input `(N, channels, height, width)`, 28 pixels or more a side; output `(N, num_classes)`.
    """

    def __init__(self, input_shape: tuple[int, ...], num_classes: int, activation: ActivationFactory) -> None:
        channels, height, width = input_shape
        first = (6, height - 4, width - 4)  # a 5x5 kernel without padding takes 4 pixels
        second = (16, first[1] // 2 - 4, first[2] // 2 - 4)
        flat = 16 * (second[1] // 2) * (second[2] // 2)
        super().__init__(
            *(nn.Conv2d(channels, 6, 5), activation(first), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), activation(second), nn.MaxPool2d(2)),
            nn.Flatten(),
            *(nn.Linear(flat, 120), activation((120,))),
            *(nn.Linear(120, 84), activation((84,))),
            nn.Linear(84, num_classes),
        )
