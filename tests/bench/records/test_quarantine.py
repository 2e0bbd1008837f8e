"""Quarantine: a flaky case runs, is shown and never fails; an entry that is expired or of no case is an error."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from bench.records import history, quarantine
from bench.records.csv_rows import BaselineError

HEAD = "case,scale,device_class,reason,until\n"
CASE = "mlp-mlp-digits-elu-adam"


ODD_DEVICES = ("CPU", "cuda", "gpu", "NVIDIA A100", "cuda_NVIDIA_A100")  # none of these is any device's class


def entry(case=CASE, scale="tiny", device="cpu", reason="cuDNN", until="2999-12-31"):
    return f"{case},{scale},{device},{reason},{until}\n"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([entry(until="2026-01-01")], rf"line 2: the quarantine of {CASE} expired on 2026-01-01; mend the case"),
        (
            [entry(), entry("mlp-mlp-digits-ellu-adam")],
            "line 3: there is no case 'mlp-mlp-digits-ellu-adam' at tiny; did you",
        ),
        (
            [entry("spirals-mlp-digits-elu-adam")],
            "line 2: case 'spirals-.* is of no experiment that is known here; known: ",
        ),
        ([entry(f"{CASE}-lr7")], "line 2: there is no case"),
        ([entry(case="")], "line 2: case '' is of no experiment"),
        ([entry(scale="huge")], "line 2: scale 'huge'; known: tiny, small, paper"),
        ([entry(until="soon")], "line 2: until 'soon' is no day; write one as 2026-12-31"),
        ([entry(until="2026-02-30")], "line 2: until '2026-02-30' is no day"),
        *(([entry(device=name)], f"line 2: device_class '{name}'; known: cpu, mps, and cuda_") for name in ODD_DEVICES),
        ([entry(reason=" ")], "line 2: reason is empty; give one"),
        ([entry(), entry()], f"line 3: a second entry for {CASE} there; keep one"),
        (["a,b\n"], r"line 2: malformed row \(not 5 fields\)"),
    ],
)
def test_an_entry_that_says_nothing_is_named_with_file_and_line(tmp_path, lines, message):
    (tmp_path / quarantine.FILE).write_text("".join([HEAD, *lines]))
    with pytest.raises(BaselineError, match=message) as error:
        quarantine.read(tmp_path)
    assert str(tmp_path / quarantine.FILE) in str(error.value)


def test_an_entry_holds_where_it_says(tmp_path):
    (tmp_path / quarantine.FILE).write_text(HEAD + entry() + entry(device="cuda_t4", reason='"cuDNN, mostly"'))
    here, there = quarantine.read(tmp_path).items()
    assert [place.device_class for place in (here[0], there[0])] == ["cpu", "cuda_t4"]
    assert str(there[1]) == "in quarantine until 2999-12-31: cuDNN, mostly"


@pytest.fixture
def session(micro):
    """A session in which no baseline is there, though each case must have one."""

    def run(lines, *arguments):
        (micro.path / "own_baselines" / quarantine.FILE).write_text(HEAD + lines)
        own = ["--baseline-dir", "own_baselines", "--baseline=require", "--junitxml", "junit.xml"]
        return micro.runpytest_inprocess("-k", "digits and elu", *own, *arguments)

    return run


FLAKY = entry("micro-mlp-digits-elu-sgd", reason="flaky on this card")
SAID = "in quarantine until 2999-12-31: flaky on this card"


def test_a_case_in_quarantine_is_judged_and_shown_and_does_not_fail(micro, session):
    found = session(FLAKY)
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.re_match_lines(
        [
            r" +1/2  micro-mlp-digits-elu-sgd  0\..*  NEW \(quarantined\)  .* s",
            r" +2/2  micro-mlp-digits-elu-adam  0\..*  NEW  .* s",
            rf"quarantined micro-mlp-digits-elu-sgd: NEW, {SAID}; .*no baseline of this case.*",
        ]
    )
    page = (micro.path / "results" / "summary.md").read_text()
    assert "1 of 2 cases failed" in page
    listed = page.split("### In quarantine, where nothing fails")[1].split("###")[0]
    assert re.search(rf"\| NEW \| `micro-mlp-digits-elu-sgd` \| {SAID}; ", listed)
    assert "elu-adam" not in listed
    said = {one.case.optimizer: one for one in history.read(micro.path / "results")}
    assert (said["sgd"].failed, said["adam"].failed) == (False, True)
    assert said["sgd"].reason.startswith(SAID)
    properties = [
        {one.get("name"): one.get("value") for one in case.iter("property")}
        for case in ElementTree.parse(micro.path / "junit.xml").iter("testcase")
    ]
    assert {one["optimizer"]: one.get("quarantine") for one in properties} == {"sgd": SAID, "adam": None}


def test_it_holds_for_first_steps_too(session):
    found = session(FLAKY, "--probe")
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.fnmatch_lines(["*micro-mlp-digits-elu-sgd  NEW (quarantined)"])


@pytest.mark.parametrize("other", [{"device": "cuda_t4"}, {"scale": "small"}])
def test_it_holds_nowhere_else(session, other):
    session(entry("micro-mlp-digits-elu-sgd", **other)).assert_outcomes(failed=2)


@pytest.mark.parametrize(
    "line", [entry("micro-mlp-digits-elu-sgd", until="2020-02-02"), entry("micro-mlp-digits-elo-sgd")]
)
def test_a_session_does_not_begin_with_an_entry_that_does_not_hold(micro, session, line):
    found = session(line)
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines([f"*{quarantine.FILE}, line 2: *"])
    assert not (micro.path / "results").exists()


def test_results_that_cannot_be_written_fail_in_quarantine_too(micro, session):
    micro.mkdir("results")
    (micro.path / "results" / "runs").write_text("not a folder")
    session(FLAKY).assert_outcomes(failed=2)
