"""What it takes to measure a case of the documents at `paper`, `planned.csv` of a baseline folder.

`hours.read(folder)`; counted by the plan's model of a card, see `bench.reporting.plan`, and kept to two digits: it
takes minutes to build all the networks, and a page that is made again must be the same page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bench import experiments
from bench.cases.case import AXES, Case
from bench.cases.recipe import Recipe
from bench.records.csv_rows import parsed_rows, write_rows
from bench.records.sharing import locked

FILE = "planned.csv"
SCALE = "paper"
DEVICE = "NVIDIA H100"  # of `plan.devices`
COLUMNS = (*AXES, "recipe_version", "device", "runs", "hours")


def read(folder: Path) -> dict[Case, float]:
    """Hours of all runs of a case, of today's recipes.

    Raises:
        BaselineError: a malformed row; the message names file and line.
    """
    path = folder / FILE
    rows = [row for _, row in parsed_rows(path, COLUMNS, _parse)] if path.is_file() else []
    return {case: hours for case, version, hours in rows if version == _recipe(case).version}


def write(cases: Sequence[Case], folder: Path, show: Callable[[str], None]) -> Path:
    """Count what some cases would take, and keep that alone.

    Args:
        show: takes a line about the case under way.

    Raises:
        ResultsError: the folder cannot be written.
        ValueError: a network that cannot be built.
    """
    from bench.reporting.plan.cost import Costs
    from bench.reporting.plan.estimate import estimated

    costs, rows = Costs(), []
    for number, case in enumerate(sorted(cases), start=1):
        show(f"{number}/{len(cases)}  {case.id}")
        recipe = _recipe(case)
        found = estimated(case, recipe, recipe.seeds, [DEVICE], costs)
        own = {"recipe_version": recipe.version, "device": DEVICE, "runs": recipe.seeds}
        rows.append({**case.fields, **own, "hours": f"{found.hours[DEVICE]:.2g}"})
    with locked(folder):
        write_rows(folder / FILE, COLUMNS, rows)
    return folder / FILE


def _parse(row: dict[str, str]) -> tuple[Case, int, float]:
    return Case(**{axis: row[axis] for axis in AXES}), int(row["recipe_version"]), float(row["hours"])


def _recipe(case: Case) -> Recipe:
    recipe = experiments.recipe_of(case, SCALE)
    if recipe is None:
        raise ValueError(f"{case.id} is of no experiment here")
    return recipe
