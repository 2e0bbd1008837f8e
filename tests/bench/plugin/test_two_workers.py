"""Sessions with `-n2`: what is carried from xdist's workers to the process that talks to the user.

Two sessions are shared, since each starts three interpreters: one in which all is well, and one that fails.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.records import history
from conftest import MICRO, OF_THE_JOB
from written import records_in

pytestmark = pytest.mark.fresh_process

# What one activation leaves is not what JSON and execnet carry of themselves.
ODD = """
import dataclasses, math
import numpy as np
from bench.training import train
pytest_plugins = ["bench.plugin"]
real = train.run

def odd(case, *args, **kwargs):
    for record in real(case, *args, **kwargs):
        if case.activation == "selu":
            metrics = {**record.metrics, "test_loss": math.inf, "test_accuracy": np.float64(0.5)}
            curves = {**record.curves, "train_loss": [np.float32("nan")]}
            record = dataclasses.replace(record, metrics=metrics, curves=curves, bytes_saved=np.int64(3))
        yield record

train.run = odd
"""
CHOSEN = ("--seeds", "2", "--gradients", "--baseline=ignore")


@dataclass(frozen=True)
class Ended:
    """A session with two workers that has ended."""

    folder: Path
    ret: int
    stdout: pytest.LineMatcher

    @cached_property
    def records(self) -> list[dict]:
        return records_in(self.folder / "results")

    def of(self, name: str) -> list[dict]:
        """The records of an activation."""
        return [one for one in self.records if one["case"]["activation"] == name]


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    def run(*arguments: str, **files: str) -> Ended:
        folder = tmp_path_factory.mktemp("two_workers")
        for name, text in {"conftest": 'pytest_plugins = ["bench.plugin"]', **files}.items():
            (folder / f"{name}.py").write_text(text)
        (folder / "own_baselines").mkdir()
        (folder / "job.md").write_text("before\n")
        own = {name: value for name, value in os.environ.items() if name not in OF_THE_JOB}
        job = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(folder / "job.md"), "PYTHONIOENCODING": "utf-8"}
        command = [sys.executable, "-m", "pytest", "-n2", *arguments]
        done = subprocess.run(command, cwd=folder, env={**own, **job}, capture_output=True, encoding="utf-8")
        print(done.stdout, done.stderr)
        return Ended(folder, done.returncode, pytest.LineMatcher(done.stdout.splitlines()))

    return run


@pytest.fixture(scope="module")
def well(ended) -> Ended:
    """A session of four cases and a timing."""
    with_views = MICRO.replace('name="micro",', 'name="micro",\n    views=("curves",),')
    timing = "def test_time(timing):\n    assert timing.cases == 1\n"
    files = {"conftest": ODD, "test_micro": with_views, "test_time": timing}
    writes = ["--junitxml", "junit.xml", "--report", "page"]
    return ended("-k", "(digit and (elu or selu)) or time", *CHOSEN, *writes, **files)


@pytest.fixture(scope="module")
def failing(ended) -> Ended:
    """A session with an activation that ends its process, one of the user's own, and a baseline that is required."""
    files = {
        "test_micro": MICRO,
        "deadly": "import os\n\ndef deadly(x):\n    os._exit(1)\n",
        "own": "def mine(x):\n    return x.relu() * 1.5\n",
    }
    choice = ["--activation", "deadly.py:deadly,elu,own.py:mine", "--dataset", "digits", "--optimizer", "sgd"]
    return ended(*choice, "--device", "cpu", "--baseline-dir", "own_baselines", "--baseline=require", **files)


def test_exact_selection_holds_and_all_that_was_selected_reports(well):
    ran = re.findall(r"^ +\d/4  (\S+) ", str(well.stdout), re.MULTILINE)
    assert sorted(ran) == [f"micro-mlp-digits-{name}-{rule}" for name in ("elu", "selu") for rule in ("adam", "sgd")]
    well.stdout.fnmatch_lines(["*4 passed*"])
    assert well.ret == pytest.ExitCode.OK


def test_they_find_the_same_bits_as_one_process(well, micro):
    micro.runpytest_inprocess("-k", "digits and elu", *CHOSEN).assert_outcomes(passed=2)
    alone = records_in(micro.path / "results")

    def bits(records):
        return {(one["case"]["optimizer"], one["seed"]): (one["digest"], one["fingerprint"]) for one in records}

    assert bits(well.of("elu")) == bits(alone)
    assert len(bits(alone)) == 4


