"""The files of a session: each reads back as what was found, and two sessions in one folder do what the help says."""

from __future__ import annotations

import dataclasses
import json
import math

import pandas as pd
import pytest

import activations
from bench import data
from bench.cases.case import AXES, Case
from bench.records import record, results_folder, sharing
from bench.records.result import Result
from bench.reporting.files import latex, session_files
from bench.reporting.files.findings import Findings
from bench.session.commands import Commands
from made import ranked, runs

ODD = {"test_loss": math.inf, "validation_loss": math.nan, "test_accuracy": 0.1 + 0.2}
RELU = Case("cnn", "wrn_40_4", "cifar10", "relu", "sgd", "lr0.01")


def found(*results: Result, reported=None) -> Findings:
    return Findings(Commands("tiny"), results=results, ranked=ranked(*results, reported=reported))


def of(case: Case, *values: float, verdict: str = "SAME", **settings) -> Result:
    return Result(case, tuple(runs(values, case=case, **settings)), verdict, "as recorded", failed=False)


@pytest.fixture
def written(tmp_path):
    """A block of two activations, one run with values that are not finite; and the folder of its files."""
    odd, *others = runs([0.5, 0.6], case=dataclasses.replace(RELU, activation="elu"))
    odd = dataclasses.replace(odd, metrics={**odd.metrics, **ODD}, curves={"train_loss": [1.0, math.nan, math.inf]})
    findings = found(of(RELU, 0.7, 0.8), Result(odd.case, (odd, *others), "NEW", "nothing recorded", failed=False))
    session_files.write(findings, tmp_path)
    return findings, tmp_path


def test_every_file_is_there_whole_and_nothing_else(written):
    _, folder = written
    assert {path.name for path in folder.iterdir()} == {*session_files.FILES, sharing.LOCK}
    assert all((folder / name).stat().st_size for name in session_files.FILES)


@pytest.mark.parametrize("name", session_files.FILES)
def test_every_file_is_described_with_its_columns(name, written):
    _, folder = written
    says = session_files.__doc__.split(f"\n{name} ")[1].split("\n\n")[0]
    if name in ("ranking.csv", "records.parquet"):
        read = pd.read_csv if name.endswith("csv") else pd.read_parquet
        columns = set(read(folder / name).columns) - set(AXES) - {"test_accuracy", "validation_loss"}
        # metrics and curves
        own = columns if name != "records.parquet" else columns - {"test_loss", "epochs_to_stop", "train_loss_by_epoch"}
        assert [column for column in sorted(own) if column not in says] == []


def test_a_run_is_a_row_whose_values_come_back_to_the_last_bit(written):
    findings, folder = written
    frame = pd.read_parquet(folder / "records.parquet")
    assert len(frame) == len(findings.records) == 4
    for row, one in zip(frame.to_dict("records"), findings.records, strict=True):
        assert {axis: row[axis] for axis in AXES} == one.case.fields
        assert (row["scale"], row["seed"], row["digest"]) == (one.scale, one.seed, one.digest)
        assert json.loads(row["recipe"]) == one.recipe
        for name, value in one.metrics.items():
            assert row[name] == value or (math.isnan(row[name]) and math.isnan(value))
    assert list(frame.verdict) == ["SAME", "SAME", "NEW", "NEW"]
    assert frame.peak_bytes.isna().all()


def test_what_is_not_finite_comes_back_from_parquet(written):
    _, folder = written
    frame = pd.read_parquet(folder / "records.parquet").query("activation == 'elu' and seed == 0")
    assert frame.test_loss.tolist() == [math.inf]
    assert frame.validation_loss.isna().all()
    (curve,) = frame.train_loss_by_epoch
    assert (curve[0], math.isnan(curve[1]), curve[2]) == (1.0, True, math.inf)


