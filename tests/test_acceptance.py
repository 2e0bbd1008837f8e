"""The acceptance run on a card: its commands are today's, and whatever becomes of a step the table has the others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

import acceptance
from acceptance import Step
from bench import experiments
from bench.__main__ import _parser
from conftest import selects_something, split

ROOT = Path(acceptance.__file__).parents[1]
WITH_DATA, WITHOUT = (acceptance.steps(data, minutes=8, workers=4) for data in ("data", ""))
OTHERWISE = [step for step in WITHOUT if step.command not in {one.command for one in WITH_DATA}]
# Starts a process of its own, says which, and waits, whatever it is told.
HANGS = (
    "import os, signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    'print(os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "99"), flush=True); time.sleep(99)'
)
# Listens where it is told to, as the driver's own does, and says which process it is.
DAEMON = f"""#!{sys.executable}
import os, pathlib, signal, socket
pathlib.Path(__file__).with_name("pid").write_text(str(os.getpid()))
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as daemon:
    daemon.bind(os.environ["CUDA_MPS_PIPE_DIRECTORY"] + "/control")
    daemon.listen()
    signal.pause()
"""
MADE = {
    Step("fails", 9, ""): "python -c 'import sys; print(\"so far\"); sys.exit(3)'",
    Step("hangs", 1, ""): f"python -c '{HANGS}'",
    Step("passes", 9, ""): 'python -c \'print("12 cases, 24 runs: 12 SAME"); print("= 2 passed in 1.50s =")\'',
}


@pytest.mark.filterwarnings("ignore:Not saving anything")
@pytest.mark.parametrize("step", [*WITH_DATA, *OTHERWISE], ids=lambda step: step.name)
def test_every_session_of_it_selects_something(step, checkout):
    for folder in ("data", "kept/baselines/once"):
        (checkout.path / folder).mkdir(parents=True)
    command = step.command.replace("{folder}", "kept").replace("python .ci/workers.py", "pytest")  # which it runs
    if command.startswith("pytest"):
        selects_something(command, checkout)
    elif "bench" in command:
        _, _, _, *arguments = split(command, checkout.path)
        _parser().parse_args(arguments)
    else:
        assert (ROOT / split(command, checkout.path)[1]).is_file()


def test_what_is_trained_twice_are_cases_that_there_are():
    for cases, digits_alone in ((acceptance.CASES, True), (acceptance.CASES_WITH_DATA, False)):
        for name in cases:
            experiment = experiments.find(name.partition("-")[0])
            (case,) = [case for case in experiment.cases("tiny") if case.id == name]
            assert (case.dataset in ("digits", "made_speech", "made_text")) is digits_alone


def test_a_rehearsal_never_asks_for_a_card():
    assert [step.rehearsed for step in WITH_DATA if "cuda" in step.rehearsed] == []


@pytest.mark.fresh_process
def test_whatever_becomes_of_a_step_the_others_run_and_the_table_has_all(tmp_path, capsys):
    begin = time.monotonic()
    outcomes = acceptance.accept(MADE, tmp_path / "out", minutes=16 / 60)
    assert time.monotonic() - begin < 16
    assert [one.result for one in outcomes] == ["FAILED (3)", "cut short", "passed"]
    assert outcomes[-1].found == "12 cases, 24 runs: 12 SAME; 2 passed in 1.50s"
    assert "so far" in capsys.readouterr().out
    assert (tmp_path / "out" / "table.md").read_text() == f"{acceptance.table(outcomes)}\n"
    assert len(list((tmp_path / "out").iterdir())) == 2
    with tarfile.open(tmp_path / "out" / "results.tar.gz") as archive:
        assert {"results/fails.log", "results/hangs.log", "results/passes.log"} <= set(archive.getnames())
    left = Path(f"/proc/{int(outcomes[1].found)}/cmdline")
    assert not (left.exists() and left.read_bytes()), "it left a process behind"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere", "out"], "DATA nowhere: no such folder; give an empty string"),
        (["", __file__], "is no folder; give another place"),
        (["--minutes", "0", "", "out"], "both must be above 0"),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_step(arguments, says, capsys):
    with pytest.raises(SystemExit, match="2"):
        acceptance.main(arguments)
    assert says in capsys.readouterr().err


@pytest.mark.slow
def test_a_rehearsal_goes_through_every_step(tmp_path):
    done = subprocess.run([ROOT / ".ci" / "gpu", "--device", "cpu", "", tmp_path / "out"], cwd=tmp_path, check=False)
    rows = [line.split(" | ") for line in (tmp_path / "out" / "table.md").read_text().splitlines()[2:]]
    assert done.returncode == 0
    assert [row[0].strip("| ") for row in rows] == [step.name for step in WITHOUT]
    assert {row[1] for row in rows} <= {"passed", "cut short"}
    found = {row[0].strip("| "): row[-1] for row in rows}
    assert "1 SAME" in found["again"]
    assert "no MPS daemon here" in found["workers"]


@pytest.mark.slow
def test_workers_are_timed_where_a_daemon_can_be_started(tmp_path, monkeypatch):
    (tmp_path / "nvidia-cuda-mps-control").write_text(DAEMON)
    (tmp_path / "nvidia-cuda-mps-control").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (step,) = [step for step in WITHOUT if step.name == "workers"]
    result, found = acceptance.run(step.name, step.rehearsed, tmp_path, limit=600)
    assert result == "passed"
    assert re.match(r"12 runs: \d+\.\d\d a second by -n 1; 12 runs: \d+\.\d\d a second by -n 4; 12 passed ", found)
    left = Path(f"/proc/{int((tmp_path / 'pid').read_text())}/cmdline")
    assert not (left.exists() and left.read_bytes()), "it left a daemon behind"
