"""The data sets, and what corruption does to their images: `python -m bench.data [NAME]`.

python -m bench.data --data-dir DIR                            # which there are, and which of them are at hand
python -m bench.data timit                                     # one of them; how to get it, where it is not at hand
python -m bench.data cifar10 --plot a.png --data-dir DIR       # its images under shot noise (D5)
python -m bench.data cifar10 --plot a.png --psi 4,8            # at other peak counts than the document's
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from activations.command import Parser, run_command
from bench.data import DATASETS, DataError, DatasetInfo, info, locations
from bench.data.folder import typed_path
from bench.data.locations import Locations

PSIS = (8, 16, 32, 64)  # of D5's document


def main(argv: Sequence[str] | None = None) -> int:
    """Print or plot what the command line asks for.

    Returns:
        The exit code: 2 where something given is unknown, does not fit or cannot be had, with one line on standard
        error.
    """
    parser = Parser(prog="python -m bench.data", description="Data sets, and what corruption does to their images.")
    option = parser.add_argument
    option("name", nargs="?", metavar="NAME", help="of a data set; all unless given")
    option("--plot", type=typed_path, metavar="FILE", help="draw its images under shot noise: .svg, .png or .pdf")
    option("--psi", type=_peaks, metavar="A,B", help="peak counts of the noise; 8,16,32,64 unless given")
    option(
        "--data-dir", type=typed_path, metavar="DIR", help="data in the hub's layout or torchvision's; or ACTBENCH_DATA"
    )
    option("--timit", type=typed_path, metavar="DIR", help="your copy of TIMIT")
    option("--text", type=typed_path, metavar="FILE", help="a text to learn, character by character")
    options = parser.parse_args(argv)
    if options.plot and not options.name:
        parser.error("--plot needs the name of a data set")
    if options.psi and not options.plot:
        parser.error("--psi needs --plot FILE")
    where = Locations(locations.data_dir(options.data_dir), options.timit, text=options.text)
    return run_command(parser.prog, lambda: _answer(options, where), options.plot, (ValueError, DataError))


def _answer(options: argparse.Namespace, where: Locations) -> str:
    if options.plot:
        return _plotted(info(options.name), options.psi or PSIS, options.plot, where)
    return _listing([info(options.name)] if options.name else list(DATASETS.values()), where)


def _listing(entries: Sequence[DatasetInfo], where: Locations) -> str:
    """A row each; of one alone that is not at hand also how to get it."""
    from tabulate import tabulate

    found = [_at_hand(entry, where) for entry in entries]
    rows = [
        (
            entry.name,
            entry.label,
            entry.kind,
            entry.num_classes,
            entry.rows[0],
            entry.validation_rows or "",
            entry.rows[1],
            entry.origin or f"hub: {'/'.join(filter(None, (entry.hub, entry.configuration)))}",
            state,
        )
        for entry, (state, _) in zip(entries, found, strict=True)
    ]
    headers = ("name", "", "kind", "classes", "train", "validation", "test", "from", "at hand")
    remedy = found[0][1] if len(entries) == 1 else ""
    return "\n\n".join(filter(None, (tabulate(rows, headers), remedy)))


def _at_hand(entry: DatasetInfo, where: Locations) -> tuple[str, str]:
    """Whether a data set can be loaded, without doing so; and if not, how to get it."""
    from bench.data import store

    if callable(entry.reader):
        return "yes", ""
    try:
        stamp = importlib.import_module(entry.reader).stamp(entry, where)
    except DataError as error:
        return "no", str(error)
    from_hub = stamp is not None and stamp.startswith("hub") and not store.place(entry.name, stamp).exists()
    return ("from the hub" if from_hub else "yes"), ""


def _plotted(entry: DatasetInfo, psis: Sequence[int], file: Path, where: Locations) -> str:
    if entry.kind != "images":
        known = ", ".join(one.name for one in DATASETS.values() if one.kind == "images")
        raise ValueError(f"{entry.name} holds {entry.kind}, not images to draw; these do: {known}")
    from bench.display import figures

    figures.check_suffix(file)
    from bench.data import picture, store

    with figures.style():
        figures.save_picture(picture.draw_corruption(store.load(entry.name, where), psis), file)
    return f"wrote {file}"


def _peaks(text: str) -> list[int]:
    try:
        found = [int(word) for word in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers above 0, such as 8,16")
    return found


if __name__ == "__main__":
    sys.exit(main())
