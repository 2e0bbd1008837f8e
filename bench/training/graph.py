"""Training steps replayed in a CUDA graph (`--graph`): `step = GraphedStep(network, part, recipe, name="a run")`.

The kernels of a small network take less time than their launches, one by one from Python; a graph launches those of a
whole step at once: docs.pytorch.org/docs/stable/notes/cuda.html, "whole-network capture". What is captured is
`TrainingStep`, all of it: rows, draws and rates of a batch are copied to where it reads them.

The first steps of a run are the warm-up that a capture needs, and count. What the capture itself is told is not done.
So neither weights nor statistics nor states of optimizer and generators have to be put back, and a run has the same
bits whether its steps are replayed or not: torch adds to the offset of a card's generator at each replay.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from bench.cases.recipe import Recipe
from bench.data.parts import Part
from bench.training.augmentation import Draws
from bench.training.setup import Network
from bench.training.step import TrainingStep, Watch

WARM_UP = 3  # as in torch's notes: optimizers make their states in the first step, libraries their handles


class GraphWarning(UserWarning):
    """A run was asked to replay its steps, and takes them one by one."""


class GraphedStep(TrainingStep):
    """A step that is captured once a run and replayed for every full batch; others are taken as without a graph.

    Where it cannot be captured a `GraphWarning` says of which run, and why, and the run goes on without a graph.

    Args:
        name: of the run.
    """

    def __init__(self, network: Network, part: Part, recipe: Recipe, watch: Watch | None = None, *, name: str) -> None:
        super().__init__(network, part, recipe, watch)
        self._name = name
        self._rates = Rates(network.optimizer, part.labels.device)
        self._stream = torch.cuda.Stream(part.labels.device)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._batch: list[Tensor] = []  # rows and draws, where the graph reads them
        self._taken = 0
        if obstacle := self._obstacle():
            self._give_up(obstacle)

    def __call__(self, rows: Tensor, draws: Draws = (), tokens: int | None = None) -> None:
        """See `TrainingStep`."""
        full = len(rows) == self.recipe.batch_size
        if full and self._taken == WARM_UP:
            self._capture(rows, draws)
        self._taken += full
        self._rates.refresh()
        if full and self._graph:
            for place, one in zip(self._batch, (rows, *draws), strict=True):
                place.copy_(one)
            self._graph.replay()
            return
        # On the stream that captures: what its first steps make belongs to it.
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream), self._rates.on_the_card():
            super().__call__(rows, draws, tokens)
        torch.cuda.current_stream().wait_stream(self._stream)

    def _obstacle(self) -> str:
        """Why there can be no graph, as far as that is known beforehand."""
        if self._watch:
            return "--gradients looks at single steps"
        if self.part.lengths is not None:
            return "batches of sentences differ in length"
        if not self._rates.tensors:
            return (
                f"{type(self.network.optimizer).__name__} is not fused: it reads its rate and counts steps on the CPU"
            )
        if (full := self.recipe.epochs * (len(self.part) // self.recipe.batch_size)) <= WARM_UP:
            return f"the run has {full} full batches, and {WARM_UP} come before the capture"
        return ""

    def _capture(self, rows: Tensor, draws: Draws) -> None:
        graph = torch.cuda.CUDAGraph()
        self._batch = [one.clone() for one in (rows, *draws)]
        generator = torch.cuda.default_generators[rows.device.index]
        as_it_was = generator.clone_state()
        # A capture that fails leaves its stream current and the generator waiting for its end: both are put back.
        with torch.cuda.stream(torch.cuda.current_stream()):
            try:
                with torch.cuda.graph(graph, stream=self._stream), self._rates.on_the_card(capturable=True):
                    super().__call__(self._batch[0], tuple(self._batch[1:]))
            except RuntimeError as error:
                generator.graphsafe_set_state(as_it_was)
                self._give_up(f"its step cannot be captured: {_first_cause(error)}")
            else:
                self._graph = graph

    def _give_up(self, reason: str) -> None:
        self._taken = WARM_UP + 1  # beyond the step that would capture
        warnings.warn(GraphWarning(f"{self._name}: trained without a CUDA graph: {reason}"), stacklevel=2)


class Rates:
    """The rates of an optimizer in tensors on the card, where a graph can read those of each step.

    Schedules go on in Python's numbers. A fused kernel takes a tensor's rate as float32, hence another rounding than
    without; it is the same in every step under `--graph`.

    Attributes:
        tensors: for each group of parameters one; none where the optimizer is not fused, and keeps its numbers.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, device: torch.device) -> None:
        fused = all(group.get("fused") for group in optimizer.param_groups)
        self._groups: list[dict[str, Any]] = optimizer.param_groups if fused else []
        self.tensors = [torch.zeros((), dtype=torch.float32, device=device) for _ in self._groups]
        self._written: list[float] = []

    def refresh(self) -> None:
        """Write the rates of the step that comes; constant ones once."""
        rates = [group["lr"] for group in self._groups]
        if rates != self._written:
            self._written = rates
            for tensor, rate in zip(self.tensors, rates, strict=True):
                tensor.fill_(rate)

    @contextmanager
    def on_the_card(self, *, capturable: bool = False) -> Iterator[None]:
        """The optimizer reads the tensors; with `capturable` it lets itself be captured, which changes no number."""
        rates = [group["lr"] for group in self._groups]
        for group, tensor in zip(self._groups, self.tensors, strict=True):
            group.update(lr=tensor, capturable=capturable)
        try:
            yield
        finally:
            for group, rate in zip(self._groups, rates, strict=True):
                group["lr"] = rate


def _first_cause(error: BaseException) -> str:
    """Of what went wrong in a capture: its end then only says that something did."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error).partition("\n")[0]
