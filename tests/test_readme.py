"""The README's section 'Add your own activation', done as it says: its file, its commands, in its order."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def section(title: str) -> list[tuple[str, str]]:
    """Language and text of the code blocks of a section of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    body = text.split(f"## {title}\n")[1].split("\n## ")[0]
    return re.findall(r"```(\w*)\n(.*?)```", body, re.DOTALL)


BLOCKS = section("Add your own activation")
COMMANDS = [line for language, text in BLOCKS if language == "bash" for line in text.splitlines()]


@pytest.fixture
def run(tmp_path: Path):
    """Runs a command of the section beside the file that it shows; the package's own folders are where they are."""
    (own,) = (text for language, text in BLOCKS if language == "python")
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


def test_it_is_trained_ranked_and_set_beside_relu(run) -> None:
    out = run(command('-k "mlp and digits"'))
    assert re.search(r"my_act\(\d\d\.\d\d\) [~>]|[~>] my_act\(\d\d\.\d\d\)", out)
    assert len(re.findall(r"mlp-mlp-digits-my_act-(sgd|adam) .* NEW", out)) == 2
    assert re.search(r"my_act beside relu, .* in (none|1|2) of 2 blocks:", out)
    assert len(re.findall(r"mlp · digits · (?:sgd|adam) · tiny: [+-]\d+\.\d\d ± \d+\.\d\d points \(n=3\)", out)) == 2


def test_it_is_contract_tested_and_timed(run) -> None:
    out = run(command("contract or kernels"))
    assert "9 passed" in out  # the contract, and the kernel at two dtypes, two sizes and two modes
    assert re.search(r"my_act +\d.*\d+\.\d\d ±\d+%", out)


def test_it_is_plotted(run, tmp_path: Path) -> None:
    run(command("--plot"))
    assert "<svg" in (tmp_path / "my_act.svg").read_text()
