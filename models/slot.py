"""Places of use in a network: `slot(shape)` puts an activation there, `slot.inputs(units)` is what it takes.

Gated linear units and maxout take several inputs for each output. The layer before them is widened as much; hidden
widths stay, or shrink by one common factor so that the network keeps its number of parameters. For a feed-forward
block and two inputs an output that factor is 2/3, as in Shazeer 2020, arXiv 2002.05202.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from models._registry import ActivationFactory

# Fine enough to reach every number of units up to it.
STEPS = 4096


class Slot:
    """What a network asks for its places of use.

    Args:
        activation: makes the module for a place, see `models.build`.
        in_features_multiplier: inputs for each output of these modules.
        scale: of the hidden widths.
    """

    def __init__(self, activation: ActivationFactory, in_features_multiplier: int = 1, scale: float = 1.0) -> None:
        self.activation = activation
        self.in_features_multiplier = in_features_multiplier
        self.scale = scale

    def units(self, width: int) -> int:
        """Hidden units where the source has `width`.

        Raises:
            ValueError: it has none.
        """
        if width < 1:
            raise ValueError(f"a layer of width {width} has no units; give a width of 1 or more")
        return max(1, round(self.scale * width))

    def inputs(self, units: int) -> int:
        """What the layer before a place with so many units must give."""
        return self.in_features_multiplier * units

    def __call__(self, shape: tuple[int, ...]) -> nn.Module:
        """The activation for a place, by the shape of one example behind it.

        Raises:
            ValueError: it takes another number of inputs for each output than the network gives.
        """
        module = self.activation(shape)
        wanted = getattr(module, "in_features_multiplier", 2 if isinstance(module, nn.GLU) else 1)
        if wanted != self.in_features_multiplier:
            raise ValueError(
                f"the activation {module} takes {wanted} inputs for each output and the network gives it "
                f"{self.in_features_multiplier}: call models.build with in_features_multiplier={wanted}"
                " (a module of your own says what it takes by an attribute of that name)"
            )
        return module


def equal_parameters(network: Callable[[Slot], nn.Module], in_features_multiplier: int) -> float:
    """The scale of hidden widths at which a network comes nearest to its number of parameters with a multiplier of 1.

    Args:
        network: makes it from a slot; called on the meta device with activations that have no parameters.
        in_features_multiplier: inputs for each output.
    """

    @functools.cache
    def parameters(steps: int, multiplier: int = in_features_multiplier) -> int:
        with torch.device("meta"):
            net = network(Slot(lambda shape: _Silent(multiplier), multiplier, steps / STEPS))
        return sum(parameter.numel() for parameter in net.parameters())

    wanted = parameters(STEPS, 1)
    above = bisect.bisect_left(range(STEPS + 1), wanted, lo=1, hi=STEPS, key=parameters)
    return min(max(1, above - 1), above, key=lambda steps: abs(parameters(steps) - wanted)) / STEPS


class _Silent(nn.Module):
    """Stands for any activation while parameters are counted."""

    def __init__(self, in_features_multiplier: int) -> None:
        super().__init__()
        self.in_features_multiplier = in_features_multiplier
