"""What a case would cost: `estimated(case, recipe, runs=3, device_names=["cpu"], costs=Costs())`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import models
from bench import data
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.reporting.plan import devices
from bench.reporting.plan.cost import Costs, Step, optimizer_state

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


@dataclass(frozen=True)
class CaseEstimate:
    """One case.

    Attributes:
        runs: of the case, one a seed.
        batch: examples a step.
        rows: see `Rows`.
        step: forward and backward pass.
        state: bytes that the optimizer keeps.
        step_seconds: by the name of the device.
    """

    case: Case
    recipe: Recipe
    runs: int
    batch: int
    rows: Rows
    step: Step
    state: int
    step_seconds: Mapping[str, float]

    @property
    def steps(self) -> int:
        """Of the optimizer in a run that nothing ends early."""
        return self.recipe.steps(self.rows.train)

    @property
    def evaluated(self) -> float:
        """Batches that a run evaluates: its validation part each epoch, and its test part at the end."""
        tests = 1 + len(self.recipe.test_noise)
        return (self.recipe.epochs * self.rows.validation + tests * self.rows.test) / self.batch

    @property
    def total_flops(self) -> int:
        """Of the steps of all runs."""
        return self.runs * self.steps * self.step.flops

    @property
    def hours(self) -> dict[str, float]:
        """Of all runs one after the other, by the name of the device; a forward pass is a third of a step."""
        batches = self.runs * (self.steps + self.evaluated / 3)
        return {name: batches * seconds / 3600 for name, seconds in self.step_seconds.items()}

    @property
    def parameters(self) -> int:
        return sum(self.step.parameters)

    @property
    def memory(self) -> dict[str, int]:
        """Bytes on the device at the end of a forward pass, by what they are for."""
        parameters = self.parameters * FLOAT32_BYTES
        return {
            "parameters": parameters,
            "gradients": parameters,
            "optimizer_state": self.state,
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


def estimated(case: Case, recipe: Recipe, runs: int, device_names: Sequence[str], costs: Costs) -> CaseEstimate:
    """The estimate of a case on devices by their full names, see `devices.find`.

    Raises:
        ValueError: a network that cannot be built.
    """
    rows = rows_of(case, recipe)
    batch = min(recipe.batch_size, rows.train)
    step = costs.step(case, recipe, rows.shape, batch)

    def seconds(name: str) -> float:
        if name == devices.HERE:
            return costs.seconds(case, recipe, rows.shape, batch)
        return devices.DEVICES[name].seconds(step, recipe.precision)

    state = optimizer_state(case.optimizer, recipe.momentum, step.parameters, step.matrices)
    return CaseEstimate(case, recipe, runs, batch, rows, step, state, {name: seconds(name) for name in device_names})
