"""Training, validation and test part as tensors on the device: `parts.prepare("digits", recipe, device)`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.data import encoder, store
from bench.data._registry import DatasetInfo, info
from bench.data.corruption import corrupt
from bench.data.errors import DataError
from bench.data.locations import Locations
from bench.data.preprocess import PREPROCESSING

if TYPE_CHECKING:
    from bench.cases.recipe import Recipe

# Of the fixed permutation from which validation part and subsets are taken; the same for every run.
SPLIT_SEED = 20150101
# Sentences are sorted by length within so many batches: most of the padding goes, and batches still differ from
# epoch to epoch.
SORTED_BATCHES = 50


@dataclass(frozen=True)
class Part:
    """What a part of a data set holds, on the device.

    Attributes:
        inputs: preprocessed images (float32, N x C x H x W), features (float32, N first) or ids (int64, N first).
        labels: int64, N; of text N x characters.
        lengths: of sentences, ids of each row before its padding; the rows then go from short to long. None where all
            rows are equally long.
    """

    inputs: Tensor
    labels: Tensor
    lengths: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def majority_rate(self) -> float:
        """Share of the most frequent class: what guessing reaches."""
        return float(torch.bincount(self.labels.flatten()).max() / self.labels.numel())

    def take(self, rows: Tensor, tokens: int | None = None) -> tuple[Tensor, Tensor]:
        """Inputs and labels of some rows, the inputs in their own memory format; of sentences the first `tokens` ids.

        index_select is twice as fast as indexing, but gives back contiguous tensors: what is channels_last goes
        through it as N x H x W x C.
        """
        labels = self.labels.index_select(0, rows)
        if not self.inputs.is_contiguous():
            return self.inputs.permute(0, 2, 3, 1).index_select(0, rows).permute(0, 3, 1, 2), labels
        inputs = self.inputs.index_select(0, rows)
        return inputs if tokens is None else inputs[:, :tokens], labels

    def batches(self, size: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs and labels of all rows, see `shuffled`; what pads a row beyond the longest of its batch is cut off."""
        return (self.take(rows, tokens) for rows, tokens in self.shuffled(size, generator))

    def shuffled(self, size: int, generator: torch.Generator) -> Iterator[tuple[Tensor, int | None]]:
        """All rows in random order, `size` at a time, and of sentences, beside others of their length, the longest.

        The rows of an epoch go to the device at once.
        """
        order = torch.randperm(len(self), generator=generator)
        if self.lengths is None:
            yield from ((rows, None) for rows in order.to(self.labels.device).split(size))
            return
        alike = [rows for pool in order.split(size * SORTED_BATCHES) for rows in pool.sort().values.split(size)]
        mixed = [alike[batch] for batch in torch.randperm(len(alike), generator=generator).tolist()]
        longest = [self.lengths[rows[-1]] for rows in mixed]
        on_device = torch.cat(mixed).to(self.labels.device).split([len(rows) for rows in mixed])
        yield from zip(on_device, longest, strict=True)

    def in_turn(self, size: int) -> Iterator[Tensor]:
        """The inputs of all rows in their own order, `size` at a time, sentences without needless padding."""
        for start, inputs in zip(range(0, len(self), size), self.inputs.split(size), strict=True):
            yield inputs if self.lengths is None else inputs[:, : self.lengths[start + len(inputs) - 1]]


