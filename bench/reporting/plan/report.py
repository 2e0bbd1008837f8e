"""What `--plan` prints and writes: `report.make(cases, settings, show)`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd
from tabulate import tabulate

from bench.cases.case import Case, Experiment
from bench.records.record import write_text
from bench.reporting.plan import estimate, rates, seeds
from bench.reporting.plan.devices import BANDWIDTH_SHARE, CORE_SHARE, TENSOR_CORE_SHARE, Device
from bench.reporting.plan.estimate import Estimate
from bench.session.settings import Settings

ASSUMPTIONS = f"""\
A step lasts as long as its kernels, and each of these as the longest of its launch, its arithmetic and its traffic.
FLOPs are those of matrix products and convolutions, forward and backward (torch.utils.flop_counter).
Traffic is each tensor that a kernel reads or writes, once.
Of a data sheet, kernels reach {CORE_SHARE:.0%} in float32, {TENSOR_CORE_SHARE:.0%} on tensor cores (convolutions in \
TF32, everything in bfloat16), {BANDWIDTH_SHARE:.0%} of the bandwidth.
Hours are of all runs one after the other, training and evaluation, none stopped early.
GB: parameters, gradients, optimizer state, buffers, what a batch keeps for backward, and the data, which live on the
device; the workspaces of kernels come on top."""


def make(cases: Sequence[tuple[Experiment, Case]], settings: Settings, show: Callable[[str], None]) -> str:
    """Estimate every case, write `plan.csv` to the results folder, a row a case, and return what to print.

    Args:
        show: takes a line about the case under way.

    Raises:
        ResultsError: the folder cannot be written.
        ValueError: a case that cannot be built, or a schedule that does not keep its promise.
    """
    estimates = []
    for number, (experiment, case) in enumerate(cases, start=1):
        show(f"{number}/{len(cases)}  {case.id}")
        recipe = experiment.recipe(case, settings.scale)
        try:
            estimates.append(estimate.of(case, recipe, settings.seeds or recipe.seeds, settings.on))
        except Exception as error:
            raise ValueError(f"{case.id} cannot be planned: {error}") from error
    write_text(settings.results_dir / "plan.csv", pd.DataFrame(map(_row, estimates)).to_csv(index=False))
    title = f"estimates at {settings.scale}; nothing was trained"
    return "\n\n".join(
        [title, _costs(estimates), seeds.table(cases, settings), _schedules(estimates), _assumptions(estimates)]
    )


def _row(one: Estimate) -> dict[str, Any]:
    return {
        **one.case.fields,
        "runs": one.runs,
        "steps": one.steps,
        "batch_size": one.batch,
        "num_parameters": one.parameters,
        "step_flops": one.flops,
        "total_flops": one.runs * one.steps * one.flops,
        **{f"{name}_bytes": size for name, size in one.memory.items()},
        "peak_bytes": one.peak,
        **{f"step_seconds on {device.name}": times.step for device, times in one.times.items()},
        **{f"hours on {device.name}": one.hours(device) for device in one.times},
    }


def _costs(estimates: Sequence[Estimate]) -> str:
    groups: dict[tuple[str, str], list[Estimate]] = {}
    for one in estimates:
        groups.setdefault((one.case.experiment, one.case.model), []).append(one)
    lines = [[*names, *_line(group)] for names, group in groups.items()]
    if len(groups) > 1:
        lines.append(["all", "", *_line(estimates)])
    hours = [f"hours on {name}" for name in _hours(estimates)]
    titles = ["experiment", "model", "cases", "runs", "steps a run", "GFLOP a step", "PFLOP in all", "GB", *hours]
    return tabulate(
        lines, headers=titles, disable_numparse=True, colalign=("left", "left", *["right"] * (len(titles) - 2))
    )


def _line(group: Sequence[Estimate]) -> list[str]:
    return [
        f"{len(group):,}",
        f"{sum(one.runs for one in group):,}",
        _span([one.steps for one in group]),
        _span([one.flops / 1e9 for one in group]),
        _figure(sum(one.runs * one.steps * one.flops for one in group) / 1e15),
        _span([one.peak / 1e9 for one in group]),
        *map(_figure, _hours(group).values()),
    ]


def _hours(group: Iterable[Estimate]) -> dict[str, float]:
    """Of all runs by device; a CPU is one device, however many threads a recipe gives it."""
    hours: defaultdict[str, float] = defaultdict(float)
    for one in group:
        for device in one.times:
            hours[device.name] += one.hours(device)
    return hours


def _schedules(estimates: Iterable[Estimate]) -> str:
    """First, highest and last rate of each schedule, run through for each number of steps and checked."""
    recipes = {(one.recipe.schedule, one.steps): one.recipe for one in estimates}
    groups: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for (name, steps), recipe in recipes.items():
        groups[name].append((steps, *(100 * share for share in rates.ends(recipe, steps))))
    lines = [[name, *(_span(column) for column in zip(*group, strict=True))] for name, group in groups.items()]
    titles = ["schedule", "steps", "first rate %", "highest %", "last %"]
    return tabulate(lines, headers=titles, disable_numparse=True, colalign=("left", *["right"] * 4))


def _assumptions(estimates: Sequence[Estimate]) -> str:
    known = dict.fromkeys(device for one in estimates for device in one.times)
    lines = [
        ASSUMPTIONS,
        *map(_described, known),
        *(
            f"more memory than {device.name} has: {len(large)} cases, such as {large[0]}"
            for device in known
            if (large := [one.case.id for one in estimates if one.peak > device.memory])
        ),
    ]
    return "\n".join(lines)


def _described(device: Device) -> str:
    tera = [f"float32 {device.float32 / 1e12:.3g}"]
    tera += [
        f"{name} {peak / 1e12:.4g}" for name, peak in (("TF32", device.tf32), ("bfloat16", device.bfloat16)) if peak
    ]
    launches = dict.fromkeys((_figure(device.launch * 1e6), _figure(device.convolution_launch * 1e6)))
    return (
        f"{device.name}: {', '.join(tera)} TFLOP/s, {device.bandwidth / 1e9:.4g} GB/s, {device.memory / 1e9:.3g} GB "
        f"({device.source}); {', convolutions '.join(launches)} µs a launch"
    )


def _span(values: Sequence[float]) -> str:
    ends = [_figure(end) for end in (min(values), max(values))]
    return "–".join(dict.fromkeys(ends))


def _figure(value: float) -> str:
    """Two digits, thousands apart."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"
