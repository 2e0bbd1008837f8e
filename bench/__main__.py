"""Records and recorded baselines seen in other ways than the ranking: `python -m bench VIEW`, `python -m bench claims`.

python -m bench claims                                        # what the documents conclude, judged
python -m bench literature --experiment cnn --scale small     # measured beside reported
python -m bench curves --experiment mlp --plot curves.svg     # a table and a picture
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from activations.command import Parser, run
from bench import baseline, observation
from bench.case import AXES
from bench.observation import Observation
from bench.recipe import SCALES


def main(argv: Sequence[str] | None = None) -> int:
    """Print or plot what the command line asks for.

    Returns:
        The exit code: 2 where there is nothing to show or something cannot be read or written, with a line on
        standard error.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    return run(parser.prog, lambda: options.run(options), options.plot, (ValueError, baseline.BaselineError))


def _parser() -> argparse.ArgumentParser:
    from bench.views import VIEWS

    summaries = {name: view.summary for name, view in VIEWS.items()}
    summaries["claims"] = "what the documents conclude: supported, refuted or undetermined"
    parser = Parser(
        prog="python -m bench",
        description="What records and recorded baselines show.",
        epilog="views:\n" + "\n".join(f"  {name:12}{summary}" for name, summary in summaries.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="VIEW", required=True)
    for name, summary in summaries.items():
        command = commands.add_parser(name, description=summary)
        _add_sources(command)
        command.set_defaults(name=name, run=_view if name in VIEWS else _claims, plot=None)
        if name in VIEWS and VIEWS[name].figure:
            command.add_argument("--plot", type=Path, metavar="FILE", help="also draw it: .svg, .png or .pdf")
    return parser


def _add_sources(command: argparse.ArgumentParser) -> None:
    """The options that say which observations are meant."""
    option = command.add_argument
    option("--results-dir", type=Path, metavar="DIR", default=Path("results"), help="records; results/ unless given")
    option("--baseline-dir", type=Path, metavar="DIR", default=baseline.FOLDER, help="baselines of your own")
    option("--scale", choices=SCALES, help="this one alone")
    for axis in AXES:
        option(f"--{axis}", metavar="A,B", help=f"exactly these values of the {axis} axis")


def _view(options: argparse.Namespace) -> str:
    from bench import views
    from bench.views import _figure

    view = views.info(options.name)
    if options.plot:
        _figure.check(options.plot)
    observations = _observations(options)
    tables = view.tables(observations)
    if not tables:
        raise ValueError(f"{options.name}: none of {len(observations)} observations shows it; it takes {view.needs}")
    text = "\n\n".join(table.render() for table in tables)
    if not (options.plot and view.figure):
        return text
    with _figure.style():
        figure = view.figure(observations)
        if figure is None:
            raise ValueError(f"{options.name}: nothing to draw; it takes {view.needs}")
        _figure.save(figure, options.plot)
    return f"{text}\n\nwrote {options.plot}"


def _claims(options: argparse.Namespace) -> str:
    from bench import claims

    return claims.table(claims.judged(_observations(options)))


def _observations(options: argparse.Namespace) -> list[Observation]:
    """What is at hand and asked for.

    Raises:
        ValueError: nothing; the message says where it looked and what to run.
    """
    found, notes = observation.gather(options.results_dir, options.baseline_dir)
    print(*(f"note: {note}" for note in notes), sep="\n", end="\n" * bool(notes), file=sys.stderr)
    wanted = {axis: given.split(",") for axis in AXES if (given := getattr(options, axis)) is not None}
    asked = [
        one
        for one in found
        if all(one.case.fields[axis] in values for axis, values in wanted.items())
        and options.scale in (None, one.key.scale)
    ]
    if asked:
        return asked
    places = f"{options.results_dir / 'runs'} and {options.baseline_dir / 'measured'}"
    if not found:
        raise ValueError(f"no records in {places}; make some with: pytest bench --results-dir {options.results_dir}")
    experiments = ", ".join(sorted({one.case.experiment for one in found}))
    raise ValueError(
        f"none of the {len(found)} cases in {places} is asked for; they are of the experiments {experiments}"
    )


if __name__ == "__main__":
    sys.exit(main())
