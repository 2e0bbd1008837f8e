"""What the command lines of the project share: errors are one line on standard error, a pipe that closes is none."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """argparse's, whose errors are one line."""

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
