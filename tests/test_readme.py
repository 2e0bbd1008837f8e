"""READMEs and CI.md: what they show is done as it stands, what they link to is there, what they count is so many."""

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


PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "activations/README.md", "models/README.md", "bench/README.md", ".github/CI.md")
}


def section(title: str) -> list[tuple[str, str]]:
    """Language and text of the code blocks of a section of the README."""
    body = PAGES["README.md"].split(f"## {title}\n")[1].split("\n## ")[0]
    return re.findall(r"```(\w*)\n(.*?)```", body, re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_into_the_repository_leads_somewhere(page: str) -> None:
    found = re.findall(r"\]\(([^)]+)\)|src=\"([^\"]+)\"", PAGES[page])
    links = [link.partition("#") for pair in found for link in pair if link and not link.startswith("http")]
    assert [path for path, _, _ in links if path and not ((ROOT / page).parent / path).exists()] == []
    for path, _, heading in links:
        if heading:
            text = ((ROOT / page).parent / path).read_text(encoding="utf-8") if path else PAGES[page]
            assert heading in {title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.*)", text, re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES)
def test_every_view_option_and_experiment_that_is_shown_exists(page: str) -> None:
    commands = re.findall(r"^(?:pytest|python -m bench)\b.*", PAGES[page], re.MULTILINE)
    views = {words[3] for line in commands if len(words := line.split()) > 3 and line.startswith("python -m bench ")}
    assert views <= {"--help", *command_line.COMMANDS, *VIEWS}
    known = {
        name for path in (ROOT / "bench").glob("**/*.py") for name in re.findall(r'"(--[a-z-]+)', path.read_text())
    }
    known |= {f"--{axis}" for axis in selection.SELECTABLE}
    ours = known | {"--collect-only", "--strict", "--junitxml", "--help"}
    assert {word for line in commands for word in re.findall(r"(?<= )--[a-z-]+", line)} <= ours


def test_what_is_counted_is_so_many() -> None:
    assert f"{len(activations.names())} functions" in PAGES["README.md"]
    assert PAGES["activations/README.md"].count(f"\n{len(activations.names())} functions") == 1
    assert f"{len(models.names())} networks" in PAGES["README.md"]
    assert f"names {len(models.names())} networks" in PAGES["models/README.md"]
    assert f"{len(experiments.names())} experiments" in PAGES["README.md"]
    assert [name for name in experiments.names() if f"| `{name}` |" not in PAGES["bench/README.md"]] == []


SHOWN = re.findall(r"^(?:pytest|python -m bench)\b.*", "".join(PAGES.values()), re.MULTILINE)
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
