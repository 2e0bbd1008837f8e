"""Devices to plan for: frozen records of the vendors' data sheets, and the CPU at hand, measured.

Importing this module does not load torch.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from bench.timing import interleave
from bench.training.device import threads

if TYPE_CHECKING:
    from bench.cases.recipe import Precision

Work: TypeAlias = Literal["convolution", "matmul", "elementwise"]

# Shares of a data sheet's figures that kernels reach: of the arithmetic in float32, of that on tensor cores (which wait
# for memory, and in NCHW for transpositions), and of the bandwidth. With them torchvision's ResNet-50 comes to 1070
# images a second on an A100 (TF32), 2140 there in bfloat16 and 380 on a V100 (FP32). NVIDIA measured 938, 2470 and 356:
# github.com/NVIDIA/DeepLearningExamples, PyTorch/Classification/ConvNets/resnet50v1.5, training performance, one GPU.
CORE_SHARE = 0.8
TENSOR_CORE_SHARE = 0.25
BANDWIDTH_SHARE = 0.8
# Seconds in which eager torch hands one kernel to a GPU: about 4 for Python, autograd and the dispatcher, as measured
# on a CPU, and as many again for the driver. The whole cost of a small network.
LAUNCH = 8e-6


@dataclass(frozen=True)
class Device:
    """What a device can do.

    Attributes:
        name: what `--on` takes, or any part of it that fits no other.
        float32: FLOP/s outside tensor cores; a multiply-add counts as two.
        tf32: on tensor cores, dense, where torch runs float32 convolutions; None where they do not take it.
        bfloat16: likewise, under autocast.
        bandwidth: of its memory, bytes/s.
        memory: bytes.
        source: of these figures.
        launch: seconds that any kernel takes at least.
        core_share, bandwidth_share: what kernels reach of `float32` and `bandwidth`.
        convolution_launch: seconds that a convolution takes at least.
    """

    name: str
    float32: float
    tf32: float | None
    bfloat16: float | None
    bandwidth: float
    memory: float
    source: str
    launch: float = LAUNCH
    core_share: float = CORE_SHARE
    convolution_launch: float = LAUNCH
    bandwidth_share: float = BANDWIDTH_SHARE

    @property
    def type(self) -> str:
        """As torch calls it."""
        return "cpu" if self.name == "cpu" else "cuda"

    def seconds(self, flops: float, moved: float, work: Work, precision: Precision) -> float:
        """Of one kernel: the longest of its launch, its arithmetic and its traffic.

        Matrix products in float32 stay off the tensor cores, as torch has it unless told otherwise.
        """
        tensor_cores = self.bfloat16 if precision == "bfloat16" else self.tf32 if work == "convolution" else None
        launch = self.convolution_launch if work == "convolution" else self.launch
        peak = max(self.float32 * self.core_share, (tensor_cores or 0.0) * TENSOR_CORE_SHARE)
        return max(launch, flops / peak, moved / (self.bandwidth * self.bandwidth_share))


_ENTRIES = (
    Device(
        "NVIDIA A100",
        *(19.5e12, 156e12, 312e12),
        bandwidth=2039e9,
        memory=80e9,
        source="NVIDIA A100 data sheet, SXM 80 GB",
    ),
    Device(
        "NVIDIA H100",
        *(67e12, 494.7e12, 989.4e12),
        bandwidth=3350e9,
        memory=80e9,
        source="NVIDIA H100 data sheet, SXM; half of its figures with sparsity",
    ),
    Device(
        "NVIDIA V100",
        *(15.7e12, None, None),
        bandwidth=900e9,
        memory=32e9,
        source="NVIDIA V100 data sheet, SXM2; its tensor cores take float16 only",
    ),
    Device(
        "NVIDIA RTX 4090",
        *(82.6e12, 82.6e12, 165.2e12),
        bandwidth=1008e9,
        memory=24e9,
        source="NVIDIA Ada GPU architecture whitepaper 2.0, appendix A; accumulating in float32",
    ),
    Device(
        "NVIDIA T4",
        *(8.1e12, None, None),
        bandwidth=320e9,
        memory=16e9,
        source="NVIDIA T4 data sheet; its tensor cores take float16 only",
    ),
)

NAMES = (*(entry.name for entry in _ENTRIES), "cpu")


def find(text: str) -> str:
    """The full name of a device: `a100` is `NVIDIA A100`.

    Raises:
        ValueError: no device, or more than one, has this in its name; the message lists the known ones.
    """
    found = [name for name in NAMES if text.strip().lower() in name.lower()]
    if len(found) != 1 or not text.strip():
        raise ValueError(f"unknown device {text!r} to plan for; known: {', '.join(NAMES)}")
    return found[0]


def device(name: str, count: int) -> Device:
    """The record of a device by its full name; `cpu` is measured with so many threads."""
    return next((entry for entry in _ENTRIES if entry.name == name), None) or _measured(count)


@cache
def _measured(count: int) -> Device:
    """The CPU at hand, in about a second: what is measured is what kernels reach, so the shares are 1.

    Large products and convolutions reach several times the FLOP/s of small ones, so the sizes are those of small
    networks: a product is one of the model `mlp`, and the second convolution of `cnn`, gradients included, takes the
    least time that any convolution is given. On two cores, runs at tiny took 0.9 to 1.9 times their estimate (`cnn`,
    `mlp`), and steps of larger networks 0.4 to 1.2 times.
    """
    import torch
    from torch.nn import functional as F

    size, bytes_moved, links = 128, 2**26, 100
    matrix = torch.randn(size, size)
    here, there = torch.zeros(bytes_moved // 8), torch.zeros(bytes_moved // 8)
    number = torch.ones(1, requires_grad=True)
    images, filters = torch.randn(32, 6, 14, 14, requires_grad=True), torch.randn(16, 6, 5, 5, requires_grad=True)

    def chain() -> None:
        value = number
        for _ in range(links):
            value = value.relu()
        value.backward()

    calls = {
        "product": lambda: matrix @ matrix,
        "copy": lambda: there.copy_(here),
        "chain": chain,
        "convolution": lambda: F.conv2d(images, filters).sum().backward(),
    }
    with threads(count):
        taken = interleave.measure(calls, rounds=10, device=torch.device("cpu"))
    best = {name: min(seconds) for name, seconds in taken.items()}
    return Device(
        "cpu",
        *(2 * size**3 / best["product"], None, None),
        bandwidth=bytes_moved / best["copy"],
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        source=f"measured with {count} threads",
        launch=best["chain"] / (2 * links),
        convolution_launch=best["convolution"] / 2,  # forward and backward are one kernel each
        core_share=1.0,
        bandwidth_share=1.0,
    )
