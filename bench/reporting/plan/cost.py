"""What one optimizer step costs, counted on fake tensors: shapes only, nothing is computed or allocated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from activations.contract.memory import bytes_saved
from bench import data
from bench.cases.case import Case
from bench.cases.recipe import Precision, Recipe
from bench.data.parts import stand_in
from bench.reporting.plan.devices import Device, Work
from bench.training import optimizers, setup
from bench.training.augmentation import AUGMENTATIONS
from bench.training.evaluation import autocast_of
from bench.training.objectives import OBJECTIVES

CPU = torch.device("cpu")
# Of a recipe, by forward and backward pass.
SEEN_BY_A_STEP = (
    "model_arguments",
    "activation_arguments",
    "encoder",
    "equal",
    "objective",
    "augmentation",
    "precision",
)


class Kernel(NamedTuple):
    """FLOPs by torch's own formulas (`torch.utils.flop_counter`) and bytes of all tensors read or written."""

    flops: int
    moved: int
    work: Work


Kernels = Counter[Kernel]


@dataclass(frozen=True)
class Step:
    """Forward and backward pass of one training batch.

    Attributes:
        forward, backward: the kernels, each with its number.
        precision: of the forward pass.
        parameters: number of each tensor of them, weights and those of the activations.
        buffers: bytes of the network beside its parameters.
        saved: bytes kept for backward, parameters left out.
    """

    forward: Kernels
    backward: Kernels
    precision: Precision
    parameters: tuple[int, ...]
    buffers: int
    saved: int


@dataclass(frozen=True)
class Update:
    """The optimizer's own part of a step: its kernels, and bytes of its state."""

    kernels: Kernels
    state: int


def seconds(kernels: Kernels, device: Device, precision: Precision, batches: float = 1.0) -> float:
    """Time of some kernels, or of the same ones on a batch so many times as large."""
    return sum(
        count * device.seconds(kernel.flops * batches, kernel.moved * batches, kernel.work, precision)
        for kernel, count in kernels.items()
    )


def flops(kernels: Kernels) -> int:
    """Of all of them; a multiply-add counts as two."""
    return sum(count * kernel.flops for kernel, count in kernels.items())


def step(case: Case, recipe: Recipe, input_shape: tuple[int, ...], batch: int) -> Step:
    """One step of a case, from the network to the gradients.

    Counted once for all cases with equal networks, inputs and recipes, whatever their rate, schedule and optimizer.
    """
    known = key(case, recipe, input_shape, batch)
    if known not in _STEPS:
        _STEPS[known] = _count_step(case, recipe, input_shape, batch)
    return _STEPS[known]


def key(case: Case, recipe: Recipe, input_shape: tuple[int, ...], batch: int) -> str:
    """Equal for cases whose forward and backward passes are the same computation."""
    seen = (getattr(recipe, name) for name in SEEN_BY_A_STEP)
    num_classes = data.info(case.dataset).num_classes
    return repr((case.model, case.activation, input_shape, num_classes, batch, *seen))


_STEPS: dict[str, Step] = {}


def _count_step(case: Case, recipe: Recipe, input_shape: tuple[int, ...], batch: int) -> Step:
    fake = FakeTensorMode(allow_non_fake_inputs=True)  # the network is real, so that it is built as in a run
    with fake:
        parts = stand_in(case.dataset, recipe, input_shape, batch)
    part = parts.train
    net = setup.build(case, recipe, 0, CPU, parts).net.train()
    objective, augment = OBJECTIVES[recipe.objective], AUGMENTATIONS[recipe.augmentation]
    losses: list[Tensor] = []

    def forward() -> None:
        inputs = augment(part.inputs, torch.Generator())
        with autocast_of(recipe, CPU)():
            losses.append(objective.loss(net(inputs), inputs, part.labels))

    with fake, _Counting() as forward_pass:
        saved = bytes_saved(forward, excluded=net.parameters())
    with fake, _Counting() as backward_pass:
        losses[0].backward()
    return Step(
        forward=forward_pass.kernels,
        backward=backward_pass.kernels,
        precision=recipe.precision,
        parameters=tuple(parameter.numel() for parameter in net.parameters()),
        buffers=sum(buffer.nbytes for buffer in net.buffers()),
        saved=saved,
    )


@cache
def update(optimizer: str, momentum: float, parameters: tuple[int, ...]) -> Update:
    """One update of float32 parameters by a name of `optimizers.OPTIMIZERS`."""
    recipe = Recipe(1, epochs=1, batch_size=1, learning_rate=1.0, initialisation="torch", momentum=momentum)
    with FakeTensorMode(), _Counting() as counted:
        tensors = [nn.Parameter(torch.zeros(size)) for size in parameters]
        for tensor in tensors:
            tensor.grad = torch.zeros_like(tensor)
        built = optimizers.build(optimizer, [{"params": tensors, "weight_decay": 0.0}], recipe)
        built.step()
        counted.kernels.clear()  # the first step also makes the state
        built.step()
    kept = (value for state in built.state.values() for value in state.values() if isinstance(value, Tensor))
    return Update(counted.kernels, state=sum(value.nbytes for value in kept))


class _Counting(TorchDispatchMode):
    """Notes every operation that computes: not views, allocations and questions about a tensor."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kernels: Kernels = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        packet = func._overloadpacket
        made = [value for value in tree_leaves(result) if isinstance(value, Tensor)]
        if func.is_view or "empty" in packet.__name__ or not (made or func._schema.is_mutable):
            return result
        touched = {id(one): one.nbytes for one in (*tree_leaves((args, kwargs)), *made) if isinstance(one, Tensor)}
        formula: Callable[..., int] | None = flop_registry.get(packet)
        work: Work = "elementwise" if formula is None else "convolution" if "conv" in packet.__name__ else "matmul"
        count = formula(*args, **kwargs, out_val=result) if formula else 0
        self.kernels[Kernel(count, sum(touched.values()), work)] += 1
        return result
