"""Fixtures of the data tests: an empty cache, nothing remembered by the process, and two made data sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.data import _registry
from made_data import COLOURED, TOY, Source, forget, source_of


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An empty cache folder, nothing remembered by the process, and the toy data sets on the list."""
    monkeypatch.setenv("ACTBENCH_CACHE", str(tmp_path / "cache"))
    for entry in (TOY, COLOURED):
        monkeypatch.setitem(_registry.DATASETS, entry.name, entry)
    forget()
    yield
    forget()


@pytest.fixture
def toy(tmp_path: Path) -> Source:
    return source_of(tmp_path / "data", TOY)
