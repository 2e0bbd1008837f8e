"""One pass over memory instead of a dozen: `activations.build("mish", fused=True)`.

`torch.compile` (inductor) turns the formula of a `Pointwise` and its derivative into a kernel each: on the CPU by a
C++ compiler, on GPUs by Triton. The first call in a process compiles, 1 to 3 s a kernel and some 20 s more the very
first time on a machine (a precompiled header). Inductor keeps what it made in `TORCHINDUCTOR_CACHE_DIR`, by default
below the temporary folder, and takes 0.1 to 0.4 s a kernel from there. Without a compiler the eager form runs,
after a warning.
"""

from __future__ import annotations

import functools
import math
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from activations._kernel import in_kernel

Constants: TypeAlias = tuple[tuple[str, Any], ...]
# (function, constants, *tensors) -> a tensor of the data's shape, and one of the shape of each parameter, if any
Plain: TypeAlias = Callable[..., tuple[Tensor, ...]]

# Elements: of fewer, the parameters would be as much to read as the data.
SHORTEST_ROW = 16

_unavailable = False
_called: set[Plain] = set()
_backend: Any = "inductor"


@contextmanager
def compiled_by(backend: Any) -> Iterator[None]:
    """Kernels that are called here are compiled by another backend of `torch.compile`, which can look at them."""
    global _backend
    before, _backend = _backend, backend
    try:
        yield
    finally:
        _backend = before


def applies(x: Tensor) -> bool:
    """Whether a call with this input goes to a compiled kernel: not while it is traced, faked or without data.

    A surrounding `torch.compile` or `torch.export` fuses the plain formula itself.
    """
    real = type(x) in (Tensor, nn.Parameter) and not x.is_meta
    return real and x.numel() > 1 and not torch.compiler.is_compiling() and not _unavailable


def call_kernel(
    plain: Plain, function: object, constants: Constants, data: tuple[Tensor, ...], *parameters: Tensor
) -> tuple[Tensor, ...]:
    """`plain(function, constants, *data, *parameters)` by a compiled kernel.

    Args:
        plain: what to compile.
        function, constants: handed through; one kernel for each.
        data: tensors of one shape, unless the function works along a `dim`; the last one decides the memory format
            of the result.
        *parameters: broadcast against the trailing dimensions of the data.
    """
    global _unavailable
    x = data[-1]
    channels_last = x.ndim == 4 and not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    data = tuple(tensor.contiguous(memory_format=layout) for tensor in data)
    elementwise = "dim" not in dict(constants)
    # Where all elements share the parameters, one kernel on one dimension serves every shape and layout.
    flat = elementwise and all(parameter.numel() == 1 for parameter in parameters)
    order, back = ((0, 2, 3, 1), (0, 3, 1, 2)) if channels_last else (range(x.ndim), range(x.ndim))
    shared = _dims_of_a_row(x, parameters) if elementwise and not flat and not channels_last else 0
    owners = (*x.shape[: x.ndim - shared], *(1,) * shared)
    inputs = (*data, *parameters)
    if flat:
        inputs = (*(t.permute(*order).view(-1) for t in data), *(p.reshape(()) for p in parameters))
    elif shared:
        # Rows of elements that share their parameters, one of each a row: derivative and sums are then one loop.
        row = math.prod(x.shape[-shared:])
        inputs = (*(t.view(-1, row) for t in data), *(p.expand(owners).reshape(-1, 1) for p in parameters))
    # As `data` they forget what they are views of, and that some are parameters: torch would compile anew for each.
    inputs = tuple(tensor.data for tensor in inputs)
    ones = tuple(tuple(size == 1 for size in tensor.shape) for tensor in inputs)
    kernel = _kernel(plain, function, constants, x.dtype, x.device.type, ones, layout, _backend)
    if kernel not in _called:
        # Sizes are to vary, numbers are not: with `dynamic=True` each coefficient was a float64 tensor, read and
        # converted for every register of data.
        _called.add(kernel)
        for tensor in inputs:
            torch._dynamo.maybe_mark_dynamic(tensor, list(range(tensor.ndim)))
    try:
        with in_kernel():
            first, *others = kernel(*inputs)
    except torch._dynamo.exc.TorchDynamoException as error:
        _unavailable = True
        warnings.warn(
            "fused activations run unfused here, for want of a C++ compiler (on a CPU) or Triton (on a GPU): "
            f"{str(error).strip().splitlines()[0]}",
            stacklevel=2,
        )
        return plain(function, constants, *data, *parameters)
    if flat:
        first = first.view(x.permute(*order).shape).permute(*back)
    elif shared:
        first = first.view(x.shape)
        others = [other.view(owners).sum_to_size(p.shape) for other, p in zip(others, parameters, strict=False)]
    return first, *(other.reshape(p.shape) for other, p in zip(others, parameters, strict=False))


def _dims_of_a_row(x: Tensor, parameters: tuple[Tensor, ...]) -> int:
    """How many of the last dimensions share their parameters, as those of a channel do; 0 for few elements."""
    shared = x.ndim
    for parameter in parameters:
        if parameter.numel() > 1:
            shared = min(shared, next(k for k, size in enumerate(reversed(parameter.shape)) if size > 1))
    return shared if math.prod(x.shape[x.ndim - shared :]) >= SHORTEST_ROW else 0


@functools.cache
def _kernel(
    plain: Plain,
    function: object,
    constants: Constants,
    dtype: torch.dtype,
    device_type: str,
    ones: tuple[tuple[bool, ...], ...],
    layout: torch.memory_format,
    backend: Any,
) -> Plain:
    """A compiled function for what would make torch compile anew, so that no function is compiled twice.

    All sizes may vary but those of 1, which broadcast.
    """

    from torch._inductor import config

    def body(*tensors: Tensor) -> tuple[Tensor, ...]:
        return plain(function, constants, *tensors)

    # torch counts recompilations by code object, and gives up after eight: every kernel gets its own.
    own = types.FunctionType(body.__code__.replace(), body.__globals__, closure=body.__closure__)
    if backend != "inductor":
        return torch.compile(own, fullgraph=True, backend=backend)
    contract = config.cpp.enable_floating_point_contract_flag
    options: dict[str, Any] = {
        # A product and a sum in one instruction, rounded once: half the work of polynomials. A flag in older torch.
        "cpp.enable_floating_point_contract_flag": "fast" if isinstance(contract, str) else True,
        # Operations from which on what several read is a step of its own; all are joined to one loop after that. With
        # torch's own number a kernel takes four times as long to compile, and up to 5 % less to run.
        "realize_opcount_threshold": 30,
    }
    return torch.compile(own, fullgraph=True, options=options)
