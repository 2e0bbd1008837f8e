"""Metrics: what a run is measured by. `Measured.parse("test_accuracy")`, `register(Metric("error", ...))`.

A metric of the outputs (`accuracy`) is measured on a part, perhaps under noise, and goes by `<part>_<metric>`:
`validation_loss`, `test_accuracy_noise1.5`. One of the whole run goes by its own name: `epochs_to_stop`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

PartName: TypeAlias = Literal["train", "validation", "test"]
PARTS: tuple[PartName, ...] = get_args(PartName)
Unit: TypeAlias = Literal["fraction", "ratio", "number"]

_NAME = re.compile(r"(?!train_|validation_|test_)(?!.*_noise)[a-z][a-z0-9_]*")
_MEASURED = re.compile(rf"({'|'.join(PARTS)})_([a-z0-9_]+?)(?:_noise(\d[\d.e+-]*))?")
_ROUNDING = 1e-9  # relative: a drop of exactly one example must not fail by the last bit of a difference


@dataclass(frozen=True)
class Metric:
    """What a number of a run is.

    Attributes:
        name: without the part that it is measured on.
        higher_is_better: its direction.
        unit: a `fraction` is shown in per cent and its differences in points; 0.1 and 10 of a `ratio` are as far from
            1, so that it is compared in decades; a `number` is shown as it is.
        digits: behind the decimal point, where it is shown.
        step: the examples that decide otherwise when it moves by the least it can; 0 where it moves smoothly.
        whole_run: whether it is of the run, and not of the outputs on a part.
        compute: the metric of a part's outputs and labels, for a metric of one's own; None for those that the suite's
            objectives compute.

    Raises:
        ValueError: a name that could not be told from a part or from noise, or an unknown unit.
    """

    name: str
    higher_is_better: bool
    unit: Unit = "number"
    digits: int = 4
    step: int = 0
    whole_run: bool = False
    compute: Callable[[Any, Any], float] | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"metric {self.name!r}: a name is made of a-z, 0-9 and _, begins with no part ({', '.join(PARTS)}) "
                "and says nothing of noise"
            )
        if self.unit not in get_args(Unit):
            raise ValueError(f"metric {self.name}: unit {self.unit!r}; known: {', '.join(get_args(Unit))}")


_ENTRIES = (
    Metric("accuracy", True, "fraction", digits=2, step=1),
    Metric("top3_accuracy", True, "fraction", digits=2, step=1),
    Metric("f1", True, "fraction", digits=2),
    Metric("matthews_correlation", True),
    Metric("loss", False),
    Metric("bits_per_character", False),
    Metric("epochs_to_stop", False, digits=1, whole_run=True),
    Metric("first_epoch_train_loss", False, whole_run=True),
    Metric("hidden_zeros", True, "fraction", digits=1, whole_run=True),
    Metric("vanishing_ratio", True, "ratio", whole_run=True),
)
METRICS = {one.name: one for one in _ENTRIES}


def register(metric: Metric) -> Metric:
    """Add a metric of one's own; the same one may be added again, as when its file is imported twice.

    Raises:
        ValueError: another metric has its name, or it has nothing that computes it.
    """
    if metric.compute is None or metric.whole_run:
        raise ValueError(f"metric {metric.name}: one of your own is computed of outputs and labels: give compute=")
    known = METRICS.get(metric.name)
    if known and _described(known) != _described(metric):
        raise ValueError(f"metric {metric.name!r} is there already, and is another one; give yours a name of its own")
    METRICS[metric.name] = metric
    return metric


def _described(metric: Metric) -> tuple[Metric, str, str]:
    """Equal for a function and for the same one imported once more."""
    compute = metric.compute
    return replace(metric, compute=None), getattr(compute, "__module__", ""), getattr(compute, "__qualname__", "")


@dataclass(frozen=True)
class Measured:
    """A metric as it was measured: on which part, and under which noise on the inputs.

    Attributes:
        part: None for a metric of the whole run.
        noise: half width of the uniform noise on the inputs; None without any.
    """

    metric: Metric
    part: PartName | None = None
    noise: float | None = None

    @staticmethod
    def parse(name: str) -> Measured:
        """What a name such as `test_accuracy_noise1.5` or `epochs_to_stop` says.

        Raises:
            ValueError: an unknown metric; the message lists the known ones.
        """
        whole = METRICS.get(name)
        if whole and whole.whole_run:
            return Measured(whole)
        match = _MEASURED.fullmatch(name)
        metric = METRICS.get(match[2]) if match else None
        if match is None or metric is None or metric.whole_run:
            raise ValueError(
                f"unknown metric {name!r}; {known()}; one of your own is known once its file is loaded, which "
                "`python -m bench` does with --load FILE"
            )
        part = next(one for one in PARTS if one == match[1])
        return Measured(metric, part, None if match[3] is None else float(match[3]))

    @property
    def name(self) -> str:
        """As it stands in records: the inverse of `parse`."""
        noise = "" if self.noise is None else f"_noise{self.noise:g}"
        return f"{self.part}_{self.metric.name}{noise}" if self.part else self.metric.name

    @property
    def higher_is_better(self) -> bool:
        return self.metric.higher_is_better

    @property
    def sign(self) -> int:
        """1 or -1: what a difference is multiplied by so that positive is better."""
        return 1 if self.metric.higher_is_better else -1

    @property
    def factor(self) -> int:
        """What a value or a difference is multiplied by where it is shown: 100 for a fraction."""
        return 100 if self.metric.unit == "fraction" else 1

    @property
    def points(self) -> str:
        """What stands behind a difference that is shown: ` points` of a fraction, else nothing."""
        return " points" if self.metric.unit == "fraction" else ""

    @property
    def label(self) -> str:
        """`test accuracy`."""
        return self.name.replace("_", " ")

    @property
    def heading(self) -> str:
        """`test accuracy %`, `test loss`: the label with what its numbers are in."""
        return self.label + (" %" if self.metric.unit == "fraction" else "")

    @property
    def chosen_by(self) -> Measured:
        """What a choice looks at in its place: the validation part for the test part, else the metric itself."""
        return replace(self, part="validation") if self.part == "test" else self

    def step(self, rows: int) -> float:
        """The least by which it can move on a part of so many rows; 0 where it moves smoothly."""
        return (1 + _ROUNDING) * self.metric.step / rows


def known() -> str:
    """The names that `Measured.parse` takes, in words, for a message."""
    of_outputs = ", ".join(one.name for one in METRICS.values() if not one.whole_run)
    of_runs = ", ".join(one.name for one in METRICS.values() if one.whole_run)
    return f"known: {of_runs}, and behind {', '.join(f'{part}_' for part in PARTS)}: {of_outputs}"
