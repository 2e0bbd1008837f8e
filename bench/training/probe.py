"""Probe: the first steps of a case in float64. `probe.take_probe(case, recipe, "tiny", torch.device("cpu"))`.

It is the case's own code that runs: the setup, loop, objective, augmentation, optimizer, schedule and evaluation that a
run calls, for epochs of two batches and with made rows in the place of the data. What is random is drawn in float64
from the streams of seed 0. Machines agree on that to many digits, where training in float32 soon parts: one recorded
probe judges them all. The same steps are taken once more in the precision that the recipe trains in, for how far
rounding carries them off: a kernel that is wrong in float32 alone goes further.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

import models
from bench.cases import seeding
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data import info, made_rows
from bench.data.parts import Part, Parts
from bench.records.probes import (
    RATES_OF_A_RUN,
    ROUNDED,
    ROUNDED_VALUES,
    Probe,
    ProbeKey,
    apart,
)
from bench.records.record import OUTCOMES
from bench.training import float64, optimizers, schedules, setup, train
from bench.training.device import full_float32, threads
from bench.training.figures import relative_error
from bench.training.setup import Network
from bench.training.step import TrainingStep
from bench.training.step_watch import LastStep, StepWatch

SEED = 0
# Of two steps each. The larger scales run the code that tiny does, and their networks take seconds a step.
EPOCHS = {"tiny": 2, "small": 1, "paper": 1}
# Rows of a batch: enough for batch norms to be smooth, few enough for the networks of the papers.
BATCH = {"tiny": 16, "small": 4, "paper": 4}
# Of the weights, relative: above the rounding of a precision, far below what any change of the code does.
NUDGE = {torch.float64: 1e-13, torch.float32: 5e-7}
# Steps of a schedule at most: a longer run is looked at as if it had so many.
SCHEDULED = 5000
# Fields of a recipe that do not reach the first steps.
NOT_OF_THE_STEPS: Mapping[str, Any] = {
    **dict.fromkeys(("psi", "train_size", "test_size", "target_accuracy")),
    **dict.fromkeys(("version", "seeds", "recorded_seeds"), 1),
    "aggregate": "mean",
    **dict.fromkeys(("keep_functions", "hidden_zeros"), False),
}
# Those that the first steps do not show, and that are compared by themselves.
UNSEEN = (
    *("epochs", "batch_size", "train_size", "validation_size", "test_size"),
    *("encoder", "preprocessing", "psi", "patience"),
)


def take_probe(
    case: Case,
    recipe: Recipe,
    scale: str,
    device: torch.device,
    *,
    nudged: bool = False,
    known: dict[tuple[object, ...], tuple[FirstSteps, FirstSteps]] | None = None,
) -> Probe:
    """The probe of a case. Torch's generators, threads, precisions and default dtype are as before when it returns.

    MPS has no float64: there the steps in float64 are the CPU's, and those in float32 the device's.

    Args:
        nudged: whether the initial weights are moved a little, at random, to see what becomes of it.
        known: first steps that were taken before by the same code, to which these are added: cases that differ in
            their data alone share them.

    Raises:
        ValueError: an unknown model, activation, optimizer or initialisation.
    """
    recipe = recipe.on(device.type)
    short = replace(
        made_rows.smaller(recipe, case.model), epochs=EPOCHS[scale], batch_size=BATCH[scale], **NOT_OF_THE_STEPS
    )
    known = {} if known is None else known
    key = (case.model, case.dataset, case.activation, case.optimizer, repr(short), device, nudged)
    if key not in known:
        cpu_threads = threads(recipe.threads or torch.get_num_threads())
        with float64.default_dtype(torch.float64), cpu_threads, full_float32():
            known[key] = _take(case, short, device, nudged)
    exact, own = known[key]
    steps, cut = _steps(case, recipe), made_rows.MOST.get(case.model, {})
    return Probe(
        key=ProbeKey(case, scale, recipe.version),
        recipe={
            "steps": steps,
            **{name: value for name in UNSEEN if (value := getattr(recipe, name)) is not None},
            **{name: size for name, size in recipe.model_arguments.items() if name in cut},
        },
        series={**exact.series, "rates": _rates(case, recipe, min(steps, SCHEDULED))},
        evaluation=exact.evaluation,
        num_sites=exact.num_sites,
        num_layers=len(exact.layers),
        layers=exact.layers,
        rounding=_rounding(exact, own, torch.finfo(getattr(torch, short.precision)).eps),
    )


@dataclass(frozen=True)
class FirstSteps:
    """Those of a case in one precision, without what is known before them; the other attributes are `Probe`'s.

    Attributes:
        values: some of what the measured sites and the network put out in the first step, one by one.
    """

    series: Mapping[str, tuple[float, ...]]
    values: Mapping[str, list[Tensor]]
    evaluation: Mapping[str, float] = field(default_factory=dict)
    num_sites: int = 0
    layers: tuple[str, ...] = ()


def _take(case: Case, short: Recipe, device: torch.device, nudged: bool) -> tuple[FirstSteps, FirstSteps]:
    """In float64, and the first of them in the recipe's own precision."""
    exact_device = torch.device("cpu") if device.type == "mps" else device
    parts = _parts(case, short, exact_device)
    network = setup.build(case, short, SEED, exact_device, parts)
    other = setup.copy_of(network, case, short, parts)
    other.net.to(device, torch.float32)
    if nudged:
        _nudge(network.net, NUDGE[torch.float64])
        _nudge(other.net, NUDGE[torch.float32])
    exact = _exact(network, replace(short, precision="float32"), parts)  # without autocast
    return exact, _first_step(other, short, _in_float32(parts, device))


