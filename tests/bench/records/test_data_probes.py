"""Rows of data probes: written and read back, and what is wrong with one is named with file and line."""

from __future__ import annotations

import dataclasses

import pytest

from bench.records import data_probes
from bench.records.csv_rows import BaselineError
from bench.records.data_probes import FIGURES, DataKey, DataProbe

DIGITS = DataProbe(
    DataKey("digits", "9fe235ca084fd651", "range", "", "", "1200", "237", "", "none", "128"),
    {name: 0.5 + place for place, name in enumerate(FIGURES)},
)
WITHOUT_VALIDATION = DataProbe(
    DIGITS.key._replace(validation_size="0"),
    {name: value for name, value in DIGITS.figures.items() if not name.startswith("validation")},
)


def test_what_is_written_is_read_back_and_merged(tmp_path):
    assert data_probes.read(tmp_path) == {}
    data_probes.write([DIGITS], tmp_path)
    data_probes.write([WITHOUT_VALIDATION], tmp_path)
    changed = dataclasses.replace(DIGITS, figures={**DIGITS.figures, "test_labels": 9.0})
    data_probes.write([changed], tmp_path)
    assert data_probes.read(tmp_path) == {changed.key: changed, WITHOUT_VALIDATION.key: WITHOUT_VALIDATION}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda text: text.replace(",0.5,", ",half,"), "line 2: malformed row .*half"),
        (lambda text: text + text.splitlines()[1] + "\n", "line 3: a second row for digits prepared likewise"),
        (lambda text: text.replace("psi", "phi"), "line 1: the columns are not"),
    ],
)
def test_what_is_wrong_with_a_row_is_named_with_file_and_line(tmp_path, broken, said):
    data_probes.write([DIGITS], tmp_path)
    path = tmp_path / data_probes.FILE
    path.write_text(broken(path.read_text()))
    with pytest.raises(BaselineError, match=said) as error:
        data_probes.read(tmp_path)
    assert str(path) in str(error.value)