@dataclass(frozen=True)
class Parts:
    """What a run sees of a data set.

    Attributes:
        validation: None where the recipe wants none.
        data_hash: of the whole data set, and of the pretrained weights where there are some.
        model_arguments: what the data tells the network: `vocab_size`, the number of ids, or `pretrained`, the folder
            of the weights that belong to these ids.
    """

    train: Part
    validation: Part | None
    test: Part
    num_classes: int
    data_hash: str
    model_arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one example."""
        return tuple(self.train.inputs.shape[1:])


def prepare(
    name: str,
    recipe: Recipe,
    device: torch.device,
    minimum_image_size: int | None = None,
    where: Locations = Locations(),  # noqa: B008, it is frozen
) -> Parts:
    """The parts of a data set that a recipe asks for, on the device: corrupted, then preprocessed, then resized.

    Raises:
        DataError: the data or the pretrained weights cannot be had, or the recipe asks for more rows than there are, or
            whitens too few.
    """
    sizes = (recipe.train_size, recipe.validation_size, recipe.test_size)
    looks = (recipe.psi, recipe.preprocessing, minimum_image_size, recipe.memory_format)
    where = replace(where, bert=(where.bert or recipe.encoder) if recipe.encoder else None)
    return _prepare(info(name), sizes, looks, device, where)


def stand_in(name: str, recipe: Recipe, shape: tuple[int, ...], rows: int) -> Parts:
    """Parts of random rows of a shape, for what needs no more: plans, and a step taken without the data.

    An encoder that is not at hand is left to the network's own size, which is that of BERT base.
    """
    entry = info(name)
    inputs = torch.randn(rows, *shape)
    labels = torch.arange(rows) % entry.num_classes
    told: dict[str, Any] = {}
    if entry.kind == "text":
        inputs = labels = torch.randint(entry.num_classes, (rows, *shape))
    if entry.vocab_size:
        inputs = torch.randint(1, entry.vocab_size, (rows, *shape))
        told["vocab_size"] = entry.vocab_size
    if recipe.encoder:
        try:
            told = {"pretrained": str(encoder.folder(recipe.encoder))}
        except DataError:
            told = {}
    part = Part(inputs, labels)
    return Parts(part, None, part, entry.num_classes, data_hash="", model_arguments=told)


@lru_cache(maxsize=2)  # neighbouring cases share their data; two, so that a worker's mixed queue does not thrash
def _prepare(
    record: DatasetInfo,
    sizes: tuple[int | None, int | None, int | None],
    looks: tuple[int | None, str, int | None, str],
    device: torch.device,
    where: Locations,
) -> Parts:
    dataset = store.load(record.name, where)
    rows = _rows(dataset, *sizes)
    picked = {part: tuple(values[chosen] for values in dataset.part(source)) for part, (source, chosen) in rows.items()}
    if dataset.info.kind == "text":  # of bytes
        picked = {part: tuple(values.long() for values in both) for part, both in picked.items()}
    inputs = {part: values for part, (values, _) in picked.items()}
    if dataset.info.kind in ("images", "frames", "features"):
        inputs = _seen(inputs, dataset.info.peak, *looks)
    sentences = dataset.info.kind == "sentences"
    ready = {part: _on_device(inputs.pop(part), labels, sentences, device) for part, (_, labels) in picked.items()}
    data_hash = dataset.data_hash
    if where.bert is not None:  # what is learned from is the text and the weights
        data_hash = hashlib.sha256(f"{data_hash} {encoder.hash_of(where.bert)}".encode()).hexdigest()[:16]
    return Parts(
        train=ready["train"],
        validation=ready.get("validation"),
        test=ready["test"],
        num_classes=dataset.info.num_classes,
        data_hash=data_hash,
        model_arguments=_model_arguments(dataset, where.bert),
    )


def _rows(
    dataset: store.Dataset, train_size: int | None, validation_size: int | None, test_size: int | None
) -> dict[str, tuple[str, Tensor]]:
    """For each part, from which part of the data set its rows are, and which of them."""
    own = len(dataset.tensors.get("validation_labels", ()))
    train_rows, test_rows = (len(dataset.part(part)[1]) for part in ("train", "test"))
    if validation_size is None:
        validation_size = own
    split_off = 0 if own else validation_size
    train_size = train_rows - split_off if train_size is None else train_size
    test_size = test_rows if test_size is None else test_size
    if (
        train_size + split_off > train_rows
        or test_size > test_rows
        or train_size < 1
        or validation_size > (own or train_rows)
    ):
        raise DataError(
            f"the recipe asks {dataset.info.name} for {train_size} + {validation_size} training and validation and "
            f"{test_size} test rows; it has {train_rows}{f' + {own}' if own else ''} and {test_rows}"
        )
    order = torch.randperm(train_rows, generator=torch.Generator().manual_seed(SPLIT_SEED))
    test_order = torch.randperm(test_rows, generator=torch.Generator().manual_seed(SPLIT_SEED))
    rows = {
        "train": ("train", order[split_off : split_off + train_size]),
        "validation": ("train", order[:split_off]),
        "test": ("test", test_order[:test_size].sort().values),
    }
    if own:
        own_order = torch.randperm(own, generator=torch.Generator().manual_seed(SPLIT_SEED))
        rows["validation"] = ("validation", own_order[:validation_size])
    if not validation_size:
        del rows["validation"]
    return rows


def _seen(
    pixels: dict[str, Tensor],
    peak: int,
    psi: int | None,
    preprocessing: str,
    minimum_image_size: int | None,
    memory_format: str,
) -> dict[str, Tensor]:
    """Inputs as a network gets to see them, from pixels or features as they were stored."""
    pixels = {part: values.float() for part, values in pixels.items()}
    if psi is not None:
        pixels = {part: corrupt(images / peak, psi, part) * peak for part, images in pixels.items()}
    transform = PREPROCESSING[preprocessing](pixels["train"], peak)
    layout = torch.channels_last if memory_format == "channels_last" else torch.contiguous_format

    def seen(part: str) -> Tensor:
        inputs = transform(pixels.pop(part))
        if inputs.ndim < 4:
            return inputs
        if minimum_image_size and min(inputs.shape[2:]) < minimum_image_size:
            inputs = F.interpolate(inputs, size=(minimum_image_size, minimum_image_size), mode="bilinear")
        return inputs.contiguous(memory_format=layout)

    return {part: seen(part) for part in list(pixels)}


def _on_device(inputs: Tensor, labels: Tensor, sentences: bool, device: torch.device) -> Part:
    if not sentences:
        return Part(inputs.to(device), labels.to(device))
    lengths = (inputs != 0).sum(1)
    order = lengths.argsort(stable=True)
    return Part(inputs[order].to(device), labels[order].to(device), lengths[order].tolist())


def _model_arguments(dataset: store.Dataset, bert: str | None) -> dict[str, Any]:
    if bert is not None:
        return {"pretrained": str(encoder.folder(bert))}
    parts = [name for name in ("train", "validation", "test") if f"{name}_labels" in dataset.tensors]
    held = [dataset.part(name)[0] for name in parts]
    if held[0].dtype != torch.int64:
        return {}
    return {"vocab_size": 1 + max(int(ids.max()) for ids in held)}
