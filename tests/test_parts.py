"""Batches off a part: the rows asked for, in the memory format of the whole."""

from __future__ import annotations

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from bench.data.parts import Part

FORMATS = [torch.contiguous_format, torch.channels_last]


@pytest.mark.parametrize("memory_format", FORMATS, ids=str)
def test_a_batch_is_the_rows_asked_for_in_the_memory_format_of_the_part(memory_format):
    part = Part(torch.randn(10, 3, 8, 8).contiguous(memory_format=memory_format), torch.arange(10))
    inputs, labels = part.take(torch.tensor([7, 2, 2]))
    assert torch.equal(inputs, part.inputs[[7, 2, 2]])
    assert labels.tolist() == [7, 2, 2]
    assert inputs.is_contiguous(memory_format=memory_format)


@pytest.mark.parametrize("memory_format", FORMATS, ids=str)
def test_a_batch_on_cuda_keeps_device_and_memory_format(memory_format):
    with FakeTensorMode():
        images = torch.empty(10, 3, 8, 8, device="cuda").contiguous(memory_format=memory_format)
        part = Part(images, torch.empty(10, dtype=torch.int64, device="cuda"))
        inputs, labels = part.take(torch.empty(4, dtype=torch.int64, device="cuda"))
    assert inputs.is_contiguous(memory_format=memory_format)
    assert inputs.device.type == labels.device.type == "cuda"
