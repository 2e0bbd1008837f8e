"""Tests of pinning workers to GPUs and cores by environment variables alone, and of resolving --device."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from bench.training import device

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
CUDA = "CUDA_VISIBLE_DEVICES"


@pytest.fixture(autouse=True)
def _sixteen_cores_and_no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setenv("PATH", str(tmp_path))  # where the tests put an nvidia-smi of their own
    monkeypatch.delenv(CUDA, raising=False)
    monkeypatch.setattr(device, "NODES", tmp_path)
    device.has_cuda.cache_clear()
    yield
    device.has_cuda.cache_clear()


def _pinned(worker: int, workers: int, **environment: str) -> dict[str, str]:
    device.pin_worker(worker, workers, environment)
    return environment


def _fake_nvidia_smi(folder: Path, text: str) -> None:
    script = folder / "nvidia-smi"
    script.write_text(f"#!/bin/sh\nprintf '{text}'\n")
    script.chmod(0o755)


def test_workers_take_turns_in_the_callers_own_gpus() -> None:
    assert [_pinned(worker, 4, **{CUDA: "2,5"})[CUDA] for worker in range(4)] == ["2", "5", "2", "5"]


@pytest.mark.parametrize("listed", ["7", "GPU-1a2b,GPU-3c4d", "MIG-9f/1/0", "0,1,2,3"])
def test_a_gpu_keeps_the_name_that_the_caller_gave_it(listed: str) -> None:
    names = listed.split(",")
    assert [_pinned(worker, 8, **{CUDA: listed})[CUDA] for worker in range(8)] == [
        names[worker % len(names)] for worker in range(8)
    ]


@pytest.mark.parametrize("listed", ["", "-1", " "])
def test_a_caller_who_hides_the_gpus_keeps_them_hidden(listed: str, tmp_path: Path) -> None:
    _fake_nvidia_smi(tmp_path, "GPU 0: A\\n")
    assert _pinned(1, 2, **{CUDA: listed})[CUDA] == listed
    assert device.visible_gpus({CUDA: listed}) == []


def test_without_a_gpu_the_variable_is_left_alone() -> None:
    assert CUDA not in _pinned(1, 2)


def test_without_the_variable_nvidia_smi_counts_the_gpus(tmp_path: Path) -> None:
    _fake_nvidia_smi(tmp_path, "GPU 0: A100 (UUID: GPU-1)\\n  MIG 1g: Device 0\\nGPU 1: A100 (UUID: GPU-2)\\n")
    assert device.visible_gpus({}) == ["0", "1"]
    assert [_pinned(worker, 3)[CUDA] for worker in range(3)] == ["0", "1", "0"]


def test_without_nvidia_smi_the_drivers_nodes_count_the_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert device.visible_gpus({}) == ["0", "1"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.default_scale("auto") == "small"


def test_a_driver_that_answers_with_an_error_means_no_gpu(tmp_path: Path) -> None:
    _fake_nvidia_smi(tmp_path, "NVIDIA-SMI has failed because it could not communicate\\n")
    assert device.visible_gpus({}) == []


@pytest.mark.parametrize(("usable", "scale"), [(True, "small"), (False, "tiny")])
def test_a_gpu_that_torch_cannot_use_changes_no_default(
    usable: bool, scale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CPU build of torch, or a driver that is too old."""
    _fake_nvidia_smi(tmp_path, "GPU 0: A100 (UUID: GPU-1)\\n")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: usable)
    assert [device.default_scale(name) for name in ("auto", "cuda", "cpu")] == [scale, scale, "tiny"]


@pytest.mark.parametrize(("workers", "threads"), [(1, 16), (4, 4), (5, 3), (16, 1), (40, 1)])
def test_workers_share_the_cores(workers: int, threads: int) -> None:
    environment = _pinned(0, workers)
    assert {environment[variable] for variable in THREADS} == {str(threads)}


@pytest.mark.parametrize("variable", THREADS)
def test_the_callers_own_number_of_threads_stays(variable: str) -> None:
    assert _pinned(0, 4, **{variable: "7"})[variable] == "7"


def test_mps_is_there_while_its_daemon_listens(mps_daemon: socket.socket) -> None:
    assert device.has_mps_daemon()
    assert device.has_mps_daemon(), "it was asked once and is gone"
    mps_daemon.close()
    assert not device.has_mps_daemon(), "the pid file names a process that lives, and nobody listens"


