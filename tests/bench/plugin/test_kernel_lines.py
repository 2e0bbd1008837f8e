"""What a terminal shows of kernels while they are timed, and how long it says that they will take."""

from __future__ import annotations

import re

import pytest

from bench.plugin import progress
from bench.timing.kernels import measurement, recorded
from bench.timing.kernels.measurement import SECONDS
from conftest import ROOT

TIMINGS = (ROOT / "bench" / "timing" / "test_kernels.py").read_text(encoding="utf-8")
TWO_KERNELS = ["-k", "sigmoid and float32 and cache", "--results-dir", "results", "--baseline-dir", "own_baselines"]


@pytest.fixture
def timings(micro, monkeypatch):
    """A folder with the timing tests, each of which takes milliseconds."""
    monkeypatch.setattr(measurement, "BUDGET_SECONDS", 0.01)
    monkeypatch.setattr(measurement, "SAMPLE_SECONDS", 1e-4)
    monkeypatch.setattr(recorded, "BLOCKS", 2)
    micro.makepyfile(test_kernels=TIMINGS)
    return micro


@pytest.mark.parametrize(
    ("options", "verdict", "times"),
    [([], "NEW", 1), (["--baseline=ignore"], "IGNORED", 1), (["--record"], "RECORDED", 2)],
)
def test_a_session_says_how_long_its_kernels_will_take_and_then_one_line_a_kernel(timings, options, verdict, times):
    result = timings.runpytest_inprocess("test_kernels.py", *TWO_KERNELS, *options)
    each = r" \(each 2 times\)" if times > 1 else ""
    result.stdout.re_match_lines(
        [
            rf"kernels to time: 2{each}, about 0:00:0{round(2 * times * SECONDS['cache'])} on one core",
            rf" +1/2  sigmoid-float32-cache-forward  \d+\.\d\d x relu ±\d+%  {verdict}  \d+\.\d s",
            rf" +2/2  sigmoid-float32-cache-forward_backward  \d+\.\d\d x relu ±\d+%  {verdict}  \d+\.\d s",
        ],
    )
    result.stdout.no_fnmatch_line("*test_kernels.py .*")


def test_a_line_does_not_hang_on_the_letters_of_other_tests(timings):
    timings.makepyfile(test_first="def test_first(): pass")
    result = timings.runpytest_inprocess(
        "test_first.py", "test_kernels.py", *TWO_KERNELS[2:], "-k", "first or sigmoid and cache"
    )
    result.stdout.re_match_lines([r"\.$", r" +1/4  sigmoid-float32-cache-forward  "])


class OnATerminal:
    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config):
        config.pluginmanager.get_plugin("terminalreporter").isatty = lambda: True


def test_nor_does_it_write_over_them_on_a_terminal(timings, capsys):
    timings.makepyfile(test_first="def test_first(): pass")
    chosen = ("test_first.py", "test_kernels.py", *TWO_KERNELS[2:], "-k", "first or sigmoid and cache")
    timings.runpytest_inprocess(*chosen, plugins=[OnATerminal()])
    assert re.search(r"\.\n\r +\r +1/4  sigmoid-float32-cache-forward  ", capsys.readouterr().out)


def test_what_is_only_collected_takes_no_time(timings):
    result = timings.runpytest_inprocess("test_kernels.py", *TWO_KERNELS, "--collect-only")
    result.stdout.no_fnmatch_line("kernels to time*")


def test_a_kernel_that_cannot_be_timed_has_no_line(timings):
    result = timings.runpytest_inprocess("test_kernels.py", *TWO_KERNELS, "--benchmark-disable")
    result.assert_outcomes(failed=2)
    result.stdout.no_fnmatch_line("*1/2  sigmoid*")


def test_on_a_terminal_the_time_left_stands_below_the_lines(timings, monkeypatch):
    written = []
    monkeypatch.setattr(progress, "writer", lambda config: written.append)
    timings.runpytest_inprocess("test_kernels.py", *TWO_KERNELS).assert_outcomes(passed=2)
    (left,) = written  # and none below the last line
    assert re.fullmatch(r"0:\d\d:\d\d left", left)
