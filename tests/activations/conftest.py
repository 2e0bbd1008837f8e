"""Fixtures of these tests: torch's generator is seeded for each, and what a test registers is gone after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from activations import _registry


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        yield


@pytest.fixture
def scratch_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    monkeypatch.setattr(_registry, "_REGISTRY", dict(_registry._REGISTRY))
    monkeypatch.setattr(_registry, "_ALIASES", dict(_registry._ALIASES))


@pytest.fixture
def mine(tmp_path: Path) -> str:
    """A user's function, as the command line takes it."""
    file = tmp_path / "mine.py"
    file.write_text("import torch\n\ndef half_swish(x):\n    return x * torch.sigmoid(x) / 2\n")
    return f"{file}:half_swish"
