"""What pip installs works in an empty folder, and is silent in other people's sessions."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from conftest import MICRO

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel; what it needs is taken from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", str(ROOT), "--wheel-dir", str(folder)]
    subprocess.run(pip, check=True, cwd=folder)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    place = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    (place / "needed.pth").write_text(sysconfig.get_path("purelib"))
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(place)
    return folder / "venv" / "bin" / "python"


def run(python: Path, line: str, folder: Path, **variables: str) -> tuple[int, str]:
    """Exit code and output of `python -m <line>` in a folder."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | variables
    found = subprocess.run(
        [python, "-m", *shlex.split(line)],
        cwd=folder,
        env=environment,
        text=True,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return found.returncode, found.stdout


@pytest.mark.slow
@pytest.mark.fresh_process
def test_a_wheel_trains_and_judges_against_the_baselines_inside_it(installed, tmp_path):
    code, said = run(installed, "pytest --pyargs bench -k 'mlp and digits and relu' --baseline=require", tmp_path)
    assert code == 0, said
    assert "2 passed" in said
    assert "NEW" not in said
    assert (tmp_path / "results" / "summary.md").is_file()


@pytest.mark.slow
@pytest.mark.fresh_process
@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("bench claims", "undetermined"),
        ("bench literature", "resnet50 · MNIST"),
        ("bench rates", "best activation per rate"),
        ("bench report", "wrote"),
        ("bench.data", "digits"),
        ("activations silu", "SiLU"),
        ("models resnet18", "relu"),
    ],
)
def test_so_do_its_commands(installed, tmp_path, line, shown):
    code, said = run(installed, line, tmp_path)
    assert (code, shown in said) == (0, True), said


@pytest.mark.slow
@pytest.mark.fresh_process
@pytest.mark.parametrize("named", ["--pyargs bench", "--pyargs bench.experiments.test_mlp", "{package}/experiments"])
def test_however_the_package_is_named_its_cases_are_collected(installed, tmp_path, named):
    package = next((installed.parents[1] / "lib").glob("*/site-packages/bench"))
    code, said = run(
        installed, f"pytest {named.format(package=package)} --collect-only -q -k 'mlp and digits'", tmp_path
    )
    assert code == 0, said
    assert "mlp-mlp-digits-relu-adam" in said


@pytest.mark.slow
@pytest.mark.fresh_process
def test_workers_have_the_plugin_too(installed, tmp_path):
    code, said = run(installed, "pytest --pyargs bench -k 'mlp and digits and relu' --probe -n 2", tmp_path)
    assert code == 0, said
    assert "2 SAME" in said


@pytest.mark.slow
@pytest.mark.fresh_process
def test_recording_asks_for_a_folder_of_ones_own(installed, tmp_path):
    code, said = run(installed, "pytest --pyargs bench -k 'mlp and digits and relu' --record", tmp_path)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert "give --baseline-dir DIR" in said


@pytest.mark.slow
@pytest.mark.fresh_process
def test_without_the_plugin_one_line_says_what_is_missing(installed, tmp_path):
    code, said = run(installed, "pytest -p no:actbench --pyargs bench", tmp_path)
    assert code == pytest.ExitCode.INTERRUPTED
    assert "give -p bench.plugin" in said
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.fresh_process
def test_a_package_of_ones_own_may_load_the_plugin_when_it_is_collected(installed, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").touch()
    (tmp_path / "mine" / "conftest.py").write_text('pytest_plugins = ["bench.plugin"]')
    (tmp_path / "mine" / "test_micro.py").write_text(MICRO)
    code, said = run(installed, "pytest --pyargs mine -k 'digits and relu and sgd'", tmp_path)
    assert code == 0, said
    assert "= ranking =" in said


@pytest.mark.slow
@pytest.mark.fresh_process
def test_other_peoples_sessions_keep_their_options_and_their_bench(installed, tmp_path):
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "__init__.py").write_text("MINE = True")
    (tmp_path / "conftest.py").write_text("def pytest_addoption(parser): parser.addoption('--device')")
    (tmp_path / "test_mine.py").write_text(
        "import sys\nimport bench\n\ndef test_mine():\n    assert bench.MINE and 'torch' not in sys.modules\n"
    )
    for line in ("pytest --device tpu", "pytest --device tpu --pyargs bench test_mine.py"):
        code, said = run(installed, line, tmp_path)
        assert code == 0, said
        assert "1 passed" in said
        assert "actbench:" not in said
