"""What `pytest --junitxml=FILE` says of a case beyond its name and outcome. `junit.case_properties(result, figures)`.

Under every testcase, as `<property>`: the axes, `scale`, `verdict`, `quarantine` (why the verdict does not count, where
it does not); and of a case that was trained `data`, `device_class`, `n` and `seeds`, `outcomes`
(only of runs that did not train), `metric` (what is judged) and its `mean` over the runs, every metric under its own
name, aggregated as the recipe says, `reported` (the literature's figure of the judged metric, where the runs reproduce
its recipe), `seconds` of training, all runs together, and `num_parameters`.
"""

from __future__ import annotations

import statistics

from bench.ranking import rank
from bench.records import case_runs
from bench.records.record import builtin
from bench.records.reported import Reported
from bench.records.result import Result


def case_properties(result: Result, figures: Reported, scale: str) -> list[tuple[str, object]]:
    """Names and builtin values: xdist carries them to the controller, which writes the file."""
    axes = {axis: value for axis, value in result.case.fields.items() if value}
    said = {"verdict": result.verdict, **({"quarantine": result.quarantine} if result.quarantine else {})}
    if not result.records:
        return list({**axes, "scale": scale, **said}.items())
    ((row,),) = (block.rows for block in rank.blocks(case_runs.from_records(result.records, figures)))
    one = row.runs
    named = {
        **axes,
        "scale": one.key.scale,
        "data": one.data_label,
        "device_class": one.key.device_class,
        **said,
        "n": one.n,
        "seeds": " ".join(map(str, one.seeds)),
        **({"outcomes": row.outcomes} if row.outcomes else {}),
        "metric": one.metric,
        "mean": statistics.fmean(one.values),
        **{metric: one.aggregate(metric) for metric in one.metrics},
        **({"reported": row.reported} if row.reported is not None else {}),
        "seconds": sum(one.seconds),
        "num_parameters": result.records[0].num_parameters,
    }
    return list(builtin(named).items())
