"""`python -m bench advise`: which activation for a network, or why the records do not tell. `advising.text(...)`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bench import experiments
from bench.cases.case import Experiment
from bench.cases.recipe import SCALES
from bench.records.case_runs import CaseRuns
from bench.reporting import advice, asked
from bench.session.commands import PYTEST
from bench.timing.kernels.recorded import RecordedKernel

WIDTH = 100


def text(
    found: Sequence[CaseRuns],
    wanted: Mapping[str, Sequence[str]],
    scale: str | None,
    kernels: Iterable[RecordedKernel],
) -> str:
    """What the runs say of the networks that are asked for.

    Args:
        found: all runs at hand.
        wanted: values by axis.
        scale: this one alone; None for the largest that says something.

    Raises:
        ValueError: an unknown name, nothing measured, or nothing to choose from; the message says what to do.
    """
    chosen = asked.known_values(wanted, [one.case for one in found])
    cases = _those(found, chosen, scale)
    said = advice.advised(cases, kernels, _those(found, {**chosen, "optimizer": (), "variant": ()}, scale))
    if said is None:
        raise ValueError(_refusal(found, cases, chosen, scale))
    lines = [f"{one.title}: {one.text}" for one in said.sentences]
    others = [name for name in SCALES if name != said.scale and any(one.key.scale == name for one in cases)]
    if others:
        lines.append(f"(Also recorded at {' and '.join(others)}: --scale {others[0]} asks there.)")
    return "\n\n".join(textwrap.fill(line, WIDTH, break_on_hyphens=False) for line in (said.basis, *lines))


def _those(found: Iterable[CaseRuns], chosen: Mapping[str, Sequence[str]], scale: str | None) -> list[CaseRuns]:
    """An axis without values takes all."""
    return [
        one
        for one in found
        if scale in (None, one.key.scale)
        and all(one.case.fields[axis] in values for axis, values in chosen.items() if values)
    ]


def _refusal(
    found: Sequence[CaseRuns], cases: Sequence[CaseRuns], chosen: Mapping[str, Sequence[str]], scale: str | None
) -> str:
    given = " ".join(f"--{axis} {','.join(values)}" for axis, values in chosen.items())
    if cases:
        names = ", ".join(sorted({one.activation for one in cases}))
        return f"{given} leaves one activation in each ranking ({names}), and so nothing to choose from; ask for less"
    elsewhere = sorted({one.key.scale for one in _those(found, chosen, None)}, key=SCALES.index)
    there = f" at {scale}, but at {' and '.join(elsewhere)}" if elsewhere else ""
    for name in (scale,) if scale else SCALES:
        if any(_fits(case.fields, chosen) for one in _experiments() for case in one.cases(name)):
            command = " ".join([PYTEST, *map(_selecting, chosen, chosen.values()), f"--scale {name}"])
            return f"nothing is recorded of {given or 'any case'}{there}; make it with: {command}"
    models = ", ".join(sorted({one.case.model for one in found}))
    return f"no experiment trains {given}; recorded are the networks {models}"


def _selecting(axis: str, values: Sequence[str]) -> str:
    """As `pytest bench` takes it, which has no option for variants."""
    return f"--{axis} {','.join(values)}" if axis != "variant" else f'-k "{" or ".join(values)}"'


def _experiments() -> Iterator[Experiment]:
    return filter(None, map(experiments.find, experiments.names()))


def _fits(fields: Mapping[str, str], chosen: Mapping[str, Sequence[str]]) -> bool:
    return all(fields[axis] in values for axis, values in chosen.items() if values)
