"""Weight initialisation by name, from a generator of its own: `initialise(net, "kaiming", generator)`.

Only linear and convolutional layers are touched, and none inside an activation: those keep what they drew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn


def _kaiming(layer: nn.Linear | nn.Conv2d, generator: torch.Generator) -> None:
    """He et al. 2015, arXiv 1502.01852: variance 2 / fan_in, made for rectifiers."""
    from torch import nn

    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    _zero_bias(layer)


def _torch_default(layer: nn.Linear | nn.Conv2d, generator: torch.Generator) -> None:
    """What nn.Linear and nn.Conv2d do themselves: U(±1/sqrt(fan_in)), of variance 1 / (3 fan_in), biases too."""
    from torch import nn

    nn.init.kaiming_uniform_(layer.weight, a=5**0.5, generator=generator)
    if layer.bias is not None:
        bound = layer.weight[0].numel() ** -0.5
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)


def _torchvision_resnet(layer: nn.Linear | nn.Conv2d, generator: torch.Generator) -> None:
    """torchvision.models.resnet.ResNet: variance 2 / fan_out in convolutions, the head as torch has it."""
    from torch import nn

    if isinstance(layer, nn.Linear):
        _torch_default(layer, generator)
    else:
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        _zero_bias(layer)


def _unit_norm_rows(layer: nn.Linear | nn.Conv2d, generator: torch.Generator) -> None:
    """Of length 1 for each unit: Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.1; variance 1 / fan_in."""
    import torch
    from torch.nn import functional as F

    with torch.no_grad():
        weight = layer.weight.normal_(generator=generator)
        weight.copy_(F.normalize(weight.flatten(1)).view_as(weight))
    _zero_bias(layer)


def _zero_bias(layer: nn.Linear | nn.Conv2d) -> None:
    from torch import nn

    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


INITIALISATIONS: dict[str, Callable[[nn.Linear | nn.Conv2d, torch.Generator], None] | None] = {
    "torch": _torch_default,
    "torchvision_resnet": _torchvision_resnet,
    "kaiming": _kaiming,
    "unit_norm_rows": _unit_norm_rows,
    "own": None,  # of networks that draw as their source does, or are pretrained: they stay as they were built
}


def initialise(net: nn.Module, name: str, generator: torch.Generator, keep: Iterable[nn.Module] = ()) -> None:
    """Draw all weights anew and set the biases to zero, or both by torch's own rule; nothing for `"own"`.

    Args:
        net: the network.
        name: one of `INITIALISATIONS`.
        generator: what is drawn from.
        keep: modules inside that stay as they are: the activations.

    Raises:
        ValueError: unknown initialisation; the message lists the known ones.
    """
    from torch import nn

    if name not in INITIALISATIONS:
        raise ValueError(f"unknown initialisation {name!r}; known: {', '.join(INITIALISATIONS)}")
    draw = INITIALISATIONS[name]
    if draw is None:
        return
    kept = {part for module in keep for part in module.modules()}
    for layer in net.modules():
        if layer not in kept and isinstance(layer, nn.Linear | nn.Conv2d):
            draw(layer, generator)
