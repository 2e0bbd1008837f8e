"""Problems: over what is an activation better in general? `problems.families(cases)`.

A problem is a network on a data set. That is what results generalise over (Demsar 2006, jmlr.org/papers/v7/demsar06a,
section 3.2: one number a data set), so it is the problem that tests across blocks count. Blocks of one problem share
data, network and mostly seeds: another optimizer, variant or experiment is no new evidence of that kind, and their
scores are averaged. Of a sweep over learning rates each activation has its rate that is best by validation, as if
tuned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.ranking import learning_rates
from bench.records.case_runs import CaseRuns

ByActivation: TypeAlias = Mapping[str, CaseRuns]  # of one block
FEWEST_NAMES = 3  # two activations are a comparison, not an order


@dataclass(frozen=True)
class Problem:
    """A network on a data set: its blocks, each by activation."""

    blocks: tuple[ByActivation, ...]

    @property
    def title(self) -> str:
        """`cnn on MNIST`."""
        return _title(self.blocks[0])

    def score(self, name: str) -> float:
        """An activation's mean score over the blocks: more is better, minus infinity is worst."""
        return float(np.mean([block[name].score(block[name].metric) for block in self.blocks]))


@dataclass(frozen=True)
class Family:
    """Activations and all problems in which each of them was measured, of one scale, device and judged metric."""

    names: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def blocks(self) -> list[ByActivation]:
        return [block for problem in self.problems for block in problem.blocks]

    @property
    def cases(self) -> list[CaseRuns]:
        return [block[name] for block in self.blocks for name in self.names]

    @property
    def first(self) -> CaseRuns:
        """Its scale, device and metric are those of all."""
        return self.cases[0]

    @property
    def scores(self) -> NDArray[np.float64]:
        """(problems, activations), more is better."""
        return np.array([[problem.score(name) for name in self.names] for problem in self.problems])

    @property
    def title(self) -> str:
        """`5 activations, 9 problems, 14 blocks · tiny · test accuracy`."""
        key = self.first.key
        size = f"{len(self.names)} activations, {len(self.problems)} problems, {len(self.blocks)} blocks"
        device = [] if key.device_class == "cpu" else [key.device_class]
        return " · ".join([size, key.scale, *device, self.first.measured.label])

    @property
    def titles(self) -> set[str]:
        """Of its problems."""
        return {problem.title for problem in self.problems}

    @property
    def note(self) -> str:
        """What the problems are."""
        return "problems: " + ", ".join(sorted(self.titles))


def families(cases: Iterable[CaseRuns]) -> list[Family]:
    """One for each set of activations that some block has, with the blocks that have it; most problems first.

    A set is left out where a larger one was measured in the same problems.
    """
    by_world: dict[Any, list[ByActivation]] = {}
    for sweep in learning_rates.sweeps(cases):
        first, chosen = sweep.first, sweep.chosen()
        if chosen:
            by_world.setdefault((first.key.scale, first.key.device_class, first.metric), []).append(chosen)
    found = [family for blocks in by_world.values() for family in _families(blocks)]
    kept = [one for one in found if len(one.problems) > 1]
    return sorted(kept, key=lambda one: (-len(one.problems), -len(one.names)))


def _families(blocks: Sequence[ByActivation]) -> list[Family]:
    """Of blocks of one scale, device and metric; larger sets first, since they cover smaller ones."""
    found: list[Family] = []
    for names in sorted({frozenset(block) for block in blocks}, key=lambda names: (-len(names), sorted(names))):
        by_problem: dict[str, list[ByActivation]] = {}
        for block in blocks:
            if names <= block.keys():
                by_problem.setdefault(_title(block), []).append({name: block[name] for name in sorted(names)})
        family = Family(tuple(sorted(names)), tuple(Problem(tuple(members)) for members in by_problem.values()))
        covered = any(names < set(one.names) and family.titles == one.titles for one in found)
        if len(names) >= FEWEST_NAMES and not covered:
            found.append(family)
    return found


def _title(block: ByActivation) -> str:
    first = next(iter(block.values()))
    return f"{first.case.model} on {first.data_label}"
