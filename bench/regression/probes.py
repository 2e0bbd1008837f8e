"""Probes compared: the first quantity that differs, in words. `probes.first_difference(recorded, now)`.

Where in the code it arises is what `probes.origin(recorded, now)` says.

A quantity of the first steps in float64 differs when it is off by more than rounding can move it on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Literal, NamedTuple, TypeAlias

from bench.records.data_probes import DataProbe
from bench.records.probes import ROUNDED_VALUES, Probe, apart, chosen, groups

# Relative. Measured by `python -m bench.checks`: rounding moves quantities by less than a hundredth of it, and the
# smallest planted fault by more than a hundred times of it.
TOLERANCE = 1e-10
# Where a network enlarges rounding, a nudge of its weights shows how much: so many times that is allowed.
MARGIN = 1000.0
# How much further than recorded rounding may carry the steps in the recipe's own precision, and from how many epsilons
# on. Measured likewise. A forward pass is continuous; a gradient jumps where rounding takes a unit over a kink, or from
# one of two equal maxima to the other: by 10,000 epsilons in one of 552 cases on another instruction set.
ROUNDING_MARGIN, ROUNDING, JUMPS = 100.0, 3.0, 1000.0
# Values compared one by one are as far off on every instruction set, within a fifth; a card sums in another order.
VALUES_MARGIN = 10.0
CONTINUOUS = ("sites", "output", "losses", *ROUNDED_VALUES)
# Relative, of data in float32; and of what augmentation turns, since a pixel may fall to either of two neighbours.
DATA_TOLERANCE, AUGMENTED_TOLERANCE = 1e-5, 1e-4
START = "activation_parameters"
Origin: TypeAlias = Literal["activation", "model", "recipe"]
# Where a quantity that is the first to differ arises, by its key or its stage. A gradient is that of an activation:
# behind a forward pass that is as recorded stands a derivative written by hand, and only activations have one.
ORIGINS: Mapping[str, Origin] = {
    **dict.fromkeys((START, "sites", "site_values", "gradients", "activation_gradients", "bytes"), "activation"),
    **dict.fromkeys(("weights", "network", "first_site_input", "output", "output_values"), "model"),
    **dict.fromkeys(("recipe", "rates"), "recipe"),
}


class Name(NamedTuple):
    """Of a quantity: what it is, when it arises and in which unit, the stage that it belongs to, and a short name."""

    what: str
    when: str
    stage: str
    key: str = ""


def first_difference(recorded: Probe, now: Probe, tolerance: float = TOLERANCE) -> str:
    """What differs first, with both values and what is as recorded before it; empty where nothing differs.

    Args:
        recorded: of the same case and recipe version.
        now: its layers have names.
        tolerance: of the relative difference, where the recorded probe allows no more.
    """
    same: list[str] = []
    for name, one, other, allowed in _allowed(recorded, now, tolerance):
        if apart(one, other) > allowed:
            kept = [stage for stage in dict.fromkeys(same) if stage != name.stage]
            return f"first steps differ from {name.what} on, {name.when}{_shown(one, other)}{_as_recorded(kept)}"
        same.append(name.stage)
    for quantity in _rounded_further(recorded, now):
        epsilons, before, words = now.rounding[quantity], recorded.rounding[quantity], quantity.replace("_", " ")
        return (
            "first steps in the precision of training are further from those in float64 than rounding goes, from "
            f"{words} on: {epsilons:.1f} epsilons, recorded {before:.1f}; in float64 they are as recorded"
        )
    return ""


def said_to_differ(reason: str) -> str:
    """What the reason of a verdict says of first steps, or of data, that differ; empty where it says nothing."""
    clauses = (clause for clause in reason.split("; ") if clause.startswith(("first steps ", "the data of ")))
    return next(clauses, "")


def origin(recorded: Probe, now: Probe) -> Origin | None:
    """Where in the code the first quantity that differs arises, see `ORIGINS`; None where that is not known."""
    differing = (name for name, one, other, allowed in _allowed(recorded, now) if apart(one, other) > allowed)
    for name in differing:
        return ORIGINS.get(name.key.partition(".")[0]) or ORIGINS.get(name.stage)
    return next((ORIGINS.get(quantity) for quantity in _rounded_further(recorded, now)), None)


def _allowed(recorded: Probe, now: Probe, tolerance: float = TOLERANCE) -> Iterator[tuple[Name, object, object, float]]:
    """All quantities with both values, and the relative difference that rounding may come to; bytes are counted."""
    enlarged = tolerance
    for name, one, other in _pairs(recorded, now):
        enlarged = max(enlarged, recorded.tolerances.get(name.key, 0.0))
        yield name, one, other, tolerance if name.stage == "bytes" else enlarged


def _rounded_further(recorded: Probe, now: Probe) -> Iterator[str]:
    """The series that rounding carries further from float64 than recorded, in their order."""
    return (name for name, epsilons in now.rounding.items() if epsilons > _rounding_allowed(recorded, name))


def _rounding_allowed(recorded: Probe, quantity: str) -> float:
    """Epsilons."""
    usual = recorded.rounding.get(quantity, math.inf)
    margin = VALUES_MARGIN if quantity in ROUNDED_VALUES else ROUNDING_MARGIN
    return margin * max(usual, ROUNDING if quantity in CONTINUOUS else JUMPS)


def first_difference_of_data(recorded: DataProbe, now: DataProbe) -> str:
    """What the networks see otherwise than recorded, with both values; empty where nothing differs."""
    for name, value in now.figures.items():
        before = recorded.figures.get(name, "none")
        if apart(before, value) > (AUGMENTED_TOLERANCE if name == "batch_inputs" else DATA_TOLERANCE):
            words = name.replace("_", " ")
            return f"the data of {now.key.dataset} differ from the {words} on: rms {_shown(before, value)}"
    return ""


def with_tolerances(probe: Probe, nudged: Probe) -> Probe:
    """A probe with the tolerances that it needs, by one whose weights were nudged at the beginning.

    Deep networks whose batch norms see few rows, high rates and steps that blow up enlarge a rounding error a
    million times and more. What a nudge comes to tells how much, and what follows allows as much or more.
    """
    found: dict[str, float] = {}
    allowed = TOLERANCE
    for name, one, other in _pairs(probe, nudged):
        needed = min(1.0, MARGIN * apart(one, other))
        if needed > allowed and name.stage != "bytes":
            allowed = found[name.key] = 10.0 ** math.ceil(math.log10(needed))
    rounding = {name: max(value, nudged.rounding[name]) for name, value in probe.rounding.items()}
    return replace(probe, tolerances=found, rounding=rounding)


def distance(recorded: Probe, now: Probe) -> float:
    """The largest relative difference of a quantity; infinite where one is missing or not a number.

    Where more than `TOLERANCE` is allowed the difference counts less by as much; what rounding comes to in the
    precision of training counts likewise, by its share of what is allowed.
    """
    largest = 0.0
    for _, one, other, allowed in _allowed(recorded, now):
        largest = max(largest, apart(one, other) * TOLERANCE / allowed)
    for quantity, epsilons in now.rounding.items():
        if math.isfinite(most := _rounding_allowed(recorded, quantity)):
            largest = max(largest, epsilons / most * TOLERANCE)
    return largest


def _pairs(recorded: Probe, now: Probe) -> Iterator[tuple[Name, object, object]]:
    before, after = (dict(_quantities(probe, now.layers)) for probe in (recorded, now))
    for name in dict.fromkeys([*after, *before]):
        if name.stage != "bytes" or (name in before and name in after):  # measured on the CPU alone
            yield name, before.get(name, "none"), after.get(name, "none")


def _quantities(probe: Probe, layers: Sequence[str]) -> Iterator[tuple[Name, object]]:
    """In the order in which they arise."""
    series, sites = probe.series, probe.num_sites
    for field, setting in probe.recipe.items():
        yield Name(f"the recipe's {field}", "", "recipe"), setting
    for moment, value in zip(_moments(len(series["rates"])), series["rates"], strict=True):
        yield Name("the schedule", f"rate {moment} ", "rates"), value
    for words, start in (("the initial weights", "weights"), ("the activations' initial parameters", START)):
        for value in series.get(start, ()):
            yield Name(words, "rms ", "weights", start), value
    yield Name("the inputs", "in their order and augmented, step 1: rms ", "inputs", "inputs"), series["inputs"][0]
    yield Name("the network", "activations used: ", "network"), sites
    yield Name("the network", "layers with weights: ", "network"), probe.num_layers
    forward = "forward, step 1: rms "
    for value in series.get("first_site_input", ()):
        yield (
            Name(
                f"what activation 1 of {sites} takes", forward, "layers before the first activation", "first_site_input"
            ),
            value,
        )
    for site, value in zip(chosen(sites), series.get("sites", ()), strict=True):
        yield Name(f"activation {site + 1} of {sites}", forward, "forward pass", f"sites.{site + 1}"), value
    yield Name("the network's output", forward, "forward pass", "output"), series["output"][0]
    for step, (loss, update, own) in enumerate(
        zip_longest(series["losses"], series["updates"], series.get("activation_updates", ())), start=1
    ):
        yield Name("the loss", f"step {step}: ", "loss", f"losses.{step}"), loss
        if step == 1:
            yield from _gradients(probe, layers)
        yield Name("the update of the parameters", f"step {step}: rms ", "update", f"updates.{step}"), update
        if own is not None:
            what, key = "the update of the activations' parameters", f"activation_updates.{step}"
            yield Name(what, f"step {step}: rms ", "update", key), own
    for metric, value in probe.evaluation.items():
        yield Name("the evaluation", f"{metric} ", "evaluation", metric), value
    for value in series.get("bytes_saved", ()):
        yield Name("the bytes kept for backward", "", "bytes"), value


def _gradients(probe: Probe, layers: Sequence[str]) -> Iterator[tuple[Name, object]]:
    when = "backward, step 1: rms "
    for group, value in zip(groups(probe.num_layers), probe.series["gradients"], strict=True):
        place = str(group.start + 1) if group.stop == group.start + 1 else f"{group.start + 1} to {group.stop}"
        names = " to ".join(dict.fromkeys(layers[place] for place in (group.start, group.stop - 1))) if layers else ""
        what = f"the gradient of layer {place} of {probe.num_layers} from the end{f' ({names})' if names else ''}"
        yield Name(what, when, "gradients", f"gradients.{group.start + 1}"), value
    for value in probe.series.get("activation_gradients", ()):
        yield Name("the gradient of the activations' parameters", when, "gradients", "activation_gradients"), value


def _moments(rates: int) -> list[str]:
    """At which the rates of a run are taken."""
    if rates == 1:
        return ["of every step"]
    last = rates - 2
    return [*(f"at {place / last:.1%} of the run" for place in range(last + 1)), "on average over the run"]


def _shown(recorded: object, now: object) -> str:
    """With as many digits as tell them apart, four at least."""
    digits = next((digits for digits in range(4, 17) if _text(recorded, digits) != _text(now, digits)), 17)
    return f"{_text(now, digits)}, recorded {_text(recorded, digits)}"


def _text(value: object, digits: int) -> str:
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def _as_recorded(stages: Sequence[str]) -> str:
    if not stages:
        return ""
    listed = " and ".join(filter(None, (", ".join(stages[:-1]), stages[-1])))
    return f"; {listed} {'are' if len(stages) > 1 or stages[0].endswith('s') else 'is'} as recorded"
