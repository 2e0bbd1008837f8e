"""The card as a session has it, for what can be seen on a card alone: `pytest -m gpu`."""

from __future__ import annotations

import pytest
import torch

from bench.training import device


@pytest.fixture
def card() -> torch.device:
    """Set up for determinism; no test without the marker shares this process."""
    return device.resolve("cuda")
