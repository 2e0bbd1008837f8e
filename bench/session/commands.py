"""Commands that run something of a session again: `Commands("tiny").again([case])` is `pytest bench -k ...`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bench import experiments
from bench.cases.case import Case
from bench.records import baseline
from bench.session.selection import SELECTABLE

SHOWN_IDS = 5  # in one -k expression
PYTEST = "pytest --pyargs bench" if baseline.INSTALLED else "pytest bench"


@dataclass(frozen=True)
class Commands:
    """What the session was told that its cases need again.

    Attributes:
        scale: of the session.
        options: where its data and baselines are, and its device.
        own: what `--activation` was given for the user's own activations, by their names.
        judging: the options that a verdict depends on beside the runs.
        start: what was typed before all options: pytest, and where the cases are declared.
        accepting: what `python -m bench accept` needs to find the session's runs and baselines.
    """

    scale: str
    options: Sequence[str] = ()
    own: Mapping[str, str] = field(default_factory=dict)
    judging: Sequence[str] = ()
    start: str = PYTEST
    accepting: str = "results"

    def judged(self, cases: Sequence[Case], *more: str) -> str:
        """A command that gives the cases the same verdicts again."""
        return " ".join([self.again(cases), *more, *self.judging])

    def accept(self, *selection: str) -> str:
        """The command that makes the session's runs of some cases baselines."""
        return " ".join(["python -m bench accept", self.accepting, *selection])

    def compare(self, cases: Iterable[Case]) -> str:
        """The command that compares the folders `before` and `after`, which hold runs of the cases."""
        files = [experiments.file_of(name) for name in dict.fromkeys(case.experiment for case in cases)]
        loads = [f"--load {shlex.quote(os.path.relpath(file))}" for file in files if file]
        return " ".join(["python -m bench compare before after", *loads])

    def again(self, cases: Sequence[Case]) -> str:
        """A command that selects the cases; of many all combinations of their axes, which may be a few more."""
        ids = [case.id for case in cases]
        if len(ids) <= SHOWN_IDS:
            words = ids[0] if len(ids) == 1 else f'"{" or ".join(ids)}"'
            selected, needed = [f"-k {words}"], self.needed(case.activation for case in cases)
        else:
            values = {axis: sorted({case.fields[axis] for case in cases}) for axis in SELECTABLE}
            values["activation"] = [shlex.quote(self.own.get(name, name)) for name in values["activation"]]
            selected, needed = [f"--{axis} {','.join(names)}" for axis, names in values.items()], self.options
        return " ".join([self.start, *selected, f"--scale {self.scale}", *needed])

    def needed(self, activations: Iterable[str]) -> Sequence[str]:
        """The options that any command on these activations needs."""
        own = [shlex.quote(self.own[name]) for name in dict.fromkeys(activations) if name in self.own]
        return [*([f"--activation {','.join(own)}"] if own else []), *self.options]
