"""Preprocessing: what each one promises of the images that it was fitted on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import Tensor

from bench.cases.recipe import Preprocessing
from bench.data import DataError, preprocess, store
from bench.data.preprocess import PREPROCESSING

SHAPE = (3, 4, 5)
VALUES = 60


@pytest.fixture
def train() -> Tensor:
    """Neighbouring pixels are alike, channels have means and spreads of their own."""
    draws = torch.Generator().manual_seed(0)
    noise = torch.rand(4000, *SHAPE, generator=draws)
    smooth = (noise + noise.roll(1, 3) + noise.roll(1, 2)) / 3
    return 255 * (smooth * torch.tensor([0.9, 0.5, 0.2])[:, None, None] + torch.tensor([0.0, 0.3, 0.6])[:, None, None])


def _digits() -> Tensor:
    return store.load("digits").tensors["train_images"].float()


def _covariance(images: Tensor) -> Tensor:
    return torch.cov(images.flatten(1).double().T, correction=0)


def test_every_word_of_the_recipe_has_its_function() -> None:
    assert set(PREPROCESSING) == set(get_args(Preprocessing))


@pytest.mark.parametrize("name", PREPROCESSING)
def test_shape_and_type_stay_and_rows_do_not_mix(name: str, train: Tensor) -> None:
    transform = PREPROCESSING[name](train, 255)
    some = train[:10].clone()
    whole, single = transform(some), transform(some[3:4])
    assert (whole.shape, whole.dtype) == (some.shape, torch.float32)
    torch.testing.assert_close(whole[3:4], single, atol=1e-4, rtol=1e-4)
    assert torch.equal(some, train[:10])


@pytest.mark.parametrize("peak", [16, 255])
@pytest.mark.parametrize(("name", "wanted"), [("range", [-1, 0, 1]), ("unit_range", [0, 0.5, 1])])
def test_range_takes_black_to_minus_one_unit_range_to_zero_and_both_full_white_to_one(
    name: str, wanted: list[float], peak: int
) -> None:
    transform = PREPROCESSING[name](torch.empty(0, *SHAPE), peak)
    assert transform(torch.tensor([0.0, peak / 2, peak])).tolist() == wanted


def test_standard_gives_each_channel_mean_0_and_sd_1(train: Tensor) -> None:
    sd, mean = torch.std_mean(PREPROCESSING["standard"](train, 255)(train), dim=(0, 2, 3))
    torch.testing.assert_close(mean, torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(sd, torch.ones(3), atol=1e-4, rtol=0)


def test_zca_leaves_the_images_trained_on_uncorrelated_with_variance_1(train: Tensor) -> None:
    white = PREPROCESSING["zca"](train, 255)(train)
    torch.testing.assert_close(white.mean(0), torch.zeros(SHAPE), atol=1e-3, rtol=0)
    # The weakest direction has variance 5e-4, beside which epsilon is 2 percent.
    torch.testing.assert_close(_covariance(white), torch.eye(VALUES).double(), atol=0.03, rtol=0)
    assert (_covariance(train / 127.5) - torch.eye(VALUES)).abs().max() > 0.5


def test_zca_whitens_real_digits_wherever_they_vary() -> None:
    digits = _digits()
    before, directions = torch.linalg.eigh(_covariance(digits / 8 - 1))
    after = torch.einsum("ik,ij,jk->k", directions, _covariance(PREPROCESSING["zca"](digits, 16)(digits)), directions)
    torch.testing.assert_close(after, before / (before + 1e-5), atol=1e-3, rtol=0)
    assert (after[before > 1e-3] > 0.99).all()
    assert (before > 1e-3).sum() > 50  # of 64; a few pixels at the border are nearly always black


def test_zca_changes_images_as_little_as_whitening_allows(train: Tensor) -> None:
    """Of all whitening matrices only the symmetric positive one does (Kessy et al. 2018, arXiv 1512.00809)."""
    transform = PREPROCESSING["zca"](train, 255)
    units = 127.5 * torch.eye(VALUES).view(VALUES, *SHAPE)
    matrix = (transform(units) - transform(torch.zeros(1, *SHAPE))).flatten(1).double()
    torch.testing.assert_close(matrix, matrix.T, atol=1e-3, rtol=1e-3)
    assert torch.linalg.eigvalsh((matrix + matrix.T) / 2).min() > 0


def test_zca_comes_out_the_same_however_its_rows_are_cut(train: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = PREPROCESSING["zca"](train, 255)(train)
    monkeypatch.setattr(preprocess, "CHUNK", 7)
    torch.testing.assert_close(PREPROCESSING["zca"](train, 255)(train), whole, atol=1e-4, rtol=1e-4)


def test_zca_of_fewer_images_than_pixels_is_refused(train: Tensor) -> None:
    with pytest.raises(DataError, match=r"has values, 60; the recipe takes 59. Give it a larger train_size"):
        PREPROCESSING["zca"](train[: VALUES - 1], 255)
    PREPROCESSING["zca"](train[:VALUES], 255)


def test_a_whitening_that_takes_long_is_kept_for_the_sessions_to_come(
    train: Tensor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain = PREPROCESSING["zca"](train, 255)(train)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(preprocess, "CACHED_PIXELS", VALUES)
    monkeypatch.setenv("ACTBENCH_CACHE", str(tmp_path))
    assert torch.equal(PREPROCESSING["zca"](train, 255)(train), plain)
    (kept,) = tmp_path.glob("zca-*.safetensors")
    with monkeypatch.context() as patched:
        patched.setattr(preprocess, "_whitening", lambda *_: pytest.fail("made once more"))
        assert torch.equal(PREPROCESSING["zca"](train, 255)(train), plain)
    fewer = PREPROCESSING["zca"](train[1:], 255)(train)
    assert not torch.equal(fewer, plain)
    assert len(list(tmp_path.glob("zca-*.safetensors"))) == 2
    kept.write_bytes(kept.read_bytes()[:-1])
    with pytest.raises(DataError, match=rf"the cache {re.escape(str(kept))} is corrupt .*; delete it and run again"):
        PREPROCESSING["zca"](train, 255)
