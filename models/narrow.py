"""Narrower versions of a network: `narrow(net, 0.25, input_shape)` leaves it a quarter of its channels.

Torchvision's constructors fix most channel counts. Here every layer gets its scaled number of outputs, and takes the
inputs that arrive when the network runs once: torch's lazy layers do the counting, also behind concatenations, whose
parts round to another number than their sum.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn


def scaled(count: int, factor: float) -> int:
    """`factor` times a number of channels or blocks, rounded, at least one.

    Raises:
        ValueError: the factor is not positive.
    """
    if not factor > 0:
        raise ValueError(f"width and depth must be positive, not {factor}")
    return max(1, round(count * factor))


def outline(width: float) -> AbstractContextManager[Any]:
    """Where to make a network that `narrow` will give new layers: on the meta device, as none of its weights stays."""
    return nullcontext() if width == 1 else torch.device("meta")


def narrow(net: nn.Module, width: float, input_shape: tuple[int, ...]) -> nn.Module:
    """Scale the outputs of all convolutions, batch norms and linear layers but the last, in place.

    The layers are new, with torch's own initialisation. A grouped convolution keeps the channels of a group and has
    fewer groups: one channel in depthwise convolutions, 4 to 32 in a ResNeXt-50. A width of 1 leaves the network as
    it is.

    Args:
        net: a network whose last convolution or linear layer gives the classes; made within `outline(width)`.
        width: what the channel counts are multiplied by, see `scaled`.
        input_shape: shape of one example that the network takes.

    Returns:
        The same network.

    Raises:
        ValueError: the width is not positive, or does not fit: a group would be split, or branches that are added
            round to different numbers of channels. The message names the layer and widths that always fit.
    """
    if width == 1:
        return net
    layers = {
        path: layer for path, layer in net.named_modules() if isinstance(layer, nn.Conv2d | nn.BatchNorm2d | nn.Linear)
    }
    *others, last = (path for path, layer in layers.items() if not isinstance(layer, nn.BatchNorm2d))

    def misfit(path: str, reason: str) -> ValueError:
        groups = (layer.groups for layer in layers.values() if isinstance(layer, nn.Conv2d) and layer.groups > 1)
        unit = math.gcd(*(len(layers[path].weight) for path in others), *groups)
        return ValueError(
            f"{type(net).__name__} of width {width} fails at {path!r}: {reason}; "
            f"at multiples of 1/{unit} nothing is rounded"
        )

    narrowed = {path: _lazy(layer, 1.0 if path == last else width) for path, layer in layers.items()}
    for path, lazy in narrowed.items():
        net.set_submodule(path, lazy)
    training = net.training
    net.eval()  # one example has no variance, and nothing is to be drawn or counted
    try:
        with torch.no_grad():
            net(torch.zeros(1, *input_shape))
    except (RuntimeError, ValueError) as error:
        # Layers run in about the order of their definition: the first that has not run is where it stopped.
        stopped = (path for path, layer in narrowed.items() if nn.parameter.is_lazy(layer.weight))
        raise misfit(next(stopped, last), str(error)) from error
    for path, layer in layers.items():
        if isinstance(layer, nn.Conv2d) and layer.groups > 1:
            before, now = layer.weight.shape[1], narrowed[path].weight.shape[1]
            if now != before:
                raise misfit(path, f"{before} channels a group became {now}")
    return net.train(training)


def _lazy(
    layer: nn.Conv2d | nn.BatchNorm2d | nn.Linear, width: float
) -> nn.LazyConv2d | nn.LazyBatchNorm2d | nn.LazyLinear:
    """The layer with scaled outputs, its inputs left to be seen; torch turns it into a plain layer then."""
    if isinstance(layer, nn.Linear):
        return nn.LazyLinear(scaled(layer.out_features, width), bias=layer.bias is not None)
    if isinstance(layer, nn.BatchNorm2d):
        return nn.LazyBatchNorm2d(layer.eps, layer.momentum, layer.affine, layer.track_running_stats)
    groups, outputs = layer.groups, scaled(layer.out_channels, width)
    if groups > 1:
        groups = max(1, scaled(layer.in_channels, width) * groups // layer.in_channels)
        outputs = groups * (layer.out_channels // layer.groups)
    arguments: Any = (  # torch declares some of these attributes wider than the arguments
        outputs,
        layer.kernel_size,
        layer.stride,
        layer.padding,
        layer.dilation,
        groups,
        layer.bias is not None,
        layer.padding_mode,
    )
    return nn.LazyConv2d(*arguments)
