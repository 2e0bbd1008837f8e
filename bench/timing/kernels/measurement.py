"""Measures one kernel against relu and a copy, in turn: `measure_kernel(kernel, device)`."""

from __future__ import annotations

import platform
import re
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import activations
from bench.timing import interleave
from bench.timing.kernels.allocator import memory_kept
from bench.timing.kernels.kernel import EXAMPLE, SIZES, Kernel
from bench.training.device import threads

if TYPE_CHECKING:
    import torch
    from torch import nn

# Timed on one thread: how well a kernel spreads over cores is a property of the machine's load too.
THREADS = 1
# In cache a call takes microseconds: a sample repeats it until the clock and the call's overhead vanish.
SAMPLE_SECONDS = 1e-3
# Rounds are as many as fit into the budget, within these limits.
BUDGET_SECONDS = 0.3
ROUNDS = (7, 50)
# What all this comes to on one core of an EPYC of Zen 4, the mean of the catalogue's kernels: 19 minutes for ten
# measurements of each of its 120. There are the fewest rounds in memory, and the budget in cache.
SECONDS = {"cache": 0.4, "memory": 1.5}
# Of the input's size: more than inputs, results and what the hungriest activation keeps.
POPULATED_TENSORS = 12


@dataclass(frozen=True)
class Measurement:
    """What one measurement of a kernel found.

    Attributes:
        kernel: what was timed.
        device_class: as `fingerprint.device_class` names it.
        device_name: the card, or the model of the CPU.
        torch: its version.
        threads: of the CPU.
        n: rounds of (activation, relu, copy).
        seconds: median of a call.
        ratio_relu: median over the rounds of activation / relu, the same mode.
        sd_log_ratio_relu: standard deviation of the logarithm of that ratio between rounds.
        ratio_copy: median over the rounds of activation / plain copy of the input, whatever the mode.
        bytes_moved: the least that any implementation reads and writes. Forward: input and parameters read,
            output written. Backward adds the output's gradient, the input and the parameters read, the
            gradients of input and parameters written.
        bytes_saved: kept for backward, parameters left out; 0 for `forward`. The input is counted where it is
            kept, though it may live on anyway.
    """

    kernel: Kernel
    device_class: str
    device_name: str
    torch: str
    threads: int
    n: int
    seconds: float
    ratio_relu: float
    sd_log_ratio_relu: float
    ratio_copy: float
    bytes_moved: int
    bytes_saved: int

    @property
    def gigabytes_per_second(self) -> float:
        """Of `bytes_moved`: what a perfectly fused implementation of the same speed would reach."""
        return self.bytes_moved / self.seconds / 1e9

    @property
    def extra_info(self) -> dict[str, float | int | str]:
        """As builtin values, for pytest-benchmark's `extra_info`."""
        return {
            "ratio_relu": self.ratio_relu,
            "sd_log_ratio_relu": self.sd_log_ratio_relu,
            "ratio_copy": self.ratio_copy,
            "interleaved_rounds": self.n,
            "bytes_moved": self.bytes_moved,
            "gigabytes_per_second": self.gigabytes_per_second,
            "bytes_saved": self.bytes_saved,
            "threads": self.threads,
            "device_name": self.device_name,
        }


@contextmanager
def steady() -> Iterator[None]:
    """What kernels are timed under: one thread, an allocator that keeps its memory, and any algorithm.

    Held to deterministic algorithms, the compiler of fused kernels does not try out which one is fastest.
    """
    import torch

    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    with threads(THREADS), memory_kept():
        torch.use_deterministic_algorithms(False)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)


