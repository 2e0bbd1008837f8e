"""Norms of the gradient of every layer along a run (A4, `--gradients`): `watch = Gradients(net, sites, steps=150)`.

`watch.step()` belongs between backward pass and optimizer, at every step; `watch.norms()` is read when the run is over.
Nothing is read back from the device before.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

SAMPLES = 100  # steps at which norms are taken: a picture shows no more
DIGITS = 6  # significant ones of the norms kept
EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)


class Gradients:
    """Watches the layers of a network: the modules with a trainable weight of two dimensions or more of their own.

    These are linear layers, convolutions and embeddings; a layer's bias belongs to its gradient. Their order is that of
    their first use in the first forward pass, from the input to the output; what is not called then is left out. What
    belongs to an activation is no layer.

    Attributes:
        steps: the numbers, from 1, of the steps at which norms were taken: about `SAMPLES`, evenly over the run.

    Args:
        net: the network, before its first forward pass.
        sites: the activation instances in it.
        steps: of the whole run.
    """

    def __init__(self, net: nn.Module, sites: Sequence[nn.Module], steps: int) -> None:
        inside = {module for site in sites for module in site.modules()}
        self._names = {layer: name for name, layer in net.named_modules() if layer not in inside and _is_layer(layer)}
        self._used: dict[nn.Module, list[nn.Parameter]] = {}
        self._hooks = [layer.register_forward_pre_hook(self._use) for layer in self._names]
        self._wanted = set(np.linspace(1, steps, min(SAMPLES, steps)).round().astype(int).tolist())
        self._done = 0
        self._norms: list[Tensor] = []
        self.steps: list[int] = []

    def step(self) -> None:
        """Take the norms, if this step is one of those that are kept."""
        while self._hooks:
            self._hooks.pop().remove()
        self._done += 1
        if self._done in self._wanted:
            self.steps.append(self._done)
            self._norms.append(torch.stack([_norm(one) for own in self._used.values() for one in own]))

    def norms(self) -> dict[str, list[float]]:
        """The L2 norm of the gradient of each layer, step by step, by name and from the input to the output.

        They are added up in float32: parts below 1e-22 count as 0, and what exceeds 1e19 is infinite.
        """
        return {
            self._names[layer]: [float(f"{value:.{DIGITS}g}") for value in values]
            for layer, values in self._by_layer().items()
        }

    def vanishing_ratio(self) -> float:
        """The root mean square gradient of the first layer over that of the last: median over the steps kept.

        1 where the gradient reaches the input as large as it left the output, 0 where it has vanished on the way. It is
        the mean square over a layer's parameters, since a norm grows with their number. Embeddings do not count as
        first layer: only the ids of a batch get a gradient there, so that theirs says how large the vocabulary is.
        Steps with a gradient that is not finite, or none in the last layer, are left out; NaN where no other is left.
        """
        rms = [
            [norm / math.sqrt(sum(one.numel() for one in self._used[layer])) for norm in norms]
            for layer, norms in self._by_layer().items()
            if not isinstance(layer, EMBEDDINGS)
        ]
        pairs = zip(rms[0], rms[-1], strict=True)
        ratios = [first / last for first, last in pairs if math.isfinite(first) and 0 < last < math.inf]
        return statistics.median(ratios) if ratios else math.nan

    def _use(self, layer: nn.Module, _: object) -> None:
        self._used.setdefault(layer, _trainable(layer))

    def _by_layer(self) -> dict[nn.Module, list[float]]:
        values = torch.stack(self._norms).cpu().double()
        split = values.split([len(own) for own in self._used.values()], dim=1)
        return {layer: part.norm(dim=1).tolist() for layer, part in zip(self._used, split, strict=True)}


def _trainable(layer: nn.Module) -> list[nn.Parameter]:
    return [one for one in layer.parameters(recurse=False) if one.requires_grad]


def _is_layer(module: nn.Module) -> bool:
    return any(one.dim() > 1 for one in _trainable(module))


def _norm(parameter: nn.Parameter) -> Tensor:
    """Zero where the loss does not depend on it."""
    if parameter.grad is None:
        return torch.zeros((), device=parameter.device)
    norm: Tensor = torch.linalg.vector_norm(parameter.grad)
    return norm
