"""The half of the plugin that talks to the user: collects the results of all workers, prints and writes them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.cases.case import Case
from bench.plugin import progress
from bench.plugin.items import parameters_of
from bench.plugin.state import STATE, under_xdist
from bench.records import baseline, data_probes, probes
from bench.records.csv_rows import BaselineError
from bench.records.record import ResultsError, write_text
from bench.records.result import Result
from bench.records.verdict import VERDICTS
from bench.session import failures
from bench.timing.kernels.kernel import Kernel
from bench.timing.kernels.recorded import read_kernels, write_kernels
from bench.timing.kernels.table import kernel_table
from bench.timing.kernels.timings import latest_timings, write_timings
from bench.timing.peers.comparison import times_table
from bench.timing.peers.correctness import errors_table

if TYPE_CHECKING:
    from bench.reporting.files.findings import Findings

SHOWN_LOST = 5


class Reporter:
    """Collects, prints and writes; lives in the one process that talks to the user."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.state = config.stash[STATE]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """One line a case or kernel instead of one letter."""
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal and any(isinstance(one, Case | Kernel) for item in session.items for one in parameters_of(item)):
            terminal.showfspath = False

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "teardown":
            self.state.reported.add(report.nodeid)
        if report.failed and not hasattr(report, "actbench"):
            self.state.failures[report.nodeid] = report.longreprtext
            # That xdist makes up for a test whose worker died has no keywords.
            self.state.cases_failed |= "case" in report.keywords or not report.keywords
        if not hasattr(report, "actbench") or not self.config.pluginmanager.has_plugin("terminalreporter"):
            return
        result = Result.from_builtin(report.actbench)
        self.state.files[result.case] = self.config.rootpath / report.location[0]
        self._keep(result, runs_again=str(report.outcome) == "rerun")
        report.verdict = result.said  # type: ignore[attr-defined]
        total, done = len(self.state.selected), len(self.state.results) + len(self.state.probed)
        place = f"{done}/{total}" if total else str(done)
        progress.keep(self.config, f"{place:>8}  {result.line}", red=result.failed)

    def _keep(self, result: Result, runs_again: bool) -> None:
        """A case counts once, however often it runs (`--reruns`, `--count`); its rerun alone replaces a failure."""
        kept = self.state.probed if self.state.settings.probe else self.state.results
        place = next((place for place, one in enumerate(kept) if one.case == result.case), None)
        if place is None:
            kept.append(result)
        elif result.case in self.state.run_again or result.failed >= kept[place].failed:
            kept[place] = result
        (self.state.run_again.add if runs_again else self.state.run_again.discard)(result.case)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        self.state.selected = set(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["actbench_baselines"] = str(self.state.settings.baseline_dir)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        output = getattr(node, "workeroutput", {})
        self.state.untimed = max(self.state.untimed, output.get("actbench_untimed", 0))
        self.state.why_nothing = output.get("actbench_why_nothing", "") or self.state.why_nothing

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the files before anything is printed; whatever was lost turns a green session red."""
        self.state.unrecorded = failures.of_device(self.state.results, self.state.settings)
        if (self._lost() or self.state.unrecorded) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        with ExitStack() as others:  # what one of them raises does not keep the others from being written
            for write in (self._write_report, self._write_peers, self._write_results, self._write_baselines):
                others.callback(self._written, write, session)

    def _written(self, write: Callable[[], None], session: pytest.Session) -> None:
        try:
            write()
        except (ResultsError, BaselineError, OSError) as error:
            self.state.unwritten.append(str(error))
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write_results(self) -> None:
        if not self.state.results and not self.state.probed and not self.state.cases_failed:
            return
        from bench.records import history
        from bench.reporting.files import ranking_tables, session_files, summary, tensorboard

        state, settings = self.state, self.state.settings
        found = self._findings()
        page = summary.render(found)
        state.no_job_summary = summary.add_to_job(page)
        if not found.records:
            write_text(settings.results_dir / "summary.md", page)
            state.written.append(f"{settings.results_dir}: summary.md")
            return
        state.ranking = ranking_tables.render(found)
        session_files.write(found, settings.results_dir)
        history.append(found.results, settings.results_dir)
        state.written.append(f"{settings.results_dir}: {', '.join([*session_files.FILES, history.FILE])}")
        if settings.tensorboard:
            tensorboard.write(found.records, settings.tensorboard)
            state.written.append(f"{settings.tensorboard}: tensorboard --logdir {settings.tensorboard}")

    def _findings(self) -> Findings:
        from bench.ranking import rank, versus_relu
        from bench.records import case_runs, reported
        from bench.reporting import views
        from bench.reporting.files.findings import Findings

        state = self.state
        figures = reported.read(state.settings.baseline_dir)
        records = [one for result in state.results for one in result.records]
        ranked = rank.blocks(case_runs.from_records(records, figures))
        return Findings(
            commands=state.settings.commands,
            results=state.results or state.probed,
            ranked=ranked,
            overall=rank.overall(ranked),
            versus_relu=versus_relu.paragraphs(state.settings.choice.added, ranked),
            views=views.tables_of_session(
                state.results, figures, list(read_kernels(state.settings.baseline_dir).values())
            ),
            failures=state.failures,
            lost=sorted(self._lost()),
            unrecorded=state.unrecorded,
        )

    def _write_peers(self) -> None:
        state = self.state
        tables = {
            "implementations": times_table(state.peer_times),
            "peers": errors_table(state.peer_errors),
        }
        state.tables = {name: table for name, table in tables.items() if table}
        for name, table in state.tables.items():
            write_text(state.settings.results_dir / f"{name}.md", f"{table}\n")

    def _write_baselines(self) -> None:
        state = self.state
        if not state.settings.record:
            return
        from bench.reporting.files import ranking_tables

        folder = state.settings.baseline_dir
        taken = [result.probe for result in (*state.results, *state.probed) if result.probe]
        probes.write(taken, folder)
        data_probes.write(
            [result.data_probe for result in (*state.results, *state.probed) if result.data_probe], folder
        )
        if taken:
            state.written.append(f"{folder / 'probes'}: {len(taken)} probe{'s' if len(taken) > 1 else ''}")
        recorded = [baseline.Baseline.of(result.records) for result in state.results]
        state.recorded = ranking_tables.recorded(baseline.write(recorded, folder)) if recorded else ""
        if recorded:
            from bench.regression import judge

            fewest = min(state.results, key=lambda one: len(one.records)).records
            now = fewest[0].recipe["seeds"] + state.settings.confirm
            state.recorded = f"{state.recorded}\n{judge.reach(len(fewest), now, len(recorded))}".rstrip()
        write_kernels([one.recorded for one in state.timed if one.recorded], folder)

    def _write_report(self) -> None:
        state, settings = self.state, self.state.settings
        if state.timed:
            write_timings(state.timed, settings.results_dir)
        if settings.report and (state.results or state.timed):
            from bench.reporting.page import html, sources

            found = sources.of_session(state.results, state.timed, settings.baseline_dir)
            state.written.append(str(html.write(found, settings.report)))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        state, write = self.state, terminalreporter.write_line
        if state.planned:
            terminalreporter.section("plan")
            write(state.planned)
            write(f"written to {state.settings.results_dir / 'plan.csv'}")
        if state.timed:
            self._show_timings(terminalreporter)
        for name, table in state.tables.items():
            terminalreporter.section(name)
            write(table)
            write(f"written to {state.settings.results_dir / name}.md")
        if state.results:
            self._show_ranking(terminalreporter)
        if state.probed:
            counts = Counter(result.verdict for result in state.probed)
            terminalreporter.section("probes")
            write(", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]))
            if unseen := sorted({result.case.dataset for result in state.probed if not result.data_probe}):
                write(f"data not at hand, and so not looked at: {', '.join(unseen)}; give --data-dir")
        for line in state.written:
            write(f"written to {line}")
        if state.no_job_summary:
            write(state.no_job_summary, yellow=True)
        for problem in state.unwritten:
            write(problem, red=True)
        if state.why_nothing:
            write(state.why_nothing, red=True)
        if state.untimed:
            needed = "-n0" if under_xdist(self.config) else "pytest-benchmark, which is switched off"
            write(f"{state.untimed} timings were not timed: run with {needed}")
        if state.unasked:
            write(f"{state.unasked} tests beside other packages were left out: run with --peers -n0")
        if state.unrecorded:
            write(f"{state.unrecorded}\n  {state.settings.commands.accept()}", red=True)
        if lost := self._lost():
            shown = ", ".join(sorted(lost)[:SHOWN_LOST])
            write(f"{len(lost)} of {len(state.selected)} selected tests did not report: {shown}", red=True)
            write(f"run again{'' if state.settings.probe else ' with --resume: finished runs are kept'}", red=True)

        for line in self._annotations():
            write(line)

    def _annotations(self) -> list[str]:
        """Of a job of GitHub Actions alone."""
        from bench.reporting.files import annotations

        if not annotations.in_job():
            return []
        state, root = self.state, self.config.rootpath
        results = state.results or state.probed
        shown = any(one.failed or one.quarantine for one in results)
        recorded = probes.read(state.settings.baseline_dir) if shown else {}
        failed = {**state.failures, **dict.fromkeys(sorted(self._lost()), "selected, and did not report")}
        found = [
            *annotations.of_results(results, state.files, recorded),
            *annotations.of_tests(failed, state.timed, root),
            *annotations.of_unrecorded(state.unrecorded),
        ]
        return annotations.render(found, Path(os.environ.get("GITHUB_WORKSPACE", root)))

    def _show_ranking(self, terminalreporter: Any) -> None:
        state, write = self.state, terminalreporter.write_line
        terminalreporter.section("ranking")
        write(state.ranking)
        if state.recorded:
            terminalreporter.section("recorded")
            write(state.recorded)

    def _show_timings(self, terminalreporter: Any) -> None:
        state = self.state
        terminalreporter.section("kernels")
        terminalreporter.write_line(kernel_table(latest_timings(state.timed)))
        if state.settings.record and not state.unwritten:
            terminalreporter.write_line(
                f"recorded {len(latest_timings(state.timed))} kernels in {state.settings.baseline_dir}"
            )

    def _lost(self) -> set[str]:
        """Selected tests that never reported, unless the user asked to stop early or not to run them, or none began."""
        option, session = self.config.option, self.config.pluginmanager.get_plugin("session")
        stopped = option.maxfail and session and session.testsfailed >= option.maxfail
        if option.collectonly or stopped or self.state.settings.plan or not self.state.started:
            return set()
        return self.state.selected - self.state.reported
