"""Learning rates: which is chosen for an activation, by validation alone. `learning_rates.sweeps(cases)`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.cases.metric import Measured
from bench.cases.variant import Variant
from bench.records.case_runs import CaseRuns


@dataclass(frozen=True)
class Sweep:
    """The runs that differ in activation and learning rate alone.

    Attributes:
        rates: those of each activation, by rate.
    """

    rates: Mapping[str, Mapping[float, CaseRuns]]

    @property
    def first(self) -> CaseRuns:
        return next(iter(next(iter(self.rates.values())).values()))

    @property
    def title(self) -> str:
        """Of the tables, the rate left out: `mlp · MNIST · adam · dropout0.5 · tiny`."""
        plain, variant = self.first.title("variant", "scale"), self.first.case.without("lr").variant
        final = "" if has_validation(self.first) else "no validation part"
        return " · ".join(filter(None, (plain, variant, final, self.first.key.scale)))

    @property
    def all_rates(self) -> list[float]:
        """Every rate that some activation has, ascending."""
        return sorted({rate for by_rate in self.rates.values() for rate in by_rate})

    def chosen(self) -> dict[str, CaseRuns]:
        """Each activation at its best rate; without those whose validation metric was not kept."""
        best = {name: best_by_validation(by_rate.values()) for name, by_rate in self.rates.items()}
        return {name: one for name, one in best.items() if one}


def sweeps(cases: Iterable[CaseRuns]) -> list[Sweep]:
    """Runs of cases by all that is not activation and rate; rates are those of the recipes.

    Final trainings on all data, without a validation part, are sweeps of their own.
    """
    found: dict[Any, dict[str, dict[float, CaseRuns]]] = {}
    for one in cases:
        case = one.case
        words = tuple(sorted(Variant.parse(case.variant).without("lr").words.values()))
        place = (case.experiment, case.model, case.dataset, case.optimizer, words, one.environment, has_validation(one))
        found.setdefault(place, {}).setdefault(case.activation, {})[one.recipe["learning_rate"]] = one
    return [Sweep(rates) for rates in found.values()]


def chosen_by(metric: str) -> str:
    """The metric that a choice looks at in the place of one of the test part."""
    return Measured.parse(metric).chosen_by.name


def has_validation(one: CaseRuns) -> bool:
    """Whether a part was kept to choose by; a final training has none."""
    return bool(one.recipe["validation_size"] != 0)  # None takes the data set's own


def best_by_validation(cases: Iterable[CaseRuns]) -> CaseRuns | None:
    """The best by the validation metric, never by test; of equals the first. One alone needs no choice.

    None where a metric to choose by is lacking.
    """
    candidates = list(cases)
    if len(candidates) == 1:
        return candidates[0]
    metric = chosen_by(candidates[0].metric)
    if any(metric not in one.metrics for one in candidates):
        return None
    return max(candidates, key=lambda one: one.score(metric))


def tied(best: CaseRuns, others: Sequence[CaseRuns], metric: str) -> list[CaseRuns]:
    """Those that do not differ significantly from the best, by differences seed by seed, Holm over all of them."""
    from bench.stats.intervals import LEVEL, difference, holm

    differences = [difference(best.compared(metric), other.compared(metric), best.step(metric)) for other in others]
    adjusted = holm([one.p for one in differences])
    return [other for other, p in zip(others, adjusted, strict=True) if p >= LEVEL]
