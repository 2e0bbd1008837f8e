"""A small corpus in TIMIT's format, made of formants and noise: `made_speech.write(Path("DIR"))`.

It is read as a user's copy of TIMIT is, so that the same code runs where the licensed corpus is not. Nobody would take
it for speech, but its phones differ as those of speech do: vowels by their formants, fricatives and bursts by the band
of their noise, nasals by a low first formant, closures by next to nothing. Speakers differ in pitch and in the length
of the vocal tract.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.random import RandomState  # its streams stay the same in all versions of numpy, unlike default_rng's
from scipy import signal
from torch import Tensor

from bench.data import sphere, timit
from bench.data.cepstrum import SAMPLE_RATE
from bench.data.timit import CORE, DEVELOPMENT

if TYPE_CHECKING:
    from bench.data._registry import DatasetInfo
    from bench.data.locations import Locations

Formants: TypeAlias = tuple[int, int, int]

SEED = 0
REGIONS = [1, 2, 3, 4, 5, 6, 7, 8]
# Hz, men: Peterson and Barney 1952, "Control methods used in a study of the vowels", JASA 24, table II.
IY, IH, EH, AE, AA = (270, 2290, 3010), (390, 1990, 2550), (530, 1840, 2480), (660, 1720, 2410), (730, 1090, 2440)
AO, UH, UW, AH, ER = (570, 840, 2410), (440, 1020, 2240), (300, 870, 2240), (640, 1190, 2390), (490, 1350, 1690)
# Klatt 1980, "Software for a cascade/parallel formant synthesizer", JASA 67, tables II and III; that of ng is ours.
W, Y, R, L = (290, 610, 2150), (260, 2070, 3020), (310, 1060, 1380), (310, 1050, 2880)
M, N, NG = (480, 1270, 2130), (480, 1340, 2470), (480, 2000, 2900)
# A tube of 17.5 cm, closed at one end, resonates at 500, 1500, 2500 and 3500 Hz: vowels without a place, and the fourth
# formant of all.
TUBE, FOURTH_FORMANT = (500, 1500, 2500), 3500
BANDWIDTHS = (60, 90, 150, 200)  # Hz, of the four: about Klatt's
# Formants of Peterson and Barney's women lie by a sixth above the men's. Pitch in Hz.
WOMEN_ABOVE_MEN = 1.17
PITCH = {"m": 125, "f": 215}
HIGHEST = 7800  # Hz, that noise reaches: half the sampling rate is the end
# The level of a vowel in units of an int16 sample, and what is heard when nobody speaks.
LOUDNESS, BACKGROUND = 1500, 0.01


@dataclass(frozen=True)
class Sound:
    """How a phone is made.

    Attributes:
        duration: milliseconds.
        formants: Hz, of the voice; None where there is none.
        glides_to: formants at the end.
        noise: the band of the noise, Hz; None where there is none.
        voice_level: root mean square of the voice; 1 in a vowel.
        noise_level: that of the noise.
    """

    duration: int
    formants: Formants | None = None
    glides_to: Formants | None = None
    noise: tuple[int, int] | None = None
    voice_level: float = 1.0
    noise_level: float = 0.0


def _closure(voice_level: float) -> Sound:
    return Sound(50, (200, 1000, 2200), voice_level=voice_level)


SOUNDS = {
    **{phone: Sound(100, formants) for phone, formants in (("iy", IY), ("eh", EH), ("ah", AH), ("uw", UW), ("er", ER))},
    **{phone: Sound(130, formants) for phone, formants in (("ae", AE), ("aa", AA), ("ao", AO))},
    **{
        phone: Sound(80, formants)
        for phone, formants in (("ih", IH), ("uh", UH), ("axr", ER), ("ux", (300, 1500, 2240)))
    },
    **{phone: Sound(50, formants) for phone, formants in (("ix", IH), ("ax", TUBE))},
    "ax-h": Sound(40, TUBE, noise=(300, 4000), voice_level=0.2, noise_level=0.2),
    "ey": Sound(130, EH, IY),
    "ay": Sound(150, AA, IY),
    "oy": Sound(160, AO, IY),
    "aw": Sound(150, AA, UH),
    "ow": Sound(130, AO, UW),
    **{phone: Sound(70, formants, voice_level=0.7) for phone, formants in (("w", W), ("y", Y), ("r", R), ("l", L))},
    "el": Sound(90, L, voice_level=0.7),
    **{phone: Sound(70, formants, voice_level=0.4) for phone, formants in (("m", M), ("n", N), ("ng", NG))},
    **{phone: Sound(90, formants, voice_level=0.4) for phone, formants in (("em", M), ("en", N), ("eng", NG))},
    "nx": Sound(30, N, voice_level=0.4),
    "s": Sound(110, noise=(4000, 7000), noise_level=0.3),
    "z": Sound(90, TUBE, noise=(4000, 7000), voice_level=0.1, noise_level=0.2),
    "sh": Sound(110, noise=(1800, 5500), noise_level=0.35),
    "zh": Sound(90, TUBE, noise=(1800, 5500), voice_level=0.1, noise_level=0.25),
    "f": Sound(100, noise=(1000, 6700), noise_level=0.06),
    "v": Sound(60, TUBE, noise=(1000, 6700), voice_level=0.2, noise_level=0.05),
    "th": Sound(90, noise=(5000, 6800), noise_level=0.04),
    "dh": Sound(50, TUBE, noise=(5000, 6800), voice_level=0.2, noise_level=0.03),
    "hh": Sound(60, noise=(500, 3500), noise_level=0.1),
    "hv": Sound(60, TUBE, noise=(500, 3500), voice_level=0.2, noise_level=0.1),
    "ch": Sound(70, noise=(2000, 5500), noise_level=0.45),
    "jh": Sound(55, TUBE, noise=(2000, 5500), voice_level=0.15, noise_level=0.35),
    "p": Sound(45, noise=(400, 1500), noise_level=0.15),
    "t": Sound(50, noise=(3000, 6500), noise_level=0.25),
    "k": Sound(50, noise=(1500, 3000), noise_level=0.25),
    "b": Sound(30, TUBE, noise=(400, 1500), voice_level=0.2, noise_level=0.15),
    "d": Sound(30, TUBE, noise=(3000, 6500), voice_level=0.2, noise_level=0.2),
    "g": Sound(30, TUBE, noise=(1500, 3000), voice_level=0.2, noise_level=0.2),
    "dx": Sound(30, TUBE, voice_level=0.3),
    "q": Sound(40, TUBE, voice_level=0.2),
    **{phone: _closure(voice_level=0.05) for phone in ("bcl", "dcl", "gcl")},
    **{phone: Sound(50) for phone in ("pcl", "tcl", "kcl", "epi", "pau", "h#")},
}


@dataclass(frozen=True)
class Speaker:
    """Who reads what.

    Attributes:
        name: the id; its first letter says man or woman.
        folder: of the corpus, such as TRAIN/DR1/MMAA0.
        tract: what the formants of a man of average length are multiplied by.
        pitch: Hz.
        sentences: phones of each, by its name.
    """

    name: str
    folder: Path
    tract: float
    pitch: float
    sentences: dict[str, Sequence[str]]


def read(info: DatasetInfo, where: Locations) -> dict[str, Tensor]:
    """What `timit.read_folder` reads of the corpus, made anew in a folder that is then deleted."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        return timit.read_folder(Path(folder))


