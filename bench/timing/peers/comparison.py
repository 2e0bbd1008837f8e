"""How fast ours are beside torch's own and the peers', in turn in one process: `time_peers(case, device)`."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import product
from typing import TYPE_CHECKING

import activations
from bench.timing import interleave
from bench.timing.kernels.kernel import EXAMPLE, MODES
from bench.timing.kernels.measurement import THREADS, device_name, populate, prepare_module, standard_normal, steady
from bench.timing.peers.counterparts import PEERS, TORCH, is_native
from bench.timing.peers.floor import floor_seconds

if TYPE_CHECKING:
    import torch
    from torch import nn

# Of the output, 16 MiB a tensor: an input, a result and two gradients are beyond most caches, and the slowest peers
# still take a fraction of a second.
ELEMENTS = 2**22
OURS = ("fused", "eager")
# Of the input, for functions along a dimension: rows of this many outputs.
WIDTH = 1024
# Some peers take a second a call. Rounds are those of one order; there are as many in the other.
BUDGET_SECONDS = 2.0
ROUNDS = (3, 8)


@dataclass(frozen=True, order=True)
class PeerCase:
    """One activation at one mode, float32: one pytest item."""

    activation: str
    mode: str

    @property
    def id(self) -> str:
        """The values joined by `-`."""
        return "-".join(astuple(self))


def peer_cases() -> list[PeerCase]:
    """All registered activations, a user's own among them, at both modes."""
    return [PeerCase(activation, mode) for mode, activation in product(MODES, activations.names())]


@dataclass(frozen=True)
class PeerTimes:
    """What was found of one case, by implementation: `OURS`, the names of peers, `relu` and `copy`.

    Attributes:
        case: what was timed.
        machine: where, as a line of text.
        seconds: of a call in each interleaved round; `copy` is one of the input, `relu` torch's at the same mode.
        kept: for backward, in tensors of the input's size; 0 for `forward`.
        floor: the least that a kernel of the operations of `fused` can take, in multiples of a copy.
        failed: why a peer could not run.
    """

    case: PeerCase
    machine: str
    seconds: Mapping[str, list[float]]
    kept: Mapping[str, float]
    floor: float
    failed: Mapping[str, str]

    def ratio(self, one: str, other: str) -> interleave.Ratio:
        """Time of one in multiples of another's, round by round."""
        return interleave.ratio(self.seconds[one], self.seconds[other])

    @property
    def extra_info(self) -> dict[str, float]:
        """As builtin values, for pytest-benchmark's `extra_info`."""
        over = {f"{name}_over_fused": self.ratio(name, "fused").median for name in self.seconds if name != "fused"}
        return over | {f"{name}_kept": kept for name, kept in self.kept.items()} | {"floor_over_copy": self.floor}


