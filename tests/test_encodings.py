"""Every command prints on any terminal: what its encoding lacks is shown as something plain, and files are UTF-8."""

from __future__ import annotations

import importlib
import io
import sys

import pytest

from bench.cases.case import Case
from bench.records import record
from bench.reporting.views import VIEWS
from made import runs

ENCODINGS = ("ascii", "cp1252", "latin-1")
COMMANDS = {
    "activations": ["relu elu", "silu", "--tree", "relu --accuracy bfloat16", "no_such_name", "--help"],
    "models": ["resnet18", "no_such_name", "--help"],
    "bench.data": ["", "digits", "no_such_name", "--help"],
    "bench.checks": ["--help", "no_such_name"],
    "bench": [
        *(f"{name} --baseline-dir none" for name in (*VIEWS, "claims", "report results")),
        *("history", "compare results results --all", "--help", "claims --help"),
    ],
}


class Terminal(io.TextIOWrapper):
    """One of some encoding, that keeps what it is shown."""

    def __init__(self, encoding: str) -> None:
        self.shown = io.BytesIO()
        super().__init__(self.shown, encoding=encoding, errors="strict", write_through=True)

    def text(self) -> str:
        return self.shown.getvalue().decode(self.encoding)


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A working folder with runs of two activations."""
    for name, value in (("relu", 0.8), ("elu", 0.9)):
        case = Case("mlp", "mlp", "mnist", name, "sgd")
        for one in runs([value, value + 0.01], case=case, learning_rate=0.01, validation_size=100):
            record.save(one, tmp_path / "results")
    (tmp_path / "none").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("module", COMMANDS)
def test_every_command_prints_in_the_encoding_of_the_terminal(module, encoding, monkeypatch):
    main = importlib.import_module(f"{module}.__main__").main
    for line in COMMANDS[module]:
        out, err = Terminal(encoding), Terminal(encoding)
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        try:
            code = main(line.split())
        except SystemExit as stop:  # argparse's own
            code = stop.code
        assert code in (0, 2), line
        assert (out if code == 0 else err).text().strip(), line
        assert "codec" not in err.text(), line


def test_what_a_terminal_lacks_is_shown_as_something_plain(monkeypatch):
    from activations.command import print_anywhere

    out = Terminal("ascii")
    monkeypatch.setattr(sys, "stdout", out)
    print_anywhere()
    print("97.3 ± 0.2 · seeds 0–19 ├── ∞ µs é \udcff")
    assert out.text() == "97.3 +- 0.2 * seeds 0-19 |-- inf us ? ?\n"


def test_a_choice_of_the_users_stays(monkeypatch):
    from activations.command import print_anywhere

    out = Terminal("ascii")
    out.reconfigure(errors="backslashreplace")
    monkeypatch.setattr(sys, "stdout", out)
    print_anywhere()
    print("±")
    assert out.text() == "\\xb1\n"


@pytest.mark.fresh_process
def test_so_does_a_session_of_pytest(micro, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    result = micro.runpytest_subprocess("-k", "digits and relu", "--seeds", "2")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*+-*"])
    result.stdout.no_fnmatch_line("*\\\\xb1*")
