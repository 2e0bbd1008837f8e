"""Annotations on a pull request: at the line where a difference begins, escaped, ten of a level, in a job alone."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

import activations
import models
from bench import experiments
from bench.cases.case import Case
from bench.records.probes import Probe, ProbeKey
from bench.records.result import Result
from bench.reporting.files import annotations
from bench.reporting.files.annotations import Annotation
from bench.reporting.files.source_lines import SourceLine, activation_line, definition, model_line
from bench.timing.kernels.kernel import Kernel
from bench.timing.kernels.measurement import Measurement
from bench.timing.kernels.timings import TimedKernel
from made import runs

ROOT = Path(__file__).parents[3]
ONE_CASE = ["-k", "digits and elu and sgd", "--baseline-dir", "own_baselines"]
PROBE = [*ONE_CASE, "--probe"]
FILE = ROOT / "bench" / "experiments" / "test_cnn.py"


def as_the_runner_reads(line: str) -> tuple[str, dict[str, str], str]:
    """Level, properties and message: actions/runner, src/Runner.Common/ActionCommand.cs."""
    level, said, message = re.fullmatch(r"::(\w+) (.*?)::(.*)", line).groups()
    codes = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
    properties = dict(one.split("=", 1) for one in said.split(","))
    for code, text in codes.items():
        message = message if code in ("%3A", "%2C") else message.replace(code, text)
        properties = {name: value.replace(code, text) for name, value in properties.items()}
    return level, properties, message


def of(activation: str, verdict: str = "CHANGED", failed: bool = True, model: str = "cnn", **more) -> Result:
    case = Case("cnn", model, "mnist", activation, "sgd")
    return Result(case, tuple(runs([0.9], case=case)), verdict, "why", failed, "the message\nand a command", **more)


def shown(*results: Result, recorded=(), root: Path = ROOT) -> list[tuple[str, dict[str, str], str]]:
    files = {one.case: FILE for one in results}
    found = annotations.of_results(results, files, {one.key: one for one in recorded})
    return [as_the_runner_reads(line) for line in annotations.render(found, root)]


def differing(activation: str, series: str, model: str = "cnn") -> list[tuple[str, dict[str, str], str]]:
    """Of a case whose first steps differ in one quantity."""
    numbers = dict.fromkeys(("weights", "inputs", "sites", "output", "losses", "rates", "updates"), (1.0,))
    result = of(activation, model=model)
    before = Probe(ProbeKey(result.case, "tiny", 1), {}, {**numbers, "gradients": (1.0,)}, {}, 1, 1)
    now = dataclasses.replace(before, series={**before.series, series: (2.0,)})
    return shown(dataclasses.replace(result, probe=now), recorded=[before])


def line_of(annotation: tuple[str, dict[str, str], str]) -> tuple[str, str]:
    """The file of an annotation, and the text of its line."""
    _, properties, _ = annotation
    lines = (ROOT / properties["file"]).read_text(encoding="utf-8").splitlines()
    return properties["file"], lines[int(properties["line"]) - 1]


@pytest.mark.parametrize(
    ("activation", "series", "model", "file", "text"),
    [
        ("tact", "sites", "cnn", "activations/tact.py", "class TAct"),
        ("mish", "gradients", "cnn", "activations/_catalogue/self_gated.py", 'name="mish"'),
        ("squareplus", "gradients", "cnn", "activations/rectifiers.py", "squareplus = Pointwise("),
        ("relu", "output", "cnn", "models/cnn.py", "class CNN"),
        ("relu", "weights", "timit_mlp", "models/mlp.py", "timit_mlp = "),
        ("relu", "rates", "cnn", "bench/experiments/test_cnn.py", "def recipe("),
        ("relu", "updates", "cnn", "bench/experiments/test_cnn.py", "EXPERIMENT = "),
    ],
)
def test_a_difference_is_shown_where_it_begins(activation, series, model, file, text):
    (annotation,) = differing(activation, series, model)
    path, line = line_of(annotation)
    assert path == file
    assert text in line


def text_at(place: SourceLine) -> str:
    return place.file.read_text(encoding="utf-8").splitlines()[place.line - 1]


@pytest.mark.parametrize("name", activations.names())
def test_every_activation_has_a_line_of_its_own(name):
    place = activation_line(name)
    trained = str(activations.info(name).module or activations.info(name).function)
    own = trained.partition(":")[2] if trained.startswith("activations.") else f'name="{name}"'
    assert place.file.is_relative_to(ROOT / "activations")
    assert own in text_at(place)


def test_every_network_and_experiment_has_a_line_of_its_own():
    for name in models.names():
        assert models.info(name).module.partition(":")[2] in text_at(model_line(name)), name
    for name in experiments.names():
        file = FILE.with_name(f"test_{name}.py")
        assert text_at(definition(file, "EXPERIMENT")).startswith("EXPERIMENT = "), name
        assert "recipe" in text_at(definition(file, "recipe")), name


def test_what_no_probe_places_is_shown_at_the_experiment():
    (annotation,) = shown(of("relu", "REGRESSED"))
    assert annotation[::2] == ("error", "the message\nand a command")
    assert annotation[1]["title"] == "REGRESSED cnn-cnn-mnist-relu-sgd"
    assert line_of(annotation) == ("bench/experiments/test_cnn.py", "EXPERIMENT = Experiment(")


def test_what_lies_outside_the_repository_or_in_an_environment_within_it_has_no_file(tmp_path):
    assert "file" not in shown(of("relu"), root=tmp_path)[0][1]
    installed = SourceLine(tmp_path / ".venv" / "lib" / "site-packages" / "bench" / "test_cnn.py", 1)
    (line,) = annotations.render([Annotation("error", "title", "message", [installed])], tmp_path)
    assert as_the_runner_reads(line) == ("error", {"title": "title"}, "message")


TEXT = st.text(st.sampled_from("a%:,=\r\n 0ADC25±") | st.characters(exclude_categories=["Cs"]), max_size=30)


@given(title=TEXT, message=TEXT, name=st.text(st.sampled_from("a%:, ="), min_size=1))
def test_the_runner_reads_what_was_meant_whatever_a_user_wrote(title, message, name):
    place = SourceLine(ROOT / f"{name}.py", 3)
    (line,) = annotations.render([Annotation("error", title, message, [place])], ROOT)
    assert not {"\r", "\n"} & set(line)
    level, properties, said = as_the_runner_reads(line)
    assert (level, said) == ("error", message)
    assert properties == {"file": f"{name}.py", "line": "3", "title": title}


def test_of_more_than_ten_the_worst_are_shown_and_the_last_says_how_many_there_are():
    names = ("elu", "selu", "gelu", "silu", "mish", "tanh", "sigmoid", "prelu", "apl", "tact")
    ten = [of(name, "REGRESSED") for name in names]
    assert len(shown(*ten)) == 10
    *nine, last = shown(*ten, of("relu", "DIVERGED"))
    assert len(nine) == 9
    assert nine[0][1]["title"] == "DIVERGED cnn-cnn-mnist-relu-sgd"
    assert last[2].startswith("and 2 more: ")


def test_what_quarantine_spares_is_a_warning_and_what_passes_is_nothing():
    spared = of("elu", "REGRESSED", failed=False, quarantine="in quarantine until 2030-01-01: flaky")
    (warning,) = shown(spared, of("relu", "NEW", failed=False), of("gelu", "MOVED", failed=False))
    assert warning[0] == "warning"
    assert warning[1]["title"] == "REGRESSED (quarantined) cnn-cnn-mnist-elu-sgd"
    assert warning[2] == "why"


def test_a_kernel_is_shown_at_its_activation_and_any_other_test_at_its_file():
    kernel = Kernel("tact", "float32", "cache", "forward")
    measured = Measurement(kernel, "cpu", "mine", "2.14", 1, 10, 1e-6, 2.0, 0.1, 3.0, 10, 0)
    failures = {
        f"bench/timing/test_kernels.py::test_kernel[{kernel.id}]": "REGRESSED: 2.00 x relu\nrecorded: 1.00 x relu",
        "bench/checks/test_contract.py::test_contract[tact]": "\n".join(map(str, range(100))),
    }
    found = annotations.of_tests(failures, [TimedKernel(measured, "REGRESSED")], ROOT)
    slow, broken = map(as_the_runner_reads, annotations.render(found, ROOT))
    assert line_of(slow) == ("activations/tact.py", "class TAct(Trainable):")
    assert slow[1]["title"] == f"REGRESSED {kernel.id}"
    assert broken[1]["file"] == "bench/checks/test_contract.py"
    assert broken[2].splitlines() == list(map(str, range(60, 100)))


@pytest.fixture
def changed(micro, monkeypatch):
    """A case whose first steps were recorded before its activation became another."""
    micro.runpytest_inprocess(*PROBE, "--record").assert_outcomes(passed=1)
    elu = functional.elu
    monkeypatch.setattr(functional, "elu", lambda x, alpha=1.0, inplace=False: elu(x, alpha / 2, inplace))
    return micro


def commands(result) -> list[tuple[str, dict[str, str], str]]:
    return [as_the_runner_reads(line) for line in result.outlines if line.startswith("::")]


@pytest.mark.parametrize("session", [PROBE, ONE_CASE], ids=["first steps alone", "trained"])
def test_a_job_is_told_once_of_each_case_that_failed(changed, monkeypatch, session):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (here,) = commands(changed.runpytest_inprocess(*session))
    assert here[1] == {"file": "test_micro.py", "line": "4", "title": "CHANGED micro-mlp-digits-elu-sgd"}
    assert "first steps differ from activation 1 of 8 on" in here[2]
    assert "\nreproduce: pytest -k micro-mlp-digits-elu-sgd" in here[2]
    monkeypatch.setenv("GITHUB_WORKSPACE", str(ROOT))
    (there,) = commands(changed.runpytest_inprocess(*session))
    assert line_of(there) == ("activations/_catalogue/exponentials.py", '        name="elu",')


def test_nothing_is_printed_elsewhere(changed):
    assert commands(changed.runpytest_inprocess(*PROBE)) == []


def test_an_activation_of_ones_own_is_shown_in_its_own_file(micro, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    own = ["--activation", "mine.py:bent", "-k", "bent and digits and sgd", "--baseline-dir", "own_baselines"]
    mine = micro.path / "mine.py"
    mine.write_text("factor = 0.1\n\n\ndef bent(x):\n    return x.clamp(min=0) + factor * x\n")
    assert commands(micro.runpytest_inprocess(*own, "--probe", "--record")) == []
    mine.write_text(mine.read_text().replace("0.1", "0.2"))
    (said,) = commands(micro.runpytest_inprocess(*own, "--probe"))
    assert (said[1]["file"], said[1]["line"]) == ("mine.py", "4")


def test_a_case_that_cannot_be_trained_is_shown_at_its_experiment(micro, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    micro.mkdir("none")
    (said,) = commands(micro.runpytest_inprocess("-k", "mnist and elu and sgd", "--data-dir", "none"))
    assert said[1]["title"] == "failed test_micro.py::test_micro[micro-mlp-mnist-elu-sgd]"
    assert said[1]["file"] == "test_micro.py"
    assert "none" in said[2]
