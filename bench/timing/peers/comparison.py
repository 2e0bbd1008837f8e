"""Times ours beside torch's own and the peers', in turn in one process: `kernels.compare(comparison, device)`."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from itertools import product
from typing import TYPE_CHECKING

import activations
from bench.timing import interleave
from bench.timing.kernels._kernel import EXAMPLE, MODES
from bench.timing.kernels._measurement import device_name, normal, populate, prepare_module, steady
from bench.timing.kernels._peers import PEERS

if TYPE_CHECKING:
    import torch
    from torch import nn

# Of the output, 16 MiB a tensor: an input, a result and two gradients are beyond most caches, and the slowest peers
# still take a fraction of a second.
ELEMENTS = 2**22
OURS = ("fused", "eager")
YARDSTICKS = ("copy", "relu", "gelu")
# Of the input, for functions along a dimension: rows of this many outputs.
WIDTH = 1024
# Some peers take a second a call. Rounds are those of one order; there are as many in the other.
BUDGET_SECONDS = 2.0
ROUNDS = (3, 8)


@dataclass(frozen=True, order=True)
class Comparison:
    """One activation at one mode, float32: one pytest item."""

    activation: str
    mode: str

    @property
    def id(self) -> str:
        """The values joined by `-`."""
        return "-".join(astuple(self))


def comparisons() -> list[Comparison]:
    """All registered activations, a user's own among them, at both modes."""
    return [Comparison(activation, mode) for mode, activation in product(MODES, activations.names())]


@dataclass(frozen=True)
class Compared:
    """What one comparison found, by implementation: `OURS`, `YARDSTICKS` and the names of peers.

    Attributes:
        comparison: what was timed.
        elements: of the output.
        device_name: the card, or the model of the CPU.
        torch: its version.
        seconds: of a call in each interleaved round; the yardsticks are a copy of the input (whatever the mode), and
            torch's relu and gelu at the same mode.
        kept: for backward, in tensors of the input's size; 0 for `forward`.
        failed: why a peer could not run.
    """

    comparison: Comparison
    elements: int
    device_name: str
    torch: str
    seconds: Mapping[str, list[float]]
    kept: Mapping[str, float]
    failed: Mapping[str, str]

    def ratio(self, one: str, other: str) -> interleave.Ratio:
        """Time of one in multiples of another's, round by round."""
        return interleave.ratio(self.seconds[one], self.seconds[other])

    def exceeds(self, one: str, other: str, limit: float) -> bool:
        """Whether one takes more than `limit` times as long as another, by two standard errors and more."""
        found = self.ratio(one, other)
        return found.median * math.exp(-2 * found.sd_log / math.sqrt(len(self.seconds[one]))) > limit

    @property
    def extra_info(self) -> dict[str, float | int]:
        """As builtin values, for pytest-benchmark's `extra_info`."""
        others = [name for name in self.seconds if name != "fused"]
        return {
            "interleaved_rounds": len(self.seconds["fused"]),
            **{f"{name}_over_fused": self.ratio(name, "fused").median for name in others},
            **{f"{name}_sd_log": self.ratio(name, "fused").sd_log for name in others},
            **{f"{name}_kept": kept for name, kept in self.kept.items()},
        }


def compare(comparison: Comparison, device: torch.device, elements: int = ELEMENTS) -> Compared:
    """Time rounds of all implementations of an activation, under the settings of `steady`.

    Peers that are not installed are left out, and so are those that hand the call on to torch.

    Args:
        comparison: what to time.
        device: where.
        elements: of the output; a multiple of those of `EXAMPLE`.

    Raises:
        ValueError: unknown activation.
    """
    import torch

    entry = activations.info(comparison.activation)
    # Functions along a dimension work along the last one, as in a transformer; all others behind a convolution.
    along = "dim" in entry.arguments
    example = None if along else EXAMPLE
    row = (entry.in_features_multiplier * WIDTH,) if along else EXAMPLE
    outputs = WIDTH if along else math.prod(EXAMPLE)
    failed = {}
    with steady():
        populate(elements * entry.in_features_multiplier, torch.float32, device)
        x = normal((elements // outputs, *row), torch.float32, device)
        modules = {name: activations.build(entry.name, shape=example, fused=name == "fused") for name in OURS}
        for peer in PEERS.values():
            counterpart = peer.counterparts.get(entry.name)
            if counterpart and peer.installed and not counterpart.of_torch:
                modules[peer.name] = peer.build(entry.name, {**entry.defaults, **entry.parameters})
                _spread(modules[peer.name], modules["eager"], entry)
        calls, kept = {}, {}
        for name, module in [*modules.items(), ("relu", torch.nn.ReLU()), ("gelu", torch.nn.GELU())]:
            try:
                prepared = prepare_module(module.to(device), x, comparison.mode)
                prepared.call()
            except Exception as error:  # whatever a peer raises is a finding; ours are not to be excused
                if name in OURS:
                    raise
                failed[name] = f"{type(error).__name__}: {error}"
                continue
            calls[name] = prepared.call
            kept[name] = prepared.bytes_saved / (x.numel() * x.element_size())
        calls["copy"] = x.clone
        loops = {name: interleave.loops_for(call, device, 1e-3) for name, call in calls.items()}
        trial = interleave.measure(calls, rounds=1, device=device, loops=loops)
        least, most = ROUNDS
        rounds = int(BUDGET_SECONDS / 2 / sum(loops[name] * trial[name][0] for name in calls))
        rounds = min(max(rounds, least), most)
        # Who follows a copy, or the hungriest peer, pays for what it left of the caches: half of the rounds go back.
        there = interleave.measure(calls, rounds=rounds, device=device, loops=loops)
        back = interleave.measure(dict(reversed(calls.items())), rounds=rounds, device=device, loops=loops)
        seconds = {name: there[name] + back[name] for name in calls}
    return Compared(comparison, elements, device_name(device), str(torch.__version__), seconds, kept, failed)


def geometric_mean(found: list[Compared], one: str, other: str) -> float:
    """Over the activations, of the time of one in multiples of another's."""
    return statistics.geometric_mean(compared.ratio(one, other).median for compared in found)


def _spread(theirs: nn.Module, ours: nn.Module, entry: activations.Activation) -> None:
    """Give a peer's trainable parameters the shape of ours: as many sums are to be taken in backward."""
    from torch import nn

    if not entry.parameters:
        return
    name, value = next(iter(entry.parameters.items()))
    shape = ours.get_parameter(name).shape[isinstance(value, tuple) :]
    if not shape:
        return
    for name, parameter in list(theirs.named_parameters()):
        several = parameter.shape if parameter.numel() > 1 else ()
        spread = parameter.detach().reshape(*several, *(1 for _ in shape)).expand(*several, *shape).clone()
        # torch's kernel takes one dimension, that of the channels.
        setattr(theirs, name, nn.Parameter(spread.flatten() if isinstance(theirs, nn.PReLU) else spread))
