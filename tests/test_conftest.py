"""What the tests are held to: one that starts an interpreter says so, and what is slow waits for the night."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest
import torch

import conftest

STARTS = {
    "subprocess": lambda pytester: subprocess.run([sys.executable, "-c", ""]),
    "pytester": lambda pytester: pytester.runpytest_subprocess(),
    "pytester.popen": lambda pytester: pytester.popen(["python3", "-c", ""]),
    "a terminal": lambda pytester: pytester.spawn_pytest(""),
}


@pytest.mark.parametrize("start", STARTS)
def test_an_unmarked_test_that_starts_an_interpreter_fails(start, pytester):
    with pytest.raises(pytest.fail.Exception, match="run it in process, or mark it as fresh_process"):
        STARTS[start](pytester)


def test_so_does_one_whose_session_in_process_starts_workers(pytester):
    pytester.makepyfile(test_one="def test_one():\n    pass\n")
    result = pytester.runpytest_inprocess("-n1")
    result.stdout.fnmatch_lines(["INTERNALERROR> Failed: this test starts an interpreter: *"])
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR


def test_another_program_may_be_started():
    subprocess.run(["true"], check=True)


@pytest.mark.fresh_process
def test_one_that_is_marked_may_start_an_interpreter():
    subprocess.run([sys.executable, "-c", ""], check=True)


SLOW = """
import pytest

def test_quick():
    pass

@pytest.mark.slow
def test_slow():
    pass
"""


def with_our_hooks(pytester, text, *names):
    """A folder with one file of tests, and hooks of the tests' own conftest."""
    hooks = [inspect.getsource(getattr(conftest, name)) for name in names]
    pytester.makeconftest("\n".join(["import os\nimport pytest", *hooks]))
    pytester.makepyfile(test_both=text)
    return pytester


@pytest.mark.parametrize(
    ("options", "ran"),
    [
        ([], ["quick"]),
        (["-m", "slow"], []),
        (["-m", "not slow"], ["quick"]),
        (["--slow"], ["quick", "slow"]),
        (["--slow", "-m", "slow"], ["slow"]),
    ],
)
def test_what_is_slow_is_run_where_it_is_asked_for(pytester, options, ran):
    hooks = "pytest_addoption", "pytest_configure", "pytest_collection_modifyitems"
    found = with_our_hooks(pytester, SLOW, *hooks).inline_run(*options).listoutcomes()[0]
    assert [report.nodeid.split("test_")[-1] for report in found] == ran


GPU = """
import os
import pytest

@pytest.mark.gpu
def test_on_a_card():
    print("asked for", os.environ.get("CUDA_VISIBLE_DEVICES"))

def test_anywhere():
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
"""


FOR_A_CARD = ("pytest_cmdline_main", "pytest_configure", "pytest_runtest_setup")


def test_what_needs_a_card_is_skipped_where_there_is_none_and_says_so(pytester, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    result = with_our_hooks(pytester, GPU, *FOR_A_CARD).runpytest_inprocess("-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * needs a card that torch can use: run with -m gpu where there is one"])


def test_where_there_is_a_card_no_other_test_sees_it(pytester, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    session = with_our_hooks(pytester, GPU, *FOR_A_CARD)
    asked = session.runpytest_inprocess("-m", "gpu", "-s")
    asked.assert_outcomes(passed=1, deselected=1)
    asked.stdout.fnmatch_lines(["*asked for 5*"])
    session.runpytest_inprocess("-k", "anywhere").assert_outcomes(passed=1, deselected=1)
