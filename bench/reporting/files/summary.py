"""summary.md: what a session says on one page, verdicts first. `summary.render(findings)`.

GitHub shows it beside a job: `summary.add_to_job(text)` appends it to the file that $GITHUB_STEP_SUMMARY names.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.records.result import Result
from bench.records.verdict import VERDICTS, fails
from bench.reporting.files import ranking_tables
from bench.reporting.files.findings import Findings
from bench.session.commands import Commands

# Bytes of one part of the page. GitHub refuses a summary of more than 1 MiB a step
# (docs.github.com, Workflow commands, "Adding a job summary"), and nobody reads a tenth of it.
FAILED_ROOM = 40_000
NOTED_ROOM = 10_000
RANKED_ROOM = 40_000
COMPARED_SEEDS = 10  # with 6 pairs not even a sign slip in a derivative is a finding beyond chance
SHOWN_LINES = 40  # of the traceback of a test without a result, the last ones


def render(findings: Findings) -> str:
    """The page as GitHub's Markdown, below 100 kB; of what is left out it says how much, and where it is."""
    failed = sorted((result for result in findings.results if result.failed), key=_severity)
    spared = [result for result in findings.results if result.quarantine and not result.failed]
    noted = [
        result
        for result in findings.results
        if not result.failed
        and not result.quarantine
        and VERDICTS[result.verdict].noted
        and not (findings.unrecorded and result.verdict == "NEW")
    ]
    parts = [
        f"## actbench: {_headline(findings, len(failed))}",
        *_environment(findings),
        *_lost(findings.lost),
        *_unrecorded(findings),
        *_failed(failed, findings),
        *_listed("Passed, and worth a look", noted),
        *_listed("In quarantine, where nothing fails", spared),
        *_what_to_do(findings, failed, noted),
        *_rankings(findings),
    ]
    return "\n\n".join(parts) + "\n"


