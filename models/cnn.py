"""PyTorch's CIFAR-10 tutorial network: `models.build("cnn", input_shape=(3, 32, 32), ...)`."""

from __future__ import annotations

from torch import nn

from models.slot import Slot


class CNN(nn.Sequential):
    """conv 6@5x5, pool, conv 16@5x5, pool, linear 120, 84, classes; one activation after all but the last.

    pytorch.org/tutorials/beginner/blitz/cifar10_tutorial, with the input channels and the first linear layer
    adapted to the images.

    Shape:
        Input `(N, channels, height, width)`, 28 pixels or more a side; output `(N, num_classes)`.
    """

    def __init__(self, input_shape: tuple[int, ...], num_classes: int, slot: Slot) -> None:
        channels, height, width = input_shape
        one, two, three, four = map(slot.units, (6, 16, 120, 84))
        first = (one, height - 4, width - 4)  # a 5x5 kernel without padding takes 4 pixels
        second = (two, first[1] // 2 - 4, first[2] // 2 - 4)
        flat = two * (second[1] // 2) * (second[2] // 2)
        super().__init__(
            *(nn.Conv2d(channels, slot.inputs(one), 5), slot(first), nn.MaxPool2d(2)),
            *(nn.Conv2d(one, slot.inputs(two), 5), slot(second), nn.MaxPool2d(2)),
            nn.Flatten(),
            *(nn.Linear(flat, slot.inputs(three)), slot((three,))),
            *(nn.Linear(three, slot.inputs(four)), slot((four,))),
            nn.Linear(four, num_classes),
        )
