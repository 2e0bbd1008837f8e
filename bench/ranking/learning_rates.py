"""Learning rates: which is chosen for an activation, by validation alone. `sweep.settings(observations)`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.cases.case import settings_of
from bench.records.case_runs import Observation, higher_is_better


@dataclass(frozen=True)
class Setting:
    """All that a sweep over the rate holds fixed, with the observations of each activation, by rate."""

    rates: Mapping[str, Mapping[float, Observation]]

    @property
    def first(self) -> Observation:
        return next(iter(next(iter(self.rates.values())).values()))

    @property
    def title(self) -> str:
        """Of the tables, the rate left out: `mlp · MNIST · adam · dropout0.5 · tiny`."""
        words = [word for word in self.first.case.variant.split("_") if not is_rate(word)]
        plain, variant = self.first.title("variant", "scale"), "_".join(words)
        final = "" if has_validation(self.first) else "no validation part"
        return " · ".join(filter(None, (plain, variant, final, self.first.key.scale)))

    @property
    def all_rates(self) -> list[float]:
        """Every rate that some activation has, ascending."""
        return sorted({rate for by_rate in self.rates.values() for rate in by_rate})

    def chosen(self) -> dict[str, Observation]:
        """Each activation at its best rate; without those whose validation metric was not kept."""
        best = {name: choose(by_rate.values()) for name, by_rate in self.rates.items()}
        return {name: one for name, one in best.items() if one}


def is_rate(word: str) -> bool:
    """Whether a word of a variant says the learning rate, such as `lr0.01`."""
    return "lr" in settings_of(word)


def settings(observations: Iterable[Observation]) -> list[Setting]:
    """Observations by all that is not activation and rate; rates are those of the recipes.

    Final trainings on all data, without a validation part, are settings of their own.
    """
    found: dict[Any, dict[str, dict[float, Observation]]] = {}
    for one in observations:
        case = one.case
        words = tuple(sorted(word for word in case.variant.split("_") if word and not is_rate(word)))
        place = (case.experiment, case.model, case.dataset, case.optimizer, words, one.environment, has_validation(one))
        found.setdefault(place, {}).setdefault(case.activation, {})[one.recipe["learning_rate"]] = one
    return [Setting(rates) for rates in found.values()]


def validation(metric: str) -> str:
    """What is chosen by, in place of a test metric."""
    return metric.replace("test_", "validation_", 1)


def has_validation(one: Observation) -> bool:
    """Whether a part was kept to choose by; a final training has none."""
    return bool(one.recipe["validation_size"] != 0)  # None takes the data set's own


def choose(observations: Iterable[Observation]) -> Observation | None:
    """The best by the validation metric, never by test; of equals the first. One alone needs no choice.

    None where a metric to choose by is lacking.
    """
    candidates = list(observations)
    if len(candidates) == 1:
        return candidates[0]
    metric = validation(candidates[0].metric)
    if any(metric not in one.metrics for one in candidates):
        return None
    return max(candidates, key=lambda one: merit(one, metric))


def merit(one: Observation, metric: str) -> float:
    """A metric such that more is better, whatever its direction; what is not finite is worst."""
    figure = one.figure(metric)
    if not math.isfinite(figure):
        return -math.inf
    return figure if higher_is_better(metric) else -figure


def tied(best: Observation, others: Sequence[Observation], metric: str) -> list[Observation]:
    """Those that the data do not tell apart from the best, by differences seed by seed, Holm over all of them."""
    from bench.stats.intervals import LEVEL, difference, holm

    apart = [difference(best.compared(metric), other.compared(metric)) for other in others]
    adjusted = holm([one.p for one in apart])
    return [other for other, p in zip(others, adjusted, strict=True) if p >= LEVEL]
