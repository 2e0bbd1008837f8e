"""Uniform noise on test inputs, its size on the scale of pixels in [0, 1]."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from bench.cases.recipe import CONTRAST
from bench.data.noise import uniform_noise
from bench.data.preprocess import PREPROCESSING


def _noisy(inputs: Tensor, amplitude: float, seed: int = 0) -> Tensor:
    return uniform_noise(inputs, amplitude, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("preprocessing", CONTRAST)
@pytest.mark.parametrize("amplitude", [0.25, 1.0, 3.0])
def test_on_the_scale_of_pixels_it_is_uniform_between_plus_and_minus_the_amplitude(
    amplitude: float, preprocessing: str
) -> None:
    pixels = torch.full((100_000,), 127.0)
    scale, contrast = PREPROCESSING[preprocessing](pixels, 255), CONTRAST[preprocessing]
    black, white = scale(torch.tensor([0.0, 255.0])).tolist()
    assert white - black == contrast
    noise = (_noisy(scale(pixels), contrast * amplitude) - scale(pixels)) / contrast
    assert noise.min() == pytest.approx(-amplitude, rel=1e-3)
    assert noise.max() == pytest.approx(amplitude, rel=1e-3)
    assert noise.mean() == pytest.approx(0, abs=0.02 * amplitude)
    assert noise.var() == pytest.approx(amplitude**2 / 3, rel=0.02)


@given(amplitude=st.floats(0, 3), seed=st.integers(0, 2**32))
def test_a_seed_gives_the_same_noise_at_every_amplitude_but_for_its_size(amplitude: float, seed: int) -> None:
    torch.manual_seed(seed % 7)
    inputs = torch.linspace(-1, 1, 24).view(2, 3, 2, 2)
    noise = _noisy(inputs, 1.0, seed) - inputs
    torch.testing.assert_close(_noisy(inputs, amplitude, seed), inputs + amplitude * noise, atol=1e-5, rtol=1e-5)
    assert not torch.equal(_noisy(inputs, 1.0, seed + 1), _noisy(inputs, 1.0, seed))
