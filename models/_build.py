"""A new network of the registry: `models.build("cnn", input_shape=(3, 32, 32), num_classes=10, activation="prelu")`.

Importing this module does not load torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import activations
from models._registry import AnyActivation, Equal, info, names

if TYPE_CHECKING:
    from torch import nn

    from models.slot import Slot


def build(
    name: str,
    *,
    input_shape: tuple[int, ...],
    num_classes: int,
    activation: AnyActivation,
    in_features_multiplier: int | None = None,
    equal: Equal = "parameters",
    **sizes: Any,
) -> nn.Module:
    """A new network.

    Args:
        name: a registered name.
        input_shape: shape of one example, `(channels, height, width)` of an image.
        num_classes: width of the output.
        activation: a name of `activations.names()`; an `nn.Module`, of which each site gets a copy; a class,
            of which it gets an instance built without arguments; or a function that makes its module from the shape
            of one example behind the site.
        in_features_multiplier: inputs that these modules take for each output: the layer before gives as many times
            the hidden width. None is what the record of a name says, and 1 for the rest.
        equal: what a multiplier above 1 leaves as it is with 1: `width`, the hidden widths, or `parameters`, the
            number of parameters outside the activations, as nearly as one common factor on all hidden widths can.
        **sizes: `width`, `depth`, `stem`, `dropout`, and whatever else the network's own docstring names.

    Raises:
        TypeError: a size that the network does not have, or an activation that is none of these.
        ValueError: unknown name or activation, a shape that the network cannot take, an activation that takes another
            number of inputs, or an unknown `equal`.
    """
    if equal not in get_args(Equal):
        raise ValueError(f"unknown equal {equal!r}; known: {', '.join(get_args(Equal))}")
    entry = info(name)
    smallest = entry.minimum_image_size
    if smallest and (len(input_shape) != 3 or min(input_shape[1:]) < smallest):
        raise ValueError(
            f"model {name!r} takes (channels, height, width) of {smallest} pixels or more a side, "
            f"not {tuple(input_shape)}; resize the images"
        )
    multiplier = 1 if in_features_multiplier is None else in_features_multiplier
    if isinstance(activation, str):
        if in_features_multiplier is None:
            multiplier = activations.info(activation).in_features_multiplier
        activation = activations.per_site(activation)
    if multiplier > 1 and not entry.widens:
        raise ValueError(
            f"model {name!r} takes activations of one input for each output, not of {multiplier}: its layers are not "
            f"widened; these are: {', '.join(names(widens=True))}"
        )
    from models._instances import factory
    from models.slot import Slot, equal_parameters

    def network(slot: Slot) -> nn.Module:
        return entry.make(input_shape, num_classes, slot, **sizes)

    shrinks = multiplier > 1 and equal == "parameters"
    scale = equal_parameters(network, multiplier) if shrinks else 1.0
    return network(Slot(factory(activation), multiplier, scale))
