"""`python -m bench bisect`: the commit at which first steps begin to differ."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bench.__main__ import main

ROOT = Path(__file__).parents[3]
ADAM = "optim.Adam(groups, lr=recipe.learning_rate"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=A. Colleague", "-c", "user.email=a@b.c", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
    )


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Of five commits, at the third of which Adam forgets faster."""
    for name in ("bench", "models", "activations"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    git(tmp_path, "init")
    optimizers = tmp_path / "bench" / "training" / "optimizers.py"
    for commit in range(1, 6):
        if commit == 3:
            text = optimizers.read_text()
            assert ADAM in text
            optimizers.write_text(text.replace(ADAM, f"{ADAM}, betas=(0.9, 0.99)"))
        (tmp_path / "notes.txt").write_text(str(commit))
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-m", "Adam forgets faster" if commit == 3 else f"notes {commit}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.fresh_process
def test_the_commit_its_author_and_what_differs_first_are_named(repository, capfd):
    assert main(["bisect", "HEAD~4", "HEAD", "-k", "mlp and digits and elu and adam"]) == 0
    commit, said = capfd.readouterr().out.splitlines()
    assert commit.split("  ")[1::2] == ["A. Colleague", "Adam forgets faster"]
    assert said.startswith(
        "CHANGED mlp-mlp-digits-elu-adam at tiny: first steps differ from the update of the parameters on, step 2"
    )
    assert not (repository / ".git" / "worktrees").exists()


@pytest.mark.fresh_process
def test_a_commit_that_is_none_is_named(tmp_path, monkeypatch, capsys):
    git(tmp_path, "init")
    monkeypatch.chdir(tmp_path)
    assert main(["bisect", "v1.0", "HEAD", "-k", "mlp"]) == 2
    assert "git rev-parse --verify: fatal: Needed a single revision" in capsys.readouterr().err
