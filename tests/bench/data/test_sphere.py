"""Sound files of every kind of sample: read to the same numbers, or refused with what they are."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data import sphere

SAMPLES = np.random.default_rng(0).integers(-(2**15), 2**15, 400).astype(np.int16)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64"])
def test_every_kind_of_sample_is_read_to_the_same_numbers(subtype: str, container: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", SAMPLES / 2**15, 16000, subtype, format=container)
    samples, rate = sphere.read_sound(tmp_path / "one.wav")
    assert (samples[:, 0].tolist(), rate) == (SAMPLES.tolist(), 16000)


def test_eight_bits_are_read_to_their_own_precision(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", SAMPLES / 2**15, 16000, "PCM_U8")
    samples, _ = sphere.read_sound(tmp_path / "one.wav")
    assert np.abs(samples[:, 0] - SAMPLES.astype(float)).max() <= 2**8


@pytest.mark.parametrize(
    ("subtype", "container"), [("ULAW", "WAV"), ("MS_ADPCM", "WAV"), ("PCM_16", "FLAC"), ("PCM_16", "AIFF")]
)
def test_what_is_no_plain_sound_is_refused(subtype: str, container: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", SAMPLES / 2**15, 16000, subtype, format=container)
    with pytest.raises(ValueError, match="it is no whole wave file: "):
        sphere.read_sound(tmp_path / "one.wav")


def test_floating_point_samples_on_the_scale_of_integers_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", SAMPLES.astype(np.float32), 16000, "FLOAT")
    with pytest.raises(ValueError, match=r"its float32 samples reach 3.* and go from -1 to 1 in a wave file"):
        sphere.read_sound(tmp_path / "one.wav")


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", np.array([0.0, np.nan], dtype=np.float32), 16000, "FLOAT")
    with pytest.raises(ValueError, match="samples reach nan"):
        sphere.read_sound(tmp_path / "one.wav")


def test_a_longer_header_is_read(tmp_path: Path) -> None:
    path = tmp_path / "one.wav"
    sphere.write_sound(path, SAMPLES, 16000)
    content = path.read_bytes()
    path.write_bytes(content[:1024].replace(b"   1024", b"   2048").ljust(2048) + content[1024:])
    assert sphere.read_sound(path)[0][:, 0].tolist() == SAMPLES.tolist()


def test_a_coding_that_is_not_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "one.wav"
    sphere.write_sound(path, SAMPLES, 16000)
    path.write_bytes(path.read_bytes().replace(b"-s3 pcm", b"-s4 ulaw"))
    with pytest.raises(ValueError, match="its samples are coded as 'ulaw': convert it"):
        sphere.read_sound(path)


@settings(max_examples=60, deadline=None)
@given(end=st.integers(0, 843), kind=st.sampled_from(["WAV", "SPHERE"]))
def test_what_is_cut_off_anywhere_is_a_value_error(
    tmp_path_factory: pytest.TempPathFactory, end: int, kind: str
) -> None:
    path = tmp_path_factory.mktemp("cut") / "one.wav"
    if kind == "WAV":
        soundfile.write(path, SAMPLES, 16000)
    else:
        sphere.write_sound(path, SAMPLES, 16000)
    path.write_bytes(path.read_bytes()[:end])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError):  # noqa: PT011, whatever it says
            sphere.read_sound(path)