def test_a_run_has_its_own_curves_and_others_none(tmp_path):
    one, other = of(RELU, 0.5).records[0], dataclasses.replace(RELU, activation="elu")
    bare = dataclasses.replace(one, case=other, curves={})
    session_files.write(found(of(RELU, 0.5), Result(other, (bare,), "SAME", "as recorded", failed=False)), tmp_path)
    relu, elu = pd.read_parquet(tmp_path / "records.parquet").train_loss_by_epoch
    assert (list(relu), elu) == (one.curves["train_loss"], None)


def test_the_ranking_is_a_row_an_activation(written):
    _, folder = written
    table = pd.read_csv(folder / "ranking.csv", keep_default_na=True)
    assert table.activation.tolist() == ["relu", "elu"]
    assert table.half_width.notna().all()


def test_what_is_not_finite_is_ranked_as_that(tmp_path):
    session_files.write(found(of(RELU, math.inf, math.inf, metric="test_loss")), tmp_path)
    assert pd.read_csv(tmp_path / "ranking.csv").figure.tolist() == [math.inf]


def test_a_latex_table_has_the_ranking_with_its_ties_and_what_is_reported():
    cases = [dataclasses.replace(RELU, activation=name) for name in ("relu", "elu", "sigmoid")]
    best, tied = of(cases[0], 0.71, 0.70, 0.72), of(cases[1], 0.70, 0.71, 0.72)
    worst = of(cases[2], 0.1, 0.11, 0.12, outcome="collapsed")
    text = latex.render(found(best, tied, worst))
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == text.count(r"\end{table}") == 1
    assert r"wrn\_40\_4" in text
    assert r"test accuracy \%" in text
    assert r"1--2 & \textbf{ReLU} & 71.00 $\pm$ " in text
    assert r"1--2 & \textbf{ELU} & " in text
    assert "3 & Sigmoid & 11.00 $\\pm$ 2.48 & 3 (3 collapsed) \\\\" in text


def test_whatever_we_name_latex_can_set():
    names = [activations.info(name).label for name in activations.names()]
    labels = [label for info in data.DATASETS.values() for label in (info.label, *info.copies.values())]
    assert [text for text in (*names, *labels) if not latex.escape_latex(text).isascii()] == []
    assert latex.escape_latex(r"50 % & a_b {~^} \ #$") == (
        r"50 \% \& a\_b \{\textasciitilde{}\textasciicircum{}\} \textbackslash{} \#\$"
    )


def test_a_second_session_replaces_the_tables_keeps_the_runs_and_adds_to_the_history(micro):
    session = ["--baseline=ignore", "--seeds", "1", "-k"]
    micro.runpytest_inprocess(*session, "digits and elu and sgd").assert_outcomes(passed=1)
    micro.runpytest_inprocess(*session, "digits and relu and sgd").assert_outcomes(passed=1)
    folder = micro.path / "results"
    assert pd.read_csv(folder / "ranking.csv").activation.tolist() == ["relu"]
    assert set(pd.read_parquet(folder / "records.parquet").activation) == {"relu"}
    assert {one.case.activation for one in results_folder.read_records(folder)[0]} == {"elu", "relu"}
    assert len((folder / "history.jsonl").read_text().splitlines()) == 2


def test_the_records_of_all_shares_together_are_those_of_one_session(micro):
    whole = ["--baseline=ignore", "-k", "digits", "--results-dir"]
    micro.runpytest_inprocess(*whole, "whole").assert_outcomes(passed=12)
    for place in (1, 2, 3):
        micro.runpytest_inprocess(*whole, "merged", "--shard", f"{place}/3")
    alone, merged = (results_folder.read_records(micro.path / folder)[0] for folder in ("whole", "merged"))
    assert [record.path_of(one.key, one.seed, micro.path) for one in merged] == [
        record.path_of(one.key, one.seed, micro.path) for one in alone
    ]
    assert [one.digest for one in merged] == [one.digest for one in alone]
    assert len((micro.path / "merged" / "history.jsonl").read_text().splitlines()) == 12
