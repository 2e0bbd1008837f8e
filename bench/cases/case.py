"""Case and experiment: what is trained. Each `bench/experiments/test_<name>.py` declares one `Experiment`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from bench.cases.variant import Variant

if TYPE_CHECKING:
    from bench.cases.recipe import Recipe

REFERENCE = "relu"  # the activation that others are compared with

# pytest's -k can say neither "=" nor brackets, and "-" joins the fields.
_FIELD = re.compile(r"[a-z0-9_.]+")


@dataclass(frozen=True, order=True)
class Case:
    """One combination to train and judge: one pytest item."""

    experiment: str
    model: str
    dataset: str
    activation: str
    optimizer: str
    variant: str = ""

    def __post_init__(self) -> None:
        for axis, value in self.fields.items():
            if not _FIELD.fullmatch(value) and not (axis == "variant" and value == ""):
                raise ValueError(f"{axis} {value!r} of a case must be made of a-z, 0-9, _ and . only")
        Variant.parse(self.variant)

    @property
    def fields(self) -> dict[str, str]:
        """The axes and their values, in the order of the id."""
        return {axis: getattr(self, axis) for axis in AXES}

    @property
    def id(self) -> str:
        """The values joined by `-`, an empty variant left out."""
        return "-".join(value for value in self.fields.values() if value)

    @cached_property
    def settings(self) -> Mapping[str, float]:
        """What the variant sets: `{"dropout": 0.5, "lr": 0.01}` of `dropout0.5_lr0.01`."""
        return Variant.parse(self.variant).settings

    def without(self, *settings: str) -> Case:
        """The same one with some settings left out of its variant."""
        return replace(self, variant=str(Variant.parse(self.variant).without(*settings)))

    @property
    def block(self) -> tuple[str, ...]:
        """Everything but the activation: the cases of one block are ranked against each other."""
        return tuple(value for axis, value in self.fields.items() if axis != "activation")


AXES = tuple(Case.__dataclass_fields__)
RunCase: TypeAlias = Callable[[Case], object]  # of the fixture `run_case`: trains and judges


@dataclass(frozen=True)
class Experiment:
    """A family of cases with one question, from one source.

    Attributes:
        name: as in the literature's table of names.
        question: what its ranking answers.
        source: the document and its id in it.
        models, datasets, activations, optimizers, variants: the axes, multiplied out.
        recipe: everything else that fixes the numbers, for a case and a scale.
        variants: of one of them more, such as `lr0.01`; `Case.settings` has what they say.
        runs_at: whether a case exists at a scale; `tiny` may leave some out.
        views: tables beyond the ranking that its records are shown in, by their names in `bench.reporting.views`.
    """

    name: str
    question: str
    source: str
    models: Sequence[str]
    datasets: Sequence[str]
    activations: Sequence[str]
    optimizers: Sequence[str]
    recipe: Callable[[Case, str], Recipe]
    variants: Sequence[str] = ("",)
    runs_at: Callable[[Case, str], bool] = lambda case, scale: True
    views: Sequence[str] = ()

    def cases(self, scale: str, extra_activations: Sequence[str] = ()) -> Iterator[Case]:
        """All cases of a scale, those of activations from outside (`--activation`) last within their block."""
        added = [name for name in dict.fromkeys(extra_activations) if name not in self.activations]
        axes = (self.models, self.datasets, self.optimizers, self.variants, [*self.activations, *added])
        for model, dataset, optimizer, variant, activation in product(*axes):
            case = Case(self.name, model, dataset, activation, optimizer, variant)
            if self.runs_at(case, scale):
                yield case


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question with the names that are near, for messages; empty where none is."""
    close = difflib.get_close_matches(name, sorted(known))
    return f"did you mean {', '.join(close)}?" if close else ""
