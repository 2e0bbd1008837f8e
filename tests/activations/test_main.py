"""Tests of `python -m activations`: tables, family tree, accuracy, and errors of one line."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest
from torch._inductor.runtime.cache_dir_utils import cache_dir

import activations
from activations import fused
from activations.__main__ import main
from command_lines import one_line_error

NAMES = activations.names()
WIDEST = 120


pytestmark = pytest.mark.usefixtures("scratch_registry")


def _rows(text: str) -> dict[str, str]:
    """Of the first table, by activation."""
    lines = text.split("Start.")[0].splitlines()[3:]
    return {line.split()[0]: line for line in lines if line.strip()}


# Tables


def test_without_names_every_activation_has_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    text = capsys.readouterr().out
    assert set(re.findall(r"\w+", text)) >= set(NAMES)
    assert max(map(len, text.splitlines())) <= WIDEST
    assert "Not a function of one number" in text


def test_the_module_runs_as_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["activations", "relu", "swish"])
    monkeypatch.delitem(sys.modules, "activations.__main__")  # else runpy warns that it is there already
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("activations", run_name="__main__", alter_sys=True)
    rows = _rows(capsys.readouterr().out)
    assert stop.value.code == 0
    assert list(rows) == ["relu", "silu"]
    assert "[-0.2785, ∞)" in rows["silu"]
    assert "[0, ∞)" in rows["relu"]


@pytest.mark.parametrize("name", NAMES)
def test_one_name_prints_all_that_is_known(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == 0
    text = capsys.readouterr().out
    entry = activations.info(name)
    flat = re.sub(r"\s+", " ", text)
    for piece in (entry.label, entry.source, entry.notes, entry.family, *entry.aliases, *entry.arguments):
        assert re.sub(r"\s+", " ", piece) in flat
    assert max(map(len, text.splitlines())) <= WIDEST


def test_the_sheet_says_where_the_least_value_is(capsys: pytest.CaptureFixture[str]) -> None:
    main(["silu"])
    assert "[-0.278464542761, ∞), least at x = -1.278464543" in capsys.readouterr().out


def test_a_family_is_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--family", "exponential"]) == 0
    assert list(_rows(capsys.readouterr().out)) == activations.names(family="exponential")


def test_a_users_function_stands_beside_ours(mine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([mine, "silu"]) == 0
    rows = _rows(capsys.readouterr().out)
    assert "[-0.1392, ∞)" in rows["half_swish"]
    assert "[-0.2785, ∞)" in rows["silu"]


# The family tree


def test_the_tree_has_every_activation_once_below_its_original(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--tree"]) == 0
    lines = capsys.readouterr().out.splitlines()
    depths: dict[str, tuple[int, int]] = {}
    for number, line in enumerate(lines):
        if found := re.match(r"([│├└─ ]+).* \((\w+)\)( \[\w+\])?$", line):
            assert found[2] not in depths
            depths[found[2]] = (number, len(found[1]))
    assert sorted(depths) == sorted(NAMES)
    for name in NAMES:
        if parent := activations.info(name).variant_of:
            above = [
                one for one, (number, depth) in depths.items() if number < depths[name][0] and depth < depths[name][1]
            ]
            assert above[-1] == parent


def test_the_tree_of_one_name_is_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prelu", "--tree"]) == 0
    text = capsys.readouterr().out
    assert "PReLU* (prelu)" in text
    assert {"(relu)", "(leaky_relu)"} <= set(text.split())
    assert "(gelu)" not in text


# Accuracy


def test_accuracy_prints_the_dtypes_asked_for(mine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["relu", "softmax", mine, "--accuracy", "bfloat16", "float32"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[-2:] == ["bfloat16", "float32"]
    assert lines[2].split() == ["relu", "0,", "0", "0,", "0"]
    assert lines[3].split()[0] == "half_swish"
    assert lines[-1] == "without a formula: softmax"


# Compiling


def test_compile_calls_the_fused_forms_and_says_how_long_each_took_and_where_the_kernels_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["mish", "relu", "--compile"]) == 0
    text = capsys.readouterr().out
    assert re.search(rf"^mish +\d+\.\d s\nin {cache_dir()}, for cpu.*: \d+ s\n.*: relu$", text, re.MULTILINE)


def test_compile_without_a_compiler_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fused, "_unavailable", True)
    assert "nothing was compiled: there is no C++ compiler" in one_line_error(main, "mish --compile", capsys)


# Errors


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("relu_", "'relu_': did you mean relu"),
        ("--family rectifiers", "'rectifiers'; known: rectifier, "),
        ("--bogus", "--bogus; --help"),
        ("nowhere.py:f", "no file 'nowhere.py'; write it as path/to/file.py:name"),
        ("relu --plot plot.gif", "'plot.gif': its suffix must be one of .png, .svg, .pdf"),
        ("relu --plot nowhere/plot.png", "cannot write nowhere/plot.png: No such file or directory"),
        ("glu --plot plot.png", "cannot plot 'glu': not a function of one number"),
        ("relu --plot plot.png --window 3 1", "from 3 to 1"),
        ("relu --plot plot.png --window a 1", "invalid float value: 'a'"),
        ("relu --tree --plot plot.png", "--plot: not allowed with argument --tree"),
        ("relu --accuracy float3", "'float3'; known: float64, float32, bfloat16, float16"),
        ("softmax --accuracy", "no formula to measure softmax against"),
    ],
)
def test_an_error_is_one_line_that_names_offender_and_remedy(
    line: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    err = one_line_error(main, line, capsys)
    assert err.startswith("python -m activations: ")
    assert named in err
    assert list(tmp_path.iterdir()) == []