def test_numpy_floats_nan_and_infinity_survive_the_way(well):
    assert len(well.of("selu")) == 4
    for record in well.of("selu"):
        assert record["metrics"]["test_accuracy"] == 0.5
        assert record["metrics"]["test_loss"] is None
        assert record["curves"]["train_loss"] == [None]
        assert record["bytes_saved"] == 3


def test_the_tables_of_an_experiments_views_are_printed(well):
    shown = ["*Games-Howell*", "micro · mlp · digits · adam · tiny", "*last validation loss*", "elu *"]
    well.stdout.fnmatch_lines(shown)


def test_gradients_are_shown_and_kept(well):
    well.stdout.fnmatch_lines(["micro * adam * tiny: gradients", "activation *vanishing ratio*", "elu *"])
    assert well.of("elu")
    for one in well.of("elu"):
        assert list(one["gradients"]) == [str(place) for place in range(1, 18, 2)]
        assert one["gradient_steps"] == [1, 2]
        assert 0 < one["metrics"]["vanishing_ratio"] < 100


def test_every_testcase_of_junits_file_carries_its_case_and_metrics_once(well):
    cases = list(ElementTree.parse(well.folder / "junit.xml").iter("testcase"))
    assert len(cases) == len({case.get("name") for case in cases}) == 4
    for case in cases:
        said = [(one.get("name"), one.get("value")) for one in case.iter("property")]
        assert len(said) == len(dict(said))
        assert case.get("name") == f"test_micro[micro-mlp-digits-{dict(said)['activation']}-{dict(said)['optimizer']}]"
        own = [one for one in well.of(dict(said)["activation"]) if one["case"]["optimizer"] == dict(said)["optimizer"]]
        mean = sum(one["metrics"]["test_accuracy"] for one in own) / 2
        assert float(dict(said)["mean"]) == float(dict(said)["test_accuracy"]) == mean
        assert own[0]["metrics"].keys() <= dict(said).keys()


def test_a_github_job_gets_the_page_once(well):
    job = (well.folder / "job.md").read_text()
    assert job == "before\n" + (well.folder / "results" / "summary.md").read_text()
    assert job.count("## actbench: no failure in 4 cases") == 1


def test_the_report_and_the_verdicts_are_written(well):
    well.stdout.fnmatch_lines(["written to *page/index.html"])
    text = (well.folder / "page" / "index.html").read_text(encoding="utf-8")
    assert 'id="case-micro-mlp-digits-elu-adam"' in text
    assert '<section id="curves">' in text
    assert [one.verdict for one in history.read(well.folder / "results")] == ["IGNORED"] * 4


def test_timings_are_left_out_and_the_summary_says_so(well):
    well.stdout.fnmatch_lines(["*1 timings were not timed: run with -n0*"])


def test_a_worker_that_dies_loses_only_its_own_case_and_the_session_says_so(failing):
    failing.stdout.fnmatch_lines(["*worker 'gw*' crashed while running*micro-mlp-digits-deadly-sgd*"])
    assert {one["case"]["activation"] for one in failing.records} == {"elu", "mine"}
    failing.stdout.fnmatch_lines(["*= 3 failed in *"])
    assert failing.ret == pytest.ExitCode.TESTS_FAILED


def test_a_failure_prints_the_commands_that_one_process_prints(failing, micro):
    micro.makepyfile(own=(failing.folder / "own.py").read_text())
    places = ["--activation", "own.py:mine", "--device", "cpu", f"--baseline-dir={failing.folder / 'own_baselines'}"]
    alone = micro.runpytest_inprocess("-k", "mine and digits and sgd", *places, "--baseline=require").stdout
    said, expected = (
        re.findall(r"^(?:reproduce|re-record): pytest -k \S+-mine-.*$", str(text), re.MULTILINE)
        for text in (failing.stdout, alone)
    )
    assert said == expected
    assert len(said) == 2


def test_a_github_job_is_told_once_of_each_case_that_failed(well, failing):
    assert "::error" not in str(well.stdout)
    said = re.findall(
        r"^::error file=test_micro.py,line=\d+,title=.*?micro-mlp-digits-(\w+)-sgd", str(failing.stdout), re.MULTILINE
    )
    assert sorted(said) == ["deadly", "elu", "mine"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-k", "elu and digts"], "nothing is selected: no test is called 'digts'; did you mean digits?"),
        (["test_time.py"], "1 timings were not timed: run with -n0"),
    ],
)
def test_selecting_nothing_says_why(micro, arguments, message):
    micro.makepyfile(test_time="def test_time(timing):\n    assert timing.cases == 1\n")
    result = micro.runpytest_inprocess("-n2", *arguments)
    assert message in result.outlines
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
