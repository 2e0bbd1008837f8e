"""The hooks and fixtures of the plugin.

    pytest bench -k "mlp and digits"
    pytest bench -k "cifar and elu" --data-dir DIR -n auto

Nothing heavy is imported to collect: torch, scipy and pandas come in when the first case runs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from activations.command import print_anywhere
from bench import experiments
from bench.cases.case import Case
from bench.data import DataError
from bench.engines import LOCAL, RunLostError
from bench.plugin import options, progress
from bench.plugin.items import (
    cases_of,
    deselect,
    exactly,
    experiment_of,
    experiments_of,
    is_timing,
    parameters_of,
    why_no_item,
)
from bench.plugin.kernel_lines import KernelLines
from bench.plugin.loop import as_they_come
from bench.plugin.reporter import Reporter
from bench.plugin.state import STATE, PluginState, is_worker, under_xdist
from bench.records import addresses, baseline, csv_rows
from bench.records.record import ResultsError
from bench.records.result import Result
from bench.session import selection
from bench.session.runner import Runner
from bench.timing.context import TimingContext
from bench.timing.kernels.kernel import catalogue
from bench.timing.kernels.recorded import read_kernels
from bench.timing.peers.comparison import peer_cases
from bench.training import out_of_memory
from bench.training.device import has_cuda, pin_worker, visible_gpus
from bench.training.out_of_memory import OutOfMemoryError

if TYPE_CHECKING:
    from xdist.remote import Producer

    from bench.plugin.scheduling import Alike

# Why a case cannot be trained, in words that need no traceback.
NAMED = (DataError, OutOfMemoryError, ResultsError, RunLostError, ValueError)
_RESULT = pytest.StashKey[Result]()


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "case(experiment, model, dataset, activation, optimizer, variant): one combination; "
        "select exactly with -m \"case(activation='elu')\"",
    )
    config.addinivalue_line("markers", "peers: beside other packages, which takes long; run with --peers")
    if not config.pluginmanager.has_plugin("benchmark"):
        config.addinivalue_line("markers", "benchmark: pytest-benchmark's, which is switched off")
    if under_xdist(config):
        config.option.benchmark_disable = True  # lest pytest-benchmark warn of what our summary says
    if is_worker(config):
        worker = config.workerinput  # type: ignore[attr-defined]
        pin_worker(int(worker["workerid"].removeprefix("gw")), int(worker["workercount"]))
    print_anywhere()
    try:
        state = PluginState(options.read(config))
        read_kernels(state.settings.baseline_dir)
        if state.settings.plan and under_xdist(config):
            raise ValueError("--plan trains nothing and needs no workers: leave -n out, or give -n0")
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[STATE] = state
    if not is_worker(config):
        config.pluginmanager.register(Reporter(config), "actbench-reporter")
        config.pluginmanager.register(KernelLines(config), "actbench-kernels")


def pytest_report_header(config: pytest.Config) -> str:
    settings = config.stash[STATE].settings
    device = settings.device
    if device == "auto":
        device = "cuda" if has_cuda() else "auto (no CUDA)"
    others = ", ".join(path.name for path in csv_rows.other_files(settings.baseline_dir / baseline.MEASURED))
    unread = f" (not read: {others})" if others else ""
    return (
        f"actbench: scale {settings.scale}, device {device}, baselines {addresses.typed(settings.baseline_dir)}{unread}"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """`-n auto`: one worker a GPU; on a CPU what xdist makes of it."""
    gpus = visible_gpus() if config.getoption("--device") in ("auto", "cuda") and has_cuda() else []
    return len(gpus) or None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Alike | None:
    """None leaves it to `--dist`."""
    if not config.stash[STATE].settings.probe:
        return None
    from bench.plugin.scheduling import Alike

    return Alike(config, log)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Cases and timings are made when `--activation` has been read: it adds to the experiments and to the registry."""
    settings = metafunc.config.stash[STATE].settings
    if "timing" in metafunc.fixturenames:
        if "kernel" in metafunc.fixturenames:
            metafunc.parametrize("kernel", catalogue(settings.choice.added), ids=lambda kernel: kernel.id)
        if "peer_case" in metafunc.fixturenames:
            metafunc.parametrize("peer_case", peer_cases(), ids=lambda peer_case: peer_case.id)
    experiment = experiment_of(metafunc.module)
    if "case" not in metafunc.fixturenames or experiment is None:
        return
    try:
        experiments.register(experiment, Path(metafunc.module.__file__))
        selection.check_experiment(experiment)
    except ValueError as error:
        raise pytest.Collector.CollectError(f"{metafunc.module.__file__}: {error}") from error
    cases = experiment.cases(settings.scale, settings.choice.added)
    parameters = [pytest.param(case, id=case.id, marks=pytest.mark.case(**case.fields)) for case in cases]
    metafunc.parametrize("case", parameters)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Apply the axis options, and let pytest apply `-k` with exact words; the option itself stays as typed.

    A shard is cut last: the cases of all shards share the level of false alarms.
    """
    settings = config.stash[STATE].settings
    runner = config.stash[STATE].runner = Runner(settings)
    parameters = {item: parameter for item in items for parameter in parameters_of(item)}
    for item, parameter in parameters.items():
        item.extra_keyword_matches.update(selection.keywords_of(parameter))
    declared = {case.experiment: experiment for experiment, case in cases_of(parameters)}
    words = selection.exact_words(config.option.keyword, parameters.values(), declared.values())
    deselect(config, items, lambda item: settings.choice.allows(parameters.get(item)))
    if settings.probe:
        cases = {case for _, case in cases_of(items)}
        deselect(config, items, lambda item: any(one in cases for one in parameters_of(item)))
    try:
        with exactly(config, words):
            yield
        runner.cases = max(1, sum(any(isinstance(one, Case) for one in parameters_of(item)) for item in items))
        if shard := settings.shard:
            deselect(config, items, lambda item: shard.has(parameters.get(item)))
        if parameters:
            selection.check(settings.choice, experiments_of(parameters))
            if not config.option.collectonly:
                runner.recorded.read()  # now that a metric of the user's own is registered
        if parameters and not items:
            config.stash[STATE].why_nothing = why_no_item(config.option, settings, parameters)
    except (ValueError, pytest.UsageError) as error:
        if not is_worker(config):
            raise pytest.UsageError(*error.args) from error
        config.stash[STATE].why_nothing = str(error)  # raised, it would end the controller in a traceback
        deselect(config, items, lambda item: False)
    if not settings.peers:
        config.stash[STATE].unasked = deselect(config, items, lambda item: not item.get_closest_marker("peers"))
    # pytest-benchmark times nothing beside other workers, and nothing is what we say then.
    if is_worker(config) or not config.pluginmanager.has_plugin("benchmark"):
        config.stash[STATE].untimed = deselect(config, items, lambda item: not is_timing(item))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    config = session.config
    state = config.stash[STATE]
    cases = [item for item in session.items if any(isinstance(one, Case) for one in parameters_of(item))]
    if state.runner and not is_worker(config):
        state.runner.progress = progress.progress(config, len(cases), state.results)
    if not under_xdist(config):
        state.selected = {item.nodeid for item in session.items}


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """With `--plan` nothing runs; what is selected is estimated instead. On a cluster cases end in any order."""
    config, state = session.config, session.config.stash[STATE]
    state.started = True
    if config.option.collectonly or session.testsfailed or not session.items:
        return None
    cases = cases_of(session.items)
    if not state.settings.plan:
        return as_they_come(session, state) if cases and state.settings.engine.name != LOCAL else None
    if not cases:
        raise pytest.UsageError("--plan: no case of an experiment is selected, and nothing else has a plan")
    from bench.reporting.plan import report

    write = progress.writer(config)
    try:
        state.planned = report.make(cases, state.settings, write or (lambda line: None))
    except (ResultsError, ValueError) as error:
        raise pytest.UsageError(str(error)) from error
    return True


@pytest.fixture
def runner(request: pytest.FixtureRequest) -> Runner:
    """What all cases of this process share."""
    found = request.config.stash[STATE].runner
    assert found is not None
    return found


@pytest.fixture
def run_case(request: pytest.FixtureRequest, runner: Runner) -> Callable[[Case], Result]:
    """Trains and judges a case of the module's EXPERIMENT; fails the test where the verdict does."""

    def run(case: Case) -> Result:
        from bench.reporting import views
        from bench.reporting.files import junit

        experiment = request.module.EXPERIMENT
        try:
            for name in experiment.views:
                views.info(name)  # hours before it is asked for its table
            found = runner.probed if runner.settings.probe else runner.run
            result = out_of_memory.named("its data and first steps", partial(found, case, experiment))
        except NAMED as error:  # from None: pytest would print the chain of causes
            first = request.config.stash[STATE].first_with.setdefault(str(error), case.id)
            said = error if first == case.id else f"the same as {first}"
            raise pytest.fail.Exception(f"{case.id}: {said}", pytrace=False) from None
        request.node.stash[_RESULT] = result
        properties = dict(junit.case_properties(result, runner.recorded.figures, runner.settings.scale))
        others = [
            one for one in request.node.user_properties if one[0] not in properties
        ]  # an earlier attempt's are not
        request.node.user_properties[:] = [*others, *properties.items()]
        if result.failed:
            pytest.fail(result.message, pytrace=False)
        return result

    return run