def add_to_job(text: str) -> str:
    """Append a page to the summary of a GitHub job, if this is one; returns why it could not be, else nothing."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return ""
    try:
        with Path(path).open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
    except OSError as error:
        return f"no job summary: cannot write {path}, which GITHUB_STEP_SUMMARY names: {error.strerror}"
    return ""


def escape_markdown(text: str) -> str:
    """Text on one line that Markdown shows as it is, in a paragraph and in a cell of a table."""
    return re.sub(r"([\\`*_\[\]<>&|~$#])", r"\\\1", " ".join(text.split()))


def _severity(result: Result) -> bool:
    """What fails always comes before what fails because of `--strict` or `--baseline=require`."""
    return not fails(result.verdict)


def _headline(findings: Findings, failed: int) -> str:
    cases = len(findings.results)
    others = len(findings.failures)
    words = [
        f"{failed} of {cases} cases failed" if failed else "",
        f"{others} {'other ' if cases else ''}test{'s' * (others > 1)} failed" if others else "",
        f"{len(findings.lost)} did not report" if findings.lost else "",
        "no rows for this device" if findings.unrecorded else "",
    ]
    return ", ".join(filter(None, words)) or f"no failure in {cases} case{'s' * (cases > 1)}"


def _environment(findings: Findings) -> list[str]:
    """What was said how often, and where it ran."""
    if not findings.records:
        return []
    scales, devices, versions = (
        ", ".join(sorted(set(values)))
        for values in zip(
            *((one.scale, one.device_class, str(one.fingerprint.get("torch"))) for one in findings.records), strict=True
        )
    )
    where = escape_markdown(f"{scales} · {devices} · torch {versions}")
    return [f"{ranking_tables.counts(findings.results)}  \n{where}"]


def _lost(lost: Sequence[str]) -> list[str]:
    if not lost:
        return []
    advice = "Run again with `--resume`: finished runs are kept."
    return [f"{len(lost)} selected tests did not report, the first: {escape_markdown(lost[0])}. {advice}"]


def _unrecorded(findings: Findings) -> list[str]:
    if not findings.unrecorded:
        return []
    return [escape_markdown(findings.unrecorded), _fenced(findings.commands.accept(), "bash")]


def _failed(failed: Sequence[Result], findings: Findings) -> list[str]:
    texts = [
        f"**{result.verdict}** `{result.case.id}`: {escape_markdown(result.reason)}\n\n"
        + _folded("every seed, the fingerprint, the commands", _fenced(result.message))
        for result in failed
    ]
    for test, message in findings.failures.items():
        lines = message.splitlines()[-SHOWN_LINES:]
        texts.append(f"**failed** {escape_markdown(test)}\n\n" + _folded("why", _fenced("\n".join(lines))))
    return _section("### Failed", texts, FAILED_ROOM, lambda more: f"and {more} more: all are in the job's log")


def _listed(title: str, results: Sequence[Result]) -> list[str]:
    """Tables, so that each row may be left out by itself."""
    rows = [f"| {result.verdict} | `{result.case.id}` | {escape_markdown(result.reason)} |" for result in results]
    shown = _fitting(rows, NOTED_ROOM, lambda more: f"\nand {more} more: all are in ranking.csv")
    if not shown:
        return []
    return [f"### {title}", "\n".join(["| verdict | case | why |", "|:--|:--|:--|", *shown])]


def _what_to_do(findings: Findings, failed: Sequence[Result], noted: Sequence[Result]) -> list[str]:
    if not failed and not noted:
        return []
    commands = findings.commands
    lines = _about_runs(commands, failed, noted) if findings.records else _about_first_steps(commands, failed, noted)
    return ["### What to do", _fenced("\n".join(lines), "bash")]


def _about_first_steps(commands: Commands, failed: Sequence[Result], noted: Sequence[Result]) -> list[str]:
    lines = []
    if changed := [result.case for result in failed if result.verdict == "CHANGED"]:
        lines += [
            "# which commit was it? GOOD is one at which the first steps were as recorded",
            f"python -m bench bisect GOOD HEAD -k {changed[0].id}",
        ]
    return [
        *lines,
        "# if it is meant: raise the recipe's version, record it, and commit what changes in baselines/probes",
        f"{commands.again([result.case for result in (*failed, *noted)])} --probe --record",
    ]


def _about_runs(commands: Commands, failed: Sequence[Result], noted: Sequence[Result]) -> list[str]:
    lines = []
    if moved := [result.case for result in failed if result.verdict != "NEW"]:
        again = f"{commands.again(moved)} --seeds {COMPARED_SEEDS} --baseline=ignore"
        lines += [
            "# was it this change? once on the commit before, once here, then seed by seed",
            f"{again} --results-dir before",
            f"{again} --results-dir after",
            commands.compare(moved),
        ]
    lines += [
        "# if it is meant: record it, and commit what changes in baselines/measured",
        f"{commands.again([result.case for result in (*failed, *noted)])} --record",
    ]
    if failed:
        lines += [
            "# or take the runs of this session, whose results folder is the job's artifact, without training again",
            commands.accept("--only-failing"),
        ]
    return lines


def _rankings(findings: Findings) -> list[str]:
    said = ranking_tables.verdicts_of(findings.results)
    texts = [
        _folded(
            f"{html.escape(block.title)}: {html.escape(block.line)}",
            "\n\n".join([ranking_tables.ranking_table(block, said, "github"), *block.notes]),
        )
        for block in findings.ranked
    ]
    parts = _section("### Rankings", texts, RANKED_ROOM, lambda more: f"and {more} more: all are in ranking.csv")
    if not parts:
        return []
    told = filter(None, [ranking_tables.agreement(findings.overall), *findings.versus_relu])
    return [*parts, ranking_tables.LEGEND, *(text.replace("\n", "  \n") for text in told)]


def _section(title: str, texts: Sequence[str], room: int, rest: Callable[[int], str]) -> list[str]:
    shown = _fitting(texts, room, rest)
    return [title, *shown] if shown else []


def _fitting(texts: Sequence[str], room: int, rest: Callable[[int], str]) -> list[str]:
    """As many as fit in so many bytes; `rest` says how many are left out and where they are."""
    for place, text in enumerate(texts):
        room -= len(text.encode(errors="surrogateescape"))
        if room < 0:
            return [*texts[:place], rest(len(texts) - place)]
    return list(texts)


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _fenced(text: str, language: str = "text") -> str:
    """A code block whose fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
