"""TIMIT as users have it: made corpora in its format are read, or refused with a message that names the file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import python_speech_features
import soundfile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from bench.data import DataError, info, made_speech, phones, store, timit
from bench.data.locations import Locations
from made_data import cached

PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    made_speech.write(folder)
    return folder


@pytest.fixture(scope="module")
def tensors(made: Path) -> dict[str, Tensor]:
    return timit.read_folder(made)


@pytest.fixture
def corpus(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may harm."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def speakers(corpus: Path, part: str) -> list[Path]:
    return sorted(path for path in (corpus / part).glob("*/*"))


def test_phones_are_folded_as_lee_and_hon_did() -> None:
    assert len(phones.LABELS) == 61
    assert len(phones.CLASSES) == 39
    assert sorted({*phones.LABELS.values()}) == [phones.LEFT_OUT, *range(39)]
    groups = ["sh zh", "ih ix", "ah ax", "aa ao", "l el", "n en", "pcl tcl kcl bcl dcl gcl epi pau h#"]
    groups += ["uw ux", "er axr", "hh hv", "m em", "n nx", "ng eng", "ah ax-h"]
    for group in groups:
        assert len({phones.LABELS[phone] for phone in group.split()}) == 1, group
    assert phones.CLASSES[phones.LABELS["pau"]] == "sil"
    assert phones.CLASSES[phones.LABELS["axr"]] == "er"
    assert [phone for phone, label in phones.LABELS.items() if label == phones.LEFT_OUT] == ["q"]


def test_the_core_test_set_has_two_men_and_a_woman_of_each_region(made: Path) -> None:
    assert len(set(timit.CORE)) == 24
    for region in range(1, 9):
        there = {path.name.lower() for path in (made / "TEST" / f"DR{region}").iterdir()}
        assert sorted(name[0] for name in there & set(timit.CORE)) == ["f", "m", "m"]


def test_the_development_speakers_are_fifty_others() -> None:
    assert len(set(timit.DEVELOPMENT)) == 50
    assert not set(timit.DEVELOPMENT) & set(timit.CORE)


def test_parts_hold_frames_of_all_classes(tensors: dict[str, Tensor]) -> None:
    assert set(tensors) == {f"{part}_{what}" for part in PARTS for what in ("frames", "labels")}
    for part in PARTS:
        frames, labels = tensors[f"{part}_frames"], tensors[f"{part}_labels"]
        assert frames.shape == (len(labels), *info("timit").shape) == (len(labels), 11 * 26)
        assert (frames.dtype, labels.dtype) == (torch.float32, torch.int64)
        assert frames.isfinite().all()
        assert labels.unique().tolist() == list(range(info("timit").num_classes))


def test_a_sentence_is_in_one_part_and_sa_in_none(made: Path, tensors: dict[str, Tensor]) -> None:
    places = {
        "train": speakers(made, "TRAIN"),
        "validation": [path for path in speakers(made, "TEST") if path.name.lower() in timit.DEVELOPMENT],
        "test": [path for path in speakers(made, "TEST") if path.name.lower() in timit.CORE],
    }
    for part, folders in places.items():
        sounds = [path for folder in folders for path in folder.glob("S[XI]*.WAV")]
        rows = [timit.read_sentence(path, path.with_suffix(".PHN"))[0] for path in sounds]
        assert len(rows) < len([path for folder in folders for path in folder.glob("*.WAV")])
        expected = {frame.tobytes() for frames in rows for frame in frames}
        assert {frame.numpy().tobytes() for frame in tensors[f"{part}_frames"]} == expected
        assert sum(map(len, rows)) == len(tensors[f"{part}_labels"])


# What users have: names in small letters, the parent folder, files of a copy on the web.
def _small_letters(corpus: Path) -> Path:
    for path in sorted(corpus.rglob("*"), key=lambda path: -len(path.parts)):
        path.rename(path.with_name(path.name.lower()))
    return corpus


def _parent(corpus: Path) -> Path:
    shutil.copytree(corpus, corpus.with_name("discs") / "TIMIT")
    return corpus.with_name("discs")


def _as_riff(corpus: Path, rename: Callable[[Path], Path], keep: bool) -> Path:
    for path in list(corpus.rglob("*.WAV")):
        samples, rate = soundfile.read(path, dtype="int16")
        if not keep:
            path.unlink()
        soundfile.write(rename(path), samples, rate, "PCM_16", format="WAV")
    return corpus


def _among_others(corpus: Path) -> Path:
    for name in ("README.DOC", "TRAIN/.DS_Store", "TRAIN/DR1/FMAI0/SX0.TXT", "TRAIN/DR1/FMAI0/SX0.WRD"):
        (corpus / name).touch()
    return corpus


COPIES: dict[str, Callable[[Path], Path]] = {
    "small letters": _small_letters,
    "the parent folder": _parent,
    "RIFF files": lambda corpus: _as_riff(corpus, lambda path: path, keep=False),
    "RIFF files beside": lambda corpus: _as_riff(corpus, lambda path: path.with_name(path.name + ".wav"), keep=True),
    "other files too": _among_others,
}


@pytest.mark.parametrize("copy", COPIES)
def test_it_is_read_however_it_was_copied(copy: str, corpus: Path, tensors: dict[str, Tensor]) -> None:
    assert same(timit.read_folder(COPIES[copy](corpus)), tensors)


def test_it_is_read_beside_what_file_managers_leave_and_with_empty_last_lines(
    corpus: Path, tensors: dict[str, Tensor]
) -> None:
    for path in [path for path in corpus.rglob("*") if path.is_file()]:
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7")
        if path.suffix == ".PHN":
            path.write_text(path.read_text() + "\n\n")
    (corpus / "TRAIN" / "DR1" / "Thumbs.db").touch()
    (corpus / "TRAIN" / "DR1" / "@eaDir").mkdir()
    assert same(timit.read_folder(corpus), tensors)
    assert timit.stamp(info("timit"), Locations(timit=corpus))


def test_without_all_development_speakers_every_tenth_training_speaker_is_for_validation(
    corpus: Path, tensors: dict[str, Tensor]
) -> None:
    one = next(path for path in speakers(corpus, "TEST") if path.name.lower() == timit.DEVELOPMENT[7])
    shutil.rmtree(one)
    found = timit.read_folder(corpus)
    split = speakers(corpus, "TRAIN")[::10]
    files = [path for folder in split for path in sorted(folder.glob("SX*.WAV"))]
    expected = np.concatenate([timit.read_sentence(path, path.with_suffix(".PHN"))[1] for path in files])
    assert found["validation_labels"].tolist() == expected.tolist()
    assert len(found["train_labels"]) == len(tensors["train_labels"]) - len(expected)
    assert torch.equal(found["test_frames"], tensors["test_frames"])


# One sentence: its sound, and what must come of it.
def _write(
    folder: Path, samples: np.ndarray, segments: list[tuple[int, int, str]], **options: Any
) -> tuple[Path, Path]:
    sound, text = folder / "SX1.WAV", folder / "SX1.PHN"
    soundfile.write(sound, samples.astype(np.int16), **{"samplerate": 16000, "format": "NIST", **options})
    text.write_text("".join(f"{start} {end} {phone}\n" for start, end, phone in segments))
    return sound, text


def _noise(length: int, seed: int = 0) -> np.ndarray:
    return 1000 * np.random.default_rng(seed).standard_normal(length)


@st.composite
def _segments(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, str]]]:
    """The length of a sound, and phones in it, sometimes with silence nobody named between them."""
    lengths = draw(st.lists(st.integers(1, 700), min_size=2, max_size=16))
    named = draw(st.lists(st.sampled_from([*phones.LABELS, None]), min_size=len(lengths), max_size=len(lengths)))
    named[0] = named[0] or "h#"
    spans = pairwise(accumulate(lengths, initial=0))
    return sum(lengths), [(start, end, phone) for (start, end), phone in zip(spans, named, strict=True) if phone]


def _brute_force(length: int, segments: list[tuple[int, int, str]]) -> Iterator[tuple[int, int]]:
    """Number and class of each frame that has one: windows of 400 samples, the last one filled up, 160 apart."""
    number = 0
    while number == 0 or 160 * (number - 1) + 400 < length:
        for start, end, phone in segments:
            if start <= 160 * number + 200 < end and phone != "q":
                yield number, phones.LABELS[phone]
        number += 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=_segments())
def test_a_frame_has_the_phone_at_its_centre_and_five_neighbours_a_side(
    drawn: tuple[int, list[tuple[int, int, str]]], tmp_path: Path
) -> None:
    length, segments = drawn
    samples = _noise(length)
    frames, labels = timit.read_sentence(*_write(tmp_path, samples, segments))
    expected = list(_brute_force(length, segments))
    assert labels.tolist() == [label for _, label in expected]
    static = python_speech_features.mfcc(samples.astype(np.int16), 16000, winfunc=np.hamming)
    features = np.hstack([static, python_speech_features.delta(static, 2)])
    for row, (number, _) in zip(frames, expected, strict=True):
        for place, seen in enumerate(row.reshape(11, 26), -5):
            neighbour = features[min(max(number + place, 0), len(features) - 1)]
            np.testing.assert_allclose(seen, neighbour, atol=1e-4)


def test_a_louder_sentence_has_more_log_energy_and_the_same_cepstrum(tmp_path: Path) -> None:
    quiet = np.round(_noise(8000))
    one, other = (
        timit.read_sentence(*_write(tmp_path, scale * quiet, [(0, 8000, "s")]))[0].reshape(-1, 11, 26)
        for scale in (1, 2)
    )
    np.testing.assert_allclose(other[..., 0] - one[..., 0], 2 * np.log(2), atol=2e-4)
    np.testing.assert_allclose(other[..., 1:], one[..., 1:], atol=2e-4)


def test_derivatives_say_how_fast_the_features_change(tmp_path: Path) -> None:
    growing = _noise(16000) * np.exp(np.arange(16000) / 16000)
    frames, _ = timit.read_sentence(*_write(tmp_path, growing, [(0, 16000, "s")]))
    energy, slope = frames.reshape(-1, 11, 26)[10:-10, 5, [0, 13]].T
    assert slope.mean() == pytest.approx(0.02, abs=0.004)  # e-fold louder in 100 frames: energy is the square
    assert np.polyfit(np.arange(len(energy)), energy, 1)[0] == pytest.approx(slope.mean(), abs=0.004)


GOOD = [(0, 2000, "h#"), (2000, 5000, "s"), (5000, 8000, "iy")]


def _truncate(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def _shorten(path: Path) -> None:
    header = path.read_bytes()[:1024].replace(
        b"sample_coding -s3 pcm", b"sample_coding -s26 pcm,embedded-shorten-v2.00"
    )
    path.write_bytes(header[:1024] + b"ajkg\x02" + bytes(500))


def _sound(path: Path, channels: int = 1, **options: Any) -> None:
    samples = np.stack(channels * [_noise(8000)], axis=1)
    _write(path.parent, samples, GOOD, **options)


def _text(path: Path, text: str | bytes) -> None:
    path.with_suffix(".PHN").write_bytes(text if isinstance(text, bytes) else text.encode())


# What is done to the sentence SX0 of a speaker, the file that the message names, and what it says.
DAMAGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "sound cut off": (lambda path: _truncate(path, -600), "SX0.WAV", "samples, its header says"),
    "sound cut off in its header": (lambda path: _truncate(path, 500), "SX0.WAV", "cannot be read as sound"),
    "an empty sound": (lambda path: _truncate(path, 0), "SX0.WAV", "cannot be read as sound"),
    "a cut off copy as RIFF": (
        lambda path: soundfile.write(path, _noise(300).astype(np.int16), 16000, format="WAV"),
        "SX0.PHN",
        "within the sound",
    ),
    "RIFF without samples": (
        lambda path: soundfile.write(path, np.zeros(0, dtype=np.int16), 16000, format="WAV"),
        "SX0.PHN",
        "within the sound",
    ),
    "packed sound": (_shorten, "SX0.WAV", "packed by shorten: .*w_decode -o pcm.* or .*sph2pipe"),
    "an error page": (lambda path: path.write_text("<html>502"), "SX0.WAV", "cannot be read as sound"),
    "another sampling rate": (lambda path: _sound(path, samplerate=8000), "SX1.WAV", "8000 samples a second, .* 16000"),
    "two channels": (lambda path: _sound(path, channels=2), "SX1.WAV", "2 channels, TIMIT has one"),
    "no phones": (lambda path: path.with_suffix(".PHN").unlink(), "SX0.WAV", "no .PHN file"),
    "no sound": (Path.unlink, "SX0.PHN", "no .WAV file"),
    "an empty list of phones": (lambda path: _text(path, ""), "SX0.PHN", "names no phones"),
    "overlapping phones": (lambda path: _text(path, "0 900 h#\n800 1200 s\n"), "SX0.PHN", "line 2, '800 1200 s', must"),
    "a phone that ends before it starts": (lambda path: _text(path, "900 300 h#\n"), "SX0.PHN", "line 1, '900 300 h#'"),
    "a phone behind the sound": (lambda path: _text(path, "0 999999 h#\n"), "SX0.PHN", "within the sound"),
    "an unknown phone": (
        lambda path: _text(path, "0 900 hash\n"),
        "SX0.PHN",
        "unknown phone 'hash'; known: aa, ae, ah",
    ),
    "a line that is none": (lambda path: _text(path, "0 900\n"), "SX0.PHN", "'0 900' is not a first sample"),
    "a binary file": (lambda path: _text(path, b"\xff\x00\x01"), "SX0.PHN", "can't decode"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_with_what_is_wrong_and_how_to_fix_it(
    damage: str, corpus: Path, tmp_path: Path
) -> None:
    harm, name, said = DAMAGES[damage]
    folder = speakers(corpus, "TRAIN")[0]
    harm(folder / "SX0.WAV")
    with pytest.raises(DataError, match=said) as caught:
        store.load("timit", Locations(timit=corpus))
    assert str(folder / name) in str(caught.value)
    assert "copy it again" in str(caught.value) or "unpack it" in str(caught.value)
    assert cached(tmp_path) == []


def test_a_damaged_sa_sentence_harms_nobody(corpus: Path, tensors: dict[str, Tensor]) -> None:
    (speakers(corpus, "TRAIN")[0] / "SA1.PHN").unlink()
    assert same(timit.read_folder(corpus), tensors)


def test_missing_core_speakers_are_named(corpus: Path) -> None:
    for path in speakers(corpus, "TEST"):
        if path.name in ("FELC0", "MDAB0"):
            shutil.rmtree(path)
    with pytest.raises(DataError, match="core test set, TEST has no felc0, mdab0"):
        timit.read_folder(corpus)


def _clear(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


EMPTY: dict[str, tuple[Callable[[Path], object], str]] = {
    "an empty folder": (_clear, "has no folders TRAIN and TEST"),
    "no folder": (shutil.rmtree, "is no folder"),
    "no TEST": (lambda corpus: shutil.rmtree(corpus / "TEST"), "has no folders TRAIN and TEST"),
    "an empty TRAIN": (lambda corpus: _clear(corpus / "TRAIN"), "no speaker is left for the train part"),
    "an empty speaker": (lambda corpus: _clear(speakers(corpus, "TRAIN")[0]), "DR1/FMAI0 holds no sentences"),
}


@pytest.mark.parametrize("case", EMPTY)
def test_what_is_empty_is_named(case: str, corpus: Path) -> None:
    empty, said = EMPTY[case]
    empty(corpus)
    with pytest.raises(DataError, match=said) as caught:
        timit.read_folder(corpus)
    assert str(corpus) in str(caught.value)


def test_without_a_copy_the_message_says_what_timit_is_and_how_to_name_one() -> None:
    with pytest.raises(DataError, match=r"read American English.*Linguistic Data Consortium \(LDC93S1.*--timit DIR"):
        store.load("timit")


def test_a_copy_is_cached_until_one_of_its_sentences_changes(
    corpus: Path, tensors: dict[str, Tensor], tmp_path: Path
) -> None:
    where = Locations(timit=corpus)
    assert same(store.load("timit", where).tensors, tensors)
    assert len(cached(tmp_path)) == 1
    (corpus / "README.DOC").touch()
    before = timit.stamp(info("timit"), where)
    assert cached(tmp_path) == [tmp_path / "cache" / f"timit-{before}.safetensors"]
    text = speakers(corpus, "TEST")[0] / "SX0.PHN"
    text.write_text(text.read_text().replace(" h#", " pau"))
    assert timit.stamp(info("timit"), where) != before


def test_two_corpora_behind_links_are_two_in_the_cache(made: Path, corpus: Path, tmp_path: Path) -> None:
    sentence = next(corpus.rglob("*.PHN"))
    sentence.write_text(sentence.read_text() + "\n")
    stamps = set()
    for number, real in enumerate((made, corpus)):
        linked = tmp_path / f"linked{number}"
        linked.mkdir()
        for part in ("TRAIN", "TEST"):
            (linked / part).symlink_to(real / part)
        stamps.add(timit.stamp(info("timit"), Locations(timit=linked)))
    assert len(stamps) == 2
