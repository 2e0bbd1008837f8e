"""Made observations for the views that compare blocks, with figures that can be checked by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bench.cases.case import Case
from bench.records.case_runs import CaseRuns
from made import runs_of_case

# Best to worst, and how they come out of every problem of `problems`.
ERRORS = {"elu": 0.1, "relu": 0.2, "sigmoid": 0.4}
SEEDS = 4


def runs(model: str, name: str, values: Sequence[float], optimizer="adam", variant="", **more) -> CaseRuns:
    """Of one activation in a network on CIFAR-10, by the judged metric."""
    case = Case("made", model, "cifar10", name, optimizer, variant)
    return runs_of_case(case, {more.get("metric", "test_accuracy"): values}, **more)


def problems(count: int = 8, errors: Mapping[str, float] = ERRORS) -> Iterator[CaseRuns]:
    """So many networks, in each of which every activation's runs make the same error."""
    for place in range(count):
        for name, error in errors.items():
            yield runs(f"net{place}", name, [1 - error - 0.001 * place] * SEEDS)


def one_block() -> Iterator[CaseRuns]:
    """relu from 0.1 to 0.4, and elu, of the same seeds, from 0.25 to 0.55: better in 13 of the 16 pairs."""
    yield runs("net", "relu", [0.1, 0.2, 0.3, 0.4])
    yield runs("net", "elu", [0.25, 0.35, 0.45, 0.55])


def crossed() -> Iterator[CaseRuns]:
    """Two activations with two optimizers: the activation moves the figure by ± 0.1, the optimizer by ± 0.2."""
    spread = np.array([-0.01, 0.01, -0.01, 0.01])
    for name, gain in (("relu", -0.1), ("elu", 0.1)):
        for optimizer, more in (("sgd", -0.2), ("adam", 0.2)):
            yield runs("net", name, 0.5 + gain + more + spread, optimizer)


def timed() -> Iterator[CaseRuns]:
    """Of four epochs, relu takes 4 seconds; elu's are twice as slow and selu's as fast, both with twice the bytes."""
    for name, seconds, bytes_saved, last in (
        ("relu", 4.0, 10**6, 0.8),
        ("elu", 8.0, 2 * 10**6, 0.9),
        ("selu", 4.0, 2 * 10**6, 0.7),
    ):
        curves = tuple({"validation_accuracy": [0.2, 0.4, 0.6, last + 0.001 * seed]} for seed in range(SEEDS))
        yield runs("net", name, [last] * SEEDS, curves=curves, seconds=(seconds,) * SEEDS, bytes_saved=bytes_saved)
