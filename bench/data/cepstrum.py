"""What a network hears of speech: `cepstral_features(samples)`.

Log energy, mel-frequency cepstral coefficients and their derivatives, a row each 10 ms.

As James Lyons' python_speech_features computes them, by which the tests hold it to the last digit that is kept; after
Davis and Mermelstein 1980, IEEE Transactions on Acoustics, Speech, and Signal Processing 28, 357.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import dct

SAMPLE_RATE = 16000
WINDOW, STEP = 400, 160  # samples: 25 ms every 10 ms
FFT = 512  # points of a window's spectrum
PREEMPHASIS = 0.97
FILTERS = 26  # triangles, evenly spaced in mel
COEFFICIENTS = 13  # the log energy in the place of the first
LIFTER = 22  # of the cepstrum, as HTK has it
# Frames over which a derivative is the regression's slope, each way: HTK's default.
DELTA_FRAMES = 2
LEAST = np.finfo(float).eps  # in the place of an energy of 0, which has no logarithm


def cepstral_features(samples: np.ndarray) -> np.ndarray:
    """Coefficients and their derivatives of each frame, the last one filled up with silence (float64, N x 26).

    Args:
        samples: 16-bit sound, at `SAMPLE_RATE`.
    """
    static = _cepstrum(_power(samples))
    padded = np.pad(static, ((DELTA_FRAMES, DELTA_FRAMES), (0, 0)), mode="edge")
    around = np.arange(-DELTA_FRAMES, DELTA_FRAMES + 1)
    slopes = sliding_window_view(padded, len(around), axis=0) @ around / (around @ around)
    return np.hstack([static, slopes])


def _power(samples: np.ndarray) -> np.ndarray:
    """The power spectrum of each frame (N x 257)."""
    sound = np.append(samples[0], samples[1:] - PREEMPHASIS * samples[:-1])
    frames = 1 + max(0, -(-(len(sound) - WINDOW) // STEP))
    sound = np.pad(sound, (0, (frames - 1) * STEP + WINDOW - len(sound)))
    windows = sliding_window_view(sound, WINDOW)[::STEP] * np.hamming(WINDOW)
    return 1.0 / FFT * np.square(np.absolute(np.fft.rfft(windows, FFT)))


def _cepstrum(power: np.ndarray) -> np.ndarray:
    """Coefficients of each frame, its log energy first (N x 13)."""
    heard, energy = power @ _filters().T, power.sum(1)
    heard, energy = np.where(heard == 0, LEAST, heard), np.where(energy == 0, LEAST, energy)
    found = dct(np.log(heard), type=2, axis=1, norm="ortho")[:, :COEFFICIENTS]
    found *= 1 + LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / LIFTER)
    found[:, 0] = np.log(energy)
    return found


@cache
def _filters() -> np.ndarray:
    """The weight of each point of a spectrum in each filter (26 x 257); edges lie on points."""
    highest = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, highest, FILTERS + 2) / 2595) - 1)
    low, middle, high = sliding_window_view(np.floor((FFT + 1) * hertz / SAMPLE_RATE), FILTERS)[:, :, None]
    points = np.arange(FFT // 2 + 1)
    rising, falling = (points - low) / (middle - low), (high - points) / (high - middle)
    return np.where(
        (low <= points) & (points < middle), rising, np.where((middle <= points) & (points < high), falling, 0)
    )
