"""The training loop beside its rivals, an epoch of each: `loops.build(case, recipe, parts, device)`.

`suite` is the loop of `bench.train`; `limit` is as many bare steps on one resident batch; `dataloader` is
PyTorch's tutorial loop over PIL images. Model, optimizer, batch size and images are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from bench import seeding, train
from bench.evaluation import autocast_of
from bench.network import Network
from bench.network import build as build_network

if TYPE_CHECKING:
    from bench.case import Case
    from bench.data.parts import Part, Parts
    from bench.recipe import Recipe

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


def build(case: Case, recipe: Recipe, parts: Parts, device: torch.device) -> dict[str, Callable[[], object]]:
    """One epoch of each loop as a call, each with a network of its own from the same seed.

    Raises:
        ValueError: an unknown model, activation, optimizer or initialisation.
    """
    return {
        name: loop(build_network(case, recipe, 0, device, parts), recipe, parts.train)
        for name, loop in (("suite", _suite), ("limit", _limit), ("dataloader", _dataloader))
    }


def _suite(network: Network, recipe: Recipe, part: Part) -> Callable[[], object]:
    device = part.labels.device
    autocast = autocast_of(recipe, device)
    batches, draws = seeding.generator(0, "batches"), seeding.generator(0, "augmentation")

    def epoch() -> float:
        order = torch.randperm(len(part), generator=batches).to(device)
        total, _ = train.train_epoch(network, part, order, recipe, draws, autocast)
        return total.item()

    return epoch


def _limit(network: Network, recipe: Recipe, part: Part) -> Callable[[], object]:
    net, optimizer = network.net.train(), network.optimizer
    inputs = part.inputs[: recipe.batch_size].clone()
    labels = part.labels[: recipe.batch_size].clone()

    def epoch() -> float:
        for _ in range(len(part) // recipe.batch_size):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(inputs), labels)
            loss.backward()
            optimizer.step()
        return loss.item()

    return epoch


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
