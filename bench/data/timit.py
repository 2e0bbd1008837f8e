"""Reads a user's own copy of TIMIT as frames of speech: `timit.read_folder(Path("DIR"))`.

`TRAIN` and `TEST` hold `DR1` to `DR8`, these the speakers, and these the sentences as `SX11.WAV` (NIST SPHERE, or RIFF)
beside `SX11.PHN` (first sample, sample behind the last, phone), all names in any letter case. Garofolo et al. 1993,
DARPA TIMIT, NISTIR 4930; licensed by the Linguistic Data Consortium as LDC93S1.

A frame is what 25 ms of sound give: log energy, 12 mel-frequency cepstral coefficients and their first derivatives; it
has the phone at its centre. What a network sees are 11 frames, and it names the phone of the middle one
(Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from bench.data import cepstrum, hub, sphere
from bench.data.cepstrum import SAMPLE_RATE, STEP, WINDOW
from bench.data.errors import DataError
from bench.data.folder import below, entries, expanded
from bench.data.phones import LABELS, LEFT_OUT

if TYPE_CHECKING:
    from bench.data._registry import DatasetInfo
    from bench.data.locations import Locations

Speakers: TypeAlias = Mapping[str, Path]

CONTEXT = 5  # frames before and behind the one to name
# Features are rounded, so that processors whose last bits differ read the same data, with the same data hash.
DECIMALS = 4
# When the development speakers are not all there: every tenth training speaker.
EVERY = 10

# The core test set, two men and a woman of each dialect region: NISTIR 4930.
_CORE = (
    "mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0 "
    "mbpm0 mklt0 fnlp0 mcmj0 mjdh0 fmgd0 mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0"
)
# Speakers of TEST that are not in the core set: Halberstadt 1998, PhD thesis, MIT; Kaldi's egs/timit/s5.
_DEVELOPMENT = (
    "faks0 fdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 mcsh0 fadg0 fdms0 fedw0 mgjf0 "
    "mglb0 mrtk0 mtaa0 mtdt0 mthc0 mwjg0 fnmr0 frew0 fsem0 mbns0 mmjr0 mdls0 mdlf0 mdvc0 mers0 fmah0 fdrw0 "
    "mrcs0 mrjm4 fcal1 mmwh0 fjsj0 majc0 mjsw0 mreb0 fgjd0 fjmg0 mroa0 mteb0 mjfc0 mrjr0 fmml0 mrws1"
)
CORE, DEVELOPMENT = tuple(_CORE.split()), tuple(_DEVELOPMENT.split())
COPY_AGAIN = "copy it again from the corpus"


def read(info: DatasetInfo, where: Locations) -> dict[str, Tensor]:
    """What `read_folder` reads of the user's copy.

    Raises:
        DataError: none was given, or one that cannot be read.
    """
    return read_folder(_given(where))


def stamp(info: DatasetInfo, where: Locations) -> str:
    """Names the user's copy in the cache: changes when a sentence of it does.

    Raises:
        DataError: none was given, or a folder without TRAIN and TEST.
    """
    return hub.stamp(below(_corpus(_given(where)), ".wav", ".phn"))


def read_folder(folder: Path) -> dict[str, Tensor]:
    """Frames (float32, N x 286) and classes (int64, N; see `phones.CLASSES`) as `{train,...}_{frames,labels}`.

    The test part is the core test set, the validation part the 50 development speakers of TEST. Some copies lack
    these, such as one of the core set alone: then every tenth training speaker is for validation. The sentences `sa`,
    the same two of every speaker, are left out: a network would hear its test sentences in training. So are the frames
    of `q`, and those behind the last phone.

    Args:
        folder: holds TRAIN and TEST, or a folder that does.

    Raises:
        DataError: a part, a core speaker or a file is missing, or a file is not as it should be.
    """
    corpus = _corpus(folder)
    train, others = _speakers(corpus, "train"), _speakers(corpus, "test")
    if missing := sorted(set(CORE) - set(others)):
        raise DataError(f"{corpus}: of the core test set, TEST has no {', '.join(missing)}; {COPY_AGAIN}")
    if set(DEVELOPMENT) <= set(others):
        validation = {name: others[name] for name in DEVELOPMENT}
    else:
        validation = {name: train[name] for name in list(train)[::EVERY]}
    parts: dict[str, Speakers] = {
        "train": {name: place for name, place in train.items() if name not in validation},
        "validation": validation,
        "test": {name: others[name] for name in CORE},
    }
    tensors: dict[str, Tensor] = {}
    for part, speakers in parts.items():
        if not speakers:
            raise DataError(f"{corpus}: no speaker is left for the {part} part; {COPY_AGAIN}")
        sentences = [read_sentence(*files) for place in speakers.values() for files in _files(place)]
        tensors[f"{part}_frames"] = torch.from_numpy(np.concatenate([frames for frames, _ in sentences]))
        tensors[f"{part}_labels"] = torch.from_numpy(np.concatenate([labels for _, labels in sentences]))
    return tensors


def read_sentence(sound: Path, phones: Path) -> tuple[np.ndarray, np.ndarray]:
    """What is seen around each frame of a sentence that has a class (float32, N x 286), and the classes (int64, N).

    Before the first frame and behind the last, what is seen is these again.

    Raises:
        DataError: a file is not as it should be.
    """
    samples = _samples(sound)
    classes = _classes(phones, len(samples))
    features = cepstrum.cepstral_features(samples).round(DECIMALS).astype(np.float32)
    labels = classes[WINDOW // 2 :: STEP][: len(features)]
    padded = np.pad(features, ((CONTEXT, CONTEXT), (0, 0)), mode="edge")
    seen = sliding_window_view(padded, 2 * CONTEXT + 1, axis=0).swapaxes(1, 2)
    kept = labels != LEFT_OUT
    return seen[kept].reshape(-1, seen[0].size), labels[kept]


def _given(where: Locations) -> Path:
    if where.timit is None:
        raise DataError(
            "TIMIT, a corpus of read American English, is licensed by the Linguistic Data Consortium (LDC93S1, "
            "https://catalog.ldc.upenn.edu/LDC93S1) and cannot be downloaded: give the folder of your own copy, which "
            "holds TRAIN and TEST, as --timit DIR; `made_speech`, a small corpus made in its format, needs none"
        )
    return expanded(where.timit)


def _folders(folder: Path) -> dict[str, Path]:
    """The folders in one by their names in small letters, in the order of these."""
    return {path.name.lower(): path for path in entries(folder) if path.is_dir()}


def _corpus(folder: Path) -> Path:
    """The folder with TRAIN and TEST."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder: --timit names the one that holds TIMIT's TRAIN and TEST")
    for candidate in (folder, *_folders(folder).values()):
        if {"train", "test"} <= _folders(candidate).keys():
            return candidate
    raise DataError(
        f"{folder} has no folders TRAIN and TEST, nor has one of its folders; they were looked for in any letter case. "
        "Give as --timit the folder that holds them"
    )


