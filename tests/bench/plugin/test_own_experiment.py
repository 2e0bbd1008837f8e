"""A user's own experiment, with a data set, a network and a metric of theirs: bench/README.md's, done as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import models
from bench import __main__, data, experiments
from bench.cases import metric
from models import _registry

README = Path(models.__file__).parents[1] / "bench" / "README.md"
TWO = ("spirals", "-p", "bench.plugin", "--baseline-dir", "mine", "--seeds", "2", "-k", "relu or tanh")

OTHER = """
from bench.cases import Experiment, Recipe

EXPERIMENT = Experiment(
    *("spirals", "Another question?", "mine", ("mlp",), ("digits",), ("relu",), ("adam",)),
    recipe=lambda case, scale: Recipe(1, epochs=1, batch_size=8, learning_rate=0.1, initialisation="torch"),
)


def test_more(case, run_case):
    run_case(case)
"""


@pytest.fixture
def spirals(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the README in a folder beside nothing else; what it registers is forgotten with the test."""
    for registry in (data.DATASETS, metric.METRICS, _registry._REGISTRY, experiments._OWN):
        for name in ("spirals", "error", "three_layers"):
            monkeypatch.delitem(registry, name, raising=False)
            monkeypatch.setitem(registry, name, None)
            monkeypatch.delitem(registry, name)
    section = README.read_text(encoding="utf-8").split("## An experiment of your own\n")[1].split("\n## ")[0]
    (text,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    pytester.mkdir("mine")
    path = pytester.mkdir("spirals") / "test_spirals.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_it_is_recorded_then_the_same_and_ranked_by_its_own_metric_the_lower_the_better(
    spirals: Path, pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    pytester.runpytest_inprocess(*TWO, "--record").assert_outcomes(passed=2, deselected=2)
    again = pytester.runpytest_inprocess(*TWO, "--baseline=require", "--strict")
    again.assert_outcomes(passed=2, deselected=2)
    shown = ["spirals · three_layers · two spirals · adam · tiny", "* test error % *", "*relu *SAME", "*tanh *SAME"]
    again.stdout.fnmatch_lines(shown)
    del metric.METRICS["error"]  # the command is a process of its own, which knows what it loads
    capsys.readouterr()
    arguments = ["aggregates", "--load", str(spirals), "--results-dir", "results", "--baseline-dir", "mine"]
    assert __main__.main(arguments) == 0
    relu, tanh = (line for line in capsys.readouterr().out.splitlines() if line.startswith(("relu", "tanh")))
    assert float(relu.split()[1]) < float(tanh.split()[1])


def test_what_its_file_registers_is_unknown_without_it(
    spirals: Path, pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    pytester.runpytest_inprocess(*TWO, "--record").assert_outcomes(passed=2, deselected=2)
    del metric.METRICS["error"]
    capsys.readouterr()
    assert __main__.main(["aggregates", "--baseline-dir", "mine"]) == 2
    assert (
        "spirals.tiny.cpu.csv, line 2: malformed row (unknown metric 'test_error'; known: " in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ('datasets=("spirals",)', 'datasets=("spiral",)', "*unknown dataset 'spiral'; known: digits, *spirals*"),
        ('models=("three_layers",)', 'models=("layers",)', "*unknown model 'layers'; known: mlp, *three_layers*"),
        ('name="spirals"', 'name="mlp"', "*experiment 'mlp' is one of the suite's; give yours another name*"),
        ('"spirals", "two spirals"', '"digits", "mine"', "*dataset 'digits' is one of the suite's*"),
        ('models.Model("three_layers"', 'models.Model("cnn"', "*model 'cnn' is one of the suite's*"),
        ('metric="test_error"', 'metric="test_errors"', "*unknown metric 'test_errors'; known: *error*"),
        ("rows=(900, 300)", "rows=(900, 200)", "*test_features is of shape (300, 2), its record says (200, 2)*"),
        (
            '"spirals", "two spirals", 2',
            '"spirals", "two spirals", 1',
            "*labels go from 0 to 1, not from 0 to 0*",
        ),
        (
            '"test_labels": labels[900:],',
            "",
            "*train_labels, test_features, not a dict of*test_labels*",
        ),
        ("points[:900],", "points[:900].double(),", "*train_features is torch.float64, not torch.float32*"),
    ],
)
def test_a_mistake_in_it_is_named_with_what_would_be_right(
    spirals: Path, pytester: pytest.Pytester, right: str, wrong: str, message: str
) -> None:
    text = spirals.read_text(encoding="utf-8")
    assert right in text
    spirals.write_text(text.replace(right, wrong), encoding="utf-8")
    result = pytester.runpytest_inprocess(*TWO)
    result.stdout.fnmatch_lines([message])
    assert result.ret != 0


def test_two_files_must_not_declare_one_experiment(spirals: Path, pytester: pytest.Pytester) -> None:
    spirals.with_name("test_more.py").write_text(OTHER, encoding="utf-8")
    result = pytester.runpytest_inprocess(*TWO)
    result.stderr.fnmatch_lines(["*another file declares an experiment 'spirals' too; rename one*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
