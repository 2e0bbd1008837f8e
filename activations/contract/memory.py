"""Bytes kept for backward, counted: `memory.bytes_saved(lambda: net(x), excluded=net.parameters())`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def bytes_saved(forward: Callable[[], object], excluded: Iterable[Tensor] = ()) -> int:
    """Bytes of the distinct storages that autograd keeps from a forward pass until its backward pass.

    Counted tensor by tensor, not read off the process's high-water mark, so the figure is exact and the same
    on every device. Tensors in `excluded` (parameters, which live anyway) do not count.
    """
    living = [tensor.detach() for tensor in excluded]  # under FakeTensorMode what stands for them, as in keep()
    kept: list[Tensor] = []  # holds every tensor, lest a freed address be counted as the one before

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor.detach())  # an output itself would close a circle through its own graph, never freed
        return kept[-1]

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = forward()
    # _cdata is what makes two Python objects one storage; a fake tensor has no address in memory
    known = {tensor.untyped_storage()._cdata for tensor in living}
    storages = {tensor.untyped_storage()._cdata: tensor.untyped_storage().nbytes() for tensor in kept}
    del result
    return sum(size for storage, size in storages.items() if storage not in known)
