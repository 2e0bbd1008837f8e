"""Which device a session trains on, and how a worker is pinned to its share of the machine.

`pin_worker` runs before torch is imported: it only sets environment variables.
"""

from __future__ import annotations

import functools
import gc
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

NODES = Path("/dev")
MPS_FOLDER = "/tmp/nvidia-mps"  # unless CUDA_MPS_PIPE_DIRECTORY says otherwise
DEVICES = ("auto", "cpu", "cuda", "mps")


def visible_gpus(environment: MutableMapping[str, str] = os.environ) -> list[str]:
    """The caller's own CUDA devices, as CUDA_VISIBLE_DEVICES or nvidia-smi name them; no torch needed.

    Without nvidia-smi, which many containers lack, they are counted by the nodes of the driver.
    """
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [device for device in chosen.split(",") if device.strip() and device.strip() != "-1"]
    if not shutil.which("nvidia-smi"):
        return [str(index) for index, _ in enumerate(NODES.glob("nvidia[0-9]*"))]
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout
    cards = [line for line in listed.splitlines() if line.startswith("GPU ")]
    return [str(index) for index in range(len(cards))]


def default_scale(device: str) -> str:
    """What `--scale` means where it is left out: `small` where CUDA would be used, else `tiny`."""
    return "small" if device in ("auto", "cuda") and has_cuda() else "tiny"


@functools.cache
def has_cuda() -> bool:
    """Whether there is a GPU and torch can use it, asked once a process; torch is loaded where there is one alone."""
    if not visible_gpus():
        return False
    import torch

    return torch.cuda.is_available()


