"""Devices to plan for beside the one at hand: the vendors' data sheets, a row each. `find("a100")` is its full name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.cases.recipe import Precision
    from bench.reporting.plan.cost import Step

HERE = "cpu"  # whose steps are timed

# Shares of a data sheet's figures that kernels reach: of the arithmetic in float32, of that on tensor cores (which wait
# for memory, and in NCHW for transpositions), and of the bandwidth. With them torchvision's ResNet-50 comes to 1040
# images a second on an A100 (TF32) and 2070 in bfloat16. NVIDIA measured 938 and 2470:
# github.com/NVIDIA/DeepLearningExamples, PyTorch/Classification/ConvNets/resnet50v1.5, training performance, one GPU.
CORE_SHARE = 0.8
TENSOR_CORE_SHARE = 0.3
BANDWIDTH_SHARE = 0.8
# Seconds in which eager torch hands one kernel to a GPU: about 4 for Python, autograd and the dispatcher, as measured
# on a CPU, and as many again for the driver. The whole cost of a small network.
LAUNCH = 8e-6


@dataclass(frozen=True)
class Device:
    """What a device can do.

    Attributes:
        name: what `--on` takes, or any part of it that fits no other.
        float32: FLOP/s outside tensor cores, where torch keeps matrix products; a multiply-add counts as two.
        tf32: on tensor cores, dense, where it runs convolutions.
        bfloat16: likewise, where it runs both under autocast.
        bandwidth: of its memory, bytes/s.
        memory: bytes.
        source: of these figures.
    """

    name: str
    float32: float
    tf32: float
    bfloat16: float
    bandwidth: float
    memory: float
    source: str

    def seconds(self, step: Step, precision: Precision) -> float:
        """How long a step takes: its arithmetic and its traffic, or its launches where these take longer."""
        if precision == "bfloat16":
            arithmetic = step.flops / (self.bfloat16 * TENSOR_CORE_SHARE)
        else:
            convolutions = step.convolution_flops / (self.tf32 * TENSOR_CORE_SHARE)
            arithmetic = convolutions + (step.flops - step.convolution_flops) / (self.float32 * CORE_SHARE)
        return max(step.kernels * LAUNCH, arithmetic + step.moved / (self.bandwidth * BANDWIDTH_SHARE))


_ENTRIES = (
    Device("NVIDIA A100", 19.5e12, 156e12, 312e12, 2039e9, 80e9, "NVIDIA A100 data sheet, SXM 80 GB"),
    Device(
        "NVIDIA H100",
        67e12,
        494.7e12,
        989.4e12,
        3350e9,
        80e9,
        "NVIDIA H100 data sheet, SXM; half of that with sparsity",
    ),
)
DEVICES = {one.name: one for one in _ENTRIES}
NAMES = (*DEVICES, HERE)


def find(text: str) -> str:
    """The full name of a device: `a100` is `NVIDIA A100`.

    Raises:
        ValueError: no device, or more than one, has this in its name; the message lists the known ones.
    """
    found = [name for name in NAMES if text.strip().lower() in name.lower()]
    if len(found) != 1 or not text.strip():
        raise ValueError(f"unknown device {text!r} to plan for; known: {', '.join(NAMES)}")
    return found[0]
