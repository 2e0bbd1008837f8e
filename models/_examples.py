"""Inputs that a network may take, guessed from the network itself: `for args, kwargs in examples(net)`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import torch
from torch import nn

Call: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]
# Pixels or samples a side; small ones for networks whose linear layers fit small images only, and larger ones for those
# that take no smaller (299: inception_v3) or no other image (256: Swin V2).
SIDES = (224, 96, 64, 32, 28, 8, 256, 299, 384)


def given(example: Any) -> Call:
    """Arguments and keywords out of a tensor, a tuple of arguments or a dict of keywords."""
    if isinstance(example, dict):
        return (), example
    return (example if isinstance(example, tuple) else (example,)), {}


def examples(net: nn.Module) -> Iterator[Call]:
    """What transformers says that its network takes, and pairs of examples that fit the first layer with weights."""
    if isinstance(inputs := getattr(net, "dummy_inputs", None), dict):
        yield (), inputs
    shapes: list[tuple[int, ...]]
    for layer in net.modules():
        match layer:
            case nn.Conv2d():
                shapes = [(layer.in_channels, side, side) for side in SIDES]
            case nn.Conv1d():
                shapes = [(layer.in_channels, side) for side in SIDES]
            case nn.Linear():
                shapes = [(layer.in_features,)]
            case nn.Embedding():
                yield (torch.zeros(2, 8, dtype=torch.long, device=layer.weight.device),), {}
                return
            case _:
                continue
        for shape in shapes:  # two, for the sake of batch normalisation
            yield (torch.zeros(2, *shape, dtype=layer.weight.dtype, device=layer.weight.device),), {}
        return
