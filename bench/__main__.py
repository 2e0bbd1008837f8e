"""Records and recorded baselines seen in other ways than the ranking: `python -m bench VIEW`, `python -m bench claims`.

python -m bench advise --model cnn --optimizer adam           # which activation to take
python -m bench reproduce --to .github/REPRODUCTION.md        # every number of the documents beside ours
python -m bench claims                                        # what the documents conclude, judged
python -m bench literature --experiment cnn --scale small     # measured beside reported
python -m bench curves --experiment mlp --plot curves.svg     # a table and a picture
python -m bench compare BEFORE AFTER                          # two results folders, seed by seed; 1 if any got worse
python -m bench ab v1.0 HEAD -k "apl and cache"                 # two commits timed in turn; 1 if any got slower
python -m bench bisect v1.0 HEAD -k "mlp and elu"              # the commit that changed the numerics
python -m bench history --experiment mlp                      # where a case's figures stepped, session by session
python -m bench report results other/results --to report      # one page of all, report/index.html
python -m bench accept results --only-failing                 # make runs that are meant to differ the baselines
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from activations.command import Parser, run_command
from bench import experiments
from bench.cases.case import Case
from bench.cases.recipe import SCALES
from bench.data.folder import typed_path
from bench.records import addresses, baseline, json_lines
from bench.records.record import Key, ResultsError
from bench.records.results_folder import read_records
from bench.reporting import asked
from bench.timing.kernels.recorded import read_kernels
from bench.training.device import DEVICES


def main(argv: Sequence[str] | None = None) -> int:
    """Print or plot what the command line asks for.

    Returns:
        The exit code: 1 where `ab` or `compare` found something worse; 2 where there is nothing to show or something
        cannot be read or written, with a line on standard error.
    """
    parser = _parser()
    options = parser.parse_args(argv)

    def answer() -> str:
        for file in options.load:
            experiments.load(file)
        options.baseline_dir = addresses.local(options.baseline_dir)
        text: str = options.run(options)
        return text

    failure = run_command(parser.prog, answer, options.plot, (ValueError, ResultsError))
    return failure or options.exit_code


@dataclass(frozen=True)
class Command:
    """One of the command line.

    Attributes:
        summary: one line for `--help`.
        add: declares its options.
        run: returns what to print.
    """

    summary: str
    add: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], str]


def _parser() -> argparse.ArgumentParser:
    commands = {**_views(), **COMMANDS}
    parser = Parser(
        prog="python -m bench",
        description="What records and recorded baselines show.",
        epilog="views:\n" + "\n".join(f"  {name:12}{command.summary}" for name, command in commands.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added = parser.add_subparsers(metavar="VIEW", required=True)
    for name, command in commands.items():
        subparser = added.add_parser(name, description=f"{command.summary[:1].upper()}{command.summary[1:]}.")
        command.add(subparser)
        subparser.set_defaults(name=name, run=command.run)
    parser.set_defaults(load=[], plot=None, exit_code=0, baseline_dir=baseline.FOLDER)
    return parser


def _views() -> dict[str, Command]:
    from bench.reporting.views import VIEWS

    return {
        name: Command(view.summary, _add_view if view.figure else asked.add_sources, _view)
        for name, view in VIEWS.items()
    }


def _add_view(command: argparse.ArgumentParser) -> None:
    asked.add_sources(command)
    command.add_argument("--plot", type=typed_path, metavar="FILE", help="also draw it: .svg, .png or .pdf")


def _view(options: argparse.Namespace) -> str:
    from bench.display import figures
    from bench.reporting import views

    view = views.info(options.name)
    if options.plot:
        figures.check_suffix(options.plot)
    cases = asked.asked_cases(options)
    tables = view.shown(cases, list(read_kernels(options.baseline_dir).values()) if view.with_kernels else [])
    if not tables:
        raise ValueError(f"{options.name}: none of {len(cases)} cases shows it; it takes {view.needs}")
    text = "\n\n".join(table.render() for table in tables)
    if not (options.plot and view.figure):
        return text
    with figures.style():
        figure = view.figure(cases)
        if figure is None:
            raise ValueError(f"{options.name}: nothing to draw; it takes {view.needs}")
        figures.save_picture(figure, options.plot)
    return f"{text}\n\nwrote {options.plot}"


def _advise(options: argparse.Namespace) -> str:
    from bench.reporting import advising

    kernels = list(read_kernels(options.baseline_dir).values())
    return advising.text(asked.gathered(options), asked.wanted_values(options), options.scale, kernels)


def _add_claims(command: argparse.ArgumentParser) -> None:
    asked.add_sources(command)
    command.add_argument("--all", action="store_true", help="at every scale, and not at the largest alone")


def _claims(options: argparse.Namespace) -> str:
    from bench.reporting import claims

    return claims.claims_text(asked.asked_cases(options), every_scale=options.all)


def _add_compare(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "before", type=typed_path, metavar="BEFORE", help="a folder given to pytest bench --results-dir"
    )
    command.add_argument(
        "after", type=typed_path, metavar="AFTER", help="another one, with runs of the same cases and seeds"
    )
    asked.add_load(command)
    command.add_argument("--all", action="store_true", help="also the cases that do not differ")


def _compare(options: argparse.Namespace) -> str:
    from bench.regression import compare
    from bench.reporting import comparing

    records = []
    for folder in (options.before, options.after):
        runs, notes = read_records(folder)
        asked.tell(notes)
        if not runs:
            raise ValueError(f"no records in {folder / 'runs'}; make some with: pytest bench --results-dir {folder}")
        records.append(runs)
    found = compare.compare(*records)
    if not found.cases:  # which must not pass for no difference
        raise ValueError(
            f"no run in {options.before} has a partner in {options.after}: none is of equal case, scale, recipe "
            "version, data and seed; train both folders with the same selection, --scale and --seeds"
        )
    options.exit_code = int(found.failed)
    return comparing.comparison_text(found, everything=options.all)


def _add_export(command: argparse.ArgumentParser) -> None:
    from bench.reporting.trackers import FORMATS

    asked.add_results(command)
    command.add_argument("--format", choices=FORMATS, required=True, help="of Bencher, or of github-action-benchmark")
    command.add_argument("--to", type=typed_path, metavar="FILE", required=True, help="JSON")
    command.add_argument("--scale", choices=SCALES, help="this one alone")
    asked.add_load(command)


def _export(options: argparse.Namespace) -> str:
    from bench.reporting import trackers

    said, notes = trackers.export(options.results, options.scale, options.format, options.to)
    asked.tell(notes)
    return said


def _add_history(command: argparse.ArgumentParser) -> None:
    asked.add_sources(command)
    command.add_argument("--all", action="store_true", help="also the cases without a step")


def _history(options: argparse.Namespace) -> str:
    from bench.records import history
    from bench.regression import steps

    file = options.results_dir / history.FILE
    entries = history.read(options.results_dir)
    if not entries:
        raise ValueError(f"no history at {file}; every `pytest bench --results-dir {options.results_dir}` adds to it")
    asked.tell(json_lines.half_lines(file))
    is_asked = asked.selected(options, [one.case for one in entries])
    wanted = [one for one in entries if is_asked(one.case, one.environment[0])]
    if not wanted:
        raise ValueError(f"none of the {len(entries)} entries of {file} is asked for")
    return steps.steps_text(wanted, everything=options.all)


def _add_accept(command: argparse.ArgumentParser) -> None:
    asked.add_results(command)
    command.add_argument("--only-failing", action="store_true", help="only the cases that their session failed")
    command.add_argument("--dry-run", action="store_true", help="show what would change, and write nothing")
    command.add_argument("--case", metavar="ID,ID", help="exactly these cases")
    asked.add_selection(command)


def _accept(options: argparse.Namespace) -> str:
    from bench.reporting import accepting

    def wanted(cases: Sequence[Case]) -> Callable[[Key], bool]:
        is_asked, ids = asked.selected(options, cases), asked.case_ids(options.case, cases)
        return lambda key: is_asked(key.case, key.scale) and key.case.id in ids

    said, notes = accepting.accept(options.results, wanted, options.only_failing, options.baseline_dir, options.dry_run)
    asked.tell(notes)
    return said


def _add_ab(command: argparse.ArgumentParser) -> None:
    from bench.timing.ab import items

    command.add_argument("base", metavar="BASE", help="a commit")
    command.add_argument("head", metavar="HEAD", help="another one, which must not be slower")
    command.add_argument("-k", metavar="EXPRESSION", default=items.USUAL, help=f"unless given: {items.USUAL}")
    command.add_argument("--device", choices=DEVICES, default="auto", help="as of pytest bench")


def _ab(options: argparse.Namespace) -> str:
    from bench.timing.ab import comparison

    commits = (options.base, options.head)
    said, worse = comparison.compare_commits(*commits, options.k, options.device, Path.cwd(), asked.tell_line)
    options.exit_code = int(worse)
    return said


def _add_bisect(command: argparse.ArgumentParser) -> None:
    command.add_argument("good", metavar="GOOD", help="a commit whose first steps are right")
    command.add_argument("bad", metavar="BAD", help="a later one, where a probe says CHANGED")
    command.add_argument("-k", metavar="EXPRESSION", required=True, help="the cases, as of pytest bench -k")
    command.add_argument("--scale", choices=SCALES, default="tiny", help="of the cases; tiny unless given")


def _bisect(options: argparse.Namespace) -> str:
    from bench.regression import bisect

    return bisect.bisect(options.good, options.bad, ["-k", options.k, "--scale", options.scale], Path.cwd())


def _add_report(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "results", type=typed_path, nargs="*", metavar="RESULTS", help="of none, the recorded baselines"
    )
    asked.add_load(command)
    command.add_argument("--to", type=typed_path, metavar="DIR", default=Path("report"), help="report/ unless given")
    asked.add_baselines(command)


def _add_reproduce(command: argparse.ArgumentParser) -> None:
    asked.add_baselines(command)
    asked.add_load(command)
    command.add_argument("--to", type=typed_path, metavar="FILE", help="Markdown; printed unless given")
    command.add_argument("--plan", action="store_true", help="first count anew what a GPU would take for it")


def _reproduce(options: argparse.Namespace) -> str:
    from bench.reporting import reproduction

    return reproduction.reproduce(options.baseline_dir, options.to, options.plan, asked.tell_line)


def _report(options: argparse.Namespace) -> str:
    from bench.reporting.page import html, sources

    return f"wrote {html.write(sources.merged(options.results, options.baseline_dir), options.to)}"


COMMANDS = {
    "ab": Command("two commits timed in turn, and one of them against itself", _add_ab, _ab),
    "accept": Command("make the runs of results folders baselines, without training again", _add_accept, _accept),
    "advise": Command("which activation for a network, or why nothing tells", asked.add_sources, _advise),
    "bisect": Command("the commit that changed the first steps of some cases", _add_bisect, _bisect),
    "claims": Command("what the documents conclude: supported, refuted or undetermined", _add_claims, _claims),
    "compare": Command("two results folders, by case and seed", _add_compare, _compare),
    "export": Command("figures as trackers of benchmarks read them", _add_export, _export),
    "history": Command("cases from session to session, and where their mean steps", _add_history, _history),
    "report": Command("one or several results folders as one page, index.html", _add_report, _report),
    "reproduce": Command("every number of the documents beside ours, as a page", _add_reproduce, _reproduce),
}


if __name__ == "__main__":
    sys.exit(main())
