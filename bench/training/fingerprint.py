"""Fingerprint: what changes bits. `fingerprint.take(device, recipe)`.

Two runs of one case and seed with equal fingerprints must leave equal digests; whatever else moved is the code.
"""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from bench.records.record import OWN_CODE
from bench.training.device import float32_places

if TYPE_CHECKING:
    from bench.cases.recipe import Recipe

Fingerprint = dict[str, str | int | bool]


def device_class(device: torch.device) -> str:
    """`cpu`, `mps`, or `cuda_` and the card's name: baselines of different classes coexist."""
    if device.type == "cuda":
        return "cuda_" + torch.cuda.get_device_name(device).lower().replace(" ", "_").replace("-", "_")
    return device.type


def take(device: torch.device, recipe: Recipe, code: str = "", *, graph: bool = False) -> Fingerprint:
    """The fingerprint of runs on a device under a recipe. Sets nothing; threads are read as they are.

    Args:
        code: of a user's own activation, see `Activation.code`.
        graph: whether steps are replayed on a card, where rates are then float32; no other fingerprint has it.
    """
    return {
        **({OWN_CODE: code} if code else {}),
        "device": device.type,
        "device_name": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "torch": str(torch.__version__),
        "threads": torch.get_num_threads(),
        "memory_format": recipe.memory_format,
        "precision": recipe.precision,
        **(_of_cuda() if device.type == "cuda" else {"tf32": False}),
        "compile": False,
        **({"graph": True} if graph else {}),
        "canary": _canary(device, torch.get_num_threads()),
    }


def _of_cuda() -> Fingerprint:
    """By default torch allows TF32 to convolutions and not to products of matrices.

    It is read as it is set since torch 2.9: after that, reading `allow_tf32` may raise.
    """
    allowed = [name for name, place in float32_places().items() if place.fp32_precision == "tf32"]
    return {"tf32": " ".join(allowed), "cudnn": torch.backends.cudnn.version() or 0}


def differences(one: Fingerprint, other: Fingerprint) -> str:
    """What differs, as `threads 1 -> 2, torch 2.9 -> 2.10`; empty when nothing does."""
    keys = sorted(one.keys() | other.keys())
    return ", ".join(f"{key} {one.get(key)} -> {other.get(key)}" for key in keys if one.get(key) != other.get(key))


@cache
def _canary(device: torch.device, threads: int) -> str:
    """Digest of a fixed computation by torch alone, forward and backward.

    Kernels are also chosen by cache sizes and instruction sets that no version string shows; two machines
    whose canaries agree compute the same bits here. `threads` only keys the cache.
    """
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 3, 32, 32, generator=generator).to(device).requires_grad_()
    kernel = torch.randn(16, 3, 5, 5, generator=generator).to(device).requires_grad_()
    matrix = torch.randn(16 * 14 * 14, 128, generator=generator).to(device).requires_grad_()
    hidden = F.max_pool2d(F.conv2d(x, kernel), 2).flatten(1)
    logits = torch.exp(torch.tanh(hidden / 8)) @ matrix / 64
    if device.type == "cuda":  # on a CPU recorded canaries are without
        heads = logits.view(1, 8, 8, 128)
        logits = F.scaled_dot_product_attention(heads, heads, heads).view(64, 128) + logits
    loss = F.cross_entropy(logits, torch.arange(64, device=device)) + logits.var()
    gradients = torch.autograd.grad(loss, (x, kernel, matrix))
    digest = hashlib.sha256()
    for tensor in (logits, loss, *gradients):
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]
