"""Tests of `python -m models`: the table, the sites of one network, and errors of one line."""

from __future__ import annotations

import runpy
import sys

import pytest

import models
from made import one_line_error
from models import backbones
from models.__main__ import main


def test_without_a_name_every_backbone_has_its_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        backbones, "full_size", lambda name: _CHEAP
    )  # tests/models/test_backbones.py reads the real ones
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:-1] if not line.startswith(" ")] == list(backbones.SURVEY)


_CHEAP = backbones.full_size("nin")


def test_the_module_runs_as_a_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["models", "cnn"])
    monkeypatch.delitem(sys.modules, "models.__main__")  # else runpy warns that it is there already
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module("models", run_name="__main__", alter_sys=True)
    assert [line.split()[2:5] for line in capsys.readouterr().out.splitlines()[2:]] == [
        ["relu", "hidden", "6x28x28"],
        ["relu", "hidden", "16x10x10"],
        ["relu", "hidden", "120"],
        ["relu", "hidden", "84"],
    ]


@pytest.mark.parametrize("name", ["mlp", "rnn", "segnet", "bert"])  # plain, recurrent, images of its own, ids
def test_a_network_lists_its_sites(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) - 2 == len(models.sites(*backbones.full_size(name)))


def test_the_listing_has_the_activation_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["senet18", "--activation", "swish"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert {(row[2], row[3]) for row in rows} == {("silu", "hidden"), ("sigmoid", "gate")}


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("resnet81", "unknown model 'resnet81'; known: mlp, "),
        ("resnet18 --activation rleu", "'rleu': did you mean relu"),
        ("resnet18 --activation swiglu", "'resnet18' takes activations of one input for each output, not of 2"),
        ("--activation relu", "--activation needs the name of a network"),
        ("--bogus", "--bogus; --help"),
    ],
)
def test_an_error_is_one_line_that_names_offender_and_remedy(
    line: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    err = one_line_error(main, line, capsys)
    assert err.startswith("python -m models: ")
    assert named in err
