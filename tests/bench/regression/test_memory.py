"""What a run takes of a card's memory is held to its recorded row, to 5 %, where card and kernels are the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.records import baseline
from bench.records.baseline import Baseline
from bench.regression import judge
from made import ELSEWHERE, runs

MIB = 2**20
CARD = {"device": "cuda", "device_name": "NVIDIA H100", "torch": "2.14", "cudnn": 91900}


def on_a_card(peak=100 * MIB, values=(0.9, 0.8, 0.85), **changes):
    return [
        replace(one, device_class="cuda_nvidia_h100", fingerprint=CARD, peak_bytes=peak, **changes)
        for one in runs(values)
    ]


ROW = Baseline.of(on_a_card())


def said(records, row=ROW):
    found = judge.judge(records, row, None, cases=1)
    return found.verdict, found.reason


@pytest.mark.parametrize(
    ("peak", "verdict"),
    [(100, "SAME"), (104, "SAME"), (96, "SAME"), (106, "REGRESSED"), (94, "IMPROVED"), (300, "REGRESSED")],
)
def test_a_peak_is_held_to_its_row_though_the_bits_are_the_same(peak, verdict):
    assert said(on_a_card(peak * MIB))[0] == verdict


def test_the_verdict_names_the_bytes():
    _, reason = said(on_a_card(150 * MIB))
    assert reason.startswith(
        "peak memory 157,286,400 bytes, recorded 104,857,600: +50.0%, 5% are allowed; the same bits"
    )


def test_what_is_worse_among_values_and_memory_is_the_verdict_and_both_are_told():
    row = Baseline.of(on_a_card(values=[0.9 + 0.001 * seed for seed in range(20)]))
    verdict, reason = said(on_a_card(50 * MIB, values=(0.1, 0.1, 0.1)), row)
    assert verdict == "REGRESSED"
    assert "recorded 104,857,600: -50.0%" in reason
    assert "below the band" in reason


@pytest.mark.parametrize("changed", [{"torch": "2.15"}, {"cudnn": 92000}, {"device_name": "NVIDIA H100 NVL"}])
def test_other_kernels_may_take_other_room(changed):
    now = on_a_card(300 * MIB, values=(0.9, 0.8, 0.86))
    assert said([replace(one, fingerprint=CARD | changed) for one in now])[0] == "WITHIN"


def test_norms_of_gradients_take_room_of_their_own():
    assert said(on_a_card(300 * MIB, gradients={"0": [1.0]}))[0] == "SAME"
    assert Baseline.of(on_a_card(300 * MIB, gradients={"0": [1.0]})).peak_bytes is None


def test_a_row_without_a_peak_and_a_run_on_a_cpu_are_judged_by_their_values():
    assert said(on_a_card(300 * MIB), replace(ROW, peak_bytes=None))[0] == "SAME"
    assert said(runs([0.9, 0.8]), Baseline.of(runs([0.9, 0.8])))[0] == "SAME"


def test_the_peak_of_a_row_is_the_largest_of_its_runs_and_stands_behind_it_in_files_of_cards_alone(tmp_path):
    several = [replace(one, peak_bytes=one.peak_bytes + one.seed) for one in on_a_card()]
    rows = [Baseline.of(several), Baseline.of(runs([0.5, 0.75], fingerprint=ELSEWHERE))]
    baseline.write(rows, tmp_path)
    headers = {path.name: path.read_text().splitlines()[0] for path in (tmp_path / "measured").glob("*.csv")}
    assert headers == {
        "cnn.tiny.cpu.csv": ",".join(baseline.COLUMNS),
        "cnn.tiny.cuda_nvidia_h100.csv": ",".join([*baseline.COLUMNS, "peak_bytes"]),
    }
    assert [row.peak_bytes for row in baseline.read(tmp_path).values()] == [None, 100 * MIB + 2]


def test_rows_of_cards_from_before_are_read_as_they_are_and_take_the_column_when_one_has_it(tmp_path):
    old = replace(ROW, peak_bytes=None, key=ROW.key._replace(data_hash="1"))
    baseline.write([old], tmp_path)
    (path,) = (tmp_path / "measured").glob("*.csv")
    assert path.read_text().splitlines()[0] == ",".join(baseline.COLUMNS)
    baseline.write([ROW], tmp_path)
    assert baseline.read(tmp_path) == {row.key: row for row in (ROW, old)}
