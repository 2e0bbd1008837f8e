"""Files of a baseline folder: any device names its own, and whatever else lies there is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import experiments
from bench.cases.case import Case
from bench.experiments.test_mlp import EXPERIMENT as MLP
from bench.records import baseline, probes, quarantine, record
from bench.records.baseline import Baseline
from bench.records.csv_rows import BaselineError
from bench.timing.kernels.recorded import RecordedKernel, read_kernels, write_kernels
from made import runs

MIG = "cuda_nvidia_a100_sxm4_40gb_mig_1g.10gb"
# A file's name has 255 bytes at most, and a sign takes twelve of them at most.
DEVICES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
FIELDS = ("elu", "float32", "cache", "forward", "a machine", "2.14", 1, 10, 0.1, 0.1, 9.0, 1, "2026-11-21")


@settings(max_examples=25, deadline=None)
@given(devices=st.sets(DEVICES | st.just(MIG), min_size=1, max_size=3))
def test_rows_of_any_devices_are_read_back(tmp_path_factory, devices):
    folder = tmp_path_factory.mktemp("baselines")
    made = [replace(one, device_class=device) for device in devices for one in runs([0.5], data_hash="0")]
    rows = [Baseline.of([one]) for one in made]
    kernels = [
        RecordedKernel(device, *FIELDS[:4], f"machine {place}", *FIELDS[5:]) for place, device in enumerate(devices)
    ]
    baseline.write(rows, folder)
    write_kernels(kernels, folder)
    for one in made:
        record.save(one, folder)
    assert set(baseline.read(folder)) == {row.key for row in rows}
    assert {one.device_class for one in read_kernels(folder).values()} == devices
    assert len(list((folder / "runs").glob("*.json"))) == len(devices)
    assert all(record.load(record.path_of(one.key, one.seed, folder)) == one for one in made)


@pytest.fixture
def measured(tmp_path):
    baseline.write([Baseline.of(runs([0.5, 0.75]))], tmp_path)
    return tmp_path / "measured"


def spreadsheet(path):
    path.write_bytes("a;b\n1;\xe9\n".encode("latin-1"))


FOREIGN = {
    "scratch.csv": lambda path: path.write_text("a,b\n1,2\n"),
    "notes.tiny.cpu.csv": spreadsheet,
    "cnn.tiny.gpu.csv": lambda path: path.write_text((path.parent / "cnn.tiny.cpu.csv").read_text()),
    "folder.csv": lambda path: path.mkdir(),
    "quotes.tiny.cpu.csv": lambda path: path.write_text((path.parent / "cnn.tiny.cpu.csv").read_text() + 'a"b,"c'),
    "short.tiny.cpu.csv": lambda path: path.write_text(
        (path.parent / "cnn.tiny.cpu.csv").read_text() + "<<<<<<< ours\n"
    ),
    "empty.tiny.cpu.csv": lambda path: path.write_text(""),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_is_none_of_baselines_is_named(measured, name):
    FOREIGN[name](measured / name)
    with pytest.raises(BaselineError, match=rf"{name}.* (move|fix|re-record)"):
        baseline.read(measured.parent)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("measured/kernels.cpu.csv", read_kernels),
        (f"measured/kernels.{MIG}.csv", read_kernels),
        ("probes/mlp.tiny.csv", probes.read),
        ("quarantine.csv", quarantine.read),
    ],
)
def test_another_file_of_the_folder_that_cannot_be_read_is_named(measured, name, read):
    (measured.parent / "probes").mkdir()
    spreadsheet(measured.parent / name)
    with pytest.raises(BaselineError, match=rf"{name}.* (move|fix|re-record)"):
        read(measured.parent)


def test_a_session_reads_past_other_files_and_says_so(micro):
    folder = micro.path / "own_baselines" / "measured"
    folder.mkdir()
    write_kernels([RecordedKernel(MIG, *FIELDS)], folder.parent)
    for name in ("README.md", ".DS_Store", "._micro.tiny.cpu.csv"):
        (folder / name).write_bytes(b"\xff")
    chosen = ["-k", "digits and elu and sgd", "--baseline-dir", "own_baselines", "--collect-only"]
    found = micro.runpytest_inprocess(*chosen)
    assert found.ret == pytest.ExitCode.OK
    found.stdout.fnmatch_lines(["actbench: *own_baselines (not read: README.md)"])


def test_a_literature_that_cannot_be_read_ends_the_session_before_it_trains(micro):
    spreadsheet(micro.path / "own_baselines" / "reported.csv")
    found = micro.runpytest_inprocess("-k", "digits and elu and sgd", "--baseline-dir", "own_baselines")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines(["*reported.csv*"])


def test_an_experiment_is_not_called_as_the_files_of_kernels(tmp_path):
    with pytest.raises(ValueError, match="give yours another name"):
        experiments.register(replace(MLP, name="kernels"), tmp_path / "test_kernels.py")


def test_a_mark_that_a_spreadsheet_puts_in_front_is_read_past(measured):
    path = measured / "cnn.tiny.cpu.csv"
    path.write_text("\ufeff" + path.read_text(), encoding="utf-8")
    assert {key.case for key in baseline.read(measured.parent)} == {Case("cnn", "cnn", "mnist", "elu", "sgd")}
