"""A recurrent network that reads images row by row: `models.build("rnn", input_shape=(1, 28, 28), zoneout=0.1)`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.narrow import scaled
from models.slot import Slot

UNITS = 128


class RNN(nn.Module):
    """h_t = tanh(W_x x_t + b + W_h h_(t-1)) over the rows x_t of an image, and a linear layer on the last state.

    Document B9 gives the equation and no sizes: 128 units, as the other networks of that document have. The tanh is
    one site, whose activation serves every row.

    Args:
        input_shape: `(channels, height, width)`; a row holds the pixels of all channels.
        num_classes: width of the output.
        slot: what makes the activation, the tanh of the equation.
        width: what the units are multiplied by.
        zoneout: probability with which a unit keeps its state, see `ZoneoutCell`.

    Shape:
        Input `(N, *input_shape)`; output `(N, num_classes)`.

    Raises:
        ValueError: a width not positive, or a zoneout outside [0, 1].
    """

    def __init__(
        self, input_shape: tuple[int, ...], num_classes: int, slot: Slot, width: float = 1.0, zoneout: float = 0.0
    ) -> None:
        super().__init__()
        channels, _, pixels = input_shape
        self.units = slot.units(scaled(UNITS, width))
        self.input = nn.Linear(channels * pixels, slot.inputs(self.units))
        self.cell = ZoneoutCell(self.units, slot, zoneout)
        self.output = nn.Linear(self.units, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        inputs = self.input(x.transpose(1, 2).flatten(2))  # of all rows at once
        state = inputs.new_zeros(len(x), self.units)
        for row in inputs.unbind(1):
            state = self.cell(row, state)
        out: Tensor = self.output(state)
        return out


class ZoneoutCell(nn.Module):
    """One step of a recurrent layer, in which units keep their state at random.

    Krueger et al. 2016, arXiv 1606.01305: each unit of each example draws anew at every step in training, from
    torch's global generator; in evaluation the expectation is taken.

    Args:
        units: width of the state.
        slot: what makes the activation.
        zoneout: probability of keeping it.

    Shape:
        Inputs `(N, slot.inputs(units))`, what the row gives, and `(N, units)`, the state before; output `(N, units)`,
        the state behind.

    Raises:
        ValueError: a zoneout outside [0, 1].
    """

    def __init__(self, units: int, slot: Slot, zoneout: float) -> None:
        super().__init__()
        if not 0 <= zoneout <= 1:
            raise ValueError(f"zoneout is a probability from 0 to 1, not {zoneout}")
        self.recurrent = nn.Linear(units, slot.inputs(units), bias=False)
        self.activation = slot((units,))
        self.zoneout = zoneout

    def forward(self, row: Tensor, state: Tensor) -> Tensor:
        new: Tensor = self.activation(row + self.recurrent(state))
        if not self.zoneout:
            return new
        if self.training:
            return torch.where(torch.rand_like(state) < self.zoneout, state, new)
        return torch.lerp(new, state, self.zoneout)

    def extra_repr(self) -> str:
        return f"zoneout={self.zoneout}"
