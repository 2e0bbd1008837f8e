"""What the command lines of the project share: errors are one line on standard error, a pipe that closes is none."""

from __future__ import annotations

import argparse
import codecs
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

# What the tables are written with, for terminals that lack it.
_PLAIN = dict(zip("–─·×µ▲▼├│└‘’“”", "--*xu^v||`''\"\"", strict=True))
_PLAIN |= {"±": "+-", "∞": "inf", "²": "^2", "β": "beta"}


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(character, "?") for character in error.object[error.start : error.end]), error.end


codecs.register_error("actbench_plain", _plain)


def print_anywhere() -> None:
    """Let standard output and error take any text: what their encoding lacks is shown as something plain.

    A way of the user's own to show it, as by `PYTHONIOENCODING=ascii:backslashreplace`, stays.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="actbench_plain")


class Parser(argparse.ArgumentParser):
    """argparse's, whose errors are one line and whose texts are printed on any terminal."""

    def parse_known_args(self, *arguments: Any, **keywords: Any) -> Any:
        print_anywhere()
        return super().parse_known_args(*arguments, **keywords)

    def error(self, message: str) -> NoReturn:
        """One line, where argparse would print the usage too."""
        self.exit(2, f"{self.prog}: {message}; --help lists what there is\n")


def run_command(
    prog: str, answer: Callable[[], str], plot: Path | None = None, errors: tuple[type[Exception], ...] = (ValueError,)
) -> int:
    """Print an answer.

    Args:
        prog: what errors begin with.
        answer: makes the text.
        plot: the file that it writes, if any.
        errors: whose message is for the user.

    Returns:
        The exit code: 2 where something given is unknown or does not fit, or a file cannot be written.
    """
    try:
        print(answer())
    except errors as error:
        print(f"{prog}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `| head` has read enough; nothing is left to be flushed at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        said = f"cannot write {plot}: {error.strerror}; give another file" if plot else str(error)
        print(f"{prog}: {said}", file=sys.stderr)
        return 2
    return 0
