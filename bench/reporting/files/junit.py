"""What `pytest --junitxml=FILE` says of a case beyond its name and outcome. `junit.properties(result, figures)`.

Under every testcase, as `<property>`: the axes, `scale`, `data`, `device_class`, `verdict`, `n` and `seeds`, `outcomes`
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


def properties(result: Result, figures: Reported) -> list[tuple[str, object]]:
    """Names and builtin values: xdist carries them to the controller, which writes the file."""
    ((row,),) = (block.rows for block in rank.blocks(case_runs.from_records(result.records, figures)))
    one = row.runs
    named = {
        **{axis: value for axis, value in result.case.fields.items() if value},
        "scale": one.key.scale,
        "data": one.data_label,
        "device_class": one.key.device_class,
        "verdict": result.verdict,
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
