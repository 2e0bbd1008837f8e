"""Keeps the operating system's paging out of a timing: `with memory_kept(): ...`.

glibc hands large tensors back to the system when they are freed, or does not, depending on what the process did
before: bfloat16 tact took 8 or 15 times as long as relu from one measurement to the next, and 6.8 ± 0.1 times
with memory kept. Of a float32 relu in memory, nearly two thirds were paging.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

# malloc.h
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
M_MMAP_MAX = -4
NEVER = -1


@contextmanager
def memory_kept() -> Iterator[None]:
    """Let malloc keep what is freed for the next call; elsewhere than on glibc, change nothing.

    There is no way to ask for the settings before: those after are glibc's default number of mappings and the
    limits that its own sliding thresholds reach once a process has freed a tensor of 32 MiB.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_MAX, 0)
    libc.mallopt(M_TRIM_THRESHOLD, NEVER)
    try:
        yield
    finally:
        libc.mallopt(M_MMAP_MAX, 65536)
        libc.mallopt(M_MMAP_THRESHOLD, 32 * 2**20)
        libc.mallopt(M_TRIM_THRESHOLD, 64 * 2**20)
        libc.malloc_trim(0)
