"""The made corpus: in TIMIT's format, always the same, and with phones that differ as those of speech do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import soundfile
import torch
from scipy import signal

from bench.cases.case import Case
from bench.data import DataError, info, made_speech, phones, store
from bench.data.locations import Locations
from bench.experiments.test_timit import EXPERIMENT
from bench.training import train

# By M or F, and phone.
Power: TypeAlias = dict[str, dict[str, np.ndarray]]

RELU = Case("timit", "timit_mlp", "made_speech", "relu", "adam")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    made_speech.write(folder)
    return folder


@pytest.fixture(scope="module")
def dataset() -> store.Dataset:
    return store._load.__wrapped__(info("made_speech"), Locations())


def segments(corpus: Path, sex: str = "[MF]") -> Iterator[tuple[str, np.ndarray]]:
    """Every phone that men or women say."""
    for path in corpus.glob(f"*/*/{sex}*/*.PHN"):
        samples, _ = soundfile.read(path.with_suffix(".WAV"), dtype="int16")
        for line in path.read_text().splitlines():
            start, end, phone = line.split()
            yield phone, samples[int(start) : int(end)].astype(float)


@pytest.fixture(scope="module")
def power(corpus: Path) -> Power:
    """The mean power of each phone of men and of women in bands from 0 to 8 kHz, of sum 1."""
    found: dict[str, dict[str, list[np.ndarray]]] = {"M": defaultdict(list), "F": defaultdict(list)}
    for sex, spectra in found.items():
        for phone, samples in segments(corpus, sex):
            spectra[phone].append(signal.welch(samples, made_speech.SAMPLE_RATE, nperseg=256)[1])
    return {
        sex: {phone: np.sum(all_, axis=0) / np.sum(all_) for phone, all_ in spectra.items()}
        for sex, spectra in found.items()
    }


BANDS = np.linspace(0, 8000, 129)  # Hz


def test_files_are_what_timits_are(corpus: Path) -> None:
    sounds = sorted(corpus.rglob("*.WAV"))
    assert {path.name for path in sounds} == {"SA1.WAV", "SA2.WAV", "SX0.WAV", "SX1.WAV", "SX2.WAV"}
    for path in sounds:
        assert path.relative_to(corpus).parts[0] in ("TRAIN", "TEST")
        assert path.read_bytes()[:16] == b"NIST_1A\n   1024\n"
        about = soundfile.info(path)
        assert (about.format, about.subtype, about.samplerate, about.channels) == ("NIST", "PCM_16", 16000, 1)
        lines = [line.split() for line in path.with_suffix(".PHN").read_text().splitlines()]
        assert (lines[0][0], lines[0][2], lines[-1][2]) == ("0", "h#", "h#")
        assert all(line[1] == following[0] for line, following in pairwise(lines))
        assert int(lines[-1][1]) == about.frames


def test_all_phones_of_timit_are_said_and_no_sample_is_clipped(corpus: Path) -> None:
    said = list(segments(corpus))
    assert {phone for phone, _ in said} == set(phones.LABELS) == set(made_speech.SOUNDS)
    assert 3000 < max(np.abs(samples).max() for _, samples in said) < 30000


def test_it_is_always_the_same_data(dataset: store.Dataset) -> None:
    """The recorded baselines are of this hash: another one says that they must be recorded anew."""
    assert store.load("made_speech").data_hash == dataset.data_hash == "3f07652574d44c66"


def test_the_record_says_how_many_rows_it_has(dataset: store.Dataset) -> None:
    counts = [len(dataset.part(part)[1]) for part in ("train", "test", "validation")]
    assert counts == [*dataset.info.rows, dataset.info.validation_rows]


@pytest.mark.parametrize("sex", ["M", "F"])
@pytest.mark.parametrize(
    ("higher", "lower"), [("s", "sh"), ("sh", "k"), ("t", "k"), ("k", "p"), ("z", "v"), ("f", "m")]
)
def test_noise_lies_where_the_tongue_puts_it(higher: str, lower: str, sex: str, power: Power) -> None:
    assert BANDS @ power[sex][higher] > BANDS @ power[sex][lower] + 300


@pytest.mark.parametrize("sex", ["M", "F"])
def test_open_vowels_have_a_high_first_formant_and_front_ones_a_high_second(sex: str, power: Power) -> None:
    """The first formant below 1 kHz, and the energy between 1.7 and 3.3 kHz where a front vowel has its second."""
    below, front = BANDS < 1000, (BANDS > 1700) & (BANDS < 3300)
    first = {vowel: np.average(BANDS[below], weights=power[sex][vowel][below]) for vowel in ("iy", "aa", "ae")}
    assert first["iy"] + 100 < min(first["aa"], first["ae"])
    assert power[sex]["ae"][front].sum() > 2 * power[sex]["aa"][front].sum()


def test_men_have_lower_voices_and_noise_than_women(corpus: Path, power: Power) -> None:
    def pitch(sex: str) -> float:
        lags = []
        for phone, samples in segments(corpus, sex):
            if phone in ("iy", "ae", "aa", "uw"):
                echo = signal.correlate(samples, samples)[len(samples) :]
                lags.append(55 + np.argmax(echo[55:160]))  # between 100 and 290 Hz
        return float(made_speech.SAMPLE_RATE / np.median(lags))

    assert 95 < pitch("M") < 150 < 180 < pitch("F") < 250
    for phone in ("sh", "k", "ch"):
        assert BANDS @ power["F"][phone] > 1.1 * (BANDS @ power["M"][phone])


def test_a_network_learns_it_at_tiny_far_better_than_guessing(dataset: store.Dataset) -> None:
    recipe = EXPERIMENT.recipe(RELU, "tiny")
    (record,) = train.run(RELU, recipe, "tiny", [0], torch.device("cpu"))
    labels = dataset.part("test")[1]
    majority = float(labels.bincount().max() / len(labels))
    assert record.outcome == "trained"
    assert record.metrics["test_accuracy"] > majority + 5 * (majority * (1 - majority) / len(labels)) ** 0.5
    assert "validation_accuracy" in record.metrics


def test_at_small_the_made_corpus_stands_beside_the_real_one_which_is_asked_for() -> None:
    cases = [case for case in EXPERIMENT.cases("small") if case.activation == "relu" and not case.variant]
    real, made = sorted(cases, key=lambda case: case.dataset, reverse=True)
    assert (real.dataset, made.dataset) == ("timit", "made_speech")
    with pytest.raises(DataError, match=r"TIMIT.*LDC93S1.*--timit DIR"):
        next(train.run(real, EXPERIMENT.recipe(real, "small"), "small", [0], torch.device("cpu")))
