"""The learning rate schedules: their shapes, step by step, as the sources in `bench.training.schedules` define them."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from bench.training import schedules

RATE = 0.3
STEPS = 1000


def rise(share: float) -> float:
    """Half a cosine from 0 to 1."""
    return (1 - math.cos(math.pi * share)) / 2


# The rate, as a share of the recipe's, at the beginning, after a quarter, half and three quarters of the run, and at
# its end. one_cycle rises for 0.3 of the steps from 1/25, then falls to 1/25 of 1e-4.
SHAPES = {
    "constant": (1, 1, 1, 1, 1),
    "linear_from_half": (1, 1, 1, 1 / 2, 0),
    "cosine": (1, 1 - rise(1 / 4), 1 / 2, 1 - rise(3 / 4), 0),
    "triangular": (1 / 25, 13 / 25, 1, 13 / 25, 1 / 25),
    "one_cycle": (1 / 25, 1 / 25 + 24 / 25 * rise(0.25 / 0.3), 1 - rise(0.2 / 0.7), 1 - rise(0.45 / 0.7), 0),
}


# The steepest, one_cycle's rise, changes by half of pi over 0.3 of a run: this many times the highest rate a run.
STEEPEST = 5.3


def rates(schedule: str, steps: int) -> list[float]:
    """The rate of each optimizer step of a run."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=RATE)
    scheduler = schedules.build(schedule, optimizer, steps)
    optimizer.step()  # once: torch warns of a scheduler that steps before its optimizer
    found = []
    for _ in range(steps):
        found.append(float(optimizer.param_groups[0]["lr"]))
        if scheduler:
            scheduler.step()
    return found


@pytest.mark.parametrize("schedule", schedules.SCHEDULES)
def test_a_schedule_has_its_shape_from_the_first_step_to_the_last(schedule):
    found = rates(schedule, STEPS)
    assert len(found) == STEPS
    quarters = [found[0], found[STEPS // 4], found[STEPS // 2], found[3 * STEPS // 4], found[-1]]
    assert quarters == pytest.approx([share * RATE for share in SHAPES[schedule]], abs=RATE * STEEPEST / STEPS)


@pytest.mark.parametrize("steps", [2, 3, 114, 1001])
@pytest.mark.parametrize("schedule", schedules.SCHEDULES)
def test_the_recipes_rate_is_the_highest_one_and_no_rate_is_negative(schedule, steps):
    found = rates(schedule, steps)
    assert len(found) == steps
    assert max(found) == pytest.approx(RATE, abs=RATE * STEEPEST / steps)
    assert RATE * (1 + 1e-9) >= max(found) >= min(found) >= 0


@pytest.mark.parametrize("schedule", schedules.SCHEDULES)
def test_no_rate_jumps_from_one_step_to_the_next(schedule):
    found = rates(schedule, STEPS)
    assert max(abs(after - before) for before, after in pairwise(found)) <= RATE * STEEPEST / STEPS


@pytest.mark.parametrize("schedule", schedules.SCHEDULES)
def test_parameter_groups_keep_their_own_weight_decay_and_share_the_rate(schedule):
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "weight_decay": decay} for decay in (0.0, 0.1)]
    optimizer = torch.optim.SGD(groups, lr=RATE)
    scheduler = schedules.build(schedule, optimizer, 10)
    for _ in range(4):
        optimizer.step()
        if scheduler:
            scheduler.step()
    one, other = optimizer.param_groups
    assert (one["weight_decay"], other["weight_decay"]) == (0.0, 0.1)
    assert one["lr"] == other["lr"]


def test_a_momentum_is_left_alone():
    for schedule in schedules.SCHEDULES:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=RATE, momentum=0.9)
        scheduler = schedules.build(schedule, optimizer, 10)
        for _ in range(4):
            optimizer.step()
            if scheduler:
                scheduler.step()
        assert optimizer.param_groups[0]["momentum"] == 0.9, schedule


def test_an_unknown_schedule_is_named_beside_the_known_ones():
    with pytest.raises(ValueError, match="unknown schedule 'step'; known: constant, linear_from_half"):
        schedules.build("step", torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=RATE), 10)
