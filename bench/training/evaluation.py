"""What a network reaches on a part, and what its run comes to: `evaluate(net, parts.test, objective, autocast)`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from bench.cases.recipe import Recipe
from bench.data.parts import Part
from bench.records.record import Outcome
from bench.training.objectives import Objective

Autocast: TypeAlias = Callable[[], AbstractContextManager[object]]

EVALUATION_BATCH = 1000
# Of sentences sorted by length: few enough that a long one pads few others, and that BERT base fits into 2 GB; and of
# rows of text.
SENTENCES_BATCH = 100


@dataclass(frozen=True)
class Evaluation:
    """Loss over a part, the objective's other metrics, and the outputs that they are of."""

    loss: float
    metrics: Mapping[str, float]
    outputs: Tensor

    def named(self, part: str) -> dict[str, float]:
        """Loss and metrics as `test_loss`, `test_accuracy`, ..."""
        return {f"{part}_loss": self.loss, **{f"{part}_{name}": value for name, value in self.metrics.items()}}


@torch.inference_mode()
def evaluate(net: nn.Module, part: Part, objective: Objective, autocast: Autocast) -> Evaluation:
    """Mean loss and metrics of a network on a part."""
    outputs = torch.cat(_outputs(net, part, autocast))
    return Evaluation(
        loss=objective.loss(outputs, part.inputs, part.labels).item(),
        metrics=objective.metrics(outputs, part.labels),
        outputs=outputs,
    )


@torch.inference_mode()
def hidden_zeros(net: nn.Module, sites: Iterable[nn.Module], part: Part, autocast: Autocast) -> float:
    """The share of exact zeros in all that the activations of a network put out on a part, which it runs once more."""
    zeros = numbers = 0

    def count(site: nn.Module, args: object, output: Tensor) -> None:
        nonlocal zeros, numbers
        zeros += int((output == 0).sum())
        numbers += output.numel()

    with ExitStack() as hooks:
        for site in sites:
            hooks.enter_context(site.register_forward_hook(count))
        _outputs(net, part, autocast)
    return zeros / numbers if numbers else math.nan


def _outputs(net: nn.Module, part: Part, autocast: Autocast) -> list[Tensor]:
    """Of a part in evaluation, batch by batch."""
    net.eval()
    text = part.lengths is not None or part.labels.ndim > 1
    size = SENTENCES_BATCH if text else EVALUATION_BATCH
    with autocast():
        return [_full_precision(net(inputs)) for inputs in part.in_turn(size)]


def _full_precision(outputs: Tensor) -> Tensor:
    """In float32 what autocast left in half of it; float64, of a probe, stays."""
    return outputs.to(torch.promote_types(outputs.dtype, torch.float32))


def autocast_of(recipe: Recipe, device: torch.device) -> Autocast:
    """Makes the context that a recipe's precision asks of the forward pass."""
    if recipe.precision == "float32":
        return nullcontext
    return lambda: torch.autocast(device.type, dtype=getattr(torch, recipe.precision))


def outcome_of(losses: Sequence[float], found: Evaluation, part: Part, objective: Objective) -> Outcome:
    """`diverged` (a loss not finite), `collapsed` (no better than ignoring the inputs) or `trained`."""
    if not math.isfinite(losses[-1]) or not math.isfinite(found.loss):
        return "diverged"
    return "collapsed" if objective.is_guess(found.outputs, part) else "trained"
