"""Parts of a data set on the device: split, corrupted, scaled, resized, shared, and batches off them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from bench.data import DataError, info, parts, store
from bench.data.locations import Locations
from bench.data.parts import Part
from made_data import COLOURED, forget, images_of, prepare, source_of


def test_digits_are_whole_and_split_once_for_all() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    one = prepare("digits")
    assert (len(one.train), len(one.test)) == info("digits").rows
    assert one.validation is None
    assert one.input_shape == info("digits").shape
    # Every image is in one part alone, with its own label.
    labels = {(image / 8 - 1).astype(np.float32).tobytes(): label for image, label in zip(*_xy(digits), strict=True)}
    split = [*images_of(one.train), *images_of(one.test)]
    assert len(labels) == len(split) == len(digits.target)
    assert [labels[image] for image in split] == [*one.train.labels.tolist(), *one.test.labels.tolist()]
    forget()
    torch.manual_seed(5)
    np.random.seed(5)
    two = prepare("digits")
    assert torch.equal(one.train.inputs, two.train.inputs)
    assert torch.equal(one.test.inputs, two.test.inputs)
    assert one.data_hash == two.data_hash


def _xy(digits: Any) -> tuple[np.ndarray, np.ndarray]:
    return digits.images, digits.target


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_inputs_fill_the_range_from_minus_one_to_one(part: str) -> None:
    inputs = getattr(prepare("digits", validation_size=300), part).inputs
    assert (inputs.dtype, inputs.min().item(), inputs.max().item()) == (torch.float32, -1, 1)


def test_the_validation_part_is_taken_off_the_training_part() -> None:
    whole = prepare("digits")
    cut = prepare("digits", validation_size=200)
    assert cut.validation is not None
    assert len(cut.validation) == 200
    assert len(cut.train) == len(whole.train) - 200
    assert not set(images_of(cut.validation)) & set(images_of(cut.train))
    assert {*images_of(cut.validation), *images_of(cut.train)} == set(images_of(whole.train))
    assert images_of(cut.test) == images_of(whole.test)


def test_a_smaller_training_part_is_a_piece_of_the_larger_one() -> None:
    large, small = (prepare("digits", validation_size=100, train_size=n, test_size=n) for n in (300, 60))
    assert large.validation is not None
    assert small.validation is not None
    assert images_of(large.validation) == images_of(small.validation)
    assert (len(small.train), len(small.test)) == (60, 60)
    assert set(images_of(small.train)) < set(images_of(large.train))
    assert set(images_of(small.test)) < set(images_of(large.test))


@pytest.mark.parametrize("test_size", [None, 50])
def test_the_majority_rate_is_what_guessing_reaches(test_size: int | None) -> None:
    made = prepare("digits", test_size=test_size)
    labels = made.test.labels.tolist()
    best = max(sum(label == guess for label in labels) / len(labels) for guess in range(made.num_classes))
    assert made.test.majority_rate == pytest.approx(best)


def test_images_grow_to_the_minimum_size_and_no_further() -> None:
    small, grown, kept = (prepare("digits", size=size) for size in (None, 28, 8))
    assert grown.input_shape == (1, 28, 28)
    assert torch.equal(kept.train.inputs, small.train.inputs)
    assert (grown.train.inputs.min() >= -1) & (grown.train.inputs.max() <= 1)
    # bilinear: each corner is a corner, and the mean stays about where it was
    assert torch.equal(grown.train.inputs[..., 0, 0], small.train.inputs[..., 0, 0])
    torch.testing.assert_close(grown.test.inputs.mean(), small.test.inputs.mean(), atol=0.02, rtol=0)
    assert torch.equal(grown.train.labels, small.train.labels)


def test_the_memory_format_is_the_recipes(tmp_path: Path) -> None:
    data_dir = source_of(tmp_path / "data", COLOURED).data_dir  # with one channel the two are the same
    flat, last = (prepare("coloured", data_dir, 9, memory_format=name) for name in ("contiguous", "channels_last"))
    for made, layout in ((flat, torch.contiguous_format), (last, torch.channels_last)):
        assert made.train.inputs.is_contiguous(memory_format=layout)
    assert torch.equal(flat.train.inputs, last.train.inputs)


@pytest.mark.parametrize(
    ("train", "validation", "test"), [(1438, 0, None), (1000, 438, None), (None, 1437, None), (None, 0, 361)]
)
def test_a_recipe_that_asks_for_more_rows_than_there_are_is_refused(
    train: int | None, validation: int, test: int | None
) -> None:
    with pytest.raises(DataError, match=r"the recipe asks digits for .* it has 1437 and 360"):
        prepare("digits", train_size=train, validation_size=validation, test_size=test)
    made = prepare("digits", train_size=1000, validation_size=437, test_size=360)  # all of them
    assert (len(made.train), len(made.test)) == (1000, 360)


def test_neighbouring_cases_share_one_copy() -> None:
    assert prepare("digits", learning_rate=0.1) is prepare("digits", learning_rate=0.2)


# Corruption, preprocessing, resizing


def test_by_default_pixels_are_scaled_and_nothing_else(tmp_path: Path) -> None:
    data_dir = source_of(tmp_path / "data", COLOURED).data_dir
    pixels = store.load("coloured", Locations(data_dir)).tensors["test_images"]
    assert torch.equal(prepare("coloured", data_dir).test.inputs, pixels.float() * (2 / 255) - 1)


@pytest.mark.parametrize("looks", [{"psi": 8}, {"psi": 16}, {"preprocessing": "standard"}, {"preprocessing": "zca"}])
def test_recipes_that_differ_in_how_images_look_get_images_of_their_own(looks: dict[str, Any]) -> None:
    plain, other = prepare("digits", validation_size=300), prepare("digits", validation_size=300, **looks)
    for name in ("train", "validation", "test"):
        assert not torch.equal(getattr(plain, name).inputs, getattr(other, name).inputs)
        assert torch.equal(getattr(plain, name).labels, getattr(other, name).labels)
    assert other.data_hash == plain.data_hash  # of the whole clean data set
    assert other is prepare("digits", validation_size=300, **looks)


def test_two_peak_counts_give_two_corruptions() -> None:
    assert not torch.equal(prepare("digits", psi=8).train.inputs, prepare("digits", psi=16).train.inputs)


def test_all_runs_see_the_same_corrupted_images() -> None:
    one = prepare("digits", psi=8, validation_size=300)
    forget()
    torch.manual_seed(5)
    two = prepare("digits", psi=8, validation_size=300, learning_rate=0.2)
    assert one is not two
    for name in ("train", "validation", "test"):
        assert torch.equal(getattr(one, name).inputs, getattr(two, name).inputs)


def test_each_part_has_noise_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int, str]] = []
    monkeypatch.setattr(parts, "corrupt", lambda images, psi, part: (asked.append((len(images), psi, part)), images)[1])
    prepare("digits", psi=8, train_size=100, validation_size=50, test_size=20)
    assert asked == [(100, 8, "train"), (50, 8, "validation"), (20, 8, "test")]


def test_a_smaller_corrupted_training_part_is_a_piece_of_the_larger_one() -> None:
    large, small = (prepare("digits", psi=8, train_size=size) for size in (300, 60))
    assert torch.equal(small.train.inputs, large.train.inputs[:60])


def test_corruption_comes_before_preprocessing_and_resizing_after() -> None:
    """At psi 1 a pixel is black or white, and stays one of two values until it is resized."""
    made = prepare("digits", psi=1, preprocessing="standard")
    grown = prepare("digits", psi=1, preprocessing="standard", size=28)
    assert len(made.train.inputs.unique()) == 2
    torch.testing.assert_close(made.train.inputs.mean(), torch.tensor(0.0), atol=1e-5, rtol=0)
    assert len(grown.train.inputs.unique()) > 2
    assert torch.equal(grown.train.inputs[..., 0, 0], made.train.inputs[..., 0, 0])


def test_statistics_come_from_the_rows_trained_on_alone() -> None:
    sizes = {"train_size": 60, "validation_size": 300, "test_size": 50}
    plain, made = prepare("digits", **sizes), prepare("digits", preprocessing="standard", **sizes)
    sd, mean = torch.std_mean(plain.train.inputs, correction=1)
    for name in ("train", "validation", "test"):
        expected = (getattr(plain, name).inputs - mean) / sd
        torch.testing.assert_close(getattr(made, name).inputs, expected, atol=1e-5, rtol=1e-5)


# Batches

FORMATS = [torch.contiguous_format, torch.channels_last]


@pytest.mark.parametrize("memory_format", FORMATS, ids=str)
def test_a_batch_is_the_rows_asked_for_in_the_memory_format_of_the_part(memory_format):
    part = Part(torch.randn(10, 3, 8, 8).contiguous(memory_format=memory_format), torch.arange(10))
    inputs, labels = part.take(torch.tensor([7, 2, 2]))
    assert torch.equal(inputs, part.inputs[[7, 2, 2]])
    assert labels.tolist() == [7, 2, 2]
    assert inputs.is_contiguous(memory_format=memory_format)


@pytest.mark.parametrize("memory_format", FORMATS, ids=str)
def test_a_batch_on_cuda_keeps_device_and_memory_format(memory_format):
    with FakeTensorMode():
        images = torch.empty(10, 3, 8, 8, device="cuda").contiguous(memory_format=memory_format)
        part = Part(images, torch.empty(10, dtype=torch.int64, device="cuda"))
        inputs, labels = part.take(torch.empty(4, dtype=torch.int64, device="cuda"))
    assert inputs.is_contiguous(memory_format=memory_format)
    assert inputs.device.type == labels.device.type == "cuda"
