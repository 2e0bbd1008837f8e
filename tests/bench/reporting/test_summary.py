"""The job summary: what failed comes first, it is true, it fits, and Markdown shows every message as it is."""

from __future__ import annotations

import re

import pytest

from bench.cases.case import Case
from bench.records.result import Result
from bench.reporting.files import summary
from bench.reporting.files.findings import Findings
from bench.session.commands import Commands
from made import ranked, runs

LIMIT = 100_000
COMMANDS = Commands("tiny", ["--baseline-dir own"])
UNJUDGED = "--baseline=ignore"


def of(activation: str, verdict: str, failed: bool = False, optimizer: str = "sgd", message: str = "") -> Result:
    case = Case("cnn", "cnn", "mnist", activation, optimizer)
    return Result(case, tuple(runs([0.9, 0.8], case=case)), verdict, "why | it *is*", failed, message)


def page(*results: Result, **found) -> str:
    return summary.render(Findings(COMMANDS, results=results, ranked=ranked(*results), **found))


def test_what_failed_comes_before_what_changed_before_what_to_do_before_the_rankings():
    text = page(of("relu", "SAME"), of("elu", "MOVED"), of("gelu", "REGRESSED", failed=True))
    assert text.startswith("## actbench: 1 of 3 cases failed\n")
    places = [text.index(words) for words in ("**REGRESSED** `cnn-cnn-mnist-gelu-sgd`", "MOVED | `", "### What to do")]
    assert sorted(places) == places
    assert places[-1] < text.index("### Rankings") < text.index("<details><summary>cnn · MNIST · sgd · tiny: ")


def test_what_fails_always_comes_before_what_fails_because_it_was_asked_to():
    text = page(*(of("relu", verdict, failed=True) for verdict in ("MOVED", "COLLAPSED", "NEW", "REGRESSED")))
    assert re.findall(r"\*\*(\w+)\*\* `", text) == ["COLLAPSED", "REGRESSED", "MOVED", "NEW"]


def test_a_session_without_failures_says_so_and_asks_for_nothing():
    text = page(of("relu", "SAME"))
    assert text.startswith("## actbench: no failure in 1 case\n\n1 case, 2 runs: 1 SAME")
    assert "### What to do" not in text


def test_the_commands_compare_what_broke_and_record_what_is_meant():
    text = page(of("gelu", "REGRESSED", failed=True), of("elu", "NEW"))
    where = "--scale tiny --baseline-dir own"
    assert f"pytest bench -k cnn-cnn-mnist-gelu-sgd {where} --seeds 10 --baseline=ignore --results-dir before\n" in text
    assert "python -m bench compare before after\n" in text
    assert f'pytest bench -k "cnn-cnn-mnist-gelu-sgd or cnn-cnn-mnist-elu-sgd" {where} --record\n' in text


def test_more_cases_than_a_command_can_list_are_selected_by_their_axes():
    names = ("relu", "elu", "gelu", "silu", "mish", "selu")
    text = page(*(of(name, "NEW", optimizer=optimizer) for name in names for optimizer in ("sgd", "adam")))
    assert (
        f"--activation {','.join(sorted(names))} --optimizer adam,sgd --scale tiny --baseline-dir own --record" in text
    )


def test_tests_that_failed_without_a_result_and_those_that_never_reported_are_named():
    text = page(of("relu", "SAME"), failures={"bench/a.py::b[x_y]": "no data\n```\nget it"}, lost=["bench/a.py::c"])
    assert text.startswith("## actbench: 1 other test failed, 1 did not report\n")
    assert r"**failed** bench/a.py::b\[x\_y\]" in text
    assert "````text\nno data\n```\nget it\n````" in text
    assert "1 selected tests did not report, the first: bench/a.py::c. Run again with `--resume`" in text


def test_markdown_in_a_message_is_shown_as_it_is():
    assert summary.escape_markdown("a|b *c* _d_ <e> `f`\n[g](h) $i$ ~j~ \\") == (
        r"a\|b \*c\* \_d\_ \<e\> \`f\` \[g\](h) \$i\$ \~j\~ \\"
    )
    assert r"| why \| it \*is\* |" in page(of("elu", "NEW"))


@pytest.mark.parametrize(
    ("verdict", "failed", "where"),
    [
        ("REGRESSED", True, r"and (\d+) more: all are in the job's log"),
        ("NEW", False, r"and (\d+) more: all are in ranking\.csv"),
        ("SAME", False, r"and (\d+) more: all are in ranking\.csv"),
    ],
)
def test_a_session_of_any_size_fits_and_says_what_is_left_out_and_where_it_is(verdict, failed, where):
    results = []
    for place in range(1500):
        case = Case("cnn", "cnn", "mnist", "relu", "sgd", f"lr{place}")
        long = "±" * 400 if failed else ""
        results.append(Result(case, tuple(runs([0.9], case=case)), verdict, "why", failed, long))
    text = page(*results)
    assert len(text.encode()) < LIMIT
    shown = {"REGRESSED": "**REGRESSED** `", "NEW": "| NEW | `", "SAME": "<details><summary>cnn"}[verdict]
    left_out = int(re.search(where, text)[1])
    assert 0 < left_out < 1500
    assert text.count(shown) == 1500 - left_out


def test_a_github_job_gets_the_page_once(micro, monkeypatch):
    job = micro.path / "job.md"
    job.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job))
    micro.runpytest_inprocess("-k", "digits and elu", UNJUDGED).assert_outcomes(passed=2)
    assert job.read_text() == "before\n" + (micro.path / "results" / "summary.md").read_text()
    assert job.read_text().count("## actbench: no failure in 2 cases") == 1


def test_a_job_summary_that_cannot_be_written_is_a_line_and_not_a_lost_session(micro, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(micro.path))
    result = micro.runpytest_inprocess("-k", "digits and elu", UNJUDGED)
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["no job summary: cannot write *, which GITHUB_STEP_SUMMARY names: Is a directory"])
    assert (micro.path / "results" / "summary.md").is_file()


def test_cases_that_cannot_be_trained_leave_a_page_that_says_why(micro, monkeypatch):
    job = micro.path / "job.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job))
    empty = micro.mkdir("empty")
    result = micro.runpytest_inprocess("-k", "mnist and elu and sgd", "--data-dir", str(empty))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["written to *results: summary.md"])
    assert job.read_text().startswith("## actbench: 1 test failed\n")
    assert "MNIST is not in" in job.read_text()


def test_a_test_that_fails_beside_the_cases_leaves_the_results_folder_alone(micro):
    micro.makepyfile(test_other="def test_other():\n    assert False\n")
    micro.runpytest_inprocess("test_other.py").assert_outcomes(failed=1)
    assert not (micro.path / "results").exists()
