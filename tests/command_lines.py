"""A check that tests of command lines share: `one_line_error(main, "relu --plot plot.gif", capsys)`."""

from __future__ import annotations

from collections.abc import Callable

import pytest


def one_line_error(main: Callable[[list[str]], int], line: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on standard error with which a command line ends, nothing printed and 2 as its exit code."""
    try:
        code = main(line.split())
    except SystemExit as stop:  # argparse's own
        code = stop.code
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    return err
