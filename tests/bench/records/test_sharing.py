"""Folders that several sessions write to: nothing is lost, half a line harms nobody, a lock that stays is named."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import filelock
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import __main__
from bench.cases.case import Case
from bench.records import baseline, history, json_lines, probes, sharing
from bench.records.baseline import Baseline
from bench.records.probes import Probe, ProbeKey
from bench.records.record import ResultsError
from bench.records.result import Result
from bench.reporting.page import sources
from bench.timing.kernels import timings
from bench.timing.kernels.kernel import ACTIVATIONS, Kernel
from bench.timing.kernels.measurement import Measurement
from bench.timing.kernels.recorded import RecordedKernel, read_kernels, write_kernels
from made import runs

CASES = [Case("cnn", "cnn", "mnist", name, "sgd") for name in ACTIVATIONS]
SERIES = dict.fromkeys(("weights", "inputs", "sites", "output", "losses", "gradients", "updates", "rates"), (0.1,))


def a_baseline(case, folder):
    baseline.write([Baseline.of(runs([0.5, 0.75], case=case))], folder)


def a_probe(case, folder):
    probes.write([Probe(ProbeKey(case, "tiny", 1), {}, SERIES, {}, num_sites=1, num_layers=1)], folder)


def a_kernel(case, folder):
    fields = (
        case.activation,
        "float32",
        "cache",
        "forward",
        "a machine",
        "2.14",
        1,
        10,
        0.1,
        0.1,
        9.0,
        1,
        "2026-11-21",
    )
    write_kernels([RecordedKernel("cpu", *fields)], folder)


def a_timing(case, folder):
    kernel = Kernel(case.activation, "float32", "cache", "forward")
    measurement = Measurement(kernel, "cpu", "a machine", "2.14", 1, 10, 1e-5, 2.5, 0.01, 3.5, 8, 0)
    timings.write_timings([timings.TimedKernel(measurement, "NEW")], folder)


def a_verdict(case, folder):
    history.append([result(case)], folder)


def result(case):
    return Result(case, tuple(runs([0.5], case=case)), "SAME", "equal", failed=False)


@pytest.mark.parametrize(
    ("write", "read"),
    [
        (a_baseline, baseline.read),
        (a_probe, probes.read),
        (a_kernel, read_kernels),
        (a_timing, timings.read_timings),
        (a_verdict, history.read),
    ],
    ids=lambda one: one.__name__,
)
def test_sessions_that_write_at_once_lose_nothing(tmp_path, write, read):
    with ThreadPoolExecutor(len(CASES)) as sessions:
        list(sessions.map(lambda case: write(case, tmp_path), CASES))
    assert len(read(tmp_path)) == len(CASES)


def test_a_lock_that_another_session_keeps_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(sharing, "PATIENCE", 0.05)
    with filelock.FileLock(tmp_path / sharing.LOCK), pytest.raises(ResultsError, match=r"another session .* --resume"):
        a_baseline(CASES[0], tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"cannot write .*file/below"):
        a_verdict(CASES[0], tmp_path / "file" / "below")


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(min_value=0))
def test_half_a_line_of_a_killed_session_costs_that_line_alone(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("results")
    for case in CASES[:2]:
        a_verdict(case, folder)
    whole, killed = (folder / history.FILE).read_bytes().splitlines(keepends=True)
    part = killed[: cut % len(killed)]
    (folder / history.FILE).write_bytes(whole + part)
    a_verdict(CASES[2], folder)
    left_out = 0 < len(part) < len(killed) - 1  # without its end of line it is a line all the same
    found = [one.case for one in history.read(folder)]
    assert found == [one for one in CASES[:3] if one != CASES[1] or len(part) == len(killed) - 1]
    assert [note.endswith("half written: line 2") for note in json_lines.half_lines(folder / history.FILE)] == (
        [True] if left_out else []
    )


def test_the_history_and_the_report_say_what_is_half_written(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value in (0.5, 0.6):
        later = tuple(replace(one, date=f"2026-11-2{value:g}") for one in runs([value], case=CASES[0]))
        history.append([replace(result(CASES[0]), records=later)], tmp_path / "results")
    with (tmp_path / "results" / history.FILE).open("a") as file:
        file.write('{"date": "20')
    assert __main__.main(["history", "--all"]) == 0
    assert "half written: line 3" in capsys.readouterr().err
    a_timing(CASES[0], tmp_path / "results")
    assert any("half written: line 3" in note for note in sources.merged([tmp_path / "results"], baseline.FOLDER).notes)


def test_a_line_of_the_history_is_json_of_its_own(tmp_path):
    a_verdict(CASES[0], tmp_path)
    a_verdict(CASES[1], tmp_path)
    assert all(json.loads(line) for line in (tmp_path / history.FILE).read_text().splitlines())


def test_the_lock_is_open_to_whom_the_folder_is_shared_with(tmp_path):
    before = os.umask(0o002)
    try:
        a_baseline(CASES[0], tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / sharing.LOCK).stat().st_mode & 0o060 == 0o060
