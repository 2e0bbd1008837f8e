"""Exit codes are those of the table in CI.md: each is met by a session or a command that ends with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import activations.__main__
from bench import __main__ as views
from bench.cases.case import Case
from bench.data import __main__ as data
from bench.records import record
from made import runs

CI = (Path(__file__).parents[1] / ".github/CI.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d) \| (.*?) \| (?:(.*?) )?\|$", CI.split("| exit code |")[1].split("\n\n")[0], re.MULTILINE)
PROBE = ["-k", "digits and elu and sgd", "--probe"]
SESSIONS = {
    "all that was selected passed": [PROBE],
    "a case, a kernel or a test failed or never reported, a file could not be written, "
    "or the device has none of the rows that are required": [
        [*PROBE, "--baseline=require"],
        [*PROBE, "--results-dir", "unwritten"],
    ],
    "interrupted, or a test file that does not import": [["broken.py"]],
    "an error inside pytest or a plugin": [["-p", "broken_plugin", *PROBE]],
    "an option, a name or a row of the baselines that is wrong": [
        ["--scale", "huge"],
        ["--activation", "nose"],
        [*PROBE, "--baseline-dir", "malformed"],
    ],
    "nothing is selected": [["-k", "nose"]],
}
COMMANDS = {
    "done": [
        (views.main, "compare before before"),
        (views.main, "export before --format bencher --to figures.json"),
        (data.main, "digits"),
        (activations.__main__.main, "relu"),
    ],
    "`ab`, `compare`: something got worse": [(views.main, "compare before after")],
    "nothing to show, an unknown name, a file that cannot be read or written": [
        (views.main, "history"),
        (views.main, "nose"),
        (views.main, "export before --format bencher --to before/runs/file/below"),
        (views.main, "claims --baseline-dir malformed"),
        (data.main, "nose"),
        (activations.__main__.main, "nose"),
    ],
}


def test_every_code_of_pytest_is_listed_and_every_row_is_met():
    assert [int(code) for code, _, _ in ROWS] == list(pytest.ExitCode)[:6]  # the next is of pytest's --max-warnings
    assert [when for _, when, _ in ROWS] == list(SESSIONS)
    assert [when for _, _, when in ROWS if when] == list(COMMANDS)


@pytest.fixture
def folder(micro):
    """What the sessions and commands of the table are about."""
    micro.makepyfile(
        broken="import nothing_of_this_name", broken_plugin="def pytest_runtest_protocol():\n    raise OSError"
    )
    micro.syspathinsert()
    micro.mkdir("unwritten").joinpath("summary.md").mkdir()
    probes = micro.mkdir("malformed").joinpath("probes")
    probes.mkdir()
    (probes / "micro.tiny.csv").write_text("not,a,header\n")
    measured = micro.path / "malformed" / "measured"
    measured.mkdir()
    (measured / "cnn.tiny.cpu.csv").write_text("not,a,header\n")
    for name, value in (("before", 0.9), ("after", 0.1)):
        for one in runs([value + 0.001 * seed for seed in range(8)], case=Case("cnn", "cnn", "mnist", "relu", "sgd")):
            record.save(one, micro.path / name)
    (micro.path / "before" / "runs" / "file").write_text("not a folder")
    return micro


@pytest.mark.parametrize(
    ("code", "arguments"), [(int(code), given) for code, when, _ in ROWS for given in SESSIONS.get(when, [])], ids=str
)
def test_a_session_ends_with_the_code_of_its_row(folder, code, arguments):
    assert folder.runpytest_inprocess(*arguments).ret == code


@pytest.mark.parametrize(
    ("code", "main", "line"),
    [(int(code), *given) for code, _, when in ROWS for given in COMMANDS.get(when, [])],
    ids=lambda one: getattr(one, "__module__", str(one)),  # as text a function bears its address
)
def test_a_command_ends_with_the_code_of_its_row(folder, code, main, line):
    try:
        ended = main(line.split())
    except SystemExit as stop:
        ended = stop.code
    assert ended == code
