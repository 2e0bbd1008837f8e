"""The training loop, one for all experiments: `for record in train.run(case, recipe, ...)`.

Whole data sets live on the device as tensors and a batch is one indexing: no DataLoader, no workers.
Nothing is read back from the device inside an epoch.
"""

from __future__ import annotations

import copy
import datetime
import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import torch
import torch._dynamo  # an optimizer imports it at its first step: two seconds that no run must be charged with
from torch import Tensor, nn

import activations
import models
from activations.contract.memory import bytes_saved
from bench.cases import seeding
from bench.cases.case import Case
from bench.cases.metric import Measured
from bench.cases.recipe import CONTRAST, Recipe
from bench.data.locations import Locations
from bench.data.noise import uniform_noise
from bench.data.parts import Part, Parts, prepare
from bench.records import code
from bench.records.record import Outcome, Record
from bench.training import fingerprint, setup
from bench.training.device import PeakMemory, now, since, threads
from bench.training.evaluation import Autocast, Evaluation, autocast_of, evaluate, hidden_zeros, outcome_of
from bench.training.gradient_norms import Gradients
from bench.training.graph import GraphedStep
from bench.training.learned_functions import Functions
from bench.training.objectives import objective_of
from bench.training.setup import Network
from bench.training.step import TrainingStep

# (seed, epoch from 1, epochs at most, training loss)
Progress: TypeAlias = Callable[[int, int, int, float], None]


def run(
    case: Case,
    recipe: Recipe,
    scale: str,
    seeds: Sequence[int],
    device: torch.device,
    where: Locations = Locations(),  # noqa: B008, it is frozen
    progress: Progress | None = None,
    gradients: bool = False,
    graph: bool = False,
) -> Iterator[Record]:
    """Train a case once for each seed and yield the records as the runs end.

    A loss that is not finite ends a run early with the outcome `diverged`; it is not an exception. With `gradients` the
    records keep the norms of every layer's gradient, and the runs stay the same to the bit. With `graph` their steps
    are replayed, see `bench.training.graph`.

    Raises:
        DataError: the data cannot be had.
        ValueError: an unknown model, activation, optimizer or initialisation, or a graph on another device than CUDA.
    """
    if graph and device.type != "cuda":
        raise ValueError(
            f"--graph: CUDA graphs need a card, and the device is {device.type}; leave --graph out, or give it with "
            "--device cuda on a machine with a card"
        )
    recipe = recipe.on(device.type)
    parts = prepare(case.dataset, recipe, device, models.info(case.model).minimum_image_size, where)
    with threads(recipe.threads or torch.get_num_threads()):
        for seed in seeds:
            yield _run(case, recipe, scale, seed, device, parts, progress or (lambda *_: None), gradients, graph)


def environment(
    case: Case, recipe: Recipe, device: torch.device, where: Locations, graph: bool = False
) -> tuple[str, fingerprint.Fingerprint]:
    """Data hash and fingerprint that a run of a case would have now."""
    recipe = recipe.on(device.type)
    parts = prepare(case.dataset, recipe, device, models.info(case.model).minimum_image_size, where)
    with threads(recipe.threads or torch.get_num_threads()):
        return parts.data_hash, _fingerprint(case, recipe, device, graph)


def _fingerprint(case: Case, recipe: Recipe, device: torch.device, graph: bool) -> fingerprint.Fingerprint:
    return fingerprint.take(device, recipe, activations.info(case.activation).code, graph=graph)


