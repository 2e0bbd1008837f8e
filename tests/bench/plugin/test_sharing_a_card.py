"""Workers of a session on a machine with one card: who may share it, before any of them is started."""

from __future__ import annotations

import pytest
import torch

from bench.training import device

BEGINS = """
import pytest
pytest_plugins = ["bench.plugin"]

@pytest.hookimpl(tryfirst=True)  # before xdist starts its workers
def pytest_sessionstart(session):
    pytest.exit(f"it begins with {getattr(session.config.option, 'tx', [])}", returncode=0)
"""
REFUSED = (
    "ERROR: -n {} on 1 card: workers share a card only where NVIDIA's MPS runs their kernels side by side; give -n 1, "
    "-n auto or --device cpu, or start its daemon, nvidia-cuda-mps-control -d, and then again"
)


@pytest.fixture
def one_card(micro, monkeypatch):
    """A folder whose sessions see a card that torch can use, and end where their workers would start."""
    micro.makeconftest(BEGINS)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", "nowhere")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    device.has_cuda.cache_clear()
    yield micro
    device.has_cuda.cache_clear()


@pytest.mark.parametrize(
    ("arguments", "workers"),
    [("-n4", 4), ("-n2 --device cuda", 2), ("-n8 --maxprocesses 3", 3), ("-n2 --record --baseline-dir own", 2)],
)
def test_without_mps_a_session_whose_workers_would_share_it_ends_at_once(one_card, arguments, workers):
    result = one_card.runpytest_inprocess(*arguments.split())
    assert result.errlines == [REFUSED.format(workers), ""]
    assert result.outlines == []
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("arguments", "workers"),
    [
        ("", 0),
        ("-n0", 0),
        ("-n1", 1),
        ("-n auto", 1),
        ("-n logical", 1),
        ("-n8 --maxprocesses 1", 1),
        ("-n4 --device cpu", 4),
        ("-n4 --collect-only", 4),
        ("-n4 --probe", 4),
    ],
)
def test_no_other_session_is_refused(one_card, arguments, workers):
    begins(one_card, arguments, ["popen"] * workers)


def test_with_mps_they_share_it(one_card, mps_daemon):
    begins(one_card, "-n4", ["popen"] * 4)


def test_where_torch_can_use_no_card_any_number_may_work(one_card, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    begins(one_card, "-n4", ["popen"] * 4)


def test_workers_of_other_machines_are_their_own_affair(one_card):
    begins(one_card, "--dist load --tx ssh=there --tx ssh=yonder", ["ssh=there", "ssh=yonder"])


def begins(session, arguments, workers):
    """Asserts that a session comes to where it would start these workers."""
    result = session.runpytest_inprocess(*arguments.split())
    assert result.outlines[-1].strip("! ") == f"_pytest.outcomes.Exit: it begins with {workers}"
    assert result.ret == pytest.ExitCode.OK
