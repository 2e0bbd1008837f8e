"""Probe: the first steps of a case in float64. `probe.take_probe(case, recipe, "tiny", torch.device("cpu"))`.

It is the case's own code that runs: the setup, loop, objective, augmentation, optimizer, schedule and evaluation that a
run calls, for two epochs of two batches and with made rows in the place of the data. What is random is drawn in float64
from the streams of seed 0. Machines agree on that to many digits, where training in float32 soon parts: one recorded
probe judges them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn

import models
from bench.cases import seeding
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data import info, made_rows
from bench.data.parts import Parts
from bench.records.probes import RATES_OF_A_RUN, Probe, ProbeKey, chosen, groups
from bench.records.record import OUTCOMES
from bench.training import float64, optimizers, schedules, setup, train
from bench.training.device import threads
from bench.training.figures import figure, sample
from bench.training.setup import Network

SEED = 0
EPOCHS = 2
STEPS = 2 * EPOCHS
# Rows of a batch: enough for batch norms to be smooth, few enough for the networks of the papers.
BATCH = {"tiny": 16, "small": 4, "paper": 4}
# Of the weights, relative: far above the rounding of float64, far below what any change of the code does.
NUDGE = 1e-13
# Steps of a schedule at most: a longer run is looked at as if it had so many.
SCHEDULED = 5000
# Fields of a recipe that the first steps do not show.
UNSEEN = (
    *("epochs", "batch_size", "train_size", "validation_size", "test_size"),
    *("encoder", "preprocessing", "psi", "patience"),
)


def take_probe(case: Case, recipe: Recipe, scale: str, device: torch.device, nudge: float = 0.0) -> Probe:
    """The probe of a case. Torch's generators, threads and default dtype are as before when it returns.

    MPS has no float64: there the probe is of the CPU, and so of the code but not of the device's kernels.

    Args:
        nudge: by how much of their size the initial weights are moved, at random, to see what becomes of it.

    Raises:
        ValueError: an unknown model, activation, optimizer or initialisation.
    """
    device = torch.device("cpu") if device.type == "mps" else device
    recipe = recipe.on(device.type)
    short = replace(recipe, epochs=EPOCHS, batch_size=BATCH[scale], precision="float32", keep_functions=False)
    with float64.everywhere(), threads(recipe.threads or torch.get_num_threads()):
        parts = _parts(case, short, device)
        network = setup.build(case, short, SEED, device, parts)
        if nudge:
            _nudge(network.net, nudge)
        first = _FirstSteps(network)
        with float64.drawn_on_the_cpu():
            log = train.fit(network, short, SEED, parts, watch=first.step)
            outcome, metrics = train.results(network, log, short, SEED, parts)
        with seeding.global_stream(SEED, "bytes kept"):  # dropout draws there too
            kept = train.bytes_of_a_batch(network.net, parts.train, short) if device.type == "cpu" else None
    steps = _steps(case, recipe)
    return Probe(
        key=ProbeKey(case, scale, recipe.version),
        recipe={"steps": steps, **{name: value for name in UNSEEN if (value := getattr(recipe, name)) is not None}},
        series={
            **first.series,
            "rates": _rates(case, recipe, min(steps, SCHEDULED)),
            **({"bytes_saved": (float(kept),)} if kept is not None else {}),
        },
        evaluation={**metrics, "outcome": float(OUTCOMES.index(outcome))},
        num_sites=first.num_sites,
        num_layers=len(first.layers),
        layers=first.layers,
    )


class _FirstSteps:
    """Measures a network by hooks while it is trained: the first step in full, of the others the loss and the update.

    Attributes:
        series: what was measured, see `Probe`.
        layers: names of the modules with trainable weights, activations left out, from the output to the input.
    """

    def __init__(self, network: Network) -> None:
        net, self._sites = network.net, network.sites
        inside = {module for site in network.sites for module in site.modules()}
        layers = {name: _trained(layer) for name, layer in net.named_modules() if layer not in inside}
        backward = [(name, own) for name, own in reversed(layers.items()) if own]
        self.layers = tuple(name for name, _ in backward)
        self._weights = [own for _, own in backward]
        self._all = [one for one in net.parameters() if one.requires_grad]
        self._own = [one for one in nn.ModuleList(network.sites).parameters() if one.requires_grad]
        self.series: dict[str, tuple[float, ...]] = {"weights": (figure(net.parameters()),)}
        if self._own:
            self.series["activation_parameters"] = (figure(self._own),)
        self._outputs: dict[nn.Module, float] = {}
        self._hooks = [
            net.register_forward_pre_hook(lambda _, args: self._note("inputs", figure(args))),
            *(site.register_forward_hook(self._used) for site in network.sites),
            net.register_forward_hook(lambda _, args, output: self._note("output", figure([output]))),
        ]
        network.optimizer.register_step_pre_hook(lambda *_: self._keep())
        network.optimizer.register_step_post_hook(lambda *_: self._updated())

    def _note(self, name: str, value: float) -> None:
        self.series[name] = (*self.series.get(name, ()), value)

    def _used(self, site: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        if not self._outputs:
            self._note("first_site_input", figure(args))
        if site not in self._outputs:  # a recurrent network uses its own at every row
            self._outputs[site] = figure([output])

    def step(self, loss: Tensor) -> None:
        """Of each step, between backward pass and optimizer."""
        self._note("losses", loss.item())
        if not self._hooks:
            return
        while self._hooks:
            self._hooks.pop().remove()
        used = list(self._outputs.values())
        self.num_sites = len(used)
        self.series["sites"] = tuple(used[place] for place in chosen(len(used)))
        self.series["gradients"] = tuple(
            figure(gradient for own in self._weights[group] for gradient in _gradients(own))
            for group in groups(len(self._weights))
        )
        if self._own:
            self.series["activation_gradients"] = (figure(_gradients(self._own)),)

    def _keep(self) -> None:
        self._before = [[sample(one).clone() for one in own] for own in (self._all, self._own)]

    def _updated(self) -> None:
        for name, own, before in zip(
            ("updates", "activation_updates"), (self._all, self._own), self._before, strict=True
        ):
            if own:
                self._note(name, figure(sample(now) - was for now, was in zip(own, before, strict=True)))


@torch.no_grad()
def _nudge(net: nn.Module, relative: float) -> None:
    generator = seeding.generator(SEED, "nudge")
    for parameter in net.parameters():
        parameter.mul_(1 + relative * torch.randn(parameter.shape, generator=generator).to(parameter.device))


def _trained(module: nn.Module) -> list[nn.Parameter]:
    return [one for one in module.parameters(recurse=False) if one.requires_grad]


def _gradients(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    """None where the loss does not depend on it."""
    return [one.grad for one in parameters if one.grad is not None]


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
