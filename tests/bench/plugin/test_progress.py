"""What the last line of a terminal says while cases train."""

from __future__ import annotations

import pytest

from bench.cases.case import Case
from bench.plugin import progress

CASE = Case("micro", "mlp", "digits", "relu", "sgd")


@pytest.fixture
def written(monkeypatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(progress, "writer", lambda config: lines.append)
    return lines


def test_what_is_read_and_built_before_the_first_epoch_counts_for_no_time_left(written, monkeypatch):
    clock = iter([100.0, 101.0, 103.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    finished = []
    show = progress.progress(None, 2, finished)
    show(CASE, 0, 1, 4, 1.5, 0.25)
    show(CASE, 0, 2, 4, 1.25, 0.5)
    finished.append(CASE)
    show(CASE, 0, 1, 4, 1.5, 0.25)
    assert written == [
        "micro-mlp-digits-relu-sgd  seed 0  epoch 1/4  loss 1.5000",
        "micro-mlp-digits-relu-sgd  seed 0  epoch 2/4  loss 1.2500  0:00:06 left",
        "micro-mlp-digits-relu-sgd  seed 0  epoch 1/4  loss 1.5000  0:00:02 left",
    ]


def test_a_line_that_is_written_over_fits_into_the_terminal_and_keeps_its_end(written, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    progress.progress(None, 2, [])(CASE, 0, 1, 4, 1.5, 0.25)
    assert written == ["micro-mlp-digits-  seed 0  epoch 1/4  loss 1.5000"]
    assert len(written[0]) == 49
