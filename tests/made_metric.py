"""A metric of one's own, better when lower: the share of wrong answers, 1 less the accuracy."""

from __future__ import annotations

from dataclasses import replace

from bench.cases.metric import Measured, Metric
from bench.records.case_runs import CaseRuns


def wrong_answers(outputs, labels):
    """Of a part's outputs and labels."""
    return float((outputs.argmax(1) != labels).float().mean())


ERROR = Metric("error", higher_is_better=False, unit="fraction", digits=2, step=1, compute=wrong_answers)


def error_name(name: str) -> str:
    measured = Measured.parse(name)
    return replace(measured, metric=ERROR).name if measured.metric.name == "accuracy" else name


def turned(series: dict) -> dict:
    """Accuracies as errors, whatever else there is as it is."""
    return {
        error_name(name): tuple(1 - value for value in values) if error_name(name) != name else values
        for name, values in series.items()
    }


def as_error(one: CaseRuns) -> CaseRuns:
    """The same runs, judged by their error."""
    metric = error_name(one.metric)
    metrics = turned(dict(one.metrics))
    return replace(
        one,
        recipe={**one.recipe, "metric": metric},
        metrics=metrics,
        runs=replace(one.runs, values=metrics[metric]),
        curves=tuple(map(turned, one.curves)),
    )
