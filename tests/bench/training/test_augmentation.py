"""Augmentation of batches: what each image becomes, how often, and that each has its own draw."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torchvision.transforms.v2 import functional as tv

from bench.cases.recipe import Augmentation
from bench.training.augmentation import AUGMENTATIONS

CHANGING = [name for name in AUGMENTATIONS if name != "none"]
# What comes in from outside the image.
FILL = {"flip_rotate": -1.0, "crop_flip": 0.0, "reflect_crop_flip": float("inf")}  # nothing is infinite
IMAGES = 1000
SIZE = 97

batches = st.builds(
    lambda rows, channels, height, width, seed: torch.rand(
        (rows, channels, height, width), generator=torch.Generator().manual_seed(seed)
    ),
    st.integers(1, 5),
    st.sampled_from([1, 3]),
    st.integers(5, 12),
    st.integers(5, 12),
    st.integers(0, 2**32),
)


def _augment(name: str, batch: Tensor, seed: int = 0) -> Tensor:
    return AUGMENTATIONS[name](batch, torch.Generator().manual_seed(seed))


def _coordinates(rows: int) -> Tensor:
    """Images whose two channels say where a pixel is, from the centre: x to the right, y down, in pixels."""
    steps = torch.arange(SIZE) - SIZE // 2.0
    return torch.stack(torch.meshgrid(steps, steps, indexing="xy")).expand(rows, 2, SIZE, SIZE).contiguous()


def test_every_word_of_the_recipe_has_its_function() -> None:
    assert set(AUGMENTATIONS) == set(get_args(Augmentation))


@pytest.mark.parametrize("name", AUGMENTATIONS)
@given(batch=batches, seed=st.integers(0, 2**32))
def test_a_generator_says_what_becomes_of_a_batch(name: str, batch: Tensor, seed: int) -> None:
    before = batch.clone()
    torch.manual_seed(seed % 7)
    augmented = _augment(name, batch, seed)
    assert (augmented.shape, augmented.dtype) == (batch.shape, batch.dtype)
    assert torch.equal(augmented, _augment(name, batch, seed))
    assert torch.equal(batch, before)


@pytest.mark.parametrize("name", CHANGING)
@given(batch=batches, seed=st.integers(0, 2**32))
def test_every_pixel_is_one_of_its_own_image_or_the_fill(name: str, batch: Tensor, seed: int) -> None:
    for image, augmented in zip(batch, _augment(name, batch, seed), strict=True):
        for channel, result in zip(image, augmented, strict=True):
            known = torch.cat([channel.flatten(), torch.tensor([FILL[name]])])
            assert (result.flatten()[:, None] - known).abs().min(dim=1).values.max() < 1e-6


@pytest.mark.parametrize("name", CHANGING)
def test_each_image_has_its_own_draw(name: str) -> None:
    images = torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)).expand(50, -1, -1, -1)
    assert len(_augment(name, images).flatten(1).unique(dim=0)) > 30
    assert torch.equal(_augment("none", images), images)


@pytest.mark.parametrize("name", CHANGING)
def test_two_batches_from_one_generator_differ(name: str) -> None:
    draws = torch.Generator().manual_seed(0)
    first, second = (AUGMENTATIONS[name](_coordinates(20), draws) for _ in range(2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("name", AUGMENTATIONS)
@given(batch=batches, batch_size=st.integers(1, 7), seed=st.integers(0, 2**32))
def test_drawn_for_a_whole_epoch_each_batch_becomes_what_it_would_by_itself(
    name: str, batch: Tensor, batch_size: int, seed: int
) -> None:
    one, other = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
    epoch = AUGMENTATIONS[name].epoch(len(batch), batch_size, one, batch.device)
    for images, draws in zip(batch.split(batch_size), epoch, strict=True):
        assert torch.equal(AUGMENTATIONS[name].apply(images, *draws), AUGMENTATIONS[name](images, other))
    assert torch.equal(one.get_state(), other.get_state())


def test_an_epoch_copies_what_it_drew_to_the_device_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy in every step would have the CPU wait for the card: batches are of one device already."""
    moved: list[object] = []
    plain = Tensor.to
    monkeypatch.setattr(Tensor, "to", lambda tensor, *args: moved.append(args) or plain(tensor, *args))
    images = torch.rand(64, 3, 8, 8)
    crop_flip = AUGMENTATIONS["crop_flip"]
    for rows, draws in zip(images.split(8), crop_flip.epoch(64, 8, torch.Generator(), images.device), strict=True):
        crop_flip.apply(rows, *draws)
    assert moved == 3 * [(images.device,)]


