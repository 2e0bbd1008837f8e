"""Shot noise: its moments, its seeds, and the picture of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from bench.data import info, picture, store
from bench.data.corruption import corrupt, shot_noise

PSIS = (8, 16, 32, 64)
DRAWS = 40_000


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("psi", PSIS)
@pytest.mark.parametrize("level", [0.02, 0.1, 0.3])
def test_dark_pixels_keep_their_mean_and_vary_by_it_over_psi(level: float, psi: int) -> None:
    noisy = shot_noise(torch.full((DRAWS,), level), psi, _generator()).double()
    assert abs(noisy.mean() - level) < 5 * (level / psi / DRAWS) ** 0.5
    assert noisy.var() == pytest.approx(level / psi, rel=0.05)


@pytest.mark.parametrize("psi", PSIS)
@pytest.mark.parametrize("level", [0.5, 0.9, 1.0])
def test_every_level_has_the_distribution_of_clipped_photon_counts(level: float, psi: int) -> None:
    counts = shot_noise(torch.full((DRAWS,), level), psi, _generator()) * psi
    found = np.bincount(counts.long(), minlength=psi + 1)
    assert torch.equal(counts, counts.round())
    shares = stats.poisson(level * psi).pmf(np.arange(psi + 1))
    shares[psi] += stats.poisson(level * psi).sf(psi)  # what is brighter than white is white
    likely = shares * DRAWS > 5
    expected = np.append(shares[likely], shares[~likely].sum()) * DRAWS
    observed = np.append(found[likely], found[~likely].sum())
    assert stats.chisquare(observed[expected > 0], expected[expected > 0]).pvalue > 1e-4


def test_black_stays_black() -> None:
    assert not shot_noise(torch.zeros(1000), 8, _generator()).any()


def test_more_images_do_not_change_the_first_ones() -> None:
    images = torch.rand(20, 3, 6, 5, generator=_generator(1))
    assert torch.equal(shot_noise(images, 8, _generator())[:5], shot_noise(images[:5], 8, _generator()))


def test_corruption_depends_on_part_and_psi_alone() -> None:
    images = torch.rand(4, 3, 8, 8, generator=_generator(1))
    seen = {}
    for part in ("train", "validation", "test"):
        for psi in PSIS:
            torch.manual_seed(len(seen))
            seen[part, psi] = corrupt(images, psi, part)
            assert torch.equal(seen[part, psi], corrupt(images, psi, part))
    assert len({noisy.numpy().tobytes() for noisy in seen.values()}) == len(seen)


def test_a_smaller_psi_is_noisier() -> None:
    images = store.load("digits").tensors["test_images"] / 16
    errors = [(corrupt(images, psi, "test") - images).square().mean().item() for psi in PSIS]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 5 * errors[-1]


def test_the_picture_shows_the_same_images_clean_and_from_the_least_noise_to_the_most(tmp_path: Path) -> None:
    dataset = store.load("digits")
    drawn = picture.draw_corruption(dataset, (8, 64, 16))
    columns = info("digits").num_classes
    lines = [drawn.axes[start : start + columns] for start in range(0, len(drawn.axes), columns)]
    labels = [line[0].get_ylabel() for line in lines]
    assert [label.split("\n")[0] for label in labels] == ["clean", "$\\psi$ = 64", "$\\psi$ = 16", "$\\psi$ = 8"]
    pixels = np.array([[place.images[0].get_array().filled() for place in line] for line in lines])
    clean = dataset.tensors["test_images"].numpy()[:, 0] / np.float32(16)
    for label, image in enumerate(pixels[0]):
        assert dataset.tensors["test_labels"][[np.array_equal(image, one) for one in clean]].tolist() == [label]
    errors = np.square(pixels - pixels[0]).mean((1, 2, 3))
    assert list(errors) == sorted(errors)
    decibels = [float(label.split("PSNR ")[1].split()[0]) for label in labels[1:]]
    np.testing.assert_allclose(decibels, -10 * np.log10(errors[1:]), atol=0.06)
    assert "our reading" in drawn.get_suptitle()
    drawn.savefig(tmp_path / "corruption.png")
    assert (tmp_path / "corruption.png").stat().st_size > 10_000
