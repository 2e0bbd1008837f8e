"""The words that a case or a kernel is judged by, from worst to best: `VERDICTS`, `fails("MOVED", strict=True)`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

When: TypeAlias = Literal["always", "strict", "require", "never"]


@dataclass(frozen=True)
class Verdict:
    """One word and what follows from it.

    Attributes:
        name: the word.
        meaning: in a line.
        fails: `always`, only with `--strict`, only with `--baseline=require`, or `never`.
        judged: whether something was compared; `RECORDED` and `IGNORED` say that nothing was.
    """

    name: str
    meaning: str
    fails: When
    judged: bool = True

    @property
    def noted(self) -> bool:
        """Whether it passes and wants somebody's eye all the same."""
        return self.fails in ("strict", "require")


_ENTRIES = (
    Verdict("DIVERGED", "more runs end in a loss that is not finite than the recorded counts allow", "always"),
    Verdict("COLLAPSED", "more runs learn nothing than the recorded counts allow", "always"),
    Verdict("REGRESSED", "outside the band, on the bad side", "always"),
    Verdict("CHANGED", "the first steps in float64 are not those recorded: the code computes something else", "always"),
    Verdict("MOVED", "equal fingerprint, other bits: rounding moved", "strict"),
    Verdict("IMPROVED", "outside the band, on the good side; record it", "strict"),
    Verdict("NEW", "nothing is recorded to compare with", "require"),
    Verdict("WITHIN", "inside the band", "never"),
    Verdict("SAME", "the bits that were recorded", "never"),
    Verdict("RECORDED", "became the baseline", "never", judged=False),
    Verdict("IGNORED", "nothing was judged, as asked", "never", judged=False),
)
VERDICTS = {one.name: one for one in _ENTRIES}  # from worst to best
FAILING = tuple(one.name for one in _ENTRIES if one.fails == "always")


def info(name: str) -> Verdict:
    """The verdict of a word.

    Raises:
        ValueError: there is none; the message lists those that there are.
    """
    if name not in VERDICTS:
        raise ValueError(f"unknown verdict {name!r}; known: {', '.join(VERDICTS)}")
    return VERDICTS[name]


def fails(name: str, *, strict: bool = False, require: bool = False) -> bool:
    """Whether a verdict fails its case or kernel: always, or only with `--strict` or with `--baseline=require`.

    Raises:
        ValueError: no such verdict.
    """
    return {"always": True, "strict": strict, "require": require, "never": False}[info(name).fails]


def worst(names: Iterable[str]) -> str:
    """The one that wants attention first; an empty string where there is none.

    Raises:
        ValueError: something that is no verdict among them.
    """
    return min(names, key=list(VERDICTS).index, default="")
