"""The training loop beside its rivals, an epoch of each: `loops.build(["suite", "limit"], case, recipe, ...)`.

`suite` is the loop of `bench.training.train`, `graph` the same with `--graph`; `limit` is as many bare steps on
resident batches; `dataloader` is PyTorch's tutorial loop over PIL images, `trainer` is transformers' Trainer. Model,
optimizer, batch size and data are the same.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from bench.cases import seeding
from bench.training import train
from bench.training.graph import GraphedStep
from bench.training.setup import Network
from bench.training.setup import build as build_network
from bench.training.step import TrainingStep

if TYPE_CHECKING:
    from bench.cases.case import Case
    from bench.cases.recipe import Recipe
    from bench.data.parts import Part, Parts

WORKERS = 2  # as in the tutorial


class Pictures(Dataset[tuple[Tensor, int]]):
    """Images kept as uint8 and opened as PIL images one at a time, as torchvision's own data sets do."""

    def __init__(self, part: Part) -> None:
        pixels = ((part.inputs.cpu() + 1) * 127.5).round().to(torch.uint8)
        self.images = pixels.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels = part.labels.tolist()
        self.transform = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def build(
    names: Iterable[str], case: Case, recipe: Recipe, parts: Parts, device: torch.device
) -> dict[str, Callable[[], object]]:
    """One epoch of each loop as a call, each with a network of its own from the same seed.

    Args:
        names: of `LOOPS`.

    Raises:
        ValueError: an unknown model, activation, optimizer or initialisation.
    """
    return {name: LOOPS[name](build_network(case, recipe, 0, device, parts), recipe, parts.train) for name in names}


def _suite(network: Network, recipe: Recipe, part: Part) -> Callable[[], object]:
    return _epoch(TrainingStep(network, part, recipe))


def _graph(network: Network, recipe: Recipe, part: Part) -> Callable[[], object]:
    return _epoch(GraphedStep(network, part, recipe, name="the loop with a graph"))


def _epoch(step: TrainingStep) -> Callable[[], object]:
    batches, draws = seeding.generator(0, "batches"), seeding.generator(0, "augmentation")

    def epoch() -> float:
        total, _ = train.train_epoch(step, batches, draws)
        return total.item()

    return epoch


def _limit(network: Network, recipe: Recipe, part: Part) -> Callable[[], object]:
    net, optimizer = network.net.train(), network.optimizer
    batches = _resident(part, recipe.batch_size)

    def epoch() -> float:
        for inputs, labels in batches:
            optimizer.zero_grad()
            loss = F.cross_entropy(net(inputs), labels)
            loss.backward()
            optimizer.step()
        return loss.item()

    return epoch


def _resident(part: Part, size: int) -> list[tuple[Tensor, Tensor]]:
    """Batches for an epoch: of sentences, whose lengths differ, all; of images the first one, again and again."""
    if part.lengths is not None:
        return list(part.batches(size, seeding.generator(0, "batches")))
    return [(part.inputs[:size].clone(), part.labels[:size].clone())] * (len(part) // size)


def _dataloader(network: Network, recipe: Recipe, part: Part) -> Callable[[], object]:
    """pytorch.org/tutorials/beginner/blitz/cifar10_tutorial.

    The workers persist, which the tutorial's do not: their start would weigh ten times as much here, where an
    epoch is a tenth of CIFAR-10.
    """
    net, optimizer, criterion = network.net.train(), network.optimizer, nn.CrossEntropyLoss()
    device = part.labels.device
    loader = DataLoader(
        Pictures(part),
        batch_size=recipe.batch_size,
        shuffle=True,
        num_workers=WORKERS,
        persistent_workers=True,
    )

    def epoch() -> float:
        running_loss = 0.0
        for data in loader:
            inputs, labels = data[0].to(device), data[1].to(device)
            optimizer.zero_grad()
            outputs = net(inputs)
            loss = criterion(outputs, labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        return running_loss

    return epoch


def _trainer(network: Network, recipe: Recipe, part: Part) -> Callable[[], object]:
    """transformers' Trainer on the same padded batches, resident as well: spared its collator and sampler of lengths.

    It does nothing but train: no logs, evaluations and checkpoints, and no clipping of gradients, which we have not.
    """
    from transformers import PrinterCallback, Trainer, TrainingArguments

    with tempfile.TemporaryDirectory() as folder:  # which it makes, though it has nothing to write
        arguments = TrainingArguments(
            output_dir=folder,
            num_train_epochs=1,
            per_device_train_batch_size=1,  # which here is a whole batch
            max_grad_norm=0.0,
            lr_scheduler_type="constant",
            logging_strategy="no",
            save_strategy="no",
            eval_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
            use_cpu=part.labels.device.type == "cpu",
        )
        arguments._n_gpu = min(arguments.n_gpu, 1)  # with several in sight it would train on all, by DataParallel
        trainer = Trainer(
            model=network.net,
            args=arguments,
            data_collator=lambda rows: rows[0],
            train_dataset=[{"ids": ids, "labels": labels} for ids, labels in _resident(part, recipe.batch_size)],
            optimizers=(network.optimizer, None),
            compute_loss_func=lambda logits, labels, num_items_in_batch: F.cross_entropy(logits, labels),
        )
    trainer.remove_callback(PrinterCallback)
    return trainer.train


LOOPS = {"suite": _suite, "graph": _graph, "limit": _limit, "dataloader": _dataloader, "trainer": _trainer}
