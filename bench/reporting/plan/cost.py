"""What one optimizer step costs: counted on fake tensors, which compute nothing, and timed here on a few examples."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from activations.contract.memory import bytes_saved
from bench import data
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data.parts import stand_in
from bench.training import optimizers, setup, train
from bench.training.augmentation import AUGMENTATIONS
from bench.training.device import clock, threads
from bench.training.evaluation import autocast_of
from bench.training.objectives import OBJECTIVES
from bench.training.step import TrainingStep

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
# A step that computes more than this is timed on fewer examples: about a tenth of a second on one core.
TIMED_FLOPS = 2e9
STEPS, ENOUGH = 5, 0.5  # are timed, or two and as many more as take so many seconds


@dataclass(frozen=True)
class Step:
    """Forward and backward pass of one training batch.

    Attributes:
        flops: of matrix products and convolutions by torch's own formulas; a multiply-add counts as two.
        convolution_flops: of convolutions alone.
        kernels: operations that compute, not views and allocations.
        moved: bytes that these read or write.
        saved: bytes kept for backward, parameters left out.
        parameters: number of each tensor of them, weights and those of the activations.
        matrices: of each of these tensors, whether it is one that muon orthogonalises.
        buffers: bytes of the network beside its parameters.
    """

    flops: int
    convolution_flops: int
    kernels: int
    moved: int
    saved: int
    parameters: tuple[int, ...]
    matrices: tuple[bool, ...]
    buffers: int


def key(case: Case, recipe: Recipe, input_shape: tuple[int, ...], batch: int) -> str:
    """Equal for cases whose forward and backward passes are the same computation."""
    seen = (getattr(recipe, name) for name in SEEN_BY_A_STEP)
    num_classes = data.info(case.dataset).num_classes
    return repr((case.model, case.activation, input_shape, num_classes, batch, *seen))


class Costs:
    """Steps counted and timed so far: each once for all cases that share it, whatever their rate and schedule."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        self._seconds: dict[str, float] = {}
        self._network: dict[str, setup.Network] = {}  # the last one that was built

    def step(self, case: Case, recipe: Recipe, shape: tuple[int, ...], batch: int) -> Step:
        """One step of a case, from the network to the gradients."""
        known = key(case, recipe, shape, batch)
        if known not in self._steps:
            self._steps[known] = count_step(self._built(known, case, recipe, shape), case, recipe, shape, batch)
        return self._steps[known]

    def seconds(self, case: Case, recipe: Recipe, shape: tuple[int, ...], batch: int) -> float:
        """Seconds of one step on the CPU at hand, by the first activation of a network that is asked for."""
        here = replace(recipe.on("cpu"), activation_arguments={})
        any_activation = key(replace(case, activation="any"), here, shape, batch)
        if any_activation not in self._seconds:
            flops = self.step(case, recipe, shape, batch).flops
            examples = min(batch, max(2, int(batch * TIMED_FLOPS / max(flops, 1))))
            network = self._built(key(case, recipe, shape, batch), case, recipe, shape)
            self._seconds[any_activation] = time_step(network, case, recipe, shape, examples) * batch / examples
        return self._seconds[any_activation]

    def _built(self, known: str, case: Case, recipe: Recipe, shape: tuple[int, ...]) -> setup.Network:
        if known not in self._network:
            parts = stand_in(case.dataset, recipe, shape, rows=1)
            self._network = {known: setup.build(case, recipe, 0, CPU, parts)}
        return self._network[known]


def count_step(network: setup.Network, case: Case, recipe: Recipe, shape: tuple[int, ...], batch: int) -> Step:
    """One step of a network on fake tensors: shapes only, nothing is computed or allocated."""
    net = network.net.train()
    objective, augment = OBJECTIVES[recipe.objective], AUGMENTATIONS[recipe.augmentation]
    losses: list[Tensor] = []

    def forward() -> None:
        inputs = augment(part.inputs, torch.Generator())
        with autocast_of(recipe, CPU)():
            losses.append(objective.loss(net(inputs), inputs, part.labels))

    with FakeTensorMode(allow_non_fake_inputs=True):
        part = stand_in(case.dataset, recipe, shape, batch).train
        with _Counting() as counted:
            saved = bytes_saved(forward, excluded=net.parameters())
            losses[0].backward()
    net.zero_grad()
    matrices = {id(matrix) for matrix in setup.matrices_of(net, network.sites)}
    return Step(
        flops=counted.flops,
        convolution_flops=counted.convolution_flops,
        kernels=counted.kernels,
        moved=counted.moved,
        saved=saved,
        parameters=tuple(parameter.numel() for parameter in net.parameters()),
        matrices=tuple(id(parameter) in matrices for parameter in net.parameters()),
        buffers=sum(buffer.nbytes for buffer in net.buffers()),
    )


def time_step(network: setup.Network, case: Case, recipe: Recipe, shape: tuple[int, ...], examples: int) -> float:
    """Seconds of one real step on so many made examples, the optimizer's part included: the least of up to `STEPS`.

    Each takes the time of the clock or that of the processor, over all threads, whichever is less: what other processes
    take meanwhile is not the step's. The first one is never the only one: a network's first step has taken three times
    the second's (gpt at small).
    """
    recipe = replace(recipe.on("cpu"), batch_size=examples)
    network = replace(network, scheduler=None)  # which may not go on beyond its end
    part = stand_in(case.dataset, recipe, shape, examples).train
    taken: list[float] = []
    with threads(recipe.threads or torch.get_num_threads()):
        while len(taken) < 2 or (len(taken) < STEPS and sum(taken) < ENOUGH):
            start, computed = clock(), time.process_time()
            train.train_epoch(TrainingStep(network, part, recipe), torch.Generator(), torch.Generator())
            taken.append(min(clock() - start, time.process_time() - computed))
    return min(taken)


@cache
def optimizer_state(optimizer: str, momentum: float, parameters: tuple[int, ...], matrices: tuple[bool, ...]) -> int:
    """Bytes that an optimizer keeps of float32 parameters, by a name of `optimizers.OPTIMIZERS`, see `Step`."""
    recipe = Recipe(1, epochs=1, batch_size=1, learning_rate=1.0, initialisation="torch", momentum=momentum)
    with FakeTensorMode():
        tensors = [nn.Parameter(torch.zeros(1, size)) for size in parameters]
        for tensor in tensors:
            tensor.grad = torch.zeros_like(tensor)
        hidden = [tensor for tensor, is_matrix in zip(tensors, matrices, strict=True) if is_matrix]
        built = optimizers.build(optimizer, [{"params": tensors, "weight_decay": 0.0}], recipe, hidden)
        built.step()
    kept = (value for state in built.state.values() for value in state.values() if isinstance(value, Tensor))
    return sum(value.nbytes for value in kept)


class _Counting(TorchDispatchMode):
    """Notes every operation that computes: not views, allocations and questions about a tensor."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = self.convolution_flops = self.kernels = self.moved = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        packet = func._overloadpacket
        made = any(isinstance(one, Tensor) for one in tree_leaves(result)) or func._schema.is_mutable
        if func.is_view or "empty" in packet.__name__ or not made:
            return result
        touched = {id(one): one for one in tree_leaves((args, kwargs, result)) if isinstance(one, Tensor)}
        self.kernels += 1
        self.moved += sum(one.nbytes for one in touched.values())
        if formula := flop_registry.get(packet):
            flops = formula(*args, **kwargs, out_val=result)
            self.flops += flops
            self.convolution_flops += flops if "conv" in packet.__name__ else 0
        return result
