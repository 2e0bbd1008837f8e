"""Want of memory by name, and only for what it ends: `out_of_memory.named("seed 1", train)`.

Importing this module does not load torch.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# torch has a class for its allocator on accelerators; that of the CPU, CUDA and its libraries say it in words alone.
WORDS = ("out of memory", "can't allocate memory", "STATUS_ALLOC_FAILED")
REMEDY = "use fewer workers (-n), a smaller --scale or a device with more memory; --resume keeps the finished runs"


class OutOfMemoryError(RuntimeError):
    """There is not enough memory for something; the message names it and the remedy."""


def named(what: str, call: Callable[[], T]) -> T:
    """What a call returns; where memory is wanting, what the call has held is given back first.

    Args:
        what: is called.

    Raises:
        OutOfMemoryError: there is not enough, on whatever device.
    """
    try:
        return call()
    except OutOfMemoryError:
        raise
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(word in str(error) for word in WORDS):
            raise
        said = next(iter(str(error).splitlines()), "the machine's is used up")
    # Here and not above: an error that is being handled holds, by its traceback, the tensors of every function on it.
    _give_back()
    raise OutOfMemoryError(f"{what}: out of memory: {said}; {REMEDY}")


def _give_back() -> None:
    import torch

    gc.collect()
    torch.cuda.empty_cache()  # does nothing where CUDA is not in use
