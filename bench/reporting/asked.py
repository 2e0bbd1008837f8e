"""What a command line asks for: the options that say which cases are meant, and these. `asked.asked_cases(options)`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from bench import experiments
from bench.cases.case import AXES, Case, did_you_mean
from bench.cases.recipe import SCALES
from bench.data.folder import typed_path, typed_text
from bench.records import baseline, case_runs
from bench.records.case_runs import CaseRuns
from bench.session import selection


def add_sources(command: argparse.ArgumentParser) -> None:
    """Where records and baselines are, and which of their cases are meant."""
    option = command.add_argument
    option(
        "--results-dir", type=typed_path, metavar="DIR", default=Path("results"), help="records; results/ unless given"
    )
    add_selection(command)


def add_results(command: argparse.ArgumentParser) -> None:
    """Where records are, in the folders of one or several sessions."""
    command.add_argument(
        "results", type=typed_path, nargs="+", metavar="RESULTS", help="folders given to --results-dir"
    )


def add_selection(command: argparse.ArgumentParser) -> None:
    """Which cases of a baseline folder are meant."""
    option = command.add_argument
    add_baselines(command)
    add_load(command)
    option("--scale", choices=SCALES, help="this one alone")
    for axis in AXES:
        option(f"--{axis}", action="append", metavar="A,B", help=f"exactly these values of the {axis} axis")


def add_baselines(command: argparse.ArgumentParser) -> None:
    """Where the baselines are: a folder, or an address, see `addresses.local`."""
    option = command.add_argument
    option(
        "--baseline-dir",
        type=typed_text,
        metavar="DIR",
        default=baseline.FOLDER,
        help="baselines of your own: a folder, an address",
    )


def add_load(command: argparse.ArgumentParser) -> None:
    """Files that register what the records name."""
    command.add_argument(
        "--load",
        type=typed_path,
        metavar="FILE",
        action="append",
        default=[],
        help="a file of yours that registers what the records name; may be given again",
    )


def gathered(options: argparse.Namespace) -> list[CaseRuns]:
    """All that is at hand, whatever is asked for.

    Raises:
        ValueError: nothing; the message says where it looked and what to run.
    """
    found, notes = case_runs.gather(options.results_dir, options.baseline_dir)
    tell(notes)
    if not found:
        raise ValueError(
            f"no records in {_places(options)}; make some with: pytest bench --results-dir {options.results_dir}"
        )
    return found


def asked_cases(options: argparse.Namespace) -> list[CaseRuns]:
    """What is at hand and asked for.

    Raises:
        ValueError: nothing; the message says where it looked and what to run.
    """
    found = gathered(options)
    is_asked = selected(options, [one.case for one in found])
    wanted = [one for one in found if is_asked(one.case, one.key.scale)]
    if wanted:
        return wanted
    names = ", ".join(sorted({one.case.experiment for one in found}))
    raise ValueError(
        f"none of the {len(found)} cases in {_places(options)} is asked for; they are of the experiments {names}"
    )


def selected(options: argparse.Namespace, cases: Sequence[Case]) -> Callable[[Case, str], bool]:
    """Whether the selection names a case at a scale.

    Args:
        cases: those that there are.

    Raises:
        ValueError: a name in it is unknown; the message lists the known ones.
    """
    wanted = known_values(wanted_values(options), cases)

    def is_asked(case: Case, scale: str) -> bool:
        return options.scale in (None, scale) and all(case.fields[axis] in values for axis, values in wanted.items())

    return is_asked


def wanted_values(options: argparse.Namespace) -> dict[str, list[str]]:
    """The values that are given, by axis."""
    return {axis: ",".join(given).split(",") for axis in AXES if (given := getattr(options, axis)) is not None}


def known_values(wanted: Mapping[str, Sequence[str]], cases: Sequence[Case]) -> dict[str, Sequence[str]]:
    """The values by axis, aliases of activations by their names; what the cases name is known too.

    Raises:
        ValueError: an unknown name; the message lists the known ones.
    """
    ours = {axis: sorted({case.fields[axis] for case in cases}) for axis in AXES}
    listed = {axis: values for axis, values in wanted.items() if axis != "variant"}  # of which there is no list
    choice = selection.choose(
        {axis: [value for value in values if value not in ours[axis]] for axis, values in listed.items()}
    )
    selection.check(choice, {*experiments.names(), *ours["experiment"]})
    known = {axis: [value for value in values if value in ours[axis]] for axis, values in listed.items()}
    return {
        axis: [*known[axis], *choice.chosen.get(axis, ())] if axis in listed else values
        for axis, values in wanted.items()
    }


def case_ids(given: str | None, cases: Iterable[Case]) -> set[str]:
    """The ids in `A,B`; all that there are where nothing is given.

    Raises:
        ValueError: there is no such case; the message names the nearest ones.
    """
    known = {case.id for case in cases}
    ids = known if given is None else set(given.split(","))
    for name in sorted(ids - known):
        advice = did_you_mean(name, known) or "`--dry-run` lists what there is"
        raise ValueError(f"--case {name}: there are no runs of it; {advice}")
    return ids


def tell(notes: Sequence[str]) -> None:
    """Print notes to standard error."""
    print(*(f"note: {note}" for note in notes), sep="\n", end="\n" * bool(notes), file=sys.stderr)


def tell_line(line: str) -> None:
    """Print one note, as of something that takes its time."""
    tell([line])


def _places(options: argparse.Namespace) -> str:
    return f"{options.results_dir / 'runs'} and {options.baseline_dir / 'measured'}"
