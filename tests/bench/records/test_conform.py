"""Files of other versions, other hands and full disks: what is odd is named where it is read."""

from __future__ import annotations

import csv
import json
import math

import pytest

from bench.cases.case import Case
from bench.records import baseline, history, json_lines, probes, record
from bench.records.baseline import Baseline
from bench.records.csv_rows import BaselineError
from bench.records.record import ResultsError
from bench.records.result import Result
from bench.records.results_folder import load_records
from bench.timing.kernels import timings
from made import runs

ELU = Case("cnn", "cnn", "mnist", "elu", "sgd")


@pytest.fixture
def two_runs(tmp_path):
    for one in runs([0.5, 0.75], case=ELU):
        record.save(one, tmp_path)
    return sorted((tmp_path / "runs").iterdir())


@pytest.mark.parametrize(
    ("odd", "named"),
    [
        *(({name: None}, name) for name in ("metrics", "recipe", "curves", "fingerprint", "seed", "date", "seconds")),
        *(({name: 5}, name) for name in ("date", "digest", "device_class", "scale")),
        ({"seed": "0"}, "seed"),
        ({"outcome": "exploded"}, "outcome is 'exploded' and not Literal['diverged', 'collapsed', 'trained']"),
        ({"bytes_saved": True}, "bytes_saved"),
        ({"curves": {}}, "curves without train_loss"),
        ({"curves": {"train_loss": 0.5}}, "curves"),
        ({"metrics": {"test_loss": 1.0}}, "metrics without test_accuracy"),
        ({"metrics": {"test_accuracy": "0.9"}}, "metrics"),
        ({"recipe": {"version": 1, "metric": "test_accuracy"}}, "recipe without aggregate, learning_rate"),
    ],
)
def test_a_run_whose_file_is_odd_is_left_out_and_says_what_is(two_runs, tmp_path, odd, named):
    two_runs[0].write_text(json.dumps({**json.loads(two_runs[0].read_text()), **odd}))
    found, notes = load_records(tmp_path)
    assert [one.seed for one in found] == [1]
    assert named in notes[0]
    assert two_runs[0].name in notes[0]


def test_what_is_not_finite_comes_back_as_nan_wherever_it_stands(two_runs, tmp_path):
    exploded = {"functions": {"place0": [[0.5, None]]}, "metrics": {"test_accuracy": None}}
    two_runs[0].write_text(json.dumps({**json.loads(two_runs[0].read_text()), **exploded}))
    (one, _), notes = load_records(tmp_path)
    assert math.isnan(one.functions["place0"][0][1])
    assert math.isnan(one.value)
    assert not notes


@pytest.mark.parametrize(
    ("odd", "named"),
    [
        *(({name: None}, name) for name in ("date", "commit", "reason", "message")),
        ({"environment": ["tiny"]}, "environment"),
        ({"verdict": "FINE"}, "unknown verdict 'FINE'; known: DIVERGED, COLLAPSED"),
        ({"values": ["a", "b"]}, "values"),
        ({"seeds": [0]}, "there are 1 seeds, 2 values"),
        ({"outcomes": ["trained", "exploded"]}, "outcomes"),
    ],
)
def test_an_odd_line_of_the_history_is_named(tmp_path, odd, named):
    history.append([Result(ELU, tuple(runs([0.5, 0.75], case=ELU)), "SAME", "", failed=False)], tmp_path)
    file = tmp_path / history.FILE
    file.write_text(json.dumps({**json.loads(file.read_text()), **odd}) + "\n")
    with pytest.raises(ResultsError) as raised:
        history.read(tmp_path)
    assert f"{file}, line 1 is not a history entry" in str(raised.value)
    assert named in str(raised.value)


def test_a_mark_that_an_editor_puts_in_front_costs_no_line(tmp_path, two_runs):
    history.append([Result(ELU, tuple(runs([0.5], case=ELU)), "SAME", "", failed=False)], tmp_path)
    for file in (tmp_path / history.FILE, *two_runs):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert len(history.read(tmp_path)) == 1
    assert not json_lines.half_lines(tmp_path / history.FILE)
    assert len(load_records(tmp_path)[0]) == 2


def test_an_odd_timing_is_named(tmp_path):
    measurement = {"kernel": {"activation": "relu", "dtype": "float32", "size": "cached", "mode": "forward"}}
    (tmp_path / timings.FILE).write_text(json.dumps({"measurement": measurement, "verdict": "SAME"}) + "\n")
    with pytest.raises(ResultsError, match="line 1 is not a timing"):
        timings.read_timings(tmp_path)


@pytest.mark.parametrize(
    ("odd", "named"),
    [
        ({"metrics": "[]"}, "metrics is [] and not"),
        ({"metrics": '{"test_loss": [1.0]}'}, "metrics has 1 entries of test_loss, n says 2"),
        ({"metrics": '{"test_loss": [null, 1.0]}'}, "metrics"),
        ({"fingerprint": "null"}, "fingerprint is None and not"),
        ({"seeds": "0 0"}, "a seed stands there twice: 0 0"),
    ],
)
def test_an_odd_row_is_named_with_file_and_line(tmp_path, odd, named):
    baseline.write([Baseline.of(runs([0.5, 0.75], case=ELU))], tmp_path)
    with pytest.raises(BaselineError) as raised:
        baseline.read(_changed(tmp_path / "measured" / "cnn.tiny.cpu.csv", odd).parents[1])
    assert "line 2: malformed row" in str(raised.value)
    assert named in str(raised.value)


@pytest.mark.parametrize(
    ("odd", "named"),
    [({"num_sites": "3"}, "sites has"), ({"sites": ""}, "sites has 0 entries"), ({"gradients": ""}, "no gradients")],
)
def test_odd_first_steps_are_named_with_file_and_line(tmp_path, odd, named):
    known = next(iter(probes.read(baseline.FOLDER).values()))
    probes.write([known], tmp_path)
    with pytest.raises(BaselineError) as raised:
        probes.read(_changed(probes.probes_file(known.key, tmp_path), odd).parents[1])
    assert "line 2: malformed row" in str(raised.value)
    assert named in str(raised.value)


def _changed(path, columns):
    """A file whose one row has other values in some columns."""
    with path.open(newline="") as file:
        (row,) = csv.DictReader(file)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow({**row, **columns})
    return path
