"""The READMEs: what they show is done as it stands, what they link to is there, what they count is so many."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import activations
import models
from bench import __main__ as command_line
from bench import experiments
from bench.reporting.views import VIEWS
from bench.session import selection
from conftest import selects_something, split

ROOT = Path(__file__).parents[1]


READMES = {folder: (ROOT / folder / "README.md").read_text() for folder in (".", "activations", "models", "bench")}


def section(title: str) -> list[tuple[str, str]]:
    """Language and text of the code blocks of a section of the README."""
    body = READMES["."].split(f"## {title}\n")[1].split("\n## ")[0]
    return re.findall(r"```(\w*)\n(.*?)```", body, re.DOTALL)


@pytest.mark.parametrize("folder", READMES)
def test_every_link_into_the_repository_leads_somewhere(folder: str) -> None:
    found = re.findall(r"\]\(([^)]+)\)|src=\"([^\"]+)\"", READMES[folder])
    links = [link for pair in found for link in pair if link and not link.startswith("http")]
    assert [link for link in links if not (ROOT / folder / link).exists()] == []


@pytest.mark.parametrize("folder", READMES)
def test_every_view_option_and_experiment_that_is_shown_exists(folder: str) -> None:
    commands = re.findall(r"^(?:pytest|python -m bench)\b.*", READMES[folder], re.MULTILINE)
    views = {words[3] for line in commands if len(words := line.split()) > 3 and line.startswith("python -m bench ")}
    assert views <= {"--help", *command_line.COMMANDS, *VIEWS}
    known = {
        name for path in (ROOT / "bench").glob("**/*.py") for name in re.findall(r'"(--[a-z-]+)', path.read_text())
    }
    known |= {f"--{axis}" for axis in selection.SELECTABLE}
    ours = known | {"--collect-only", "--strict", "--junitxml", "--help"}
    assert {word for line in commands for word in re.findall(r"(?<= )--[a-z-]+", line)} <= ours


def test_what_is_counted_is_so_many() -> None:
    assert f"{len(activations.names())} functions" in READMES["."]
    assert READMES["activations"].count(f"\n{len(activations.names())} functions") == 1
    assert f"{len(models.names())} networks" in READMES["."]
    assert f"names {len(models.names())} networks" in READMES["models"]
    assert f"{len(experiments.names())} experiments" in READMES["."]
    assert [name for name in experiments.names() if f"| `{name}` |" not in READMES["bench"]] == []


SHOWN = re.findall(r"^(?:pytest|python -m bench)\b.*", READMES["."] + READMES["bench"], re.MULTILINE)
OWN = section("Add your own activation")
COMMANDS = [line for language, text in OWN if language == "bash" for line in text.splitlines()]


@pytest.mark.parametrize("command", [line for line in SHOWN if line.startswith("pytest bench")])
def test_every_session_that_is_shown_selects_something(command: str, checkout: pytest.Pytester) -> None:
    (own,) = (text for language, text in OWN if language == "python")
    (checkout.path / "my_file.py").write_text(own)
    checkout.mkdir("DIR")
    selects_something(command, checkout)


@pytest.mark.parametrize(
    "command", [line for line in SHOWN if line.startswith("python -m bench") and "--help" not in line]
)
def test_every_bench_command_that_is_shown_is_one_that_there_is(command: str, tmp_path: Path) -> None:
    _, _, _, *arguments = split(command, tmp_path)
    command_line._parser().parse_args(arguments)


@pytest.fixture
def run(tmp_path: Path):
    """Runs a command of the section beside the file that it shows; the package's own folders are where they are."""
    (own,) = (text for language, text in OWN if language == "python")
    (tmp_path / "my_file.py").write_text(own)
    for name in ("bench", "conftest.py", "pyproject.toml", "baselines", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)

    def run(command: str) -> str:
        program, *arguments = shlex.split(command.split("  #")[0])
        start = [sys.executable, "-m", "pytest"] if program == "pytest" else [sys.executable]
        done = subprocess.run([*start, *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    return run


def command(words: str) -> str:
    (found,) = (line for line in COMMANDS if words in line)
    return found


@pytest.mark.slow
def test_it_is_trained_ranked_and_set_against_relu(run) -> None:
    out = run(command('-k "mlp and digits"'))
    assert re.search(r"my_act\(\d\d\.\d\d\) [~>]|[~>] my_act\(\d\d\.\d\d\)", out)
    assert len(re.findall(r"mlp-mlp-digits-my_act-(sgd|adam) .* NEW", out)) == 2
    assert re.search(r"my_act versus relu, .* in (none|1|2) of 2 blocks:", out)
    assert len(re.findall(r"mlp · digits · (?:sgd|adam) · tiny: [+-]\d+\.\d\d ± \d+\.\d\d points \(n=3\)", out)) == 2


@pytest.mark.slow
def test_it_is_contract_tested_and_timed(run) -> None:
    out = run(command("contract or kernels"))
    assert "9 passed" in out  # the contract, and the kernel at two dtypes, two sizes and two modes
    assert re.search(r"my_act +\d.*\d+\.\d\d ±\d+%", out)


@pytest.mark.slow
def test_it_is_plotted(run, tmp_path: Path) -> None:
    run(command("--plot"))
    assert "<svg" in (tmp_path / "my_act.svg").read_text()
