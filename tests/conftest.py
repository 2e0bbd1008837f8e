"""Fixtures shared by the tests: a micro experiment in a folder of its own, run through pytester.

pytest -n 2            # what every change is tested by
pytest -n 2 --slow     # and what only nights need
pytest -m gpu          # on a machine with a card, what needs one
"""

from __future__ import annotations

import gc
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.pytester import SysModulesSnapshot

from activations import _registry
from bench.records import baseline

ROOT = Path(__file__).parents[1]
# The networks here are so small that a second thread costs more than it gives, and under `-n` it starves the others.
# By the environment, since torch is not loaded before the first test that needs it.
os.environ["OMP_NUM_THREADS"] = "1"

MICRO = """
from bench.cases.case import Experiment
from bench.cases.recipe import Recipe

EXPERIMENT = Experiment(
    name="micro",
    question="Does the plugin work?",
    source="made for the tests",
    models=("mlp",),
    datasets=("digits", "mnist"),
    optimizers=("sgd", "adam"),
    activations=("relu", "leaky_relu", "elu", "selu", "gelu", "silu"),
    recipe=lambda case, scale: Recipe(
        version=1, epochs=1, batch_size=64, learning_rate=1e-3, initialisation="kaiming",
        train_size=128, validation_size=64, test_size=100, threads=1, seeds=1, recorded_seeds=2,
    ),
)


def test_micro(case, run_case):
    run_case(case)
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run also the tests that only nights need")


@pytest.hookimpl(tryfirst=True)  # before xdist decides, and before the suite's plugin looks for cards
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Workers take neighbouring tests, which share the fixtures of their module, unless `--dist` says otherwise."""
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # all other tests say what happens on a CPU
    if getattr(config.option, "numprocesses", None) and config.option.dist == "no":
        config.option.dist = "worksteal"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: only nights need it; run with --slow")
    config.addinivalue_line("markers", "gpu: needs a card that torch can use; run with -m gpu")
    config.addinivalue_line("markers", "fresh_process: starts an interpreter, since in process it would show less")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a card that torch can use: run with -m gpu where there is one")


def pytest_collection_finish() -> None:
    gc.freeze()  # what is loaded stays: no collection need walk through the half a million objects of torch again
    gc.set_threshold(50_000, 20, 50)  # collecting as often as Python does took 6 % of the time


# ---- a test starts no interpreter, which takes seconds, unless it is marked ---------------------------------------

RUNNING: list[pytest.Item] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    RUNNING.append(item)
    try:
        return (yield)
    finally:
        RUNNING.clear()


def _refuse_interpreters(event: str, arguments: tuple[Any, ...]) -> None:
    """What Python tells of every process that it starts; `os.forkpty` is how pexpect does."""
    if event not in ("subprocess.Popen", "os.forkpty") or not RUNNING:
        return
    words = arguments[1] if arguments else [sys.executable]
    if "torchinductor" in str(words):  # its compiler asks so which instructions a CPU has
        return
    program = os.fsdecode(words if isinstance(words, str | bytes) else words[0])
    marked = any(RUNNING[0].get_closest_marker(name) for name in ("fresh_process", "slow"))
    if Path(program).name.startswith(("python", "pytest")) and not marked:
        pytest.fail("this test starts an interpreter: run it in process, or mark it as fresh_process", pytrace=False)


def pytest_sessionstart() -> None:
    sys.addaudithook(_refuse_interpreters)


# ---- sessions of pytest inside a test ----------------------------------------------------------------------------

# By CI and BUILD_NUMBER pytest knows a job, and cuts no line of its summary.
OF_THE_JOB = (
    *("PYTEST_XDIST_WORKER", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "CI", "BUILD_NUMBER"),
)


@pytest.fixture(autouse=True)
def _on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions inside a test are not xdist's, even if the test runs in one of its workers, and no CI job's.

    In process they forget the modules of their own folder alone. By itself pytester forgets all that they have
    imported: each would import a second's worth of libraries anew, and torch and pyarrow cannot be imported twice.
    """
    for name in OF_THE_JOB:
        monkeypatch.delenv(name, raising=False)

    def snapshot(pytester: pytest.Pytester) -> SysModulesSnapshot:
        return SysModulesSnapshot(
            lambda name: str(pytester.path) not in str(getattr(sys.modules[name], "__file__", ""))
        )

    monkeypatch.setattr(pytest.Pytester, "_Pytester__take_sys_modules_snapshot", snapshot)


@pytest.fixture
def micro(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with a conftest that loads the plugin and one experiment whose runs take a few milliseconds.

    Activations that a session in process adds are forgotten with it, and it reads no baselines unless told where.
    """
    monkeypatch.setattr(_registry, "_REGISTRY", dict(_registry._REGISTRY))
    monkeypatch.setattr(baseline, "FOLDER", pytester.mkdir("no_baselines"))
    pytester.makeconftest('pytest_plugins = ["bench.plugin"]')
    pytester.makepyfile(test_micro=MICRO)
    pytester.mkdir("own_baselines")
    return pytester


@pytest.fixture
def mps_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What listens where the driver looks for NVIDIA's MPS; closed, it leaves its socket and its pid file behind."""
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path))
    (tmp_path / "nvidia-cuda-mps-control.pid").write_text(str(os.getpid()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as daemon:
        daemon.bind(str(tmp_path / "control"))
        daemon.listen()
        yield daemon


@pytest.fixture
def checkout(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder like the repository's, in which a command may write."""
    monkeypatch.setattr(_registry, "_REGISTRY", dict(_registry._REGISTRY))
    for path in ROOT.iterdir():
        if path.name not in (".git", "results"):
            (pytester.path / path.name).symlink_to(path)
    return pytester


def split(command: str, folder: Path) -> list[str]:
    """As the shell of a step splits and expands a command in a folder, comments and redirections left out."""
    shell = ["bash", "-euc", f"printf '%s\\0' {re.split(' > |  #', command)[0]}"]
    environment = {**os.environ, "BASELINES": "baselines"}
    done = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


def selects_something(command: str, checkout: pytest.Pytester) -> None:
    """Asserts it of a `pytest ...` whose options and paths must be those that there are; nothing is run."""
    _, *arguments = split(command, checkout.path)
    named = [word for word in arguments if word.startswith(("bench", "tests", "baselines"))]
    assert [word for word in named if not (checkout.path / word).exists()] == []
    result = checkout.runpytest_inprocess(*arguments, "--collect-only", "-q", "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.OK
