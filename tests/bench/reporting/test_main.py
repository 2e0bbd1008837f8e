"""`python -m bench`: views, claims and errors that say where it looked and what to run."""

from __future__ import annotations

import math

import pytest

from bench import __main__
from bench.cases.case import Case
from bench.records import record
from bench.reporting.page import sections, sources
from bench.reporting.views import VIEWS
from bench.timing.kernels.kernel import MODES
from bench.timing.kernels.recorded import RecordedKernel, write_kernels
from made import runs


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A working folder with records of two activations at two seeds, and no baselines."""
    for name, value in (("relu", 0.8), ("elu", 0.9)):
        case = Case("cnn", "cnn", "mnist", name, "sgd")
        for one in runs([value, value + 0.01], case=case, learning_rate=0.01, validation_size=100):
            record.save(one, tmp_path / "results")
    (tmp_path / "none").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys, *arguments, code=0):
    assert __main__.main([*arguments, "--baseline-dir", "none"]) == code
    output = capsys.readouterr()
    return output.out if code == 0 else output.err


def test_help_lists_every_view_in_one_line(capsys):
    with pytest.raises(SystemExit):
        __main__.main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    for name, view in VIEWS.items():
        assert f"  {name:12}{view.summary}" in lines
    assert any(line.startswith("  claims") for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_view_prints_its_tables(results, capsys):
    text = said(capsys, "curves")
    assert "cnn · MNIST · sgd · tiny" in text
    assert text.count("\nrelu") == text.count("\nelu") == 1


FORMS = ("gelu", "gelu_tanh")
SETTINGS = {"learning_rate": 0.01, "validation_size": 100}


@pytest.fixture
def forms(results):
    """Runs of two forms of GELU, and kernels recorded on a machine of one's own."""
    for name in FORMS:
        for one in runs([0.8, 0.9], case=Case("gelu_forms", "mlp", "mnist", name, "adam"), **SETTINGS):
            record.save(one, results / "results")
    times = [("cpu", name, "float32", "cache", mode, "mine", "2.14", 1, 10) for name in FORMS for mode in MODES]
    write_kernels(
        [RecordedKernel(*time, math.log(7.25), 0.1, 9.0, 1, "2026-11-21") for time in times], results / "mine"
    )
    return results


def test_kernels_are_those_of_the_baseline_folder_that_is_given(forms, capsys):
    assert __main__.main(["forms", "--baseline-dir", "mine"]) == 0
    assert capsys.readouterr().out.count("7.25") == 4
    assert "7.25" not in said(capsys, "forms")
    found = sources.merged([forms / "results"], forms / "mine")
    assert "7.25" in str(sections.view("forms", VIEWS["forms"], found.observations, found.recorded_kernels))


def test_axes_select_exactly(results, capsys):
    text = said(capsys, "curves", "--activation", "elu")
    assert "\nelu" in text
    assert "\nrelu" not in text


def test_claims_are_judged_by_the_records_at_hand(results, capsys):
    text = said(capsys, "claims")
    assert "tiny: MNIST" in text
    assert "no records" in text


def test_claims_are_shown_at_the_largest_scale_unless_all_are_asked_for(results, capsys):
    for name, value in (("relu", 0.8), ("elu", 0.9)):
        case = Case("cnn", "cnn", "mnist", name, "sgd")
        for one in runs([value, value + 0.01], case=case, scale="small", learning_rate=0.01, validation_size=100):
            record.save(one, results / "results")
    assert "more at smaller scales: --all" in (shown := said(capsys, "claims"))
    assert "tiny: MNIST" not in shown
    assert "tiny: MNIST" in said(capsys, "claims", "--all")


def test_a_picture_is_written_and_named(results, capsys):
    assert "wrote a.svg" in said(capsys, "curves", "--plot", "a.svg")
    assert (results / "a.svg").read_text().startswith("<?xml")


def test_without_records_it_says_where_it_looked_and_what_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = said(capsys, "claims", code=2)
    assert "results/runs" in text
    assert "none/measured" in text
    assert "pytest bench" in text
    assert len(text.splitlines()) == 1


def test_records_that_are_not_asked_for_are_named(results, capsys):
    assert "of the experiments cnn" in said(capsys, "curves", "--experiment", "mlp", code=2)
    assert "none of the 2 cases" in said(capsys, "curves", "--scale", "paper", code=2)


@pytest.mark.parametrize(
    ("option", "typed", "message"),
    [
        ("activation", "elu,eluu", "unknown activation 'eluu'"),
        ("model", "cnn,rnnn", "unknown model 'rnnn'; known: "),
        ("dataset", "mnist,minst", "unknown dataset 'minst'; known: "),
        ("optimizer", "sgd,adm", "unknown optimizer 'adm'; known: "),
        ("experiment", "cnn,cnm", "unknown experiment 'cnm'; known: "),
        ("activation", "", "--activation is empty"),
    ],
)
def test_a_name_that_is_none_is_an_error_though_others_are_known(results, capsys, option, typed, message):
    assert message in said(capsys, "curves", f"--{option}", typed, code=2)


def test_an_alias_is_the_activation(results, capsys):
    case = Case("cnn", "cnn", "mnist", "silu", "sgd")
    for one in runs([0.85, 0.86], case=case, learning_rate=0.01, validation_size=100):
        record.save(one, results / "results")
    shown = said(capsys, "curves", "--activation", "swish")
    assert "silu" in shown
    assert "relu" not in shown


@pytest.mark.parametrize(
    "line", ["curves --results-dir=", "claims --baseline-dir=", "report --to=", "curves --plot=", "accept "]
)
def test_an_option_that_a_variable_leaves_empty_is_an_error(results, capsys, line):
    with pytest.raises(SystemExit) as stopped:
        __main__.main(line.split(" "))
    assert stopped.value.code == 2
    assert "nothing is given; give something, or leave the option out" in capsys.readouterr().err


def test_home_is_home_also_behind_an_equals_sign(results, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(results))
    assert "relu" in said(capsys, "curves", "--results-dir=~/results")


def test_a_view_that_the_records_cannot_fill_says_what_it_takes(results, capsys):
    assert "it takes runs at two learning rates" in said(capsys, "rates", code=2)


def test_a_picture_that_cannot_be_written_is_an_error(results, capsys):
    assert "its suffix must be one of .png, .svg, .pdf" in said(capsys, "curves", "--plot", "a.txt", code=2)
    assert "cannot write away/a.svg: No such file" in said(capsys, "curves", "--plot", "away/a.svg", code=2)


def test_an_old_file_is_noted_and_the_others_are_shown(results, capsys):
    (results / "results" / "runs" / "old.json").write_text("{}")
    assert __main__.main(["curves", "--baseline-dir", "none"]) == 0
    assert "left out 1 files" in capsys.readouterr().err


def test_an_unknown_view_is_an_error(capsys):
    with pytest.raises(SystemExit) as stopped:
        __main__.main(["nose"])
    assert stopped.value.code == 2
    assert "--help lists what there is" in capsys.readouterr().err
