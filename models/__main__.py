"""Where activations sit in the networks: `python -m models [NAME]`.

python -m models                              # the eleven backbones of the survey
python -m models resnet18                     # every site of one network
python -m models resnet18 --activation apl    # the same with another activation swapped in
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from activations.command import Parser, run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Print what the command line asks for.

    Returns:
        The exit code: 2 where something given is unknown or does not fit, with one line on standard error.
    """
    parser = Parser(prog="python -m models", description="Where activations sit in networks of their papers' sizes.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="of a network; the survey's eleven unless given")
    parser.add_argument("--activation", help="name of one to put at every hidden site")
    options = parser.parse_args(argv)
    if options.activation and not options.name:
        parser.error("--activation needs the name of a network")
    return run_command(parser.prog, lambda: _answer(options))


def _answer(options: argparse.Namespace) -> str:
    from models import backbones

    return backbones.listing(options.name, options.activation) if options.name else backbones.survey_table()


if __name__ == "__main__":
    sys.exit(main())
