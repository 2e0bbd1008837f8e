"""The least that a compiled kernel of these operations can take: `floor_seconds(call, bytes_moved, bandwidth, device)`.

Its bytes over the bandwidth, its operations over the rate of the units that do them, and its divisions over that of the
divider: all three go on at once, and the longest is the floor (a roofline: Williams et al. 2009,
doi.org/10.1145/1498765.1498785). A kernel near its floor gets faster by another formula only.
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.timing import interleave

if TYPE_CHECKING:
    import torch
    from torch.fx import Graph, GraphModule

# In cache, and long enough that a call's overhead is small beside what differs between the two lengths below.
ELEMENTS = 2**16
# Terms that do not wait for each other, and products in a row of each: few, so that a processor that looks some 100
# operations ahead always finds one whose operands are there.
FEW, MANY = 8, 24
PRODUCTS_IN_A_ROW = 6
ROUNDS = 15

PRODUCTS = {"mul", "addcmul"}
SUMS = {"add", "sub", "rsub", "addcmul", "sum"}
DIVISIONS = {"div", "true_divide", "reciprocal", "sqrt", "rsqrt"}
# A sign goes with the sum that it is of; the others change nothing, or only where a value is said to lie.
FREE = {
    "neg", "view", "as_strided", "detach", "slice", "cat", "unbind", "stack", "scalar_tensor", "new_full", "zeros_like",
    "convert_element_type", "_to_copy",
}  # fmt: skip


@dataclass(frozen=True)
class Operations:
    """What a kernel does, over all of its elements.

    Attributes:
        arithmetic: products, sums, comparisons, choices, bits. Each product is taken to be joined with a sum, as far as
            there are any, and what a library computes counts as one, so that these are no more than are done.
        divisions: and square roots, which are done beside them by a unit of their own.
    """

    arithmetic: int
    divisions: int


@dataclass(frozen=True)
class OperationTimes:
    """Seconds that one thread takes for an operation on one element, as `Operations` counts them."""

    arithmetic: float
    division: float


def floor_seconds(call: Callable[[], object], bytes_moved: int, bandwidth: float, device: torch.device) -> float:
    """The least time of a call of a fused activation.

    Args:
        call: of the activation; what is not a kernel of ours counts with its bytes alone.
        bytes_moved: the least that it reads and writes.
        bandwidth: bytes a second.
        device: where it runs.
    """
    done, least = operations_of(call), bytes_moved / bandwidth
    if done == Operations(0, 0):
        return least
    times = operation_times_on(device)
    return max(least, done.arithmetic * times.arithmetic, done.divisions * times.division)


def operations_of(call: Callable[[], object]) -> Operations:
    """The operations of all kernels of ours that a call runs; equal ones of a kernel count once."""
    from torch._dynamo.backends.common import aot_autograd
    from torch._functorch._aot_autograd.utils import make_boxed_func
    from torch._functorch.compile_utils import fx_graph_cse

    from activations import fused

    graphs: list[Graph] = []

    def keep(module: GraphModule, example: object) -> Any:
        graphs.append(fx_graph_cse(module.graph))
        return make_boxed_func(module.forward)

    with fused.compiled_by(aot_autograd(fw_compiler=keep)):
        call()
    counted = [_count(graph) for graph in graphs]
    return Operations(sum(one.arithmetic for one in counted), sum(one.divisions for one in counted))


def _count(graph: Graph) -> Operations:
    import torch

    products = sums = others = divisions = 0
    for node in graph.nodes:
        if not isinstance(node.target, torch._ops.OpOverload) or not node.args:
            continue
        name = node.target.overloadpacket.__name__
        # A sum over the examples reads more elements than it leaves.
        value = (node.args[0] if name == "sum" else node).meta["val"]
        if name in FREE or not isinstance(value, torch.Tensor):
            continue
        elements = int(value.numel())
        products += elements * (name in PRODUCTS)
        sums += elements * (name in SUMS)
        divisions += elements * (name in DIVISIONS)
        if name == "clamp":
            others += elements * sum(bound is not None for bound in node.args[1:])
        elif name not in PRODUCTS | SUMS | DIVISIONS:
            others += elements
    return Operations(max(products, sums) + others, divisions)


@functools.cache
def operation_times_on(device: torch.device) -> OperationTimes:
    """Measured on one thread by kernels that do nothing else, each in two lengths, of which the difference counts."""
    import torch

    from activations import fused

    x = torch.linspace(0.5, 1.0, ELEMENTS, device=device)
    kernels = [(kind, terms) for kind in (_polynomials, _quotients) for terms in (FEW, MANY)]
    calls = {
        f"{kind.__name__} {terms}": functools.partial(fused.call_kernel, kind, terms, (), (x,))
        for kind, terms in kernels
    }
    loops = {name: interleave.loops_for(call, device, 1e-3) for name, call in calls.items()}
    taken = interleave.measure_in_turn(calls, rounds=ROUNDS, device=device, loops=loops)
    few_polynomials, many_polynomials, few_quotients, many_quotients = map(statistics.median, taken.values())
    more = (MANY - FEW) * ELEMENTS
    # The first of a row is a product alone, and each term is added to the others.
    operations = PRODUCTS_IN_A_ROW + 1
    return OperationTimes(
        (many_polynomials - few_polynomials) / (operations * more), (many_quotients - few_quotients) / more
    )


def _polynomials(terms: Any, constants: object, x: torch.Tensor) -> tuple[torch.Tensor]:
    found = []
    for term in range(terms):
        one = x * (1 / (2 + term))
        for step in range(1, PRODUCTS_IN_A_ROW):
            one = one * x + 1 / (2 + term + step)
        found.append(one)
    return (functools.reduce(lambda one, other: one + other, found),)


def _quotients(terms: Any, constants: object, x: torch.Tensor) -> tuple[torch.Tensor]:
    return (functools.reduce(lambda one, other: one + other, [1 / (x + term) for term in range(terms)]),)
