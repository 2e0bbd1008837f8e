"""The networks: one frozen record a network. `models.build("mlp", ...)` makes one.

Importing this module does not load torch. A new network is one entry in `_ENTRIES` and its class.
"""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from torch import nn

    # Called once at every place of use with the shape of one example there, batch left out:
    # each place gets an instance of its own, so that trainable activations train per place.
    ActivationFactory: TypeAlias = Callable[[tuple[int, ...]], nn.Module]
else:
    ActivationFactory = Callable

# What stays when an activation takes several inputs for each output: the number of parameters, or hidden widths.
Equal: TypeAlias = Literal["parameters", "width"]


@dataclass(frozen=True)
class Model:
    """What the suite knows about one network.

    Attributes:
        name: the key everywhere.
        module: the `nn.Module` class as `"package.module:Name"`; it takes `input_shape`, `num_classes`,
            a `models.slot.Slot` and its own sizes.
        source: the paper or tutorial that defines it.
        minimum_image_size: smallest height and width in pixels that it accepts; smaller images are resized
            to it, and None means that any shape will do.
    """

    name: str
    module: str
    source: str
    minimum_image_size: int | None = None


_ENTRIES = (
    Model(
        name="mlp",
        module="models.mlp:MLP",
        source="Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.1",
    ),
    Model(
        name="cnn",
        module="models.cnn:CNN",
        source="pytorch.org/tutorials/beginner/blitz/cifar10_tutorial",
        minimum_image_size=28,
    ),
)

_REGISTRY = {entry.name: entry for entry in _ENTRIES}


def names() -> list[str]:
    """Names of the registered networks."""
    return list(_REGISTRY)


def info(name: str) -> Model:
    """The record of a network.

    Raises:
        ValueError: no such network; the message lists the known ones.
    """
    if name not in _REGISTRY:
        raise ValueError(f"unknown model {name!r}; known: {', '.join(_REGISTRY)}")
    return _REGISTRY[name]


def build(
    name: str,
    *,
    input_shape: tuple[int, ...],
    num_classes: int,
    activation: ActivationFactory,
    in_features_multiplier: int = 1,
    equal: Equal = "parameters",
    **sizes: int,
) -> nn.Module:
    """A new network.

    Args:
        name: a registered name.
        input_shape: shape of one example, `(channels, height, width)`.
        num_classes: width of the output.
        activation: called with the shape of one example behind each place of use; returns the module to put there.
        in_features_multiplier: inputs that these modules take for each output: the layer before gives as many times
            the hidden width. That of a record is `activations.info(name).in_features_multiplier`.
        equal: what a multiplier above 1 leaves as it is with 1: `width`, the hidden widths, or `parameters`, the
            number of parameters outside the activations, as nearly as one common factor on all hidden widths can.
        **sizes: `width`, `depth`, where the network has them.

    Raises:
        ValueError: unknown name, a shape that the network cannot take, an activation that takes another number of
            inputs, or an unknown `equal`.
    """
    if equal not in get_args(Equal):
        raise ValueError(f"unknown equal {equal!r}; known: {', '.join(get_args(Equal))}")
    smallest = info(name).minimum_image_size
    if smallest and (len(input_shape) != 3 or min(input_shape[1:]) < smallest):
        raise ValueError(
            f"model {name!r} takes (channels, height, width) of {smallest} pixels or more a side, "
            f"not {tuple(input_shape)}; resize the images"
        )
    from models.slot import Slot, equal_parameters

    network = functools.partial(pkgutil.resolve_name(info(name).module), input_shape, num_classes, **sizes)
    shrinks = in_features_multiplier > 1 and equal == "parameters"
    scale = equal_parameters(network, in_features_multiplier) if shrinks else 1.0
    module: nn.Module = network(Slot(activation, in_features_multiplier, scale))
    return module
