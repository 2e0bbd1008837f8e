"""What the tests are held to: one that starts an interpreter says so, and what is slow waits for the night."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

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
    hooks = conftest.pytest_addoption, conftest.pytest_configure, conftest.pytest_collection_modifyitems
    pytester.makeconftest("\n".join(["import pytest", *map(inspect.getsource, hooks)]))
    pytester.makepyfile(test_both=SLOW)
    found = pytester.inline_run(*options).listoutcomes()[0]
    assert [report.nodeid.split("test_")[-1] for report in found] == ran
