"""One step of training: `step = TrainingStep(network, part, recipe); step(rows, draws)`.

All that differs from one full batch to the next is in tensors on the device, so that a step can also be captured once
and replayed, see `bench.training.graph`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from bench.cases.recipe import Recipe
from bench.data.parts import Part
from bench.training.augmentation import AUGMENTATIONS, Draws
from bench.training.evaluation import autocast_of
from bench.training.objectives import objective_of
from bench.training.setup import Network

Watch: TypeAlias = Callable[[Tensor], None]  # of the loss of a step


class TrainingStep:
    """Takes rows of a part, changes them at random, learns from them, and adds up what came of it.

    Attributes:
        network, part, recipe: what is trained on what, and how.
        augmentation: of the batches, by the recipe.
        total, correct: sums of the loss and of the right answers over an epoch, on the device; the next one sets them
            to zero.

    Args:
        watch: told the loss of every step, between backward pass and optimizer.
    """

    def __init__(self, network: Network, part: Part, recipe: Recipe, watch: Watch | None = None) -> None:
        device = part.labels.device
        self.network, self.part, self.recipe = network, part, recipe
        self.augmentation = AUGMENTATIONS[recipe.augmentation]
        self.total = torch.zeros((), device=device)
        self.correct = torch.zeros((), device=device, dtype=torch.int64)
        self._objective = objective_of(recipe)
        self._autocast = autocast_of(recipe, device)
        self._watch = watch

    def __call__(self, rows: Tensor, draws: Draws = (), tokens: int | None = None) -> None:
        """Learn from a batch.

        Args:
            rows: of the part, on its device.
            draws: what augmentation drew for them, there too.
            tokens: of the longest of the rows, where they are sentences.
        """
        optimizer, objective = self.network.optimizer, self._objective
        inputs, labels = self.part.take(rows, tokens)
        inputs = self.augmentation.apply(inputs, *draws)
        optimizer.zero_grad()
        with self._autocast():
            outputs = self.network.net(inputs)
            loss = objective.loss(outputs, inputs, labels)
        loss.backward()
        if self._watch:
            self._watch(loss.detach())
        optimizer.step()
        self.total += loss.detach() * len(labels)
        if objective.correct:
            self.correct += objective.correct(outputs.detach(), labels)