def stamp(info: DatasetInfo, where: Locations) -> None:
    """None: it is not cached."""


def write(folder: Path) -> None:
    """Make the corpus, always the same: 24 speakers in TRAIN, and in TEST the development and the core speakers."""
    draw = RandomState(SEED)
    for speaker in _speakers(folder, draw):
        speaker.folder.mkdir(parents=True)
        for name, phones in speaker.sentences.items():
            segments = [_sound(SOUNDS[phone], speaker, draw) for phone in phones]
            ends = np.cumsum([len(segment) for segment in segments])
            samples = np.concatenate(segments) + BACKGROUND * draw.standard_normal(ends[-1])
            path = speaker.folder / f"{name}.WAV"
            sphere.write_sound(path, (LOUDNESS * samples).astype(np.int16), SAMPLE_RATE)
            lines = zip([0, *ends], ends, phones, strict=False)
            rows = "".join(f"{start} {end} {phone}\n" for start, end, phone in lines)
            path.with_suffix(".PHN").write_text(rows, encoding="ascii")


def _speakers(folder: Path, draw: RandomState) -> Iterator[Speaker]:
    """Everybody with what they read; only the core speakers' regions are those of TIMIT."""
    training = [f"{'mmf'[number % 3]}ma{letter}0" for number, letter in enumerate(ascii_lowercase[:24])]
    for part, names, regions, sentences, length in (
        ("TRAIN", training, 3 * REGIONS, 3, 10),
        ("TEST", DEVELOPMENT, 7 * REGIONS, 1, 3),
        ("TEST", CORE, sorted(3 * REGIONS), 1, 9),
    ):
        phones = _shuffled(draw)
        for name, region in zip(names, regions, strict=False):
            yield Speaker(
                name,
                folder / part / f"DR{region}" / name.upper(),
                tract=(WOMEN_ABOVE_MEN if name[0] == "f" else 1.0) * draw.normal(1, 0.04),
                pitch=PITCH[name[0]] * draw.normal(1, 0.1),
                sentences={
                    "SA1": ("h#", "sh", "iy", "hv", "ae", "dcl", "d", "h#"),
                    "SA2": ("h#", "d", "ow", "nx", "ae", "s", "kcl", "k", "h#"),
                    **{f"SX{n}": ("h#", *(next(phones) for _ in range(length)), "h#") for n in range(sentences)},
                },
            )


