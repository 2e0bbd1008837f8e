"""Planted faults: every one is noticed by a probe, on other instructions than the rows were recorded with."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from bench.checks import probing
from bench.checks.faults import FAULTS, KINDS
from bench.records import baseline, probes
from bench.regression import probes as compared

LEAST = 40


def test_there_are_faults_of_every_kind():
    assert len(FAULTS) >= LEAST
    assert {fault.kind for fault in FAULTS.values()} == set(KINDS)


@pytest.fixture(scope="module")
def recorded():
    return probes.read(baseline.FOLDER)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_tried_on_a_recorded_case_and_taken_out_again(name, recorded):
    fault = FAULTS[name]
    case = probing.case_of(fault)
    assert any(key[:2] == (case, fault.scale) for key in recorded)
    before = torch.nn.functional.elu, torch.randperm, torch.optim.Adam, torch.nn.init.kaiming_normal_
    with fault.planted():
        pass
    assert before == (torch.nn.functional.elu, torch.randperm, torch.optim.Adam, torch.nn.init.kaiming_normal_)


@pytest.mark.parametrize("name", ["elu_half_alpha", "gradient_leaks", "late_drop", "top_two", "epochs_halved"])
def test_a_fault_is_noticed(name, recorded, monkeypatch):
    monkeypatch.setattr(probing, "FAULTS", {name: FAULTS[name]})
    (found,) = probing.faults(recorded)
    assert found.message.startswith("first steps differ from ")
    assert found.distance > 100 * compared.TOLERANCE


def checks(*arguments, **environment):
    command = [sys.executable, "-m", "bench.checks", *arguments]
    found = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=3600
    )
    assert not found.returncode, f"{found.stdout}\n{found.stderr}"
    return found.stdout


@pytest.mark.slow
def test_all_faults_are_noticed_without_vector_instructions():
    said = checks("faults", ATEN_CPU_CAPABILITY="default")
    assert f"{len(FAULTS)} of {len(FAULTS)} faults noticed" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "capability"),
    [
        ((), "default"),
        (("--threads", "2"), "avx2"),
        (("--no-onednn", "--channels-last"), "default"),
    ],
)
def test_rounding_is_no_fault_under_any_conditions(arguments, capability):
    checks("rounding", *arguments, ATEN_CPU_CAPABILITY=capability)