def has_mps_daemon(environment: MutableMapping[str, str] = os.environ) -> bool:
    """Whether NVIDIA's MPS is there for processes that share a card: it runs their kernels side by side.

    A process has it where it reaches the control daemon when CUDA starts, and else does without (`man
    nvidia-cuda-mps-control`). The driver asks by the socket `control`, and so does this. The daemon's pid file would
    tell less: it stays behind one that was killed, and a container that has the folder may not see the process.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
            asked.settimeout(5)
            asked.connect(str(Path(environment.get("CUDA_MPS_PIPE_DIRECTORY") or MPS_FOLDER) / "control"))
    except (AttributeError, OSError):  # no such sockets, as on Windows; nobody there
        return False
    return True


def check_sharing(workers: int) -> None:
    """Let several workers train on one card only where its MPS daemon is there.

    Without it a card is given to one process at a time, in slices, and two can train less than one.

    Raises:
        ValueError: more workers than cards, and no daemon.
    """
    cards = len(visible_gpus())
    if workers > cards and has_cuda() and not has_mps_daemon():
        raise ValueError(
            f"-n {workers} on {cards} card{'s' * (cards != 1)}: workers share a card only where NVIDIA's "
            f"MPS runs their kernels side by side; give -n {cards}, -n auto or --device cpu, or start its daemon, "
            "nvidia-cuda-mps-control -d, and then again"
        )


def pin_worker(worker: int, workers: int, environment: MutableMapping[str, str] = os.environ) -> None:
    """Give one of several xdist workers its GPU and its share of the cores.

    Indexes into the caller's own CUDA_VISIBLE_DEVICES: eight workers must not land on somebody else's card. Under MPS
    too, whose daemon renumbers the cards that it was given by index: named by UUID they are the same to both.
    """
    gpus = visible_gpus(environment)
    if gpus:
        environment["CUDA_VISIBLE_DEVICES"] = gpus[worker % len(gpus)]
    threads = max(1, (os.cpu_count() or 1) // max(1, workers))
    # Each worker with a thread pool of all cores would oversubscribe the machine.
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        environment.setdefault(variable, str(threads))


def resolve(name: str) -> torch.device:
    """The torch device for `--device`; `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        ValueError: unknown name, or a device that this machine does not have.
    """
    import torch

    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(candidate for candidate in ("cuda", "mps", "cpu") if available[candidate])
    if name not in available:
        raise ValueError(f"unknown device {name!r}; known: {', '.join(DEVICES)}")
    if not available[name]:
        here = ", ".join(device for device, there in available.items() if there)
        raise ValueError(f"--device {name}: torch finds none on this machine; available: {here}")
    if name == "cuda":
        # Same fingerprint, same digest: cuBLAS needs the workspace to be fixed before its first call.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)
        # With `warn_only` the backward passes of these add up in any order: attention in plain products of matrices.
        torch.backends.cuda.enable_flash_sdp(False)
        torch.backends.cuda.enable_mem_efficient_sdp(False)
        torch.backends.cuda.enable_cudnn_sdp(False)
        # No code here reads what it has not written.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if name == "cpu":
        _bring_in_constants()
    return torch.device(name, torch.cuda.current_device()) if name == "cuda" else torch.device(name)


def _bring_in_constants() -> None:
    """Ask torch for expm1(-0.0), a vector of it.

    The AVX-512 code of expm1 and log1p reads what it returns for -0.0 by a masked load. Where no lane needs it, that
    does not bring in the page of the constant, and each such load of an absent page costs an assist of microcode: ELU,
    SELU and softplus took six times as long (576 and 91 µs for 2^16 elements, torch 2.14 on an EPYC of Zen 4).
    """
    import torch

    torch.expm1(torch.full((64,), -0.0))


class PeakMemory:
    """The most that training takes of a card's memory, beyond what was there before: `with peak.watched(): ...`.

    Made before the network. What a network of before holds in circles is collected first, and cuBLAS has its workspace.

    Attributes:
        bytes: so far; None off CUDA, where nothing is counted.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.bytes: int | None = None
        if device.type != "cuda":
            return
        import torch

        gc.collect()
        one = torch.ones(1, 1, device=device)
        torch.mm(one, one)
        del one
        self._before = torch.cuda.memory_allocated(device)
        self.bytes = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """What is done inside counts; evaluation in large batches, outside, does not."""
        if self.bytes is None:
            yield
            return
        import torch

        torch.cuda.reset_peak_memory_stats(self._device)
        yield
        self.bytes = max(self.bytes, torch.cuda.max_memory_allocated(self._device) - self._before)


def clock() -> float:
    """Seconds, read when all that an accelerator was given has run; pytest-benchmark's timer too."""
    import torch

    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    return time.perf_counter()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use this many threads of the CPU, and put back what there was."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def float32_places() -> dict[str, Any]:
    """What says by its `fp32_precision`, as since torch 2.9, in how many digits a card computes in float32."""
    import torch

    return {"convolution": torch.backends.cudnn.conv, "matmul": torch.backends.cuda.matmul}  # type: ignore[attr-defined]


@contextmanager
def full_float32() -> Iterator[None]:
    """Let a card compute in float32 with all its digits, and put back what there was.

    By default convolutions take TF32, which has the digits of float16: what no rounding of float32 comes to.
    """
    places = float32_places().values()
    before = [place.fp32_precision for place in places]
    for place in places:
        place.fp32_precision = "ieee"
    try:
        yield
    finally:
        for place, precision in zip(places, before, strict=True):
            place.fp32_precision = precision


def now(device: torch.device) -> float | torch.cuda.Event:
    """A point in time: kernels run after their launch, so on CUDA it is an event in their stream."""
    import torch

    if device.type == "cpu":
        return time.perf_counter()
    if device.type != "cuda":
        return clock()
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def since(start: float | torch.cuda.Event, device: torch.device) -> float:
    """Seconds from a point in time until all that was launched since has run."""
    end = now(device)
    if isinstance(start, float) or isinstance(end, float):
        return float(end) - float(start)  # type: ignore[arg-type]
    end.synchronize()
    return float(start.elapsed_time(end)) / 1000
