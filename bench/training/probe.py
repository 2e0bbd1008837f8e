"""Probe: the first steps of a case in float64. `probe.take(case, recipe, "tiny", torch.device("cpu"))`.

It is the case's own code that runs: the setup, training loop, objective, augmentation, optimizer, schedule and evaluation
that a run calls, with another recipe for the length (two epochs of two batches) and made rows in the place of the data.
What is drawn is drawn in float64 from the streams of seed 0. Float64 agrees between machines to many digits where
float32 training soon does not, so one recorded probe judges every machine.

Each quantity is one number, the root mean square of a tensor's values with weights of their own for every position and
either sign. It is positive and cannot cancel, and sees a value, a sign or an order that changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

import models
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data import info, made_rows
from bench.data.parts import Parts
from bench.records.probes import Probe, ProbeKey
from bench.records.record import OUTCOMES, builtin
from bench.training import float64, schedules, train
from bench.training.device import threads
from bench.training.setup import Network, build

SEED = 0
EPOCHS = 2
BATCH = {"tiny": 16, "small": 8, "paper": 4}
MOST = 12  # sites, and groups of layers, that are measured
# At most of one tensor, evenly spaced.
SAMPLES = 2**18
# A step whose loss is so many times the first one's blows up: what comes behind it tells rounding apart, not code.
BLOWN_UP = 4.0
POINTS = 8  # of the whole run at which the rate is taken, and its end
# Of a recipe, what the first steps do not show.
UNSEEN = (
    *("epochs", "batch_size", "train_size", "validation_size", "test_size", "preprocessing", "psi", "encoder"),
    *("patience", "target_accuracy", "precision", "memory_format", "metric", "aggregate"),
)


def take(case: Case, recipe: Recipe, scale: str, device: torch.device) -> Probe:
    """The probe of a case; training and torch's global state stay as they were.

    Raises:
        ValueError: an unknown model, activation, optimizer or initialisation.
    """
    short = _shortened(recipe.on(device.type), scale)
    with ExitStack() as stack:
        stack.enter_context(float64.everywhere())
        stack.enter_context(threads(recipe.threads or torch.get_num_threads()))
        parts = _parts(case, short, device)
        network = build(case, short, SEED, device, parts)
        watch = _Watch(network)
        stack.enter_context(float64.drawn_on_the_cpu())
        course = train.fit(network, short, SEED, parts, watch=watch.step)
        watch.end()
        outcome, metrics = train.results(network, course, short, SEED, parts)
        kept = train.bytes_of_a_batch(network.net, parts.train, short)
    evaluation = {
        **{name: values[-1] for name, values in course.curves.items()},
        **metrics,
        "outcome": float(OUTCOMES.index(outcome)),
    }
    evaluation = {name: value for name, value in evaluation.items() if math.isfinite(value)}
    series = watch.series()
    if _blows_up(series["losses"]):
        evaluation = {}
    return Probe(
        key=ProbeKey(case, scale, recipe.version),
        recipe=builtin({name: getattr(recipe, name) for name in UNSEEN}),
        counts={"sites": len(network.sites), "layers": len(watch.layers)},
        series={
            **series,
            "evaluation": tuple(evaluation.values()),
            "rates": tuple(_rates(case, recipe)),
            "bytes_saved": (float(kept),),
        },
        metrics=tuple(evaluation),
    )


def chosen(count: int) -> list[int]:
    """Which of so many sites are measured: `MOST` at most, evenly spaced, the first and the last among them."""
    if count <= MOST:
        return list(range(count))
    return sorted({round(place * (count - 1) / (MOST - 1)) for place in range(MOST)})


def figure(tensors: Iterable[Tensor]) -> float:
    """Root mean square of the values of some tensors, weighted by position and sign; of large ones a sample."""
    total, count = 0.0, 0
    for place, tensor in enumerate(tensors):
        values = tensor.detach().flatten()
        values = values[:: math.ceil(len(values) / SAMPLES)].double() if len(values) else values
        positive, negative = _weights(len(values), values.device)
        squares = torch.where(values < 0, negative, positive) * values.square()
        total += (0.5 + place * math.pi % 1) * squares.sum().item()
        count += len(values)
    return math.sqrt(total / count) if count else 0.0


def _weights(count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    positive, negative = _sequences(device)
    return positive[:count], negative[:count]


@cache
def _sequences(device: torch.device) -> tuple[Tensor, Tensor]:
    """From 0.5 to 1.5 each, those of positive values and of negative ones; exact, and so the same everywhere."""
    places = torch.arange(SAMPLES, dtype=torch.float64)
    one, other = (0.5 + (places * step) % 1 for step in (math.sqrt(5) / 2, math.sqrt(3)))
    return one.to(device), other.to(device)


class _Watch:
    """Hooks on a network that measure while it is trained; the first step in full, of the others loss and update."""

    def __init__(self, network: Network) -> None:
        self.network = network
        net, sites = network.net, network.sites
        own = {part for site in sites for part in site.modules()}
        self.layers = [layer for layer in net.modules() if layer not in own and _parameters([layer])]
        self.parameters = _parameters(net.modules())
        self.own = _parameters(own & set(net.modules())) if own else []
        self._measured: dict[str, list[float]] = {}
        self._note("weights", figure(_parameters(self.layers)))
        self.own = list(nn.ModuleList(sites).parameters())
        if self.own:
            self._note("activation_parameters", figure(self.own))
        order: list[nn.Module] = []
        self._sites = {site: 0.0 for site in sites}
        self._hooks = [
            net.register_forward_pre_hook(lambda _, args: self._note("inputs", figure(args))),
            net.register_forward_hook(lambda _, args, output: self._note("output", figure([output]))),
            *(site.register_forward_hook(self._used) for site in sites),
        ]
        self._order = order
        network.optimizer.register_step_post_hook(lambda *_: self._updated())
        self._before = self._sampled()

    def _note(self, name: str, value: float) -> None:
        self._measured.setdefault(name, []).append(value)

    def _used(self, site: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        if not self._order:
            self._note("first_site_input", figure(args))
        if site not in self._order:
            self._order.append(site)
            self._sites[site] = figure([output])

    def step(self, loss: Tensor) -> None:
        """Between backward pass and optimizer."""
        self._note("losses", loss.item())
        if not self._hooks:
            return
        while self._hooks:
            self._hooks.pop().remove()
        self._measured["sites"] = [self._sites[self._order[place]] for place in chosen(len(self._order))]
        backward = [*reversed(self.layers)]
        size = math.ceil(len(backward) / MOST)
        groups = [backward[start : start + size] for start in range(0, len(backward), size)]
        gradients = [figure(_gradients(_parameters(group))) for group in groups]
        self._measured["gradients"] = gradients + ([figure(_gradients(self.own))] if self.own else [])

    def _updated(self) -> None:
        now = self._sampled()
        self._note("updates", figure(after - before for after, before in zip(now, self._before, strict=True)))
        self._before = now

    def _sampled(self) -> list[Tensor]:
        flat = [parameter.detach().flatten() for parameter in self.network.net.parameters()]
        return [values[:: math.ceil(len(values) / SAMPLES)].clone() for values in flat]

    def end(self) -> None:
        """Nothing is measured any more."""

    def series(self) -> dict[str, tuple[float, ...]]:
        """What was measured, up to the step that blows up."""
        kept = dict(self._measured)
        losses = kept["losses"]
        bad = [place for place, loss in enumerate(losses) if not loss <= BLOWN_UP * losses[0]]
        steps = bad[0] if bad else len(losses)
        return {name: tuple(values[:steps] if name in ("losses", "updates") else values) for name, values in kept.items()}


def _blows_up(losses: Sequence[float]) -> bool:
    return len(losses) < 2 * EPOCHS


def _gradients(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    return [torch.zeros(1) if one.grad is None else one.grad for one in parameters]


def _parameters(layers: Iterable[nn.Module]) -> list[nn.Parameter]:
    return [one for layer in layers for one in layer.parameters(recurse=False)]


def _shortened(recipe: Recipe, scale: str) -> Recipe:
    return replace(
        recipe, epochs=EPOCHS, batch_size=BATCH[scale], precision="float32", keep_functions=False, target_accuracy=None
    )


def _parts(case: Case, recipe: Recipe, device: torch.device) -> Parts:
    batch = recipe.batch_size
    sizes = made_rows.Sizes(train=2 * batch - batch // 4, validation=batch, test=batch)  # the last batch is smaller
    return made_rows.parts(case.dataset, recipe, sizes, device, models.info(case.model).minimum_image_size)


def _rates(case: Case, recipe: Recipe) -> list[float]:
    """The whole run's: at its beginning, at each eighth, behind the last step, and the mean over all steps."""
    rows = info(case.dataset).rows[0]
    own = info(case.dataset).validation_rows
    train_rows = recipe.train_size or rows - (0 if own else recipe.validation_size or 0)
    steps = recipe.steps(train_rows)
    optimizer: Any = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=recipe.learning_rate)
    scheduler = schedules.build(recipe.schedule, optimizer, steps)
    if scheduler is None:
        return [optimizer.param_groups[0]["lr"]]
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    places = [round(point * (steps - 1) / POINTS) for point in range(POINTS + 1)]
    return [*(rates[place] for place in places), rates[-1], sum(rates) / len(rates)]