def _shuffled(draw: RandomState) -> Iterator[str]:
    """All phones in random order, then all again, so that each is about equally frequent in each part."""
    while True:
        yield from draw.permutation(sorted(SOUNDS))


def _sound(sound: Sound, speaker: Speaker, draw: RandomState) -> np.ndarray:
    """One phone as one speaker says it this time, on the scale of the levels."""
    length = int(sound.duration / 1000 * SAMPLE_RATE * draw.uniform(0.75, 1.25))
    tract = speaker.tract * draw.normal(1, 0.06)
    made = np.zeros(length)
    if sound.formants is not None:
        pitch = speaker.pitch * draw.normal(1, 0.05) * np.linspace(1.05, 0.95, length)
        pulses = np.diff(np.floor(draw.uniform() + np.cumsum(pitch) / SAMPLE_RATE), prepend=0)
        voice = _resonate(pulses, sound.formants, tract)
        if sound.glides_to is not None:
            voice += np.linspace(0, 1, length) * (_resonate(pulses, sound.glides_to, tract) - voice)
        made += _at(sound.voice_level, voice)
    if sound.noise is not None:
        band = [min(edge * tract, HIGHEST) for edge in sound.noise]
        sieve = signal.butter(2, band, "bandpass", fs=SAMPLE_RATE, output="sos")
        made += _at(sound.noise_level, signal.sosfilt(sieve, draw.standard_normal(length)))
    return made * signal.windows.tukey(length, 0.2) * draw.lognormal(0, 0.4)


def _resonate(pulses: np.ndarray, formants: Formants, tract: float) -> np.ndarray:
    """The pulses of the voice through resonators at the formants, one behind the other."""
    frequencies = tract * np.array([*formants, FOURTH_FORMANT])
    poles = np.exp(np.pi * (2j * frequencies - np.array(BANDWIDTHS)) / SAMPLE_RATE)
    sections = [(1, 0, 0, 1, -2 * pole.real, abs(pole) ** 2) for pole in poles]
    sections.append((1, 0, 0, 1, -0.9, 0))  # the glottis lets little of the high frequencies through
    voice: np.ndarray = signal.sosfilt(sections, pulses)
    return voice


def _at(level: float, samples: np.ndarray) -> np.ndarray:
    """Scaled to a root mean square."""
    root_mean_square = float(np.sqrt(np.mean(samples**2) + 1e-12))
    return samples * (level / root_mean_square)
