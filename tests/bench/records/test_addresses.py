"""Baselines at an address: read once a session, written by `python -m bench accept`; and a card that has none there."""

from __future__ import annotations

import shutil
import uuid

import fsspec
import pytest

from bench import __main__
from bench.records import addresses, baseline, csv_rows
from bench.records.baseline import Baseline
from bench.records.record import ResultsError
from made import one_line_error, runs

ROW = Baseline.of(runs([0.5, 0.75]))
CASE = ("-k", "digits and elu and sgd")


@pytest.fixture
def address(monkeypatch):
    """In this process's memory, which no other process sees."""
    return f"memory://{uuid.uuid4().hex}/rows of ours"


def files_at(address):
    files, root = fsspec.url_to_fs(address)
    return {path.removeprefix(f"{root}/"): files.cat_file(path) for path in files.find(root)}


def test_a_folder_is_itself(tmp_path):
    assert addresses.local(tmp_path) == addresses.local(str(tmp_path)) == tmp_path
    assert addresses.typed(tmp_path) == str(tmp_path)
    assert not addresses.is_address(tmp_path)


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_what_is_published_is_read_again_and_only_what_is_measured_is_published(address, scheme, tmp_path):
    place = address if scheme == "memory" else (tmp_path / "rows").as_uri()
    folder = addresses.local(place)
    assert addresses.typed(folder) == place
    assert baseline.read(folder) == {}
    baseline.write([ROW], folder)
    addresses.publish(folder)
    assert files_at(place).keys() == {"measured/cnn.tiny.cpu.csv"}
    assert baseline.read(addresses.local(place)) == {ROW.key: ROW}


def test_first_steps_and_what_else_is_of_no_machine_are_the_repositorys(address):
    folder = addresses.local(address)
    for path in (*baseline.FOLDER.glob("*.csv"), *baseline.FOLDER.glob("probes/*.csv")):
        assert (folder / path.relative_to(baseline.FOLDER)).read_bytes() == path.read_bytes()
    assert csv_rows.csv_files(folder / baseline.MEASURED) == []


def test_a_file_that_nobody_changed_is_not_written(address):
    folder = addresses.local(address)
    baseline.write([ROW], folder)
    addresses.publish(folder)
    files, root = fsspec.url_to_fs(address)
    written = files.created(f"{root}/measured/cnn.tiny.cpu.csv")
    addresses.publish(addresses.local(address))
    assert files.created(f"{root}/measured/cnn.tiny.cpu.csv") == written


@pytest.mark.parametrize("place", ["nothing://like/this", "http://127.0.0.1:9/rows"])
def test_an_address_that_cannot_be_read_is_named(place):
    with pytest.raises(csv_rows.BaselineError, match=f"cannot read the baselines at {place}: .*; give another place"):
        addresses.local(place)


def test_an_address_that_cannot_be_written_is_named(address, monkeypatch):
    folder = addresses.local(address)
    baseline.write([ROW], folder)

    def refused(*arguments):
        raise PermissionError("403 Forbidden")

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "pipe_file", refused)
    with pytest.raises(ResultsError, match=f"cannot write the baselines at {address}: 403 Forbidden"):
        addresses.publish(folder)


def test_every_view_reads_an_address_and_names_one_that_it_cannot_read(address, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert "cannot read the baselines at nothing://x" in one_line_error(
        __main__.main, "aggregates --baseline-dir nothing://x", capsys
    )
    assert "no records in results/runs and" in one_line_error(
        __main__.main, f"costs --baseline-dir {address.replace(' of ours', '')}", capsys
    )


def test_a_session_on_a_card_without_rows_says_so_once_and_its_runs_become_them(micro, address, monkeypatch, capsys):
    monkeypatch.chdir(micro.path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    micro.runpytest_inprocess("-k", "digits and elu", "--probe", "--record", "--baseline-dir", "no_baselines")
    chosen = ("-k", "digits and elu", "--baseline-dir", address, "--baseline=require")
    first = micro.runpytest_inprocess(*chosen)
    assert first.ret == pytest.ExitCode.TESTS_FAILED
    first.assert_outcomes(passed=2)
    command = f"python -m bench accept results --baseline-dir '{address}'"
    first.stdout.fnmatch_lines([f"no rows of cpu at tiny in {address}: what 2 cases came to *", f"  {command}"])
    assert [line for line in first.outlines if line.startswith("::error")] == [
        line for line in first.outlines if line.startswith("::error title=actbench::no rows of cpu at tiny")
    ]
    page = (micro.path / "results" / "summary.md").read_text()
    assert page.startswith("## actbench: no rows for this device")
    assert command in page
    assert "worth a look" not in page
    assert __main__.main(["accept", "results", "--baseline-dir", address]) == 0
    assert f"wrote 2 rows to {address}/measured" in capsys.readouterr().out
    again = micro.runpytest_inprocess(*chosen, "--strict")
    again.stdout.fnmatch_lines([f"actbench: *baselines {address}*", "*2 cases, 2 runs: 2 SAME"])
    assert again.ret == pytest.ExitCode.OK


def test_where_a_card_has_rows_a_case_without_one_fails(micro, address):
    micro.runpytest_inprocess("-k", "digits and elu", "--probe", "--record", "--baseline-dir", "no_baselines")
    micro.runpytest_inprocess(*CASE, "--record", "--baseline-dir", "own_baselines")
    shutil.copytree(micro.path / "no_baselines" / "probes", micro.path / "own_baselines" / "probes", dirs_exist_ok=True)
    found = micro.runpytest_inprocess("-k", "digits and elu", "--baseline-dir", "own_baselines", "--baseline=require")
    found.assert_outcomes(passed=1, failed=1)
    assert "no rows of cpu" not in str(found.stdout)


def test_recording_into_an_address_is_refused_with_what_to_do_instead(micro, address):
    refused = micro.runpytest_inprocess(*CASE, "--record", "--baseline-dir", address)
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(
        [f"*--record writes into a folder*then: python -m bench accept results --baseline-dir '{address}'"]
    )


@pytest.mark.slow
@pytest.mark.fresh_process
def test_workers_read_what_the_session_has_fetched(micro, address):
    """An address in the memory of this process: a worker that fetched it itself would find nothing."""
    micro.runpytest_inprocess("-k", "digits and elu", "--record", "--baseline-dir", "own_baselines")
    files, root = fsspec.url_to_fs(address)
    files.put(str(micro.path / "own_baselines" / "measured"), f"{root}/measured", recursive=True)
    shutil.copytree(micro.path / "own_baselines" / "probes", micro.path / "no_baselines" / "probes")
    found = micro.runpytest_inprocess("-k", "digits and elu", "--baseline-dir", address, "--baseline=require", "-n2")
    found.stdout.fnmatch_lines(["*2 cases, 2 runs: 2 *"])
    assert "NEW" not in str(found.stdout)
