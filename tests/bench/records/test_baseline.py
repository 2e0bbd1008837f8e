"""Baseline rows: written sorted, merged by key, read back exactly, refused when malformed."""

from __future__ import annotations

import dataclasses
import math
import statistics

import pytest

from bench.cases.case import Case
from bench.records import baseline
from bench.records.baseline import Baseline
from made import runs

ELU = Case("cnn", "cnn", "mnist", "elu", "sgd")
RELU = Case("cnn", "cnn", "mnist", "relu", "sgd")
TWO = Baseline.of(runs([0.5, 0.75], case=ELU))


def with_key(row, **changes):
    return dataclasses.replace(row, key=row.key._replace(**changes))


def test_rows_come_back_exactly_as_they_were_written(tmp_path):
    odd = Baseline.of(runs([0.1 + 0.2, 1 / 3], case=RELU) + runs([float("nan")], "diverged", first_seed=2))
    baseline.write([TWO, odd], tmp_path)
    read = baseline.read(tmp_path)
    assert read[TWO.key] == TWO
    assert read[odd.key].runs.values[:2] == (0.1 + 0.2, 1 / 3)
    assert read[odd.key].runs.outcomes == ("trained", "trained", "diverged")


def test_mean_and_spread_are_of_the_trained_runs_alone():
    row = Baseline.of(runs([0.5, 0.75], case=ELU) + runs([0.1], "collapsed", first_seed=2))
    assert row.runs.mean == 0.625
    assert row.runs.sd == statistics.stdev([0.5, 0.75])
    assert math.isnan(Baseline.of(runs([0.1] * 3, "collapsed")).runs.mean)


def test_rows_are_one_a_line_and_sorted_whatever_the_order_of_writing(tmp_path):
    rows = [Baseline.of(runs([0.5, 0.75], case=case)) for case in (RELU, ELU)]
    baseline.write(rows, tmp_path / "one")
    baseline.write(rows[::-1], tmp_path / "two")
    one, two = ((tmp_path / name / "measured" / "cnn.tiny.cpu.csv").read_text() for name in ("one", "two"))
    assert one == two
    assert [line.split(",")[3] for line in one.splitlines()] == ["activation", "elu", "relu"]


def test_a_row_replaces_its_own_key_and_coexists_with_all_others(tmp_path):
    others = [
        with_key(TWO, recipe_version=2),
        with_key(TWO, data_hash="1"),
        with_key(TWO, device_class="cuda_h100"),
        with_key(TWO, scale="small"),
    ]
    baseline.write([TWO, *others], tmp_path)
    newer = Baseline.of(runs([0.25, 0.5], case=ELU))
    assert baseline.write([newer], tmp_path) == [(TWO, newer)]
    assert baseline.read(tmp_path) == {row.key: row for row in (newer, *others)}
    assert {path.name for path in (tmp_path / "measured").iterdir()} == {
        "cnn.tiny.cpu.csv",
        "cnn.tiny.cuda_h100.csv",
        "cnn.small.cpu.csv",
    }


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        (",2,2,0.625", ",3,2,0.625", "seeds has 2 entries, n says 3"),
        ("trained trained", "trained fine", "outcome fine; known: diverged, collapsed, trained"),
        ("0.5 0.75", "0.5 high", "could not convert string to float: 'high'"),
        ("0.625000", "0.700000", "mean is '0.700000', its values give '0.625000'"),
        (",tiny,1,", ",tiny,one,", "invalid literal for int"),
        (",elu,", ",e=lu,", "activation 'e=lu' of a case"),
    ],
)
def test_a_malformed_row_is_named_with_file_and_line(tmp_path, good, bad, message):
    baseline.write([TWO, Baseline.of(runs([0.5, 0.5], case=RELU))], tmp_path)
    path = tmp_path / "measured" / "cnn.tiny.cpu.csv"
    assert path.read_text().count(good) == 1 or good != "0.5 0.75"
    path.write_text(path.read_text().replace(good, bad, 1))
    with pytest.raises(baseline.BaselineError, match="malformed row") as error:
        baseline.read(tmp_path)
    assert f"{path}, line 2" in str(error.value)
    assert message in str(error.value)


def test_two_rows_of_one_key_are_refused(tmp_path):
    baseline.write([TWO], tmp_path)
    path = tmp_path / "measured" / "cnn.tiny.cpu.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[-1]]))
    with pytest.raises(baseline.BaselineError, match=r"line 3: a second row for cnn-cnn-mnist-elu-sgd"):
        baseline.read(tmp_path)


def test_other_columns_are_refused(tmp_path):
    (tmp_path / "measured").mkdir()
    (tmp_path / "measured" / "cnn.tiny.cpu.csv").write_text("a,b\n1,2\n")
    with pytest.raises(baseline.BaselineError, match=r"line 1: the columns are not"):
        baseline.read(tmp_path)
