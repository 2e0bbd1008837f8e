"""What a network reaches on a part, and what its run comes to: `evaluate(net, parts.test, autocast)`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeAlias

import torch
from scipy import stats
from torch import nn
from torch.nn import functional as F

from bench.data.parts import Part, Parts
from bench.recipe import Recipe
from bench.record import Outcome

Autocast: TypeAlias = Callable[[], AbstractContextManager[object]]

EVALUATION_BATCH = 1000
# A network that only guesses is taken for trained once in a thousand runs.
GUESSING_QUANTILE = 0.999


@dataclass(frozen=True)
class Evaluation:
    """Loss and fractions over a part; `classes` is how many different classes were predicted."""

    loss: float
    accuracy: float
    top3_accuracy: float
    classes: int


@torch.inference_mode()
def evaluate(net: nn.Module, part: Part, autocast: Autocast) -> Evaluation:
    """Mean loss, top-1 and top-3 accuracy of a network on a part."""
    net.eval()
    with autocast():
        logits = torch.cat([net(inputs).float() for inputs in part.inputs.split(EVALUATION_BATCH)])
    hits = logits.topk(min(3, logits.shape[1])).indices == part.labels[:, None]
    return Evaluation(
        loss=F.cross_entropy(logits, part.labels).item(),
        accuracy=hits[:, 0].sum().item() / len(part),
        top3_accuracy=hits.sum().item() / len(part),
        classes=len(logits.argmax(1).unique()),
    )


def autocast_of(recipe: Recipe, device: torch.device) -> Autocast:
    """Makes the context that a recipe's precision asks of the forward pass."""
    if recipe.precision == "float32":
        return nullcontext
    return lambda: torch.autocast(device.type, dtype=getattr(torch, recipe.precision))


def outcome_of(losses: Sequence[float], test: Evaluation, parts: Parts) -> Outcome:
    """`diverged`, `collapsed` (one predicted class, or no better than guessing the majority) or `trained`."""
    if not math.isfinite(losses[-1]) or not math.isfinite(test.loss):
        return "diverged"
    rows = len(parts.test)
    guessing = stats.binom.ppf(GUESSING_QUANTILE, rows, parts.majority_rate) / rows
    return "collapsed" if test.classes == 1 or test.accuracy <= guessing else "trained"
