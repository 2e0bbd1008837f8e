"""`python -m bench accept` after an upgrade of torch: all may move at once, and a reviewer sees what matters."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from bench import __main__
from bench.cases.case import Case
from bench.experiments.test_mlp import EXPERIMENT as MLP
from bench.records import baseline, code, history, record
from bench.records.baseline import Baseline
from bench.records.result import Result
from made import ELSEWHERE, HERE, runs

SEEDS, SD = 10, 0.01
ACTIVATIONS = ("relu", "elu", "selu", "gelu", "silu", "mish", "tanh", "leaky_relu", "softplus", "sigmoid")
CASES = {name: Case("mlp", "mlp", "digits", name, "adam") for name in ACTIVATIONS}
VERSION = MLP.recipe(CASES["relu"], "tiny").version
DIFFERS = "first steps differ from activation 1 of 8 on, forward, step 1: rms 0.4462, recorded 0.4928; weights are as"


def draw(case, shift=0.0, generator=0, **more):
    values = (
        np.random.default_rng((generator, ACTIVATIONS.index(case.activation))).normal(0.9 + shift, SD, SEEDS).tolist()
    )
    return [replace(one, code=code.code_of("mlp")) for one in runs(values, case=case, version=VERSION, **more)]


@pytest.fixture
def upgraded(tmp_path, monkeypatch):
    """Rows recorded by torch 2.14, and a folder of runs by 2.15.

    elu leaves the same bits, selu falls by four standard deviations, gelu by three and rises elsewhere, sigmoid's first
    steps differ, softplus was never recorded; all others move within the noise.
    """
    monkeypatch.chdir(tmp_path)
    recorded = {name: draw(case, fingerprint=HERE) for name, case in CASES.items() if name != "softplus"}
    baseline.write([Baseline.of(one) for one in recorded.values()], tmp_path / "own")
    results = []
    for name, case in CASES.items():
        shift = {"selu": -4 * SD, "gelu": 3 * SD}.get(name, 0.0)
        now = draw(case, shift, generator=1, fingerprint=ELSEWHERE)
        if name == "elu":
            now = [replace(one, fingerprint=ELSEWHERE) for one in recorded["elu"]]
        verdict, reason = ("CHANGED", f"{DIFFERS} recorded") if name == "sigmoid" else ("WITHIN", "inside the band")
        for one in now:
            record.save(one, tmp_path / "results")
        results.append(Result(case, tuple(now), verdict, reason, failed=name == "sigmoid"))
    history.append(results, tmp_path / "results")
    return tmp_path


@pytest.fixture
def said(upgraded, capsys):
    def accept(*arguments):
        assert __main__.main(["accept", "results", "--baseline-dir", "own", *arguments]) == 0
        return capsys.readouterr().out

    return accept


def rows_of(text):
    return re.findall(r"^mlp-mlp-digits-(\w+)-adam  .*$", text, re.MULTILINE)


def test_what_moved_is_counted_and_a_difference_of_machines_is_told_once(said):
    text = said()
    assert "10 rows: 1 REGRESSED, 6 MOVED, 1 IMPROVED, 1 NEW, 1 SAME\n" in text
    assert "beyond the noise, at a false-alarm level of 1% for all rows: 2\n" in text
    assert text.count("torch 2.14 -> 2.15") == 1
    assert "fingerprint: torch 2.14 -> 2.15 (in 9)" in text


def test_other_first_steps_come_first_then_what_fails_then_the_largest_shift(said):
    text = said()
    assert rows_of(text)[:3] == ["sigmoid", "selu", "gelu"]
    assert "elu" not in rows_of(text)
    assert re.search(r"digits-sigmoid-adam .* CHANGED, MOVED$", text, re.MULTILINE)
    assert "first steps CHANGED in 1, shown first" in text
    assert f"mlp-mlp-digits-sigmoid-adam: {DIFFERS.partition(';')[0]}\n" in text


def test_a_shift_is_told_in_standard_deviations_between_runs(said):
    text = said()
    shifts = {name: float(shift) for name, shift in re.findall(r"digits-(\w+)-adam .* ([+-]\d+\.\d) +\w", text)}
    assert shifts["selu"] == pytest.approx(-4, abs=1)
    assert shifts["gelu"] == pytest.approx(3, abs=1)
    assert all(abs(shift) < 1.5 for name, shift in shifts.items() if name not in ("selu", "gelu"))


def test_of_a_whole_matrix_a_reviewer_reads_the_rows_that_move_most(said, monkeypatch):
    monkeypatch.setattr("bench.reporting.accepting.SHOWN", 3)
    text = said()
    assert rows_of(text) == ["sigmoid", "selu", "gelu"]
    assert "and 6 more that shift by less" in text


def test_a_dry_run_says_the_same_and_writes_nothing(said, upgraded):
    before = {path: path.read_bytes() for path in (upgraded / "own").rglob("*.csv")}
    text = said("--dry-run")
    assert "would write 10 rows to own/measured" in text
    assert {path: path.read_bytes() for path in (upgraded / "own").rglob("*.csv")} == before
    assert text.replace("would write", "wrote") == said()
    assert all(row.fingerprint == ELSEWHERE for row in baseline.read(upgraded / "own").values())
