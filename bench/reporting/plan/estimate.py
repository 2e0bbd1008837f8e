"""What a case would cost: `estimate.of(case, recipe, seeds=3, device_names=["cpu"])`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch

import models
from bench import data
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.reporting.plan import cost, devices
from bench.reporting.plan.devices import Device
from bench.training.evaluation import EVALUATION_BATCH

FLOAT32_BYTES = 4
LABEL_BYTES = 8


@dataclass(frozen=True)
class Rows:
    """Examples of the parts that a recipe takes of its data set, and the shape of one."""

    train: int
    validation: int
    test: int
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Of all parts, which live on the device."""
        examples = self.train + self.validation + self.test
        return examples * (math.prod(self.shape) * FLOAT32_BYTES + LABEL_BYTES)


class Times(NamedTuple):
    """Seconds of one optimizer step, and of all evaluations of a run: one an epoch, and the tests at its end."""

    step: float
    evaluations: float


@dataclass(frozen=True)
class Estimate:
    """One case.

    Attributes:
        runs: of the case, one a seed.
        batch: examples a step.
        rows: see `Rows`.
        step: forward and backward pass.
        update: the optimizer's part.
        times: by device.
    """

    case: Case
    recipe: Recipe
    runs: int
    batch: int
    rows: Rows
    step: cost.Step
    update: cost.Update
    times: Mapping[Device, Times]

    @property
    def steps(self) -> int:
        """Of the optimizer in a run that nothing ends early."""
        return self.recipe.steps(self.rows.train)

    def hours(self, device: Device) -> float:
        """Of all runs, one after the other."""
        return self.runs * (self.steps * self.times[device].step + self.times[device].evaluations) / 3600

    @property
    def parameters(self) -> int:
        return sum(self.step.parameters)

    @cached_property
    def flops(self) -> int:
        """Of a step, forward and backward."""
        return cost.flops(self.step.forward) + cost.flops(self.step.backward)

    @cached_property
    def memory(self) -> dict[str, int]:
        """Bytes on the device at the end of a forward pass, by what they are for."""
        parameters = self.parameters * FLOAT32_BYTES
        return {
            "parameters": parameters,
            "gradients": parameters,
            "optimizer_state": self.update.state,
            "buffers": self.step.buffers,
            "kept_activations": self.step.saved,
            "data": self.rows.bytes,
        }

    @property
    def peak(self) -> int:
        """Sum of `memory`: an estimate without the workspaces of kernels and the allocator's gaps."""
        return sum(self.memory.values())


def rows_of(case: Case, recipe: Recipe) -> Rows:
    """As `bench.data.parts.prepare` cuts and resizes them; no data is read."""
    info = data.info(case.dataset)
    train, test = info.rows
    first, *sides = info.shape
    smallest = models.info(case.model).minimum_image_size
    if smallest and min(sides) < smallest:
        sides = [smallest, smallest]
    validation = info.validation_rows if recipe.validation_size is None else recipe.validation_size
    return Rows(
        train=recipe.train_size or train - (0 if info.validation_rows else validation),
        validation=validation,
        test=recipe.test_size or test,
        shape=(first, *sides),
    )


def of(case: Case, recipe: Recipe, runs: int, device_names: Sequence[str]) -> Estimate:
    """The estimate of a case on devices by their full names, see `devices.find`.

    Raises:
        ValueError: a network that cannot be built.
    """
    rows = rows_of(case, recipe)
    batch = min(recipe.batch_size, rows.train)

    def parts_of_step(recipe: Recipe) -> tuple[cost.Step, cost.Update]:
        step = cost.step(case, recipe, rows.shape, batch)
        return step, cost.update(case.optimizer, recipe.momentum, step.parameters)

    times = {}
    for device in (devices.device(name, recipe.threads or torch.get_num_threads()) for name in device_names):
        step, update = parts_of_step(recipe.on(device.type))
        times[device] = Times(
            step=cost.seconds(step.forward + step.backward + update.kernels, device, step.precision),
            evaluations=recipe.epochs * _evaluation(step, rows.validation, batch, device)
            + (1 + len(recipe.test_noise)) * _evaluation(step, rows.test, batch, device),
        )
    return Estimate(case, recipe, runs, batch, rows, *parts_of_step(recipe), times)


def _evaluation(step: cost.Step, examples: int, batch: int, device: Device) -> float:
    """Seconds of one pass over a part."""
    if not examples:
        return 0.0
    size = min(examples, EVALUATION_BATCH)
    return examples / size * cost.seconds(step.forward, device, step.precision, size / batch)