def measure_kernel(kernel: Kernel, device: torch.device) -> Measurement:
    """Time rounds of the activation, relu and a copy of the input, under the settings of `steady`.

    Raises:
        ValueError: unknown activation.
    """
    import torch

    from bench.training.fingerprint import device_class

    with steady():
        populate(SIZES[kernel.size], getattr(torch, kernel.dtype), device)
        prepared = prepare_kernel(kernel, device)
        relu = prepare_kernel(replace(kernel, activation="relu"), device)
        calls = {"activation": prepared.call, "relu": relu.call, "copy": _input(kernel, device).clone}
        loops = {name: interleave.loops_for(one, device, SAMPLE_SECONDS) for name, one in calls.items()}
        trial = interleave.measure_in_turn(calls, rounds=1, device=device, loops=loops)
        least, most = ROUNDS
        rounds = int(BUDGET_SECONDS / sum(loops[name] * trial[name][0] for name in calls))
        taken = interleave.measure_in_turn(calls, rounds=min(max(rounds, least), most), device=device, loops=loops)
    to_relu = interleave.ratio(taken["activation"], taken["relu"])
    return Measurement(
        kernel=kernel,
        device_class=device_class(device),
        device_name=device_name(device),
        torch=str(torch.__version__),
        threads=THREADS,
        n=len(taken["activation"]),
        seconds=statistics.median(taken["activation"]),
        ratio_relu=to_relu.median,
        sd_log_ratio_relu=to_relu.sd_log,
        ratio_copy=interleave.ratio(taken["activation"], taken["copy"]).median,
        bytes_moved=prepared.bytes_moved,
        bytes_saved=prepared.bytes_saved,
    )


@dataclass(frozen=True)
class PreparedCall:
    """One call of a kernel, ready to be timed, and the bytes that it moves and keeps, as in `Measurement`."""

    call: interleave.Call
    bytes_moved: int
    bytes_saved: int


def prepare_kernel(kernel: Kernel, device: torch.device) -> PreparedCall:
    """Build the activation and its input on a device.

    Raises:
        ValueError: unknown activation.
    """
    import torch

    module = activations.build(kernel.activation, shape=EXAMPLE).to(device, getattr(torch, kernel.dtype))
    return prepare_module(module, _input(kernel, device), kernel.mode)


def prepare_module(module: nn.Module, x: torch.Tensor, mode: str) -> PreparedCall:
    """A call of a module, one of `MODES`: with the gradients of input and parameters, or without a graph."""
    import torch

    from activations.contract.memory import bytes_saved

    backward = mode == "forward_backward"
    module.requires_grad_(backward)
    x = x.detach().requires_grad_(backward)
    parameters = list(module.parameters())
    own = sum(parameter.nbytes for parameter in parameters)
    with torch.no_grad():
        gradient = torch.ones_like(module(x))
    moved = x.nbytes + own + gradient.nbytes
    if not backward:
        return PreparedCall(lambda: module(x), moved, bytes_saved=0)
    moved += gradient.nbytes + 2 * (x.nbytes + own)
    saved = bytes_saved(lambda: module(x), excluded=parameters)
    return PreparedCall(lambda: torch.autograd.grad(module(x), (x, *parameters), gradient), moved, saved)


def device_name(device: torch.device) -> str:
    """The card, or the model of the CPU: ratios differ between models.

    Virtual machines often hide the model's name, so that family and number go with it.
    """
    if device.type == "cuda":
        import torch

        return torch.cuda.get_device_name(device)
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    facts = dict(re.findall(r"^(model name|cpu family|model)\s*: (.+)$", text, re.MULTILINE))
    if len(facts) == 3:
        return f"{facts['model name']}, family {facts['cpu family']}, model {facts['model']}"
    return platform.processor() or platform.machine()


def populate(elements: int, dtype: torch.dtype, device: torch.device) -> None:
    """Fault in what a call may ask for, so that the rounds meet a heap whose pages are there."""
    import torch

    torch.ones(POPULATED_TENSORS, elements, dtype=dtype, device=device)


def standard_normal(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Standard normal, the same for all activations: branches and saturation cost what they cost in use."""
    import torch

    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device, dtype)


def _input(kernel: Kernel, device: torch.device) -> torch.Tensor:
    import torch

    return standard_normal(kernel.shape, getattr(torch, kernel.dtype), device)
