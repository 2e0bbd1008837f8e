"""What `--plan` prints and writes: `report.make(cases, settings, show)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from tabulate import tabulate

from bench.cases.case import Case, Experiment
from bench.records.record import write_text
from bench.reporting.plan import devices, seeds
from bench.reporting.plan.cost import STEPS, Costs
from bench.reporting.plan.devices import BANDWIDTH_SHARE, CORE_SHARE, LAUNCH, TENSOR_CORE_SHARE
from bench.reporting.plan.estimate import CaseEstimate, estimated
from bench.session.settings import Settings

ASSUMPTIONS = f"""\
FLOPs are those of matrix products and convolutions, forward and backward (torch.utils.flop_counter).
GB: parameters, gradients, optimizer state, buffers, what a batch keeps for backward, and the data, which live on the
device; the workspaces of kernels come on top.
Hours are of all runs one after the other, training and evaluation, none stopped early. On the cpu at hand up to {STEPS}
steps of each network were timed, with one of its activations; steps of many examples on a few of them. The least one
counts, by the clock or by the time of the processor, whichever is less: hours on a machine that does nothing else.
By a data sheet a step takes its arithmetic ({CORE_SHARE:.0%} of the peak in float32, {TENSOR_CORE_SHARE:.0%} on tensor
cores: convolutions in TF32, everything in bfloat16) and its traffic ({BANDWIDTH_SHARE:.0%} of the bandwidth; each
tensor that a kernel reads or writes, once), and no less than {LAUNCH * 1e6:g} µs a kernel."""


def make(cases: Sequence[tuple[Experiment, Case]], settings: Settings, show: Callable[[str], None]) -> str:
    """Estimate every case, write `plan.csv` to the results folder, a row a case, and return what to print.

    Args:
        show: takes a line about the case under way.

    Raises:
        ResultsError: the folder cannot be written.
        ValueError: a case that cannot be built.
    """
    estimates, costs = [], Costs()
    for number, (experiment, case) in enumerate(cases, start=1):
        show(f"{number}/{len(cases)}  {case.id}")
        recipe = experiment.recipe(case, settings.scale)
        try:
            estimates.append(estimated(case, recipe, settings.seeds or recipe.seeds, settings.on, costs))
        except Exception as error:
            raise ValueError(f"{case.id} cannot be planned: {error}") from error
    write_text(settings.results_dir / "plan.csv", pd.DataFrame(map(_row, estimates)).to_csv(index=False))
    title = f"estimates at {settings.scale}; nothing was trained"
    return "\n\n".join([title, _costs(estimates), seeds.seeds_table(cases, settings), _assumptions(estimates)])


def _row(one: CaseEstimate) -> dict[str, Any]:
    return {
        **one.case.fields,
        "runs": one.runs,
        "steps": one.steps,
        "batch_size": one.batch,
        "num_parameters": one.parameters,
        "step_flops": one.step.flops,
        "total_flops": one.total_flops,
        **{f"{name}_bytes": size for name, size in one.memory.items()},
        "peak_bytes": one.peak,
        **{f"step_seconds on {name}": seconds for name, seconds in one.step_seconds.items()},
        **{f"hours on {name}": hours for name, hours in one.hours.items()},
    }


def _costs(estimates: Sequence[CaseEstimate]) -> str:
    groups: dict[tuple[str, str], list[CaseEstimate]] = {}
    for one in estimates:
        groups.setdefault((one.case.experiment, one.case.model), []).append(one)
    lines = [[*names, *_line(group)] for names, group in groups.items()]
    if len(groups) > 1:
        lines.append(["all", "", *_line(estimates)])
    hours = [f"hours on {name}" for name in estimates[0].hours]
    titles = ["experiment", "model", "cases", "runs", "steps a run", "GFLOP a step", "PFLOP in all", "GB", *hours]
    return tabulate(
        lines, headers=titles, disable_numparse=True, colalign=("left", "left", *["right"] * (len(titles) - 2))
    )


def _line(group: Sequence[CaseEstimate]) -> list[str]:
    return [
        f"{len(group):,}",
        f"{sum(one.runs for one in group):,}",
        _span([one.steps for one in group]),
        _span([one.step.flops / 1e9 for one in group]),
        _figure(sum(one.total_flops for one in group) / 1e15),
        _span([one.peak / 1e9 for one in group]),
        *(_figure(sum(one.hours[name] for one in group)) for name in group[0].hours),
    ]


def _assumptions(estimates: Sequence[CaseEstimate]) -> str:
    lines = [ASSUMPTIONS]
    for device in (devices.DEVICES[name] for name in estimates[0].hours if name in devices.DEVICES):
        peaks = {"float32": device.float32, "TF32": device.tf32, "bfloat16": device.bfloat16}
        lines.append(
            f"{device.name}: {', '.join(f'{name} {peak / 1e12:.4g}' for name, peak in peaks.items())} TFLOP/s, "
            f"{device.bandwidth / 1e9:.4g} GB/s, {device.memory / 1e9:.3g} GB ({device.source})"
        )
        if large := [one.case.id for one in estimates if one.peak > device.memory]:
            lines.append(f"more memory than {device.name} has: {len(large)} cases, such as {large[0]}")
    return "\n".join(lines)


def _span(values: Sequence[float]) -> str:
    ends = [_figure(end) for end in (min(values), max(values))]
    return "–".join(dict.fromkeys(ends))


def _figure(value: float) -> str:
    """Two digits, thousands apart."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"
