"""Fixtures shared by the tests: a micro experiment in a folder of its own, run through pytester."""

from __future__ import annotations

import io

import hypothesis.core  # noqa: F401
import pandas as pd
import pytest
import torch

import bench.regression.judge
import bench.reporting.files.session_files
import bench.training.train  # noqa: F401
from activations import _registry

# The networks here are so small that a second thread costs more than it gives, and under `-n` it starves the others.
torch.set_num_threads(1)

# pytester forgets the modules that a session in process has imported. Those that are slow to import or cannot be
# imported twice (torch, and what pandas registers with pyarrow at its first Parquet file) come in here, once.
pd.DataFrame({"a": [1]}).to_parquet(io.BytesIO())

MICRO = """
from bench.cases.case import Experiment
from bench.cases.recipe import Recipe

EXPERIMENT = Experiment(
    name="micro",
    question="Does the plugin work?",
    source="made for the tests",
    models=("mlp",),
    datasets=("digits", "mnist"),
    optimizers=("sgd", "adam"),
    activations=("relu", "leaky_relu", "elu", "selu", "gelu", "silu"),
    recipe=lambda case, scale: Recipe(
        version=1, epochs=1, batch_size=64, learning_rate=1e-3, initialisation="kaiming",
        train_size=128, validation_size=64, test_size=100, threads=1, seeds=1, recorded_seeds=2,
    ),
)


def test_micro(case, run_case):
    run_case(case)
"""


@pytest.fixture(autouse=True)
def _on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions inside a test are not xdist's, even if the test runs in one of its workers, and no GitHub job's."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.fixture
def micro(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with a conftest that loads the plugin and one experiment whose runs take a few milliseconds.

    Activations that a session in process adds are forgotten with it.
    """
    monkeypatch.setattr(_registry, "_REGISTRY", dict(_registry._REGISTRY))
    pytester.makeconftest('pytest_plugins = ["bench.plugin"]')
    pytester.makepyfile(test_micro=MICRO)
    pytester.mkdir("own_baselines")
    return pytester
