"""What corruption does to images, to look at: `picture.draw_corruption(store.load("cifar10"), (8, 16, 32, 64))`."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from bench.data.corruption import corrupt
from bench.data.store import Dataset

CLASSES = 10  # at most: a column each


def draw_corruption(dataset: Dataset, psis: Sequence[int]) -> Figure:
    """The first test image of each class, clean and then under ever more noise (peak signal-to-noise ratio in dB)."""
    labels = dataset.tensors["test_labels"].tolist()
    rows = [labels.index(label) for label in range(min(CLASSES, dataset.info.num_classes))]
    clean = dataset.tensors["test_images"][rows] / dataset.info.peak
    shown = {"clean": clean}
    for psi in sorted(psis, reverse=True):
        noisy = corrupt(clean, psi, "pictured")
        decibels = -10 * (noisy - clean).square().mean().log10()
        shown[f"$\\psi$ = {psi}\nPSNR {decibels:.1f} dB"] = noisy
    drawn = Figure(figsize=(0.9 * len(rows) + 0.9, 0.9 * len(shown) + 0.4), layout="constrained")
    axes = drawn.subplots(len(shown), len(rows), squeeze=False)
    for line, (label, images) in zip(axes, shown.items(), strict=True):
        line[0].set_ylabel(label, rotation=0, ha="right", va="center")
        for place, image in zip(line, images, strict=True):
            place.imshow(image.permute(1, 2, 0).numpy(), cmap="gray", vmin=0, vmax=1)
            place.set(xticks=[], yticks=[])
            place.spines[:].set_visible(False)
    drawn.suptitle(
        f"{dataset.info.label_of(dataset.data_hash)} under shot noise of peak count $\\psi$ (our reading of D5)",
        fontsize="medium",
    )
    return drawn
