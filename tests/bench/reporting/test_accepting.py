"""`python -m bench accept`: runs of a folder become baselines, and a session that made them finds them again."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import replace

import pytest

from bench import __main__
from bench.cases.case import Case
from bench.experiments.test_mlp import EXPERIMENT as MLP
from bench.records import baseline, code, history, record
from bench.records.result import Result
from made import ELSEWHERE, one_line_error, runs

ELU, GELU = (Case("mlp", "mlp", "digits", name, "adam") for name in ("elu", "gelu"))
VERSION = MLP.recipe(ELU, "tiny").version


def saved(folder, case=ELU, values=(0.9, 0.8), failed=True, **changes):
    made = [
        replace(one, **{"code": code.code_of("mlp"), **changes})
        for one in runs(values, case=case, version=changes.pop("version", VERSION))
    ]
    for one in made:
        record.save(one, folder)
    verdict = "REGRESSED" if failed else "SAME"
    history.append([Result(case, tuple(made), verdict, "below the band", failed)], folder)


@pytest.fixture
def accept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*arguments, code=0):
        assert __main__.main(["accept", *arguments, "--baseline-dir", "own"]) == code
        return capsys.readouterr()

    return run


def values_of(folder):
    return {key.case.activation: row.runs.values for key, row in baseline.read(folder / "own").items()}


def test_old_new_and_difference_are_shown_and_written(tmp_path, accept):
    saved(tmp_path / "old", values=(0.5, 0.7))
    accept("old")
    saved(tmp_path / "results")
    said = accept("results")
    assert "rest on fewer runs" not in said.out
    assert re.search(
        r"mlp-mlp-digits-elu-adam +0.6000 \(n=2, 2 trained\) +0.8500 \(n=2, 2 trained\) +\+0.2500", said.out
    )
    assert "wrote 1 row to own/measured" in said.out
    assert values_of(tmp_path) == {"elu": (0.9, 0.8)}


def test_how_many_rows_would_rest_on_fewer_runs_is_said_of_all_of_them_and_not_of_those_shown(
    tmp_path, accept, monkeypatch
):
    monkeypatch.setattr("bench.reporting.accepting.SHOWN", 0)
    saved(tmp_path / "old", values=(0.5, 0.7, 0.6))
    saved(tmp_path / "old", GELU)
    accept("old")
    saved(tmp_path / "results")
    saved(tmp_path / "results", GELU, values=(0.91, 0.82))
    assert "1 of 2 rows rest on fewer runs than before: their bands widen" in accept("results").out


def test_the_table_is_shown_before_anything_is_written(tmp_path, accept, monkeypatch, capsys):
    saved(tmp_path / "results")
    shown = []
    monkeypatch.setattr(baseline, "write", lambda *_: shown.append(capsys.readouterr().out))
    accept("results")
    assert "0.8500 (n=2, 2 trained)" in shown[0]


def test_only_what_failed_or_is_asked_for_is_accepted(tmp_path, accept):
    saved(tmp_path / "results")
    saved(tmp_path / "results", GELU, failed=False)
    accept("results", "--only-failing")
    assert values_of(tmp_path).keys() == {"elu"}
    accept("results", "--case", GELU.id)
    assert values_of(tmp_path).keys() == {"elu", "gelu"}
    assert "nothing to accept in results" in accept("results", "--activation", "mish", code=2).err


def test_a_name_that_is_none_is_said_before_anything_is_written(tmp_path, accept):
    saved(tmp_path / "results")
    typed = f"{ELU.id},{ELU.id}x"
    said = accept("results", "--case", typed, code=2).err
    assert f"--case {ELU.id}x: there are no runs of it; did you mean {ELU.id}?" in said
    assert "unknown activation 'eluu'" in accept("results", "--activation", "elu,eluu", code=2).err
    assert not (tmp_path / "own").exists()


def test_what_is_as_recorded_is_left_as_it_is(tmp_path, accept):
    saved(tmp_path / "all", values=(0.9, 0.8, 0.7))
    accept("all")
    saved(tmp_path / "some")
    assert "wrote 0 rows to own/measured; 1 of 1 cases were as recorded" in accept("some").out
    assert values_of(tmp_path) == {"elu": (0.9, 0.8, 0.7)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "0123"}, "its runs are of other code than this; check out the commit"),
        ({"code": ""}, "its runs are of other code than this"),
        ({"version": VERSION + 1}, f"its recipe is of version {VERSION + 1}, today's is {VERSION}"),
        (
            {"case": replace(ELU, experiment="spirals")},
            "experiment 'spirals' is not known here; give its file with --load",
        ),
    ],
)
def test_runs_that_are_not_of_todays_code_and_recipe_are_left_out(tmp_path, accept, change, said):
    saved(tmp_path / "results", **change)
    assert said in accept("results", code=2).err
    assert not (tmp_path / "own").exists()


def test_a_row_is_of_one_fingerprint(tmp_path, accept):
    saved(tmp_path / "results", values=(0.9, 0.8, 0.7))
    (last,) = runs([0.6], case=ELU, first_seed=3, version=VERSION)
    there = replace(last, fingerprint=ELSEWHERE, code=code.code_of("mlp"), date="2026-11-23")
    record.save(there, tmp_path / "results")
    assert "left out 3 runs of mlp-mlp-digits-elu-adam: of another fingerprint than its latest" in accept("results").err
    assert values_of(tmp_path) == {"elu": (0.6,)}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nowhere"], "no records in nowhere/runs"), (["results", "--only-failing"], "no history.jsonl in results")],
)
def test_what_is_missing_is_named(tmp_path, accept, arguments, said):
    saved(tmp_path / "results")
    (tmp_path / "results" / history.FILE).unlink()
    assert said in accept(*arguments, code=2).err


def test_a_folder_must_be_given(capsys):
    assert "RESULTS" in one_line_error(__main__.main, "accept", capsys)


def test_what_a_failure_prints_makes_its_runs_the_baseline(micro, monkeypatch, capsys):
    monkeypatch.chdir(micro.path)
    own = ["-k", "digits and elu and sgd", "--baseline-dir", "own_baselines", "--baseline=require"]
    failing = micro.runpytest_inprocess(*own)
    failing.assert_outcomes(failed=1)
    (command,) = re.findall(r"^or accept these runs: python -m bench (.*)$", failing.stdout.str(), re.MULTILINE)
    assert (
        f"python -m bench accept results --baseline-dir {micro.path / 'own_baselines'} --only-failing"
        in (micro.path / "results" / "summary.md").read_text()
    )
    shutil.copytree("results", "artifact")  # as CI keeps it
    assert __main__.main(shlex.split(command.replace(" results ", " artifact "))) == 0
    said = capsys.readouterr().out
    probe = re.search(r"results hold no probes.*\n +pytest (.*)", said)[1]
    micro.runpytest_inprocess(*shlex.split(probe)).assert_outcomes(passed=1)
    again = micro.runpytest_inprocess(*own, "--strict")
    again.assert_outcomes(passed=1)
    again.stdout.fnmatch_lines(["*1 case, 1 run: 1 SAME"])
