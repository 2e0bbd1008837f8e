"""Commands that run something of a session again: `Commands("tiny").again([case])` is `pytest bench -k ...`."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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
    """

    scale: str
    options: Sequence[str] = ()
    own: Mapping[str, str] = field(default_factory=dict)

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
        return " ".join([PYTEST, *selected, f"--scale {self.scale}", *needed])

    def needed(self, activations: Iterable[str]) -> Sequence[str]:
        """The options that any command on these activations needs."""
        own = [shlex.quote(self.own[name]) for name in dict.fromkeys(activations) if name in self.own]
        return [*([f"--activation {','.join(own)}"] if own else []), *self.options]