def _exact(network: Network, short: Recipe, parts: Parts) -> FirstSteps:
    first = StepWatch(network)
    with float64.drawn_on_the_cpu():
        log = train.fit(TrainingStep(network, parts.train, short, first.step), SEED, parts)
        outcome, metrics = train.results(network, log, short, SEED, parts)
    if parts.test.labels.is_cpu:
        with seeding.global_stream(SEED, "bytes kept"):  # dropout draws there too
            first.series["bytes_saved"] = (float(train.bytes_of_a_batch(network.net, parts.train, short)),)
    evaluation = {**metrics, "outcome": float(OUTCOMES.index(outcome))}
    return FirstSteps(first.series, first.values, evaluation, first.num_sites, first.layers)


def _first_step(network: Network, short: Recipe, parts: Parts) -> FirstSteps:
    """In float32 or less: how far rounding carries it is looked at in the first step alone."""
    first = StepWatch(network, last=1)
    with float64.default_dtype(torch.float32), float64.drawn_on_the_cpu(), suppress(LastStep):
        train.fit(TrainingStep(network, parts.train, short, first.step), SEED, parts)
    return FirstSteps(first.series, first.values)


def _rounding(exact: FirstSteps, own: FirstSteps, epsilon: float) -> dict[str, float]:
    """How far apart two precisions are, at the number of each series and the tensor of values that is furthest."""
    found = {
        name: max(map(relative_error, exact.values[name], own.values[name]), default=0.0) / epsilon
        for name in ROUNDED_VALUES
    }
    for name, numbers in ROUNDED.items():
        if name in exact.series:
            ones, others = (taken.series[name][:numbers] for taken in (exact, own))
            found[name] = max(map(apart, ones, others)) / epsilon
    return found


@torch.no_grad()
def _nudge(net: nn.Module, relative: float) -> None:
    generator = seeding.generator(SEED, "nudge")
    for parameter in net.parameters():
        parameter.mul_(1 + relative * torch.randn(parameter.shape, generator=generator).to(parameter.device))


def _in_float32(parts: Parts, device: torch.device) -> Parts:
    """On a device, the inputs in float32, but for ids."""

    def moved(part: Part) -> Part:
        inputs = part.inputs.float() if part.inputs.is_floating_point() else part.inputs
        return replace(part, inputs=inputs.to(device), labels=part.labels.to(device))

    validation = moved(parts.validation) if parts.validation else None
    return replace(parts, train=moved(parts.train), validation=validation, test=moved(parts.test))


def _parts(case: Case, recipe: Recipe, device: torch.device) -> Parts:
    batch = recipe.batch_size
    sizes = made_rows.Sizes(
        train=2 * batch - batch // 4, validation=batch // 2, test=batch
    )  # the last batch is smaller
    return made_rows.parts(case.dataset, recipe, sizes, device, models.info(case.model).minimum_image_size)


def _steps(case: Case, recipe: Recipe) -> int:
    """Of the whole run."""
    entry = info(case.dataset)
    split_off = 0 if entry.validation_rows else recipe.validation_size or 0
    return recipe.steps(recipe.train_size or entry.rows[0] - split_off)


def _rates(case: Case, recipe: Recipe, steps: int) -> tuple[float, ...]:
    """Of a run of so many steps: evenly spaced ones from the first to the last, and the mean over all."""
    parameters = [nn.Parameter(torch.zeros(1))]
    optimizer = optimizers.build(case.optimizer, [{"params": parameters, "weight_decay": recipe.weight_decay}], recipe)
    scheduler = schedules.build(recipe.schedule, optimizer, steps)
    rates = [optimizer.param_groups[0]["lr"]]
    if scheduler is None:
        return tuple(rates)
    for _ in range(steps - 1):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    places = [round(point * (steps - 1) / (RATES_OF_A_RUN - 1)) for point in range(RATES_OF_A_RUN)]
    return (*(rates[place] for place in places), sum(rates) / steps)
