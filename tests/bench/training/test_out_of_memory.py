"""Want of memory is known by what torch, its libraries and Python say of it, and nothing else is taken for it."""

from __future__ import annotations

import pytest
import torch

from bench.training import out_of_memory

SAYINGS = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB.\nGPU 0 has 79.10 GiB"),
    RuntimeError("MPS backend out of memory (MPS allocated: 8.90 GB)"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:126] DefaultCPUAllocator: can't allocate memory: you tried to"),
    MemoryError(),
)


def ending_in(error: Exception):
    def call():
        raise error

    return call


@pytest.mark.parametrize("error", SAYINGS, ids=str)
def test_it_is_named_in_one_line_with_the_remedy(error):
    with pytest.raises(
        out_of_memory.OutOfMemoryError, match=r"^seed 1: out of memory: \S.*use fewer workers"
    ) as caught:
        out_of_memory.named("seed 1", ending_in(error))
    assert "\n" not in str(caught.value)
    assert caught.value.__context__ is None, "the first error would hold, by its traceback, what there is no room for"


def test_what_this_machine_itself_cannot_allocate_is_named():
    with pytest.raises(out_of_memory.OutOfMemoryError, match=r"seed 1: out of memory: .*allocate"):
        out_of_memory.named("seed 1", lambda: torch.empty(2**60, dtype=torch.int8))


@pytest.mark.parametrize("error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("memory")])
def test_no_other_error_is_taken_for_it(error):
    with pytest.raises(type(error)) as caught:
        out_of_memory.named("seed 1", ending_in(error))
    assert caught.value is error


def test_what_has_a_name_keeps_it():
    with pytest.raises(out_of_memory.OutOfMemoryError, match=r"^seed 1: out of memory"):
        out_of_memory.named("the case", lambda: out_of_memory.named("seed 1", ending_in(MemoryError())))


def test_where_there_is_enough_the_result_comes_back():
    assert out_of_memory.named("seed 1", lambda: 3) == 3
