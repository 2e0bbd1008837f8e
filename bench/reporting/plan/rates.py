"""The learning rates that a run would see, step by step: `rates.of(recipe, steps=1000)`."""

from __future__ import annotations

import torch
from torch import nn

from bench.cases.recipe import Recipe
from bench.training import optimizers, schedules

# First and last rate as shares of the recipe's, which is the highest; one_cycle's are torch's defaults.
ENDS = {
    "constant": (1.0, 1.0),
    "linear_from_half": (1.0, 0.0),
    "cosine": (1.0, 0.0),
    "triangular": (1 / schedules.TRIANGLE_DIVISOR, 1 / schedules.TRIANGLE_DIVISOR),
    "one_cycle": (1 / 25, 1 / 25 / 1e4),
}
# The steepest, one_cycle's rise, changes by half of pi over 0.3 of a run: this many times the highest rate a run.
STEEPEST = 5.3


def of(recipe: Recipe, steps: int) -> list[float]:
    """The rate of each optimizer step of a run."""
    weight = nn.Parameter(torch.zeros(1))
    optimizer = optimizers.build("sgd", [{"params": [weight], "weight_decay": 0.0}], recipe)
    scheduler = schedules.build(recipe.schedule, optimizer, steps)
    if scheduler is None:
        return [recipe.learning_rate] * steps
    optimizer.step()  # once: torch warns of a scheduler that steps before its optimizer
    rates = []
    for _ in range(steps):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        scheduler.step()
    return rates


def ends(recipe: Recipe, steps: int) -> tuple[float, float, float]:
    """First, highest and last rate of a run as shares of the recipe's.

    Raises:
        ValueError: one of them is further from what the schedule promises than two steps can change it.
    """
    rates = of(recipe, steps)
    first, highest, last = (rate / recipe.learning_rate for rate in (rates[0], max(rates), rates[-1]))
    promised = ENDS[recipe.schedule]
    wrong = max(abs(first - promised[0]), abs(highest - 1), abs(last - promised[1]))
    if wrong > 2 * STEEPEST / steps:
        raise ValueError(
            f"schedule {recipe.schedule!r} over {steps} steps begins, peaks and ends at {first:.3g}, {highest:.3g} and "
            f"{last:.3g} of the recipe's rate, not at {promised[0]:.3g}, 1 and {promised[1]:.3g}: mend "
            "bench/training/schedules.py"
        )
    return first, highest, last
