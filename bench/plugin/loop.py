"""pytest's loop over the items of a session whose cases are trained elsewhere, side by side."""

from __future__ import annotations

from collections import defaultdict, deque

import pytest

from bench.cases.case import Case
from bench.plugin.items import cases_of
from bench.plugin.state import PluginState


def as_they_come(session: pytest.Session, state: PluginState) -> bool:
    """Run each item when all of its case has ended, so that none waits for another; what is no case comes last.

    Raises:
        UsageError: the engine cannot be had.
    """
    assert state.runner is not None
    try:
        engine = state.runner.begin(cases_of(session.items))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error
    if terminal := session.config.pluginmanager.get_plugin("terminalreporter"):
        terminal.write_line(f"engine: {engine}")
    left = dict.fromkeys(session.items)
    of_case: dict[Case, list[pytest.Item]] = defaultdict(list)
    for item in left:
        for _, case in cases_of([item]):
            of_case[case].append(item)
    ready: deque[pytest.Item] = deque()

    def upcoming(*, wait: bool) -> pytest.Item | None:
        while not ready and (case := engine.completed(wait=wait)):
            ready.extend(of_case.pop(case, ()))
        if not ready and wait:  # nothing is under way any more
            ready.extend(left)
        if not ready:
            return None
        del left[ready[0]]
        return ready.popleft()

    now = upcoming(wait=True)
    while now:
        following = upcoming(wait=False)  # without one, pytest tears down all fixtures
        now.config.hook.pytest_runtest_protocol(item=now, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        now = following or upcoming(wait=True)
    return True
