"""A case that runs more than once in a session, as by pytest-rerunfailures and pytest-repeat, counts once."""

from __future__ import annotations

from xml.etree import ElementTree

import pandas as pd
import pytest

from bench.records import history

PLUGIN = 'pytest_plugins = ["bench.plugin"]\n'
# What --reruns 1 does: a call that fails is reported as "rerun", and the item runs again.
RERUNS = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for last in (False, True):
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        failed = [report for report in reports if report.failed]
        for report in failed if not last else []:
            report.outcome = "rerun"
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        if not failed:
            break
    return True
"""
# What --count 2 does: two items of each case.
REPEATS = """
import pytest

@pytest.fixture(autouse=True)
def step(request):
    return request.param

def pytest_generate_tests(metafunc):
    metafunc.parametrize("step", range(2), indirect=True)
"""
# An activation that is broken at its first attempt alone.
LUCK = """
import itertools
from bench.session.runner import Runner
attempt, judged = itertools.count(), Runner._judged

def lucky(self, *arguments):
    import dataclasses
    result = judged(self, *arguments)
    return dataclasses.replace(result, failed={failed}(next(attempt)), verdict="REGRESSED")

Runner._judged = lucky
"""
NAN = "def nan_act(x):\n    return x.relu() * float('nan')\n"
CHOSEN = [
    "--activation",
    "mine.py:nan_act",
    "-k",
    "nan_act and digits and sgd",
    "--seeds",
    "1",
    "--junitxml",
    "junit.xml",
]


@pytest.fixture
def session(micro, monkeypatch):
    """Runs the diverging activation under a conftest, and what is written of it."""

    def run(*conftest, outcomes, arguments=("--baseline=require", "--baseline-dir", "own_baselines")):
        micro.makeconftest("".join([PLUGIN, *conftest]))
        micro.makepyfile(mine=NAN)
        found = micro.runpytest_inprocess(*CHOSEN, *arguments)
        assert {name: n for name, n in found.parseoutcomes().items() if name in ("passed", "failed")} == outcomes
        return found

    from bench.session.runner import Runner

    monkeypatch.setattr(Runner, "_judged", Runner._judged)  # put back what a conftest changes
    return run


@pytest.mark.parametrize(("conftest", "failed"), [(RERUNS, 1), (REPEATS, 2)])
def test_a_seed_that_ran_twice_is_counted_once(micro, session, conftest, failed):
    found = session(conftest, outcomes={"failed": failed})
    results = micro.path / "results"
    found.stdout.fnmatch_lines(["*nan_act * 1 (1 diverged) *", "1 case, 1 run: 1 NEW"])
    assert "n=2" not in found.stdout.str()
    assert len(pd.read_parquet(results / "records.parquet")) == 1
    assert len(history.read(results)) == 1
    for case in ElementTree.parse(micro.path / "junit.xml").iter("testcase"):
        names = [one.get("name") for one in case.iter("property")]
        assert len(names) == len(set(names))


def test_recording_twice_records_once(session):
    found = session(REPEATS, outcomes={"passed": 2}, arguments=("--record", "--baseline-dir", "own_baselines"))
    assert found.stdout.str().count("micro-mlp-digits-nan_act-sgd  –") == 1


def test_of_attempts_the_last_counts(session):
    found = session(RERUNS, LUCK.format(failed="not "), outcomes={"passed": 1})
    found.stdout.fnmatch_lines(["*1 passed*"])
    assert "1 of 1 cases failed" not in found.stdout.str()


@pytest.mark.parametrize("failed", ["not ", "bool"])
def test_of_repetitions_one_that_failed_counts(micro, session, failed):
    session(REPEATS, LUCK.format(failed=failed), outcomes={"passed": 1, "failed": 1})
    assert "1 of 1 cases failed" in (micro.path / "results" / "summary.md").read_text()
