"""What an activation may be built with: `Number(1.0, above=0)`, `Choice("none", "tanh")`; torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

LARGEST = (2 - 2**-23) * 2.0**127  # that float32 holds; torch's kernels refuse more


@dataclass(frozen=True)
class Number:
    """A number, its default first; None as the default means that the value is drawn, and None stays allowed.

    Attributes:
        default: what it is unless given.
        least, most: inclusive limits.
        above, below: exclusive limits.
        whole: an integer is required.
    """

    default: float | None
    least: float = -inf
    most: float = inf
    above: float = -inf
    below: float = inf
    whole: bool = False

    def allows(self, value: object) -> bool:
        if value is None:
            return self.default is None
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return False
        return abs(value) <= LARGEST and self.least <= value <= self.most and self.above < value < self.below

    def __str__(self) -> str:
        limits = [
            f"{word} {limit:g}"
            for word, limit, none in (
                ("at least", self.least, -inf),
                ("above", self.above, -inf),
                ("at most", self.most, inf),
                ("below", self.below, inf),
            )
            if limit != none
        ]
        kind = "a whole number" if self.whole else "a finite number"
        return " ".join([kind, " and ".join(limits)]).strip() + (" or None" if self.default is None else "")


@dataclass(frozen=True)
class Choice:
    """One of a few values, the default first."""

    choices: tuple[Any, ...]

    def __init__(self, *choices: Any) -> None:
        object.__setattr__(self, "choices", choices)

    @property
    def default(self) -> Any:
        return self.choices[0]

    def allows(self, value: object) -> bool:
        return any(value is choice or (type(value) is type(choice) and value == choice) for choice in self.choices)

    def __str__(self) -> str:
        return "one of " + ", ".join(map(repr, self.choices))