def _speakers(corpus: Path, part: str) -> dict[str, Path]:
    """The speakers of TRAIN or TEST by their ids, region by region."""
    regions = (place for name, place in _folders(_folders(corpus)[part]).items() if re.fullmatch("dr[1-8]", name))
    return {name: place for region in regions for name, place in _folders(region).items()}


def _files(speaker: Path) -> list[tuple[Path, Path]]:
    """Sound and phones of each sentence of a speaker but `sa`."""
    found: dict[str, dict[str, Path]] = {".wav": {}, ".phn": {}}
    for path in entries(speaker):
        # A RIFF copy may lie beside the SPHERE file as SX11.WAV.wav; the first of both will do.
        sentence = path.name.lower().partition(".")[0]
        if path.suffix.lower() in found and not sentence.startswith("sa"):
            found[path.suffix.lower()].setdefault(sentence, path)
    sounds, phones = found.values()
    if not sounds.keys() | phones.keys():
        raise DataError(f"{speaker} holds no sentences (.WAV and .PHN); {COPY_AGAIN}")
    for suffix, one, other in ((".PHN", sounds, phones), (".WAV", phones, sounds)):
        if missing := sorted(one.keys() - other.keys()):
            raise DataError(f"{one[missing[0]]} has no {suffix} file beside it; {COPY_AGAIN}")
    return [(sounds[sentence], phones[sentence]) for sentence in sounds]


def _samples(path: Path) -> np.ndarray:
    """The sound of a file, on the scale of int16."""
    try:
        samples, rate = sphere.read_sound(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as sound: {error}; {COPY_AGAIN}") from error
    if rate != SAMPLE_RATE:
        raise DataError(f"{path} has {rate} samples a second, TIMIT has {SAMPLE_RATE}; {COPY_AGAIN}")
    if samples.shape[1] != 1:
        raise DataError(f"{path} has {samples.shape[1]} channels, TIMIT has one; {COPY_AGAIN}")
    sound: np.ndarray = samples[:, 0]
    return sound


def _classes(path: Path, samples: int) -> np.ndarray:
    """The class at each sample, `LEFT_OUT` where it has none and for a window behind the last (int64)."""
    classes = np.full(samples + WINDOW, LEFT_OUT, dtype=np.int64)
    last = 0
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
            if not line.strip():
                continue
            start, end, phone = _segment(line)
            if not last <= start < end <= samples:
                raise ValueError(
                    f"line {number}, {line!r}, must be within the samples {last} to {samples}: behind the phone before "
                    "it and within the sound"
                )
            classes[start:end] = LABELS[phone]
            last = end
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}; {COPY_AGAIN}") from error
    if not last:
        raise DataError(f"{path} names no phones; {COPY_AGAIN}")
    return classes


def _segment(line: str) -> tuple[int, int, str]:
    """First sample, sample behind the last, phone."""
    match = re.fullmatch(r"(\d+)\s+(\d+)\s+(\S+)\s*", line)
    if not match:
        raise ValueError(f"{line!r} is not a first sample, the one behind the last, and a phone")
    if match[3] not in LABELS:
        raise ValueError(f"unknown phone {match[3]!r}; known: {', '.join(sorted(LABELS))}")
    return int(match[1]), int(match[2]), match[3]
