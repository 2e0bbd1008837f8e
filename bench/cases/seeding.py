"""One random stream for each purpose: `seeding.generator(seed=3, purpose="weights")`.

Streams depend on the run's seed and the purpose alone, never on the case: two activations with the same seed
start from the same weights and see the same batches, so that pairing by seed means something.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive(seed: int, purpose: str) -> int:
    """A 63-bit seed of its own for each (seed, purpose)."""
    digest = hashlib.sha256(f"{purpose}:{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, purpose: str) -> torch.Generator:
    """A CPU generator for one purpose, such as `weights` or `batches`."""
    return torch.Generator().manual_seed(derive(seed, purpose))


@contextmanager
def global_stream(seed: int, purpose: str) -> Iterator[None]:
    """Let code that only knows torch's global generators draw from one purpose; they are put back after.

    `torch.manual_seed` would do more than is needed: for each kind of accelerator that torch knows and has not begun to
    use it keeps the call with a trace of the stack, for good. That took 4 ms, some ten times a run.
    """
    own = derive(seed, purpose)
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        torch.default_generator.manual_seed(own)
        if devices:
            torch.cuda.manual_seed(own)
        if torch.backends.mps.is_available():
            torch.mps.manual_seed(own)
        yield
