"""The training loop, one for all experiments: `for record in train.run(case, recipe, ...)`.

Whole data sets live on the device as tensors and a batch is one indexing: no DataLoader, no workers.
Nothing is read back from the device inside an epoch.
"""

from __future__ import annotations

import copy
import datetime
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import torch
import torch._dynamo  # an optimizer imports it at its first step: two seconds that no run must be charged with
from torch import Tensor, nn
from torch.nn import functional as F

import activations
import models
from bench import fingerprint, interleave, optimizers, seeding
from bench.case import Case
from bench.data.parts import Part, Parts, prepare
from bench.evaluation import Autocast, autocast_of, evaluate, outcome_of
from bench.memory import bytes_saved
from bench.recipe import Recipe
from bench.record import Record

# (seed, epoch from 1, epochs at most, training loss)
Progress: TypeAlias = Callable[[int, int, int, float], None]


def run(
    case: Case,
    recipe: Recipe,
    scale: str,
    seeds: Sequence[int],
    device: torch.device,
    data_dir: Path | None = None,
    progress: Progress | None = None,
) -> Iterator[Record]:
    """Train a case once for each seed and yield the records as the runs end.

    A loss that is not finite ends a run early with the outcome `diverged`; it is not an exception.

    Raises:
        DataError: the data cannot be had.
        ValueError: an unknown model, activation, optimizer or initialisation.
    """
    recipe = recipe.on(device.type)
    parts = prepare(case.dataset, recipe, device, models.info(case.model).minimum_image_size, data_dir)
    with interleave.threads(recipe.threads or torch.get_num_threads()):
        for seed in seeds:
            yield _run(case, recipe, scale, seed, device, parts, progress or (lambda *_: None))


def environment(
    case: Case, recipe: Recipe, device: torch.device, data_dir: Path | None
) -> tuple[str, fingerprint.Fingerprint]:
    """Data hash and fingerprint that a run of a case would have now."""
    recipe = recipe.on(device.type)
    parts = prepare(case.dataset, recipe, device, models.info(case.model).minimum_image_size, data_dir)
    with interleave.threads(recipe.threads or torch.get_num_threads()):
        return parts.data_hash, fingerprint.take(device, recipe)


@dataclass
class Network:
    """A network on its device with its optimizer.

    Attributes:
        net: the network.
        sites: the activation instances in it.
        optimizer: over its parameters.
    """

    net: nn.Module
    sites: list[nn.Module]
    optimizer: torch.optim.Optimizer


