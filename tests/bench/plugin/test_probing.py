"""Probes through the plugin's public door: recorded in seconds, SAME again, CHANGED where the code is another."""

from __future__ import annotations

import pytest
from torch.nn import functional

from bench.data import parts

OWN = ["--baseline-dir", "own_baselines"]
ONE_CASE = ["-k", "digits and elu and sgd", *OWN]
PROBE = [*ONE_CASE, "--probe"]
ELU = functional.elu


def halve_alpha(monkeypatch):
    monkeypatch.setattr(functional, "elu", lambda x, alpha=1.0, inplace=False: ELU(x, alpha / 2, inplace))


@pytest.fixture
def recorded(micro):
    micro.runpytest_inprocess(*PROBE, "--record").assert_outcomes(passed=1)
    return micro


def test_recorded_first_steps_are_the_same_again_and_nothing_is_trained(recorded):
    result = recorded.runpytest_inprocess(*PROBE, "--baseline=require")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*1/1  micro-mlp-digits-elu-sgd  SAME", "*= probes =*", "1 SAME"])
    assert [path.name for path in (recorded.path / "own_baselines" / "probes").iterdir()] == ["micro.tiny.csv"]
    assert [path.name for path in (recorded.path / "results").iterdir()] == ["summary.md"]


def test_what_changed_is_named_with_the_commands_that_show_and_record_it(recorded, monkeypatch):
    halve_alpha(monkeypatch)
    result = recorded.runpytest_inprocess(*PROBE)
    result.assert_outcomes(failed=1)
    said = (
        r"first steps differ from activation 1 of 8 on, forward, step 1: rms 0\.\d+, recorded 0\.\d+; recipe, rates, .*"
    )
    result.stdout.re_match_lines(
        [
            rf"CHANGED micro-mlp-digits-elu-sgd at tiny: {said} are as recorded",
            r"reproduce: pytest -k micro-mlp-digits-elu-sgd --scale tiny .* --probe",
            r".*re-record: pytest .* --probe --record",
            r"1 CHANGED",
        ]
    )
    page = (recorded.path / "results" / "summary.md").read_text()
    assert page.startswith("## actbench: 1 of 1 cases failed")
    assert "python -m bench bisect GOOD HEAD -k micro-mlp-digits-elu-sgd" in page
    assert "--probe --record" in page


def test_a_session_probes_beside_training_and_says_both_reasons(recorded, monkeypatch):
    recorded.runpytest_inprocess(*ONE_CASE, "--record").assert_outcomes(passed=1)
    recorded.runpytest_inprocess(*ONE_CASE, "--baseline=require", "--strict").assert_outcomes(passed=1)
    halve_alpha(monkeypatch)
    result = recorded.runpytest_inprocess(*ONE_CASE)
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [r"CHANGED .*: first steps differ from activation 1 of 8 .*; 0 of 1 runs diverged, .*"]
    )


def test_a_session_fails_where_an_activation_keeps_more_for_backward_and_computes_the_same(micro):
    micro.path.joinpath("mine.py").write_text("def bent(x):\n    return x.relu()\n")
    own = ["--activation", "mine.py:bent", "-k", "bent and digits and sgd", *OWN]
    micro.runpytest_inprocess(*own, "--record").assert_outcomes(passed=1)
    micro.path.joinpath("mine.py").write_text("def bent(x):\n    return x * (x > 0)\n")
    result = micro.runpytest_inprocess(*own)
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [r"CHANGED .*: first steps differ from the bytes kept for backward on, 1\.556e\+05, recorded 1\.393e\+05; "]
    )


def test_data_that_is_at_hand_is_looked_at_and_what_is_not_is_said(recorded, monkeypatch):
    assert (recorded.path / "own_baselines" / "data_probes.csv").read_text().count("digits") == 1
    monkeypatch.setattr("bench.data.parts.SPLIT_SEED", 1)
    parts._prepare.cache_clear()
    result = recorded.runpytest_inprocess(*PROBE)
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [r"CHANGED .*: the data of digits differ from the train inputs on: rms .*, recorded .*"]
    )
    parts._prepare.cache_clear()
    result = recorded.runpytest_inprocess("-k", "mnist and elu and sgd", "--probe", *OWN)
    result.stdout.fnmatch_lines(["data not at hand, and so not looked at: mnist; give --data-dir"])


def test_what_is_not_recorded_is_new(micro):
    micro.runpytest_inprocess(*PROBE).assert_outcomes(passed=1)
    result = micro.runpytest_inprocess(*PROBE, "--baseline=require")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["NEW *no probe of this case, scale and recipe version is recorded"])


def test_a_users_own_activation_has_its_row_in_their_folder(micro):
    micro.path.joinpath("mine.py").write_text("def bent(x):\n    return x.clamp(min=0) + 0.1 * x\n")
    own = ["--activation", "mine.py:bent", "-k", "bent and digits and sgd", *OWN, "--probe"]
    micro.runpytest_inprocess(*own, "--record").assert_outcomes(passed=1)
    micro.runpytest_inprocess(*own, "--baseline=require").assert_outcomes(passed=1)


def test_a_broken_row_ends_the_session_with_its_file_and_line(recorded):
    path = recorded.path / "own_baselines" / "probes" / "micro.tiny.csv"
    path.write_text(path.read_text().replace("test_loss=", "test_loss="[:-1]))
    result = recorded.runpytest_inprocess(*PROBE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.re_match_lines([rf"ERROR: {path}, line 2: malformed row .*; fix or re-record"])


def test_a_plan_takes_no_probes(micro):
    result = micro.runpytest_inprocess("--plan", "--probe")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*give --plan or --probe"])
