"""Rows of probes: written and read back, and what is wrong with one is named with file and line."""

from __future__ import annotations

import dataclasses

import pytest

from bench.cases.case import Case
from bench.records import probes
from bench.records.baseline import BaselineError
from bench.records.probes import Probe, ProbeKey

CASE = Case("mlp", "mlp", "digits", "elu", "adam")


def made(case=CASE, version=1, scale="tiny", **series) -> Probe:
    return Probe(
        key=ProbeKey(case, scale, version),
        recipe={"epochs": 15, "preprocessing": "range"},
        series={
            "weights": (0.1,),
            "inputs": (1 / 3,),
            "sites": (0.25, 0.5),
            "output": (1.5,),
            "losses": (2.3, 2.2, 2.1, 2.0),
            "gradients": (1e-9, 3e-7),
            "updates": (1e-3,) * 4,
            "rates": (1e-3,),
            "bytes_saved": (4096.0,),
            **series,
        },
        evaluation={"test_loss": 2.25, "test_accuracy": 0.125},
        num_sites=2,
        num_layers=2,
        tolerances={"losses.3": 1e-7},
        rounding={"sites": 0.25, "gradients": 12.0},
    )


@pytest.fixture
def written(tmp_path):
    probes.write([made(), made(dataclasses.replace(CASE, activation="gelu"))], tmp_path)
    return tmp_path / "probes" / "mlp.tiny.csv"


def test_what_is_written_is_read_back(written, tmp_path):
    assert probes.read(tmp_path)[made().key] == made(inputs=(float(f"{1 / 3:.15g}"),))
    assert probes.from_row(probes.to_row(made())).recipe == made().recipe


def test_rows_are_sorted_one_a_line_and_short(written):
    header, *rows = written.read_text().splitlines()
    assert header.split(",") == list(probes.COLUMNS)
    assert rows == sorted(rows)
    assert all(len(row) < 1000 for row in rows)


def test_writing_keeps_the_rows_of_other_cases_and_drops_those_of_other_versions(written, tmp_path):
    probes.write([made(version=2, weights=(0.2,))], tmp_path)
    found = probes.read(tmp_path)
    assert [(key.case.activation, key.recipe_version) for key in found] == [("elu", 2), ("gelu", 1)]


def test_a_folder_without_probes_has_none(tmp_path):
    assert probes.read(tmp_path) == {}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("0.25 0.5", "0.25 half", "could not convert string to float"),
        (",tiny,", ",small,", "not of this file"),
        ("mlp,mlp,digits,elu", "cnn,cnn,digits,elu", "not of this file"),
        (",tiny,", ",huge,", "scale 'huge'; known: tiny, small, paper"),
        (",0.1,", ",,", "no weights"),
        ("mlp,mlp,digits,gelu", "mlp,mlp,digits,elu", "a second row"),
        ("adam,,tiny", "adam,tiny", "malformed row"),
        ("test_loss=2.25", "test_loss", "malformed row"),
    ],
)
def test_what_is_wrong_with_a_row_is_named_with_file_and_line(written, tmp_path, old, new, said):
    header, *rows = written.read_text().splitlines()
    rows[1] = rows[1].replace(old, new) if old in rows[1] else rows[1]
    rows[0] = rows[0].replace(old, new) if old not in rows[1] and "second" not in said else rows[0]
    written.write_text("\n".join([header, *rows]) + "\n")
    with pytest.raises(BaselineError, match=said) as error:
        probes.read(tmp_path)
    assert f"{written}, line " in str(error.value)


def test_a_file_of_other_columns_is_refused(written, tmp_path):
    written.write_text(written.read_text().replace("weights", "masses"))
    with pytest.raises(BaselineError, match="line 1: the columns are not"):
        probes.read(tmp_path)


def test_of_many_sites_the_first_and_the_last_are_measured():
    assert probes.chosen(3) == [0, 1, 2]
    assert probes.chosen(100)[0] == 0
    assert probes.chosen(100)[-1] == 99
    assert len(set(probes.chosen(100))) == probes.MOST


@pytest.mark.parametrize("layers", [0, 1, 8, 9, 161])
def test_layers_are_grouped_without_gap_or_overlap(layers):
    found = probes.groups(layers)
    assert [place for group in found for place in range(group.start, group.stop)] == list(range(layers))
    assert len(found) <= probes.MOST