@pytest.fixture
def timing(request: pytest.FixtureRequest) -> TimingContext:
    """What the timing tests share: device, baselines, and the list that their table is made of."""
    state = request.config.stash[STATE]
    assert state.runner is not None
    return TimingContext(
        settings=state.settings,
        device=state.runner.device,
        cases=sum(is_timing(item) for item in request.session.items),
        timed=state.timed,
        peer_times=state.peer_times,
        peer_errors=state.peer_errors,
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Hang the result on the report, as builtin values: xdist carries them to the controller."""
    report = yield
    if call.when == "call" and _RESULT in item.stash:
        report.actbench = item.stash[_RESULT].to_builtin()
        del item.stash[_RESULT]  # another attempt at the item may end without one
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """No letter and no word while a case has no line of its own yet; in pytest's summary its verdict."""
    if hasattr(report, "actbench"):
        return report.outcome, "", getattr(report, "verdict", "")
    return None


def pytest_sessionfinish(session: pytest.Session) -> None:
    if is_worker(session.config):
        state = session.config.stash[STATE]
        output = {"actbench_untimed": state.untimed, "actbench_why_nothing": state.why_nothing}
        session.config.workeroutput.update(output)  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    if (state := config.stash.get(STATE, None)) and state.runner:
        state.runner.engine.close()
