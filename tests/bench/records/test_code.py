"""Runs know what code they are of: others are not reused, not shown, not recorded, and that is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from activations._user import code_beside
from bench import __main__
from bench.cases.case import Case
from bench.records import baseline, case_runs, code, record, results_folder
from bench.reporting.page import html, sources
from conftest import MICRO
from made import runs

ELU, RELU = (Case("mlp", "mlp", "digits", name, "adam") for name in ("elu", "relu"))
LATER = "2026-11-23T00:00:00+00:00"

# How a file may import what changes, and where that lies.
IMPORTS = {
    "import helper": "helper.py",
    "from helper import *": "helper.py",
    "from helper import slope as s": "helper.py",
    "def mine(x):\n    import helper": "helper.py",
    "import importlib\nimportlib.import_module('helper')": "helper.py",
    "import parts.helper": "parts/helper.py",  # of a package without __init__.py
    "from parts import helper": "parts/helper.py",
    "from parts.helper import slope": "parts/__init__.py",
    "import other": "helper.py",  # which imports it
    "import package": "package/inner/deep.py",  # by relative imports
    "": "mine.py",
}


@pytest.mark.parametrize(("statement", "file"), IMPORTS.items())
def test_a_file_is_another_when_what_it_imports_from_beside_it_changes(tmp_path, statement, file):
    for name, text in {
        "helper.py": "slope = 1",
        "other.py": "import helper",
        "parts/helper.py": "slope = 1",
        "parts/__init__.py": "",
        "package/__init__.py": "from . import inner",
        "package/inner/__init__.py": "from .deep import slope",
        "package/inner/deep.py": "slope = 1",
        "package/unused.py": "slope = 1",
        "mine.py": statement,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    if statement == "import parts.helper":
        (tmp_path / "parts" / "__init__.py").unlink()
    before = code_beside(tmp_path / "mine.py")
    (tmp_path / "package" / "unused.py").write_text("slope = 2")
    (tmp_path / "beside.py").write_text("slope = 2")
    assert code_beside(tmp_path / "mine.py") == before
    (tmp_path / file).write_text("slope = 2")
    assert code_beside(tmp_path / "mine.py") != before


def test_a_circle_of_imports_and_what_is_no_python_are_read_all_the_same(tmp_path):
    (tmp_path / "mine.py").write_text("import helper")
    (tmp_path / "helper.py").write_text("import mine, broken")
    (tmp_path / "broken.py").write_text("def (")
    assert code_beside(tmp_path / "mine.py")


def test_the_suite_is_of_another_code_when_a_source_of_numbers_changes(tmp_path, monkeypatch):
    for folder in code.FOLDERS:
        (tmp_path / folder).mkdir(parents=True)
    source = tmp_path / code.FOLDERS[0] / "elu.py"
    source.write_bytes(b"alpha = 1\n")
    monkeypatch.setattr(code, "ROOT", tmp_path)

    def digest():
        code._suite.cache_clear()
        return code.code_of("mlp")

    try:
        before = digest()
        source.write_bytes(b"alpha = 1\r\n")
        assert digest() == before  # git writes it so on Windows
        (tmp_path / "README.md").write_text("more")
        assert digest() == before
        source.write_bytes(b"alpha = 2\n")
        assert digest() != before
    finally:
        code._suite.cache_clear()


def test_a_session_resumes_no_run_of_other_code(micro, monkeypatch):
    chosen = ["-k", "digits and elu and sgd", "--baseline=ignore"]
    (path,) = _marked(micro, chosen)
    micro.runpytest_inprocess(*chosen, "--resume")
    assert json.loads(path.read_text())["digest"] == "marked"
    monkeypatch.setattr(code, "_suite", lambda: "mended")
    micro.runpytest_inprocess(*chosen, "--resume")
    assert json.loads(path.read_text())["digest"] != "marked"


def test_a_session_resumes_no_run_that_does_not_say_of_what_code_it_is(micro):
    chosen = ["-k", "digits and elu and sgd", "--baseline=ignore"]
    (path,) = _marked(micro, chosen, code="")
    micro.runpytest_inprocess(*chosen, "--resume")
    assert json.loads(path.read_text())["digest"] != "marked"


@pytest.mark.parametrize("file", ["helper.py", "conftest.py", "test_micro.py"])
def test_an_experiment_of_ones_own_is_of_other_code_when_its_files_change(micro, file):
    micro.makepyfile(helper="", test_micro=f"import helper\n{MICRO}")
    chosen = ["-k", "digits and elu and sgd", "--baseline=ignore"]
    (path,) = _marked(micro, chosen)
    (micro.path / file).write_text((micro.path / file).read_text() + "\nmore = 1\n")
    micro.runpytest_inprocess(*chosen, "--resume")
    assert json.loads(path.read_text())["digest"] != "marked"


def test_an_activation_of_ones_own_is_trained_anew_when_what_it_imports_changes(micro):
    micro.makepyfile(mine="import helper\n\n\ndef mine(x):\n    return helper.slope * x.relu()\n")
    seen = []
    for slope in ("1.0", "1.0", "0.0"):
        micro.makepyfile(helper=f"slope = {slope}\n")
        micro.runpytest_inprocess(
            "--activation", "mine.py:mine", "-k", "mine and digits and sgd", "--baseline=ignore", "--resume"
        ).assert_outcomes(passed=1)
        (path,) = (micro.path / "results" / "runs").glob("*.json")
        seen.append(json.loads(path.read_text())["digest"])
    assert seen[0] == seen[1] != seen[2]


def test_resuming_a_recording_records_todays_code_alone(micro, monkeypatch):
    chosen = ["-k", "digits and elu and sgd", "--baseline-dir", "own_baselines", "--record", "--resume"]
    monkeypatch.setattr(code, "_suite", lambda: "broken")
    _marked(micro, chosen)
    monkeypatch.setattr(code, "_suite", lambda: "mended")
    micro.runpytest_inprocess(*chosen).assert_outcomes(passed=1)
    (row,) = baseline.read(micro.path / "own_baselines").values()
    assert "marked" not in row.runs.digests


def test_resuming_a_recording_of_which_some_runs_kept_gradients_records_what_all_have(micro):
    chosen = ["-k", "digits and elu and sgd", "--baseline-dir", "own_baselines", "--record", "--resume"]
    micro.runpytest_inprocess(*chosen, "--seeds", "1", "--gradients").assert_outcomes(passed=1)
    micro.runpytest_inprocess(*chosen, "--seeds", "2").assert_outcomes(passed=1)
    (row,) = baseline.read(micro.path / "own_baselines").values()
    assert row.runs.n == 2
    assert "test_loss" in row.metrics
    assert "vanishing_ratio" not in row.metrics


def _marked(micro, chosen, **fields) -> list[Path]:
    """The files of a session's runs, in which a digest shows whether they are trained anew."""
    micro.runpytest_inprocess(*chosen).assert_outcomes(passed=1)
    paths = sorted((micro.path / "results" / "runs").glob("*.json"))
    for path in paths:
        path.write_text(json.dumps({**json.loads(path.read_text()), "digest": "marked", **fields}))
    return paths


