"""The records: unknown names, inexact copies."""

from __future__ import annotations

import pytest

from bench.data import DATASETS, info, store


def test_an_unknown_dataset_lists_the_known_ones() -> None:
    for door in (info, store.load):
        with pytest.raises(ValueError, match="unknown dataset 'minst'; known: ") as caught:
            door("minst")
        assert all(name in str(caught.value) for name in DATASETS)


def test_an_inexact_copy_is_labelled_so() -> None:
    record = info("cifar10")
    assert record.copies
    for data_hash, label in record.copies.items():
        assert record.label_of(data_hash) == label != record.label
        assert record.label in label
    assert record.label_of("0" * 16) == record.label
