"""Data probe: what the networks of a case see of its data. `data_probe.take_data_probe(case, recipe, device)`."""

from __future__ import annotations

from itertools import islice

import torch
from torch import Tensor

import models
from bench.cases import seeding
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data.locations import Locations
from bench.data.parts import Parts, prepare
from bench.records.data_probes import DataKey, DataProbe
from bench.training.augmentation import AUGMENTATIONS
from bench.training.figures import figure, sample

SEED = 0
BATCHES = 2


def take_data_probe(
    case: Case,
    recipe: Recipe,
    device: torch.device,
    where: Locations = Locations(),  # noqa: B008, it is frozen
    known: dict[tuple[object, ...], DataProbe] | None = None,
) -> DataProbe:
    """The data probe of a case, by the functions that prepare, shuffle and augment what it trains on.

    Args:
        known: data probes that were taken before, to which this is added: most cases share theirs with others.

    Raises:
        DataError: the data cannot be had.
    """
    recipe = recipe.on(device.type)
    looks = {name: getattr(recipe, name) for name in DataKey._fields if hasattr(recipe, name)}
    looks["minimum_image_size"] = size = models.info(case.model).minimum_image_size
    known = {} if known is None else known
    one = (case.dataset, *looks.values(), recipe.memory_format, recipe.encoder, device, where)
    if one not in known:
        parts = prepare(case.dataset, recipe, device, size, where)
        key = DataKey(case.dataset, parts.data_hash, **{name: "" if x is None else str(x) for name, x in looks.items()})
        known[one] = DataProbe(key, _figures(parts, recipe))
    return known[one]


def _figures(parts: Parts, recipe: Recipe) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, part in (("train", parts.train), ("validation", parts.validation), ("test", parts.test)):
        if part is not None:
            figures |= {f"{name}_inputs": figure([_sampled(part.inputs)]), f"{name}_labels": figure([part.labels])}
    batches, draws = seeding.generator(SEED, "batches"), seeding.generator(SEED, "augmentation")
    first = list(islice(parts.train.batches(recipe.batch_size, batches), BATCHES))
    augmented = [_sampled(AUGMENTATIONS[recipe.augmentation](inputs, draws)) for inputs, _ in first]
    return figures | {"batch_labels": figure([labels for _, labels in first]), "batch_inputs": figure(augmented)}


def _sampled(inputs: Tensor) -> Tensor:
    return sample(inputs, row=inputs[0].numel())