@pytest.fixture
def mixed(tmp_path):
    """Eleven runs of a broken optimizer, and three of the mended one with the same activation."""
    for one in [*runs([0.6] * 11, case=ELU), *runs([0.6] * 2, case=RELU)]:
        record.save(replace(one, code="broken"), tmp_path / "results")
    for one in runs([0.75] * 3, case=ELU):
        record.save(replace(one, code="mended", date=LATER), tmp_path / "results")
    return tmp_path / "results"


def test_runs_of_older_code_are_left_out_and_counted(mixed, tmp_path):
    (found,), (note,) = case_runs.gather(mixed, tmp_path)
    assert found.of("test_accuracy") == dict.fromkeys(range(3), 0.75)
    assert note.startswith("left out 10 runs of 2 cases of other code than the latest of their block, the first: mlp-")


def test_every_command_says_what_it_leaves_out(mixed, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record.save(replace(runs([0.75], case=ELU)[0], code="mended"), tmp_path / "before")
    for command in (["curves"], ["compare", "before", "results"]):
        places = ["--baseline-dir", "none"] if command == ["curves"] else []
        __main__.main([*command, *places])
        assert "left out 10 runs of 2 cases" in capsys.readouterr().err


def test_a_report_leaves_out_runs_of_older_code_whatever_folder_they_are_in(mixed, tmp_path, monkeypatch):
    for one in runs([0.1] * 20, case=ELU):
        record.save(replace(one, code="older", date="2026-11-01"), tmp_path / "other")
    found = sources.merged([mixed, tmp_path / "other"], tmp_path)
    assert [(one.n, one.aggregate("test_accuracy")) for one in found.observations] == [(3, 0.75)]
    assert [note for note in found.notes if note.startswith("left out")] == [
        (
            "left out 19 runs of 2 cases of other code than the latest of their block, the first: "
            "mlp-mlp-digits-elu-adam (17); run again what is to be shown"
        )
    ]
    monkeypatch.setattr(html, "VIEWS", {})
    assert "left out 19 runs" in html.render(found)


def test_runs_that_do_not_say_of_what_code_they_are_are_shown_and_counted(tmp_path):
    for one in runs([0.9, 0.8], case=ELU):
        record.save(replace(one, code=""), tmp_path)
    found, notes = results_folder.read_records(tmp_path)
    assert len(found) == 2
    assert notes == ["2 of 2 runs do not say what code they are of: they are of an earlier version"]


def test_a_copy_of_a_run_is_no_second_run(tmp_path):
    (one,) = runs([0.9], case=ELU)
    record.save(one, tmp_path)
    path = record.path_of(one.key, 0, tmp_path)
    path.with_name("a copy.json").write_text(path.read_text())
    assert len(results_folder.read_records(tmp_path)[0]) == 1