def train_epoch(step: TrainingStep, batches: torch.Generator, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """One pass over the part of a step; its sums of the loss and of the correct answers, on the device.

    Args:
        batches: what the order of the rows is drawn from.
        draws: what augmentation draws from.
    """
    network, part, size = step.network, step.part, step.recipe.batch_size
    drawn = step.augmentation.epoch(len(part), size, draws, part.labels.device)
    step.total.zero_()
    step.correct.zero_()
    network.net.train()
    for (rows, tokens), own in zip(part.shuffled(size, batches), drawn, strict=True):
        step(rows, own, tokens)
        if network.scheduler:
            network.scheduler.step()
    return step.total, step.correct


@dataclass
class TrainingLog:
    """What a run has been through: its curves, its clock and its best weights."""

    curves: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    seconds_to_target: float | None = None
    best_loss: float = math.inf
    best_epoch: int = 0
    best_weights: dict[str, Tensor] | None = None
    functions: Functions = field(default_factory=Functions)

    def note(self, **values: float) -> None:
        for name, value in values.items():
            self.curves.setdefault(name, []).append(value)

    def final(self, *names: str) -> dict[str, float]:
        """Of the epoch whose weights are kept."""
        kept = self.best_epoch - 1 if self.best_weights else -1
        return {name: self.curves[name][kept] for name in names if name in self.curves}


def _run(
    case: Case,
    recipe: Recipe,
    scale: str,
    seed: int,
    device: torch.device,
    parts: Parts,
    progress: Progress,
    gradients: bool,
    graph: bool,
) -> Record:
    peak = PeakMemory(device)
    network = setup.build(case, recipe, seed, device, parts)
    norms = Gradients(network.net, network.sites, recipe.steps(len(parts.train))) if gradients else None
    make = partial(GraphedStep, name=f"{case.id}, seed {seed}") if graph else TrainingStep
    step = make(network, parts.train, recipe, (lambda loss: norms.step()) if norms else None)
    log = fit(step, seed, parts, progress, peak)
    outcome, metrics = results(network, log, recipe, seed, parts)
    if "train_loss" not in metrics:
        found = evaluate(network.net, parts.train, objective_of(recipe), autocast_of(recipe, device))
        metrics["train_loss"] = found.loss
    if recipe.hidden_zeros:
        metrics["hidden_zeros"] = hidden_zeros(network.net, network.sites, parts.test, autocast_of(recipe, device))
    return Record(
        case=case,
        scale=scale,
        seed=seed,
        recipe=recipe.fields,
        data_hash=parts.data_hash,
        device_class=fingerprint.device_class(device),
        fingerprint=_fingerprint(case, recipe, device, graph),
        outcome=outcome,
        metrics={**metrics, **({"vanishing_ratio": norms.vanishing_ratio()} if norms else {})},
        curves=log.curves,
        functions=log.functions.sampled,
        digest=_digest(network.net, log.curves["train_loss"]),
        seconds=log.seconds,
        seconds_to_target=log.seconds_to_target,
        bytes_saved=bytes_of_a_batch(network.net, parts.train, recipe),
        peak_bytes=peak.bytes,
        num_parameters=sum(p.numel() for p in network.net.parameters() if p.requires_grad),
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        gradients=norms.norms() if norms else {},
        gradient_steps=norms.steps if norms else [],
        code=code.code_of(case.experiment),
    )


def fit(
    step: TrainingStep,
    seed: int,
    parts: Parts,
    progress: Progress = lambda *_: None,
    peak: PeakMemory | None = None,
) -> TrainingLog:
    """Train a network as its recipe says, step by step, with what is random drawn from the seed's own streams."""
    network, recipe, device = step.network, step.recipe, parts.train.labels.device
    peak = peak or PeakMemory(device)
    autocast = autocast_of(recipe, device)
    log = TrainingLog()
    objective = objective_of(recipe)
    batches, draws = seeding.generator(seed, "batches"), seeding.generator(seed, "augmentation")
    with seeding.global_stream(seed, "dropout and noise"):
        if recipe.keep_functions:
            log.functions.sample(network.sites, network.shapes)
        for epoch in range(1, recipe.epochs + 1):
            start = now(device)
            with peak.watched():
                total, correct = train_epoch(step, batches, draws)
            log.seconds += since(start, device)
            loss = total.item() / len(parts.train)
            log.note(train_loss=loss)
            if objective.correct:
                log.note(train_accuracy=correct.item() / len(parts.train))
            if recipe.keep_functions:
                log.functions.sample(network.sites, network.shapes)
            progress(seed, epoch, recipe.epochs, loss)
            if not math.isfinite(loss):
                break
            if parts.validation is None:
                continue
            validation = evaluate(network.net, parts.validation, objective, autocast)
            log.note(**validation.named("validation"))
            if log.seconds_to_target is None and _reaches(recipe.target_accuracy, validation):
                log.seconds_to_target = log.seconds
            if validation.loss < log.best_loss:
                log.best_loss, log.best_epoch = validation.loss, epoch
                if recipe.patience is not None:
                    log.best_weights = copy.deepcopy(network.net.state_dict())
            elif recipe.patience is not None and epoch - log.best_epoch >= recipe.patience:
                break
    return log


def results(
    network: Network, log: TrainingLog, recipe: Recipe, seed: int, parts: Parts
) -> tuple[Outcome, dict[str, float]]:
    """Outcome and metrics of a trained network; its best weights are put back first, where the recipe keeps them."""
    if log.best_weights is not None:
        network.net.load_state_dict(log.best_weights)
    autocast = autocast_of(recipe, parts.test.labels.device)
    objective = objective_of(recipe)
    judged = recipe.judged_part
    looked_at = {"test": parts.test, judged: getattr(parts, judged)}
    found = {name: evaluate(network.net, part, objective, autocast) for name, part in looked_at.items()}
    losses = log.curves["train_loss"]
    return outcome_of(losses, found[judged], looked_at[judged], objective), {
        **{metric: value for name, one in found.items() for metric, value in one.named(name).items()},
        **_under_noise(network.net, parts.test, recipe, seed, autocast),
        **log.final("validation_loss", "validation_accuracy", *_chosen_by(recipe)),
        "first_epoch_train_loss": losses[0],
        "epochs_to_stop": float(len(losses)),
    }


def _chosen_by(recipe: Recipe) -> list[str]:
    """The validation metric that stands for the judged one in a choice; of a training metric there is none."""
    found = Measured.parse(recipe.metric).chosen_by
    return [found.name] if found.part == "validation" else []


def _reaches(target_accuracy: float | None, found: Evaluation) -> bool:
    return target_accuracy is not None and found.metrics.get("accuracy", 0.0) >= target_accuracy


def _under_noise(net: nn.Module, part: Part, recipe: Recipe, seed: int, autocast: Autocast) -> dict[str, float]:
    """Test metrics under uniform noise, as `test_accuracy_noise1.5`; the same noise for all activations of a seed."""
    found: dict[str, float] = {}
    for amplitude in recipe.test_noise:
        half_width = amplitude * CONTRAST[recipe.preprocessing]
        inputs = uniform_noise(part.inputs, half_width, seeding.generator(seed, "test noise"))
        noisy = evaluate(net, Part(inputs, part.labels), objective_of(recipe), autocast)
        found |= {f"{name}_noise{amplitude:g}": value for name, value in noisy.named("test").items()}
    return found


def _digest(net: nn.Module, losses: Sequence[float]) -> str:
    digest = hashlib.sha256(repr(list(losses)).encode())
    for name, tensor in net.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def bytes_of_a_batch(net: nn.Module, part: Part, recipe: Recipe) -> int:
    """Kept for backward; taken when the run is over, so that it cannot disturb it."""
    net.train()
    batch = part.inputs[: recipe.batch_size].clone()  # a slice would keep the storage of the whole part
    with autocast_of(recipe, batch.device)():
        return bytes_saved(lambda: net(batch), excluded=net.parameters())
