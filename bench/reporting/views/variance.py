"""What matters more, the activation or what surrounds it? Shares of variance of an experiment's judged metric.

An analysis of variance (statsmodels, type II) of all runs over activation, network, data set, optimizer and variant, as
far as the experiment crosses them completely. Of a sweep over learning rates each activation has its rate that is best
by validation, so that a rate that suits one of them does not count in its favour.

Eta squared is a share in the plain sense: all of them add up to 1 where all cells have as many runs. It counts what
chance explains as well, which omega squared takes off (Olejnik and Algina 2003, doi 10.1037/1082-989X.8.4.434). No test
is made: the spreads of the cells differ by far, as where an activation collapses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from math import isfinite, prod
from typing import Any

from bench.display.tables import Table, source, spans
from bench.ranking import learning_rates
from bench.records.case_runs import CaseRuns, grouped

# What an experiment may cross, and the order in which it is taken apart where it does not cross all of it.
SURROUNDINGS = ("variant", "optimizer", "dataset", "model")
FACTORS = ("activation", *SURROUNDINGS)
NOTES = (
    "share: eta squared, the sum of squares over that of all runs; unbiased: omega squared, less what chance can do",
    "×: how far the order of activations depends on the rest, as where one of them collapses in one place alone",
)


def tables(cases: Sequence[CaseRuns]) -> list[Table]:
    """One an experiment, scale, device and metric that crosses activations with something else."""
    chosen = [one for sweep in learning_rates.sweeps(cases) for one in sweep.chosen().values()]
    worlds = grouped(chosen, lambda one: (one.case.experiment, one.key.scale, one.key.device_class, one.metric))
    return [_table(design) for members in worlds.values() for design in _designs(members)]


def _designs(members: Sequence[CaseRuns]) -> list[list[CaseRuns]]:
    """All of them where they are crossed, or else the crossed parts of the first way to take them apart."""
    whole = _shared(members)
    if _crossed(whole):
        return [whole]
    for factor in SURROUNDINGS:
        parts = [_shared(part) for part in grouped(members, partial(_level, factor=factor)).values()]
        if crossed := [part for part in parts if _crossed(part)]:
            return crossed
    return []


def _shared(members: Iterable[CaseRuns]) -> list[CaseRuns]:
    """Those of the activations that are everywhere."""
    blocks = grouped(members, lambda one: tuple(_level(one, factor) for factor in SURROUNDINGS)).values()
    names = set.intersection(*({one.activation for one in block} for block in blocks))
    return [one for block in blocks for one in block if one.activation in names]


def _crossed(members: Sequence[CaseRuns]) -> bool:
    """Whether every combination of levels is there once, with repeated runs, and activations are among the factors."""
    factors = _factors(members)
    cells = prod(len(levels) for levels in factors.values())
    whole = cells == len(members) == len({tuple(_level(one, factor) for factor in FACTORS) for one in members})
    finite = all(isfinite(value) for one in members for value in one.values)
    return whole and finite and "activation" in factors and len(factors) > 1 and any(one.n > 1 for one in members)


def _factors(members: Sequence[CaseRuns]) -> dict[str, list[str]]:
    """What differs, with its levels."""
    levels = {factor: sorted({_level(one, factor) for one in members}) for factor in FACTORS}
    return {factor: found for factor, found in levels.items() if len(found) > 1}


def _level(one: CaseRuns, factor: str) -> str:
    if factor == "dataset":
        return one.data_label
    if factor == "variant":
        return one.case.without("lr").variant
    return one.case.fields[factor]


def _table(members: Sequence[CaseRuns]) -> Table:
    factors = _factors(members)
    found = _analysis(members, list(factors))
    total = found["sum_sq"].sum()
    error = found["sum_sq"]["Residual"] / found["df"]["Residual"]
    terms = [term for term in found.index if term != "Residual"]
    rows = [*sorted(terms, key=lambda term: -found["sum_sq"][term]), "Residual"]
    unbiased = {term: (found["sum_sq"][term] - found["df"][term] * error) / (total + error) for term in terms}
    columns = {
        "source": [term.replace(":", " × ").replace("Residual", "runs (seeds)") for term in rows],
        "share %": [f"{found['sum_sq'][term] / total * 100:.1f}" for term in rows],
        "unbiased %": [f"{unbiased[term] * 100:.1f}" if term in unbiased else "" for term in rows],
        "df": [f"{found['df'][term]:g}" for term in rows],
    }
    levels = "; ".join(f"{factor}: {', '.join(level or 'none' for level in each)}" for factor, each in factors.items())
    first = members[0]
    variant = "" if "variant" in factors else _level(first, "variant")
    title = " · ".join(filter(None, (first.title("variant", *factors), variant, first.measured.label)))
    return Table(title, columns, (*NOTES, levels, spans(members), source(members)))


def _analysis(members: Sequence[CaseRuns], factors: Sequence[str]) -> Any:
    """statsmodels' table: `sum_sq` and `df` by term."""
    import pandas as pd
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    runs = [
        {**{factor: _level(one, factor) for factor in factors}, "value": value}
        for one in members
        for value in one.values
    ]
    return anova_lm(ols(f"value ~ {' * '.join(factors)}", pd.DataFrame(runs)).fit(), typ=2)
