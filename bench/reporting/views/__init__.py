"""Views: what records show beyond the ranking, as tables and pictures. `python -m bench noise --plot noise.svg`.

A view is a module with `tables(cases)` and, where there is something to draw, `figure(cases)`; both
leave out what they cannot show. A new one is such a module and one entry in `VIEWS`. Nothing here loads torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.display.tables import Table
from bench.records import case_runs
from bench.records.case_runs import CaseRuns
from bench.records.reported import Reported
from bench.reporting.views import (
    aggregates,
    agreement,
    costs,
    curves,
    forms,
    functions,
    gradients,
    hinges,
    literature,
    noise,
    null_runs,
    profiles,
    rates,
    variance,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bench.records.result import Result
    from bench.timing.kernels.recorded import RecordedKernel

__all__ = ["VIEWS", "Table", "View", "info", "tables_of_session"]


@dataclass(frozen=True)
class View:
    """One of them.

    Attributes:
        summary: one line for `--help`.
        needs: what must have been recorded for it to show anything.
        tables: of all cases that it can show; an empty list where there are none.
        figure: likewise, None where there are none; views without a picture have none.
        with_kernels: whether `tables` also takes recorded kernels.
    """

    summary: str
    needs: str
    tables: Callable[..., list[Table]]
    figure: Callable[[Sequence[CaseRuns]], Figure | None] | None = None
    with_kernels: bool = False

    def shown(self, cases: Sequence[CaseRuns], kernels: Sequence[RecordedKernel]) -> list[Table]:
        """Its tables; `kernels` are those of the baseline folder at hand."""
        return self.tables(cases, kernels) if self.with_kernels else self.tables(cases)


VIEWS = {
    "rates": View(
        "best activation per rate, best rate per activation",
        "runs at two learning rates or more, such as those of mlp or rates",
        rates.tables,
        rates.figure,
    ),
    "noise": View(
        "accuracy and log loss under noise on the test inputs",
        "runs of a recipe with test_noise, such as those of mlp",
        noise.tables,
        noise.figure,
    ),
    "curves": View(
        "training and validation curves, epoch by epoch",
        "records: baselines keep no curves",
        curves.tables,
        curves.figure,
    ),
    "functions": View(
        "what each layer's activation computes, epoch by epoch",
        "records of a recipe with keep_functions, such as those of apl_depth; baselines keep no functions",
        functions.tables,
        functions.figure,
    ),
    "gradients": View(
        "how much of the gradient reaches the input, layer by layer",
        "runs with --gradients; baselines recorded so have the table, and no picture",
        gradients.tables,
        gradients.figure,
    ),
    "costs": View(
        "accuracy in equal time and beside the memory for backward",
        "records of relu and another activation with a validation part: baselines keep neither times nor curves",
        costs.tables,
        costs.figure,
    ),
    "null_runs": View(
        "how often runs collapse or diverge",
        "runs",
        null_runs.tables,
        null_runs.figure,
    ),
    "hinges": View(
        "accuracy against APL's hinges: does a line suffice?",
        "runs with several numbers of hinges, such as those of apl_hinges",
        hinges.tables,
        hinges.figure,
    ),
    "literature": View(
        "measured beside reported, with rank correlations",
        "runs of cases that a paper reports, such as those of cnn",
        literature.tables,
    ),
    "aggregates": View(
        "interquartile mean, and how often a run beats one of relu",
        "runs of two activations",
        aggregates.tables,
        aggregates.figure,
    ),
    "agreement": View(
        "mean ranks over problems, Friedman's test, who differs from whom",
        "three activations measured in two problems (networks on data sets)",
        agreement.tables,
        agreement.figure,
    ),
    "profiles": View(
        "share of runs whose error is within a factor of the best",
        "three activations measured in two problems (networks on data sets)",
        profiles.tables,
        profiles.figure,
    ),
    "variance": View(
        "share of variance: activation, optimizer, data, interactions",
        "two activations, each with the same two optimizers, data sets, networks or variants",
        variance.tables,
    ),
    "forms": View(
        "forms of GELU: error, speed and what networks learn",
        "runs of gelu_forms",
        forms.tables,
        with_kernels=True,
    ),
}


def tables_of_session(
    results: Sequence[Result], reported: Reported, kernels: Sequence[RecordedKernel] = ()
) -> list[Table]:
    """The tables of the views that the experiments of a session name, each over their cases alone."""
    asked = dict.fromkeys(name for result in results for name in result.views)
    shown = {name: [one for result in results if name in result.views for one in result.records] for name in asked}
    return [
        table
        for name, records in shown.items()
        for table in info(name).shown(case_runs.from_records(records, reported), kernels)
    ]


def info(name: str) -> View:
    """The view of a name.

    Raises:
        ValueError: no such view; the message lists the known ones.
    """
    if name not in VIEWS:
        raise ValueError(f"unknown view {name!r}; known: {', '.join(VIEWS)}")
    return VIEWS[name]