def time_peers(case: PeerCase, device: torch.device, elements: int = ELEMENTS) -> PeerTimes:
    """Time rounds of all implementations of an activation, on one thread.

    Peers that are not installed are left out, and so are those that hand the call on to torch.

    Args:
        elements: of the output; a multiple of those of `EXAMPLE`.

    Raises:
        ValueError: unknown activation.
    """
    import torch

    entry = activations.info(case.activation)
    # Functions along a dimension work along the last one, as in a transformer; all others behind a convolution.
    along = "dim" in entry.arguments
    row = (entry.in_features_multiplier * WIDTH,) if along else EXAMPLE
    outputs = WIDTH if along else math.prod(EXAMPLE)
    calls: dict[str, interleave.Call] = {}
    kept, moved, failed = {}, {}, {}
    with steady():
        populate(elements * entry.in_features_multiplier, torch.float32, device)
        x = standard_normal((elements // outputs, *row), torch.float32, device)
        for name, module in _implementations(entry, None if along else EXAMPLE).items():
            try:
                prepared = prepare_module(module.to(device), x, case.mode)
                prepared.call()
            except Exception as error:  # whatever a peer raises is a finding; ours are not to be excused
                if name in OURS:
                    raise
                failed[name] = f"{type(error).__name__}: {error}"
                continue
            calls[name], moved[name] = prepared.call, prepared.bytes_moved
            kept[name] = prepared.bytes_saved / x.nbytes
        calls["copy"] = x.clone
        loops = {name: interleave.loops_for(call, device, 1e-3) for name, call in calls.items()}
        trial = interleave.measure_in_turn(calls, rounds=1, device=device, loops=loops)
        least, most = ROUNDS
        rounds = int(BUDGET_SECONDS / 2 / sum(loops[name] * trial[name][0] for name in calls))
        rounds = min(max(rounds, least), most)
        # Who follows a copy, or the hungriest peer, pays for what it left of the caches: half of the rounds go back.
        there = interleave.measure_in_turn(calls, rounds=rounds, device=device, loops=loops)
        back = interleave.measure_in_turn(dict(reversed(calls.items())), rounds=rounds, device=device, loops=loops)
        seconds = {name: there[name] + back[name] for name in calls}
        copy = statistics.median(seconds["copy"])
        floor = floor_seconds(calls["fused"], moved["fused"], 2 * x.nbytes / copy, device) / copy
    machine = f"{elements} elements, {THREADS} thread, {device_name(device)}, torch {torch.__version__}"
    return PeerTimes(case, machine, seconds, kept, floor, failed)


def times_table(found: Sequence[PeerTimes]) -> str:
    """One Markdown table a mode, natives last, and what there is to say of the peers; an empty string without times."""
    if not found:
        return ""
    blocks = []
    for mode in dict.fromkeys(one.case.mode for one in found):
        members = [one for one in found if one.case.mode == mode]
        blocks += [_block(mode, members), *_speedups(members)]
    notes = {
        f"{peer.name} {name}: {peer.counterparts[name].note}": None
        for peer in PEERS.values()
        for name in (one.case.activation for one in found)
        if name in peer.counterparts and peer.counterparts[name].note
    }
    lines = {
        "not installed (pip install 'actbench[peers]')": [p.name for p in PEERS.values() if not p.installed],
        "another function under the name": list(notes),
        "failed": [f"{name} {one.case.id}: {reason}" for one in found for name, reason in one.failed.items()],
    }
    return "\n\n".join([*blocks, *(f"{title}: {'; '.join(texts)}" for title, texts in lines.items() if texts)])


def _implementations(entry: activations.Activation, example: tuple[int, ...] | None) -> dict[str, nn.Module]:
    """Ours, those of the peers that are installed, and relu, by name."""
    from torch import nn

    made = {name: activations.build(entry.name, shape=example, fused=name == "fused") for name in OURS}
    for peer in PEERS.values():
        counterpart = peer.counterparts.get(entry.name)
        if counterpart and peer.installed and not counterpart.of_torch:
            made[peer.name] = peer.build(entry.name, {**entry.defaults, **entry.parameters})
            _spread(made[peer.name], made["eager"], entry)
    return {**made, "relu": nn.ReLU()}


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


def _block(mode: str, found: Sequence[PeerTimes]) -> str:
    from tabulate import tabulate

    keeps = ", in brackets the tensors of the input's size kept for backward" if mode == "forward_backward" else ""
    title = (
        f"{mode}, float32, {found[0].machine}: fused in multiples of a copy and of torch's relu, all others of fused"
    )
    headers = ["activation", "floor", "fused / copy", "/ relu", "eager", *PEERS]
    rows = [
        [
            one.case.activation,
            f"{one.floor:.2f}",
            f"{one.ratio('fused', 'copy').median:.2f}{_kept(one, 'fused')}",
            f"{one.ratio('fused', 'relu').median:.2f}",
            *(_cell(one, name) for name in headers[4:]),
        ]
        for one in sorted(found, key=lambda one: (is_native(one.case.activation), one.case))
    ]
    align = ("left", *["right"] * (len(headers) - 1))
    return f"{title}{keeps}\n\n{tabulate(rows, headers, tablefmt='github', colalign=align, disable_numparse=True)}"


def _cell(one: PeerTimes, name: str) -> str:
    if name in one.failed:
        return "failed"
    if name in one.seconds:
        found = one.ratio(name, "fused")
        return f"{found.median:.2f} ±{found.sd_log:.0%}{_kept(one, name)}"
    peer = PEERS.get(name, TORCH)
    counterpart = peer.counterparts.get(one.case.activation)
    return "= torch" if counterpart and counterpart.of_torch and peer.installed else ""


def _kept(one: PeerTimes, name: str) -> str:
    return f" [{one.kept[name]:.3g}]" if one.case.mode == "forward_backward" else ""


def _speedups(found: Sequence[PeerTimes]) -> list[str]:
    """A line a peer: over what torch lacks, where ours are not torch's own kernels."""
    lines = []
    for peer in PEERS:
        shared = [one for one in found if peer in one.seconds and not is_native(one.case.activation)]
        if shared:
            fused, eager = (statistics.geometric_mean(one.ratio(peer, ours).median for one in shared) for ours in OURS)
            lines.append(
                f"geometric mean over the {len(shared)} shared functions that torch lacks: "
                f"fused {fused:.2f} x, eager {eager:.2f} x as fast as {peer}"
            )
    return lines