def test_without_the_variable_its_folder_is_the_default_one(
    mps_daemon: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not device.has_mps_daemon({})
    monkeypatch.setattr(device, "MPS_FOLDER", str(tmp_path))
    assert device.has_mps_daemon({})
    assert device.has_mps_daemon({"CUDA_MPS_PIPE_DIRECTORY": ""})
    assert not device.has_mps_daemon({"CUDA_MPS_PIPE_DIRECTORY": str(tmp_path / "another")})


@pytest.mark.parametrize("make", [os.mkfifo, Path.touch, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_socket_of_a_daemon_does_not_count(make: Callable[[Path], object], tmp_path: Path) -> None:
    make(tmp_path / "control")
    assert not device.has_mps_daemon({"CUDA_MPS_PIPE_DIRECTORY": str(tmp_path)})


def test_nor_does_a_folder_whose_name_no_socket_can_have(tmp_path: Path) -> None:
    assert not device.has_mps_daemon({"CUDA_MPS_PIPE_DIRECTORY": str(tmp_path / ("long" * 50))})


@pytest.mark.parametrize(("listed", "most", "cards"), [("7", 1, "1 card"), ("GPU-1a2b,GPU-3c4d", 2, "2 cards")])
def test_more_workers_than_cards_are_refused_with_what_is_allowed(
    listed: str, most: int, cards: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CUDA, listed)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(device, "MPS_FOLDER", "nowhere")
    device.check_sharing(most)
    for workers in (most + 1, 8):
        with pytest.raises(
            ValueError, match=f"^-n {workers} on {cards}: .*; give -n {most}, -n auto or --device cpu, or"
        ):
            device.check_sharing(workers)


def test_where_there_is_mps_workers_share_a_card(mps_daemon: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CUDA, "7")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    device.check_sharing(8)


def test_auto_takes_the_best_device_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert device.resolve("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device.resolve("auto") == torch.device("cpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device.resolve("auto") == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch, "use_deterministic_algorithms", lambda *args, **kwargs: None)
    fused = {name: [] for name in ("flash", "mem_efficient", "cudnn")}
    for name, told in fused.items():
        monkeypatch.setattr(torch.backends.cuda, f"enable_{name}_sdp", told.append)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    assert device.resolve("auto") == torch.device("cuda", 0)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert torch.backends.cudnn.benchmark is False
    assert all(told == [False] for told in fused.values())


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_there_lists_those_that_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match=f"--device {name}: .* available: cpu$"):
        device.resolve(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="has CUDA")
def test_a_machine_without_cuda_says_so() -> None:
    with pytest.raises(ValueError, match="--device cuda: torch finds none on this machine; available: cpu"):
        device.resolve("cuda")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:0", "CPU"])
def test_an_unknown_device_lists_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match=f"unknown device '{name}'; known: ") as caught:
        device.resolve(name)
    assert all(known in str(caught.value) for known in device.DEVICES)


def test_the_peak_of_memory_is_of_what_is_watched_beyond_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """On fake tensors and a made allocator: before 100, then training up to 500 and evaluation up to 900."""
    most = {"now": 0}
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 100)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: most["now"])
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda _: most.update(now=100))
    with FakeTensorMode():
        peak = device.PeakMemory(torch.device("cuda"))
    assert peak.bytes == 0
    for training in (500, 300):
        with peak.watched():
            most["now"] = training
        most["now"] = 900
    assert peak.bytes == 400


def test_off_cuda_no_peak_is_counted() -> None:
    peak = device.PeakMemory(torch.device("cpu"))
    with peak.watched():
        pass
    assert peak.bytes is None


ELU_BEFORE_AND_AFTER_ITS_CONSTANTS = """
import time
import torch
from bench.training import device

device.resolve("cpu")
torch.set_num_threads(1)
x = torch.randn(2**16)


def fastest():
    taken = []
    for _ in range(30):
        start = time.perf_counter()
        torch.nn.functional.elu(x)
        taken.append(time.perf_counter() - start)
    return min(taken)


before = fastest()
torch.expm1(torch.full((64,), -0.0))
print(before / fastest())
"""


@pytest.mark.fresh_process  # any other use of torch may have brought them in
def test_a_fresh_process_runs_elu_as_fast_as_one_whose_constants_are_there() -> None:
    command = [sys.executable, "-c", ELU_BEFORE_AND_AFTER_ITS_CONSTANTS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 2