def test_flip_rotate_flips_four_in_ten_and_turns_evenly_up_to_thirty_degrees() -> None:
    """Where pixels of a central square came from is a linear map, fitted here by least squares."""
    inner = slice(SIZE // 2 - 33, SIZE // 2 + 34)  # turned by 45 degrees, it would still be inside
    places = _coordinates(1)[0, :, inner, inner].flatten(1)
    origins = _augment("flip_rotate", _coordinates(IMAGES))[:, :, inner, inner].flatten(2)
    maps = origins @ torch.linalg.pinv(places)
    flipped = torch.linalg.det(maps) < 0
    angles = torch.rad2deg(torch.atan2(maps[:, 1, 0], maps[:, 1, 1])).numpy()
    torch.testing.assert_close(torch.linalg.det(maps).abs(), torch.ones(IMAGES), atol=0.02, rtol=0)
    assert stats.binomtest(int(flipped.sum()), IMAGES, 0.4).pvalue > 1e-4
    assert np.abs(angles).max() <= 30.5
    assert stats.kstest(angles, stats.uniform(-30, 60).cdf).pvalue > 1e-4
    assert stats.ks_2samp(angles[flipped], angles[~flipped]).pvalue > 1e-4  # one says nothing about the other


@pytest.mark.parametrize("shape", [(24, 24), (16, 30)])
def test_flip_rotate_does_to_each_image_what_torchvision_does(shape: tuple[int, int]) -> None:
    images = torch.rand(30, 3, *shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    flip, turn = torch.rand(2, 30, generator=torch.Generator().manual_seed(0))
    expected = torch.stack(
        [
            tv.rotate(tv.horizontal_flip(image) if mirrored else image, angle, fill=[-1.0])
            for image, mirrored, angle in zip(images, flip < 0.4, (60 * turn - 30).tolist(), strict=True)
        ]
    )
    wrong = (_augment("flip_rotate", images) - expected).abs() > 1e-6
    assert wrong.float().mean() < 0.01  # pixels half way between two neighbours


def test_crop_flip_moves_by_each_of_81_steps_and_flips_one_in_two() -> None:
    images = _coordinates(IMAGES)
    centre = slice(SIZE // 2 - 1, SIZE // 2 + 2)
    x, y = _augment("crop_flip", images)[:, :, centre, centre].unbind(1)
    flipped = x[:, 1, 0] > x[:, 1, 2]
    steps = np.stack([x[:, 1, 1].numpy(), y[:, 1, 1].numpy()])
    assert np.abs(steps).max() == 4
    assert torch.equal(x[:, 1, 2] - x[:, 1, 0], torch.where(flipped, -2.0, 2.0))  # no pixel is left out
    assert stats.binomtest(int(flipped.sum()), IMAGES, 0.5).pvalue > 1e-4
    counts = np.histogram2d(*steps, bins=np.arange(-4.5, 5))[0]
    assert counts.shape == (9, 9)
    assert stats.chisquare(counts.flatten()).pvalue > 1e-4
    assert stats.ks_2samp(steps[0][flipped], steps[0][~flipped]).pvalue > 1e-4


def test_crop_flip_fills_what_it_moves_in_and_keeps_the_rest() -> None:
    images = torch.rand(IMAGES, 1, 8, 8, generator=torch.Generator().manual_seed(1)) + 1
    kept = (_augment("crop_flip", images) != 0).flatten(1).sum(1)
    assert set(kept.tolist()) == {(8 - down) * (8 - right) for down in range(5) for right in range(5)}


def test_reflect_crop_flip_shows_the_mirror_image_where_crop_flip_shows_zero() -> None:
    images = torch.rand(IMAGES, 1, 8, 8, generator=torch.Generator().manual_seed(1)) + 1
    with_zeros, mirrored = (_augment(name, images) for name in ("crop_flip", "reflect_crop_flip"))
    assert torch.equal(mirrored.where(with_zeros != 0, 0), with_zeros)
    down, right = torch.randint(9, (2, IMAGES), generator=torch.Generator().manual_seed(0))
    padded = tv.pad(images[0], [4] * 4, padding_mode="reflect")[:, down[0] : down[0] + 8, right[0] : right[0] + 8]
    assert any(torch.equal(mirrored[0], image) for image in (padded, padded.flip(2)))


@pytest.mark.parametrize("name", CHANGING)
def test_a_batch_on_cuda_stays_there_and_draws_from_the_cpu(name: str) -> None:
    with FakeTensorMode():
        augmented = AUGMENTATIONS[name](torch.empty(4, 3, 8, 8, device="cuda"), torch.Generator())
    assert augmented.device.type == "cuda"
