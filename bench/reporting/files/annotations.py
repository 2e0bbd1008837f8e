"""Annotations: what failed, at the lines of a pull request where it begins. `annotations.render(found, root)`.

GitHub reads them from the log of a job, as workflow commands (docs.github.com, "Workflow commands for GitHub Actions",
"Setting an error message"), and shows ten errors and ten warnings a step.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from bench.cases.case import Case
from bench.records.probes import Probe, ProbeKey
from bench.records.result import Result
from bench.records.verdict import VERDICTS, fails
from bench.regression.probes import origin
from bench.reporting.files.source_lines import SourceLine, activation_line, definition, model_line
from bench.timing.kernels.timings import TimedKernel

Level: TypeAlias = Literal["error", "warning"]
LEVELS: tuple[Level, ...] = ("error", "warning")
MOST = 10  # of a level, that GitHub shows a step
SHOWN_LINES = 40  # of the traceback of a test without a result, the last ones


@dataclass(frozen=True)
class Annotation:
    """A message at a line.

    Attributes:
        places: where it begins, and where its case is declared; the first that is in the repository is shown.
    """

    level: Level
    title: str
    message: str
    places: Sequence[SourceLine]


def in_job() -> bool:
    """Whether this is a job of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def of_results(
    results: Iterable[Result], files: Mapping[Case, Path], recorded: Mapping[ProbeKey, Probe]
) -> list[Annotation]:
    """Of the cases that fail, as errors, and of those that only their quarantine keeps from it, as warnings.

    Args:
        files: that declare the cases.
        recorded: the probes that their first steps were compared with.
    """
    worst_first = sorted(results, key=lambda one: list(VERDICTS).index(one.verdict))
    return [
        Annotation(
            "error" if one.failed else "warning",
            f"{one.said} {one.case.id}",
            one.message if one.failed and one.message else one.reason,
            _places(one, files[one.case], recorded),
        )
        for one in worst_first
        if one.failed or (one.quarantine and fails(one.verdict))
    ]


def of_tests(failures: Mapping[str, str], timed: Iterable[TimedKernel], root: Path) -> list[Annotation]:
    """Of tests that failed without a result: kernels at their activation, all others at the file of the test.

    Args:
        failures: why, by node id.
        root: that node ids begin in.
    """
    kernels = {f"[{one.measurement.kernel.id}]": one for one in timed}
    found = []
    for test, why in failures.items():
        title, places = f"failed {test}", [SourceLine(root / test.partition("::")[0], 1)]
        if kernel := next((one for end, one in kernels.items() if test.endswith(end)), None):
            title = f"{kernel.verdict} {kernel.measurement.kernel.id}"
            places = [*filter(None, [activation_line(kernel.measurement.kernel.activation)]), *places]
        found.append(Annotation("error", title, "\n".join(why.splitlines()[-SHOWN_LINES:]), places))
    return found


def of_unrecorded(unrecorded: str) -> list[Annotation]:
    """Of what fails the session and none of its cases; none where there is nothing to say."""
    return [Annotation("error", "actbench", unrecorded, [])] if unrecorded else []


def render(found: Iterable[Annotation], root: Path) -> list[str]:
    """The commands, a line each; the last of more than GitHub shows of a level says how many more there are.

    Args:
        root: of the repository, outside of which GitHub can show nothing.
    """
    kept, lines = list(found), []
    for level in LEVELS:
        of_level = [one for one in kept if one.level == level]
        shown = of_level if len(of_level) <= MOST else of_level[: MOST - 1]
        lines += [_command(level, {**_shown_at(one.places, root), "title": one.title}, one.message) for one in shown]
        if more := len(of_level) - len(shown):
            lines.append(_command(level, {"title": "actbench"}, f"and {more} more: all are in the job's log"))
    return lines


def _places(result: Result, file: Path, recorded: Mapping[ProbeKey, Probe]) -> list[SourceLine]:
    before = recorded.get(result.probe.key) if result.probe else None
    begins = origin(before, result.probe) if before and result.probe else None
    lines = {"activation": activation_line, "model": model_line}
    found = [lines[begins](result.case.fields[begins])] if begins in lines else []
    declared = definition(file, "recipe" if begins == "recipe" else "EXPERIMENT")
    return [*filter(None, found), declared]


def _shown_at(places: Iterable[SourceLine], root: Path) -> dict[str, str]:
    for file, line in places:
        path = file.resolve()
        if path.is_relative_to(root.resolve()):
            inside = path.relative_to(root.resolve())
            if "site-packages" not in inside.parts:  # as of an environment that lies in the checkout
                return {"file": inside.as_posix(), "line": str(line)}
    return {}


def _command(level: Level, properties: Mapping[str, str], message: str) -> str:
    """Escaped as the runner undoes it: github.com/actions/toolkit, packages/core/src/command.ts."""
    said = ",".join(
        f"{name}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}" for name, value in properties.items()
    )
    return f"::{level} {said}::{_escaped(message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