def build(case: Case, recipe: Recipe, seed: int, device: torch.device, parts: Parts) -> Network:
    """The network of a run, initialised, its parameter groups keeping each activation's own weight decay."""
    sites: list[nn.Module] = []

    def site(shape: tuple[int, ...]) -> nn.Module:
        with seeding.global_stream(seed, f"activation parameters {len(sites)}"):
            sites.append(activations.build(case.activation, shape=shape))
        return sites[-1]

    with seeding.global_stream(seed, "construction"):  # torch's layers draw from it; it is all drawn anew below
        net = models.build(
            case.model,
            input_shape=parts.input_shape,
            num_classes=parts.num_classes,
            activation=site,
            in_features_multiplier=activations.info(case.activation).in_features_multiplier,
            equal=recipe.equal,
        )
    models.initialise(net, recipe.initialisation, seeding.generator(seed, "weights"), keep=sites)
    channels_last = recipe.memory_format == "channels_last"
    net.to(device)
    net.to(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
    wish = activations.info(case.activation).weight_decay
    own = [parameter for module in sites for parameter in module.parameters()]
    mine = {id(parameter) for parameter in own}
    others = [parameter for parameter in net.parameters() if id(parameter) not in mine]
    groups = [{"params": others, "weight_decay": recipe.weight_decay}]
    if own:
        groups.append({"params": own, "weight_decay": recipe.weight_decay if wish is None else wish})
    return Network(net, sites, optimizers.build(case.optimizer, groups, recipe))


def train_epoch(
    network: Network, part: Part, order: Tensor, batch_size: int, autocast: Autocast
) -> tuple[Tensor, Tensor]:
    """One pass over a part in the given order; sums of the loss and of the correct answers, on the device."""
    net, optimizer = network.net, network.optimizer
    total = torch.zeros((), device=part.labels.device)
    correct = torch.zeros((), device=part.labels.device, dtype=torch.int64)
    net.train()
    for rows in order.split(batch_size):
        inputs, labels = part.take(rows)
        optimizer.zero_grad()
        with autocast():
            logits = net(inputs)
            loss = F.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(rows)
        correct += (logits.detach().argmax(1) == labels).sum()
    return total, correct


@dataclass
class _Course:
    """What a run has been through: its curves, its clock and its best weights."""

    curves: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    seconds_to_target: float | None = None
    best_loss: float = math.inf
    best_epoch: int = 0
    best_weights: dict[str, Tensor] | None = None

    def note(self, **values: float) -> None:
        for name, value in values.items():
            self.curves.setdefault(name, []).append(value)


def _run(
    case: Case,
    recipe: Recipe,
    scale: str,
    seed: int,
    device: torch.device,
    parts: Parts,
    progress: Progress,
) -> Record:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    autocast = autocast_of(recipe, device)
    network = build(case, recipe, seed, device, parts)
    with seeding.global_stream(seed, "dropout and noise"):
        course = _train(network, recipe, seed, device, parts, autocast, progress)
    if course.best_weights is not None:
        network.net.load_state_dict(course.best_weights)
    test = evaluate(network.net, parts.test, autocast)
    losses = course.curves["train_loss"]
    return Record(
        case=case,
        scale=scale,
        seed=seed,
        recipe=recipe.fields,
        data_hash=parts.data_hash,
        device_class=fingerprint.device_class(device),
        fingerprint=fingerprint.take(device, recipe),
        outcome=outcome_of(losses, test, parts),
        metrics={
            "test_accuracy": test.accuracy,
            "test_top3_accuracy": test.top3_accuracy,
            "test_loss": test.loss,
            "epochs_to_stop": float(len(losses)),
        },
        curves=course.curves,
        digest=_digest(network.net, losses),
        seconds=course.seconds,
        seconds_to_target=course.seconds_to_target,
        bytes_saved=_bytes_saved(network.net, parts.train, recipe, autocast),
        peak_bytes=torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None,
        num_parameters=sum(p.numel() for p in network.net.parameters() if p.requires_grad),
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )


def _train(
    network: Network,
    recipe: Recipe,
    seed: int,
    device: torch.device,
    parts: Parts,
    autocast: Autocast,
    progress: Progress,
) -> _Course:
    course = _Course()
    batches = seeding.generator(seed, "batches")
    for epoch in range(1, recipe.epochs + 1):
        order = torch.randperm(len(parts.train), generator=batches).to(device)
        start = _now(device)
        total, correct = train_epoch(network, parts.train, order, recipe.batch_size, autocast)
        course.seconds += _since(start, device)
        loss = total.item() / len(parts.train)
        course.note(train_loss=loss, train_accuracy=correct.item() / len(parts.train))
        progress(seed, epoch, recipe.epochs, loss)
        if not math.isfinite(loss):
            break
        if parts.validation is None:
            continue
        validation = evaluate(network.net, parts.validation, autocast)
        course.note(validation_loss=validation.loss, validation_accuracy=validation.accuracy)
        target = recipe.target_accuracy
        if target is not None and course.seconds_to_target is None and validation.accuracy >= target:
            course.seconds_to_target = course.seconds
        if validation.loss < course.best_loss:
            course.best_loss, course.best_epoch = validation.loss, epoch
            if recipe.patience is not None:
                course.best_weights = copy.deepcopy(network.net.state_dict())
        elif recipe.patience is not None and epoch - course.best_epoch >= recipe.patience:
            break
    return course


def _digest(net: nn.Module, losses: Sequence[float]) -> str:
    digest = hashlib.sha256(repr(list(losses)).encode())
    for name, tensor in net.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def _bytes_saved(net: nn.Module, part: Part, recipe: Recipe, autocast: Autocast) -> int:
    """Of one training batch; taken when the run is over, so that it cannot disturb it."""
    net.train()
    batch = part.inputs[: recipe.batch_size].clone()  # a slice would keep the storage of the whole part
    with autocast():
        return bytes_saved(lambda: net(batch), excluded=net.parameters())


def _now(device: torch.device) -> float | torch.cuda.Event:
    """A point in time: kernels run after their launch, so on CUDA it is an event in their stream."""
    if device.type != "cuda":
        return time.perf_counter()
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def _since(start: float | torch.cuda.Event, device: torch.device) -> float:
    """Seconds from a point in time until all that was launched since has run."""
    end = _now(device)
    if isinstance(start, float) or isinstance(end, float):
        return float(end) - float(start)  # type: ignore[arg-type]
    end.synchronize()
    return float(start.elapsed_time(end)) / 1000
