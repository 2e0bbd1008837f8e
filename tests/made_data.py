"""Data sets made for the tests in the hub's layout: `toy = made_data.source_of(tmp_path, TOY)`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.cases.recipe import Recipe
from bench.data import DatasetInfo, hub, parts, store
from bench.data.locations import Locations

CPU = torch.device("cpu")
RECIPE = Recipe(version=1, epochs=1, batch_size=8, learning_rate=0.1, initialisation="torch")
TOY = DatasetInfo(
    "toy",
    "Toy",
    num_classes=4,
    shape=(1, 6, 5),
    peak=255,
    rows=(12, 7),
    hub="somebody/toy",
    columns=("picture", "kind"),
)
COLOURED = replace(TOY, name="coloured", label="Coloured", shape=(3, 6, 5), hub="somebody/coloured")


def forget() -> None:
    for remembered in (store._load, parts._prepare, hub.load, hub._unreachable):
        remembered.cache_clear()


def cached(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").glob("*.safetensors"))


def prepare(name: str, data_dir: Path | None = None, size: int | None = None, **recipe: Any) -> parts.Parts:
    return parts.prepare(name, replace(RECIPE, **recipe), CPU, size, Locations(data_dir))


def images_of(part: parts.Part) -> list[bytes]:
    return [image.numpy().tobytes() for image in part.inputs]


def pixels(entry: DatasetInfo, rows: int, seed: int) -> np.ndarray:
    channels, height, width = entry.shape
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, height, width, channels), dtype=np.uint8)
    pixels[0], pixels[1] = 0, entry.peak
    return pixels


def write(path: Path, columns: dict[str, list[Any]]) -> None:
    """One parquet file as the hub has it: a column that holds PNG bytes is declared as images."""
    import datasets

    table = datasets.Dataset.from_dict(columns)
    for name, values in columns.items():
        if any(isinstance(value, dict) for value in values):
            table = table.cast_column(name, datasets.Image())
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path)


def pngs(pixels: np.ndarray) -> list[dict[str, Any]]:
    from io import BytesIO

    from PIL import Image

    def png(image: np.ndarray) -> bytes:
        stream = BytesIO()
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(stream, "PNG")
        return stream.getvalue()

    return [{"bytes": png(image), "path": None} for image in pixels]


@dataclass
class Source:
    """A folder for `--data-dir`, and what it holds."""

    data_dir: Path
    entry: DatasetInfo
    pixels: dict[str, np.ndarray]
    labels: dict[str, list[int]]

    @property
    def where(self) -> Locations:
        return Locations(self.data_dir)

    @property
    def folder(self) -> Path:
        return self.data_dir / str(self.entry.hub)

    def columns(self, part: str) -> dict[str, list[Any]]:
        image_column, label_column = self.entry.columns
        return {image_column: pngs(self.pixels[part]), label_column: list(self.labels[part])}

    def write(self, part: str, columns: dict[str, list[Any]] | None = None) -> None:
        write(self.folder / "data" / f"{part}-00000-of-00001.parquet", columns or self.columns(part))


def source_of(data_dir: Path, entry: DatasetInfo) -> Source:
    sizes = dict(zip(("train", "test"), entry.rows, strict=True))
    made = Source(
        data_dir,
        entry,
        {part: pixels(entry, rows, seed) for seed, (part, rows) in enumerate(sizes.items())},
        {part: [row % entry.num_classes for row in range(rows)] for part, rows in sizes.items()},
    )
    for part in sizes:
        made.write(part)
    return made


def holds(dataset: store.Dataset, made: Source) -> bool:
    return all(
        torch.equal(dataset.tensors[f"{part}_images"], torch.from_numpy(made.pixels[part]).permute(0, 3, 1, 2))
        and dataset.tensors[f"{part}_labels"].tolist() == made.labels[part]
        for part in ("train", "test")
    )
