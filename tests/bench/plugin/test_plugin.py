"""The plugin through its public door: what a session prints, writes, survives and refuses."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from bench.records import baseline
from bench.records.csv_rows import BaselineError
from written import records_in

ONE_CASE = ["-k", "digits and elu and sgd"]
TWO_CASES = ["-k", "digits and elu"]
UNJUDGED = ["--baseline=ignore"]


def test_a_session_prints_one_line_a_case_and_the_ranking_and_writes_them(micro):
    result = micro.runpytest_inprocess("-k", "digits", "--seeds", "2")
    result.assert_outcomes(passed=12)
    result.stdout.re_match_lines(
        [
            r" +1/12  micro-mlp-digits-relu-sgd  0\.\d{4} ± 0\.\d{4} \(n=2.*\)  NEW  .* s",
            r"micro · mlp · digits · sgd · tiny",
            r"rank +ties +activation +test accuracy % +n .*verdict",
            r"\w+\(\d+\.\d+\) [>~] .*",
            r"mean rank over 2 blocks: .*",
            r"agreement between them: Kendall's W = 0\.\d\d.*",
            r"12 cases, 24 runs: 12 NEW",
            r"written to .*results: summary\.md, ranking\.csv, .*, records\.parquet, history\.jsonl",
        ],
        consecutive=False,
    )
    folder = micro.path / "results"
    assert len(records_in(folder)) == 24
    assert len(pd.read_csv(folder / "ranking.csv")) == 12
    assert "| rank" in (folder / "summary.md").read_text()
    runs = pd.read_parquet(folder / "records.parquet")
    curves = {"train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "validation_top3_accuracy"}
    assert {column.removesuffix("_by_epoch") for column in runs if column.endswith("_by_epoch")} == curves
    assert {len(values) for name in curves for values in runs[f"{name}_by_epoch"]} == {1}
    assert len(runs) == 24


def test_a_session_that_draws_nothing_loads_nothing_that_draws(micro, monkeypatch):
    for name in ("matplotlib", "seaborn", "scikit_posthocs"):
        monkeypatch.setitem(sys.modules, name, None)  # importing it is an ImportError
    result = micro.runpytest_inprocess(*TWO_CASES, *UNJUDGED, "--seeds", "2")
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["rank *ties *activation*"])


@pytest.mark.parametrize("stopping", [[], ["-x"]])
def test_a_case_that_never_reports_turns_a_green_session_red(micro, stopping):
    micro.makeconftest(
        """
        pytest_plugins = ["bench.plugin"]

        def pytest_runtest_protocol(item):
            return True if "adam" in item.name else None  # as if it had run
        """
    )
    result = micro.runpytest_inprocess(*TWO_CASES, *UNJUDGED, *stopping)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*1 of 2 selected tests did not report: *micro-mlp-digits-elu-adam*", "*--resume*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.fresh_process  # one to kill, and one with a terminal of its own
def test_resuming_on_a_terminal_after_a_kill_shows_and_finishes_the_rest_and_doubles_nothing(micro):
    command = [sys.executable, "-m", "pytest", "-k", "digits", "--seeds", "3", *UNJUDGED]
    runs = micro.path / "results" / "runs"
    killed = subprocess.Popen(command, cwd=micro.path, stdout=subprocess.DEVNULL, start_new_session=True)
    while len(list(runs.glob("*.json"))) < 5:
        time.sleep(0.01)
        assert killed.poll() is None, "the session ended before it could be killed"
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    before = {path: path.stat().st_mtime_ns for path in runs.glob("*.json")}
    assert 5 <= len(before) < 36
    resumed = micro.spawn_pytest(" ".join(["-k", "digits", "--seeds", "3", *UNJUDGED, "--resume"]), expect_timeout=60)
    resumed.expect(r"1/12  micro-mlp-digits-relu-sgd")
    resumed.expect(r"micro-mlp-digits-silu-adam  seed 2  epoch 1/1  loss \d\.\d{4}  0:00:\d\d left")
    resumed.expect(r"12/12  micro-mlp-digits-silu-adam")
    resumed.expect("12 passed")
    resumed.wait()
    assert {path: path.stat().st_mtime_ns for path in before} == before
    keys = [(one["case"]["activation"], one["case"]["optimizer"], one["seed"]) for one in records_in(runs.parent)]
    assert len(keys) == len(set(keys)) == len(list(runs.glob("*.json"))) == 36


def test_resume_trains_anew_what_another_recipe_version_left(micro):
    micro.runpytest_inprocess(*ONE_CASE, *UNJUDGED)
    (path,) = (micro.path / "results" / "runs").glob("*.json")
    stale = {**json.loads(path.read_text()), "digest": "stale"}
    stale["recipe"]["version"] = 0
    path.write_text(json.dumps(stale))
    micro.runpytest_inprocess(*ONE_CASE, *UNJUDGED, "--resume").assert_outcomes(passed=1)
    assert json.loads(path.read_text())["digest"] != "stale"


def test_a_results_folder_that_cannot_be_written_fails_without_losing_the_number(micro):
    micro.mkdir("results")
    (micro.path / "results" / "runs").write_text("not a folder")
    result = micro.runpytest_inprocess(*ONE_CASE, *UNJUDGED)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*1/1  micro-mlp-digits-elu-sgd  0.*",
            "*cannot write *results/runs/*; make room there or give another place*",
            "*not lost: micro-mlp-digits-elu-sgd  0.*",
        ]
    )


@pytest.mark.parametrize("option", ["--results-dir", "--report", "--tensorboard", "--baseline-dir"])
def test_a_place_that_is_no_folder_is_refused_before_anything_is_trained(micro, option):
    (micro.path / "file").write_text("not a folder")
    result = micro.runpytest_inprocess(*ONE_CASE, "--record", option, "file/below")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{option} *file/below: *file is no folder; give another place"])
    assert not (micro.path / "results").exists()


def test_a_link_that_leads_nowhere_is_refused_before_anything_is_trained(micro):
    (micro.path / "moved").symlink_to("unmounted")
    result = micro.runpytest_inprocess(*ONE_CASE, "--results-dir", "moved/results")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--results-dir *: */moved is a link to unmounted, which is not there; give another *"]
    )


@pytest.mark.parametrize(
    "option", ["results-dir", "report", "baseline-dir", "tensorboard", "data-dir", "timit", "bert", "shard"]
)
def test_an_option_that_a_variable_leaves_empty_is_refused(micro, option):
    result = micro.runpytest_inprocess(*ONE_CASE, f"--{option}=")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--{option}*: nothing is given; give something, or leave the option out"])


def test_a_folder_inside_a_baseline_folder_is_no_baseline_folder(micro):
    micro.runpytest_inprocess(*ONE_CASE, "--record", "--seeds", "2", "--baseline-dir", "own").assert_outcomes(passed=1)
    for inside in ("measured", "probes"):
        result = micro.runpytest_inprocess(*ONE_CASE, "--baseline-dir", f"own/{inside}")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(
            [f"*own/{inside} holds the rows of one kind alone; give the folder that it lies in"]
        )


@pytest.mark.parametrize("error", [BaselineError("rows.csv, line 2"), OSError("rows.csv"), KeyError("rows.csv")])
def test_whatever_becomes_of_the_baselines_the_results_are_written(micro, monkeypatch, error):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(baseline, "write", fail)
    result = micro.runpytest_inprocess(*ONE_CASE, "--record", "--seeds", "2", "--baseline-dir", "own")
    assert result.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERNAL_ERROR)
    assert "rows.csv" in result.stdout.str() + result.stderr.str()
    assert (micro.path / "results" / "history.jsonl").is_file()


def test_names_of_files_that_are_in_no_encoding_are_names(micro):
    name = os.fsdecode(b"caf\xe9")
    (micro.path / f"{name}.py").write_text("import torch\n\nmine = torch.nn.ELU\n")
    places = ["--results-dir", name, "--report", f"{name}/page", "--activation", f"{name}.py:mine"]
    result = micro.runpytest_inprocess("-k", "digits and mine and sgd", "--baseline=require", *places)
    result.assert_outcomes(failed=1)
    assert os.fsencode(name) in (micro.path / name / "summary.md").read_bytes()
    assert (micro.path / name / "page" / "index.html").is_file()


def test_what_cannot_be_written_does_not_take_the_baselines_with_it(micro):
    micro.mkdir("results")
    (micro.path / "results" / "history.jsonl").mkdir()
    result = micro.runpytest_inprocess(
        *ONE_CASE, "--record", "--seeds", "2", "--baseline-dir", "own", "--report", "page"
    )
    result.stdout.fnmatch_lines(["*cannot write *history.jsonl*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert [path.name for path in (micro.path / "own" / "measured").iterdir()] == ["micro.tiny.cpu.csv"]
    assert (micro.path / "page" / "index.html").is_file()


def test_resume_trains_an_activation_of_ones_own_anew_when_its_file_has_changed(micro):
    def accuracy(body):
        (micro.path / "mine.py").write_text(f"def mine(x):\n    return {body}\n")
        micro.runpytest_inprocess(
            "--activation", "mine.py:mine", "-k", "mine and digits and sgd", "--seeds", "1", "--resume"
        ).assert_outcomes(passed=1)
        (one,) = records_in(micro.path / "results")
        return one["metrics"]["test_accuracy"]

    assert accuracy("x.relu()") == accuracy("x.relu()") != accuracy("0 * x")


def test_a_full_disk_fails_without_losing_the_number(micro, monkeypatch):
    real = Path.write_bytes

    def full(path, *args):
        if "results" in str(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, *args)

    monkeypatch.setattr(Path, "write_bytes", full)
    result = micro.runpytest_inprocess(*ONE_CASE, *UNJUDGED)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*cannot write *: No space left on device; make room there*", "*not lost: micro-mlp-digits-elu-sgd  0.*"]
    )


def test_data_that_cannot_be_had_fails_and_says_how_to_get_it(micro):
    empty = micro.mkdir("empty")
    result = micro.runpytest_inprocess("-k", "mnist and elu and sgd", "--data-dir", str(empty))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*MNIST is not in *empty/ylecun/mnist*--data-dir DIR (or ACTBENCH_DATA)*"])
    assert "Traceback" not in result.stdout.str()


def test_a_record_that_is_no_record_is_named(micro):
    micro.runpytest_inprocess(*ONE_CASE, *UNJUDGED)
    (path,) = (micro.path / "results" / "runs").glob("*.json")
    path.write_text("{}")
    result = micro.runpytest_inprocess(*ONE_CASE, *UNJUDGED, "--resume")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*{path.name} is not a record*delete it and run again*"])


def test_recording_shows_old_and_new_and_a_rerun_is_the_same(micro):
    own = ["--baseline-dir", "own_baselines"]
    first = micro.runpytest_inprocess(*ONE_CASE, *own, "--record")
    first.stdout.fnmatch_lines(["*1 RECORDED*", "case*old*new*difference", "micro-mlp-digits-elu-sgd*–*(n=2, * new"])
    (path,) = (micro.path / "own_baselines" / "measured").glob("*")
    assert path.name == "micro.tiny.cpu.csv"
    again = micro.runpytest_inprocess(*ONE_CASE, *own, "--record")
    again.stdout.fnmatch_lines(["*micro-mlp-digits-elu-sgd*the same bits"])
    judged = micro.runpytest_inprocess(*ONE_CASE, *own, "--baseline=require", "--strict")
    judged.assert_outcomes(passed=1)
    judged.stdout.fnmatch_lines(["*1 case, 1 run: 1 SAME"])


def test_without_a_baseline_a_case_is_new_and_fails_where_one_is_required(micro):
    own, folder = ["--baseline-dir", "own_baselines"], micro.path / "own_baselines"
    passing = micro.runpytest_inprocess(*ONE_CASE, *own)
    passing.assert_outcomes(passed=1)
    passing.stdout.fnmatch_lines(["NEW micro-mlp-digits-elu-sgd: no baseline of this case*none is recorded*"])
    failing = micro.runpytest_inprocess(*ONE_CASE, *own, "--baseline=require")
    failing.assert_outcomes(failed=1)
    failing.stdout.fnmatch_lines(
        [
            "*NEW micro-mlp-digits-elu-sgd at tiny: no probe of this case*no baseline of this case*",
            "test_accuracy by seed: 0: 0.*",
            f"re-record: pytest -k micro-mlp-digits-elu-sgd --scale tiny --baseline-dir {folder} --record",
            "NEW *::*micro-mlp-digits-elu-sgd* - *",
        ]
    )


def test_a_malformed_baseline_row_is_named_with_file_and_line(micro):
    own = ["--baseline-dir", "own_baselines"]
    micro.runpytest_inprocess(*TWO_CASES, *own, "--record")
    (path,) = (micro.path / "own_baselines" / "measured").glob("*")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], lines[2].replace("test_accuracy,2", "test_accuracy,7")]))
    result = micro.runpytest_inprocess(*TWO_CASES, *own)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*micro.tiny.cpu.csv, line 3: malformed row (seeds has 2 entries, n says 7)*"])


def test_an_activation_of_ones_own_is_trained_and_ranked_beside_the_listed_ones(micro):
    micro.makepyfile(mine="import torch\n\ndef soft(x):\n    return torch.nn.functional.softplus(x) - 0.5\n")
    result = micro.runpytest_inprocess("--activation", "mine.py:soft", "-k", "digits and sgd")
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines(["*7/7  micro-mlp-digits-soft-sgd  0.*  NEW *", "*soft(*"])


def test_an_activation_that_changes_the_shape_is_named_without_a_traceback_from_torch(micro):
    micro.makepyfile(mine="def half(x):\n    return x[:, :2]\n")
    result = micro.runpytest_inprocess("--activation", "mine.py:half", *["-k", "digits and sgd and half"])
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*'mine.py:half' returned shape (*, 2) for an input of shape (*, 128)*"])
    assert "Traceback" not in result.stdout.str()


def test_kernels_are_timed_recorded_and_judged_through_the_plugin(micro, request, monkeypatch):
    kernels = [
        str(request.config.rootpath / "bench" / "timing" / "test_kernels.py"),
        "-k",
        "elu and float32 and cache and forward",
    ]
    own = ["--baseline-dir", str(micro.path / "own_baselines"), "--rootdir", str(request.config.rootpath)]
    new = micro.runpytest_inprocess(*kernels, *own, "--baseline=require")
    new.assert_outcomes(failed=1)
    new.stdout.fnmatch_lines(["*NEW: elu-float32-cache-forward: * x relu*", "*record: *--record"])
    recorded = micro.runpytest_inprocess(*kernels, *own, "--record")
    recorded.assert_outcomes(passed=1)
    recorded.stdout.fnmatch_lines(["activation * x relu * x copy *", "elu *", "recorded 1 kernels in *own_baselines"])
    path = micro.path / "own_baselines" / "measured" / "kernels.cpu.csv"
    with path.open(newline="") as file:
        (row,) = csv.DictReader(file)
    row["mean_log_ratio_relu"] = (
        float(row["mean_log_ratio_relu"]) - 9
    )  # as if it had been thousands of times as fast once
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, row)
        table.writeheader()
        table.writerow(row)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    slower = micro.runpytest_inprocess(*kernels, *own)
    slower.assert_outcomes(failed=1)
    slower.stdout.fnmatch_lines(["*REGRESSED: elu-float32-cache-forward*"])
    (said,) = (line for line in slower.outlines if line.startswith("::"))
    assert said.startswith("::error file=activations/_catalogue/exponentials.py,line=")
    assert ",title=REGRESSED elu-float32-cache-forward::REGRESSED: elu-float32-cache-forward: " in said


def test_timings_are_handed_how_many_there_are(micro):
    micro.makepyfile(test_time="def test_time(timing):\n    assert timing.cases == 1\n")
    micro.runpytest_inprocess("test_time.py").assert_outcomes(passed=1)


def test_a_bare_pytest_runs_the_tests_and_never_the_matrix(pytester, monkeypatch, request):
    considered = []

    class Watch:
        @pytest.hookimpl(wrapper=True)
        def pytest_collect_file(self, file_path):
            yield
            considered.append(file_path.relative_to(request.config.rootpath))
            return []  # and nothing of it is imported

    monkeypatch.chdir(request.config.rootpath)
    pytester.inline_run("--collect-only", plugins=[Watch()])
    modules = [path for path in considered if path.match("test_*.py")]
    assert Path(__file__).relative_to(request.config.rootpath) in modules
    assert {path.parts[0] for path in modules} == {"tests"}
