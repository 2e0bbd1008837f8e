"""The packages import fast: without torch, numpy and whatever else takes its time."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator

import pytest

HEAVY = ("torch", "numpy", "scipy", "pandas", "mpmath", "matplotlib")
OURS = ("activations", "models", "bench")


@pytest.fixture
def as_in_a_new_process() -> Iterator[None]:
    """Nothing of ours is imported, and nothing heavy can be."""
    before = dict(sys.modules)
    for name in list(sys.modules):
        if name.partition(".")[0] in OURS:
            del sys.modules[name]
    sys.modules.update(dict.fromkeys(HEAVY))  # None: importing it is an ImportError
    yield
    sys.modules.clear()
    sys.modules.update(before)


@pytest.mark.usefixtures("as_in_a_new_process")
@pytest.mark.parametrize("package", ["activations", "models", "bench.plugin.hooks"])
def test_importing_it_loads_nothing_heavy(package: str) -> None:
    importlib.import_module(package)
