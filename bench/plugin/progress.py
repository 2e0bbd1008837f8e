"""The last line of a terminal, written over while cases train: `progress(config, cases=26, finished=results)`.

And the lines that stay above it, one a case or kernel: `keep(config, "1/26 ...", red=False)`.
"""

from __future__ import annotations

import datetime
import shutil
import time
from collections.abc import Callable, Sized
from contextlib import nullcontext

import pytest

from bench.cases.case import Case
from bench.plugin.state import under_xdist
from bench.session.runner import Progress


def writer(config: pytest.Config) -> Callable[[str], None] | None:
    """Writes over one line of a terminal; None where there is no terminal."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None or not terminal.isatty:
        return None
    capture = config.pluginmanager.get_plugin("capturemanager")

    def write(line: str) -> None:
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            _leave_letters(config, terminal)
            terminal.rewrite(line[: _width()], erase=True)
            terminal.flush()

    return write


def keep(config: pytest.Config, line: str, *, red: bool) -> None:
    """Write a line that stays, in place of what was written over; nothing where nothing is printed."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None:
        return
    _leave_letters(config, terminal)
    if terminal.isatty and not under_xdist(config):
        terminal.rewrite("", erase=True)
        terminal.rewrite("")  # what erases leaves the cursor at the end
    terminal.write(f"{line}\n", red=red)


def _leave_letters(config: pytest.Config, terminal: pytest.TerminalReporter) -> None:
    """Begin a line after letters of other tests; one that is written over has no width, and is ours."""
    terminal.ensure_newline()
    if config.get_terminal_writer().width_of_current_line > 0:  # pytest knows of letters behind a file's name alone
        terminal.write("\n")


def _width() -> int:
    """Of a line that does not wrap: what has wrapped cannot be written over."""
    return shutil.get_terminal_size().columns - 1


def duration(seconds: float) -> datetime.timedelta:
    """As it is shown, in whole seconds: `0:19:07`."""
    return datetime.timedelta(seconds=round(seconds))


def progress(config: pytest.Config, cases: int, finished: Sized) -> Progress | None:
    """Shows case, seed, epoch, loss and time left; None where there is no terminal.

    Args:
        cases: how many are to be trained.
        finished: those that are, as the session goes on.
    """
    write = writer(config)
    if write is None:
        return None
    first: tuple[float, float] | None = None  # before the end of the first epoch all was read and built: no measure

    def show(case: Case, seed: int, epoch: int, epochs: int, loss: float, share: float) -> None:
        nonlocal first
        now, done = time.monotonic(), len(finished) + share
        first = first or (now, done)
        since, before = first
        left = f"  {duration((now - since) * (cases - done) / (done - before))} left" if done > before else ""
        course = f"  seed {seed}  epoch {epoch}/{epochs}  loss {loss:.4f}{left}"
        write(case.id[: max(_width() - len(course), 0)] + course)

    return show
