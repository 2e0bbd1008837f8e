"""How right torch and the peers are, on the grid that ours are held to: `count_errors(PeerCheck(...))`.

Values and gradients are compared with the source's formula at 40 digits, see `activations.contract`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

import activations
from bench.timing.peers.counterparts import PEERS, Counterpart, is_native

if TYPE_CHECKING:
    import torch
    from torch import nn

    from activations.contract.accuracy import Errors

DTYPES = ("float64", "float32", "bfloat16", "float16")
# The records' bounds are strict, a few units in the last place; nobody would call this much correct.
GENEROUS_ULP = 100.0
# Columns of the table: functions of which this holds.
COUNTED: dict[str, Callable[[Errors], bool]] = {
    "wrong values": lambda one: one.wrong_values > 0,
    f"values > {GENEROUS_ULP:g} ulp": lambda one: one.value_ulp > GENEROUS_ULP,
    "wrong gradients": lambda one: one.wrong_derivatives > 0,
    f"gradients > {GENEROUS_ULP:g} ulp": lambda one: one.derivative_ulp > GENEROUS_ULP,
    "NaN values": lambda one: one.nan_values > 0,
    "NaN gradients": lambda one: one.nan_derivatives > 0,
    "other dtype": lambda one: one.dtype_changed,
}


@dataclass(frozen=True, order=True)
class PeerCheck:
    """All functions of a peer in one dtype: one pytest item."""

    peer: str
    dtype: str

    @property
    def id(self) -> str:
        """The values joined by `-`."""
        return "-".join(astuple(self))


def peer_checks() -> list[PeerCheck]:
    """All peers in all dtypes, installed or not."""
    return [PeerCheck(peer, dtype) for peer in PEERS for dtype in DTYPES]


@dataclass(frozen=True)
class PeerErrors:
    """What was found.

    Attributes:
        check: whose functions, and in which dtype.
        theirs, ours: errors by activation; those of ours on the same functions.
        failed: why a function could not be called.
    """

    check: PeerCheck
    theirs: Mapping[str, Errors]
    ours: Mapping[str, Errors]
    failed: Mapping[str, str]


def count_errors(asked: PeerCheck) -> PeerErrors:
    """Measure each function that the peer shares with us, and ours.

    Raises:
        ImportError: the peer is not installed.
    """
    import torch

    from activations.contract import accuracy, subject, truth

    peer = PEERS[asked.peer]
    dtype: torch.dtype = getattr(torch, asked.dtype)
    theirs, ours, failed = {}, {}, {}
    for name, counterpart in peer.counterparts.items():
        entry = activations.info(name)
        if entry.formula is None:
            continue
        values = {**truth.formula_values(entry), **counterpart.arguments}
        own = subject.module(entry, dtype, **counterpart.arguments)
        ours[name] = accuracy.measure_errors(own, entry, dtype, values)
        module = peer.build(name, values).to(dtype).eval()
        try:
            theirs[name] = accuracy.measure_errors(_gated_last(module, counterpart), entry, dtype, values)
        except Exception as error:  # whatever a peer raises is a finding
            failed[name] = f"{type(error).__name__}: {error}"
    return PeerErrors(asked, theirs, ours, failed)


def errors_table(found: Sequence[PeerErrors]) -> str:
    """Markdown: a line for each peer and dtype and one for ours, then the peers' worst; empty without results."""
    if not found:
        return ""
    from tabulate import tabulate

    rows = []
    for one in found:
        compared = len(one.theirs) + len(one.failed)
        rows.append([one.check.peer, one.check.dtype, compared, *_counts(one.theirs), len(one.failed)])
        rows.append(["ours", one.check.dtype, len(one.ours), *_counts(one.ours), 0])
    headers = ["whose", "dtype", "functions", *COUNTED, "failed"]
    lines = [f"- {one.check.id}: {text}" for one in found if (text := _worst(one))]
    legend = (
        "Functions, not points: wrong is beyond the bounds of the record at one point or more; NaN is counted at "
        "finite inputs only; other dtype means that the output's is not the input's."
    )
    return "\n\n".join([tabulate(rows, headers, tablefmt="github"), legend, "\n".join(lines)]).rstrip()


def own_mistakes(found: PeerErrors) -> dict[str, list[str]]:
    """What nobody would call correct of ours, where the computing is not torch's."""
    mistakes = {name: _wrong(errors) for name, errors in found.ours.items() if not is_native(name)}
    return {name: complaints for name, complaints in mistakes.items() if complaints}


def _wrong(errors: Errors) -> list[str]:
    """What nobody would call correct."""
    found = []
    if errors.value_ulp > GENEROUS_ULP:
        found.append(f"value {errors.value_ulp:.1e} ulp at {_at(errors.value_at)}")
    if errors.derivative_ulp > GENEROUS_ULP:
        found.append(f"gradient {errors.derivative_ulp:.1e} ulp at {_at(errors.derivative_at)}")
    if errors.nan_values:
        found.append(f"value NaN at {errors.nan_values} points")
    if errors.nan_derivatives:
        found.append(f"gradient NaN at {errors.nan_derivatives} points")
    if errors.dtype_changed:
        found.append("dtype changed")
    return found


def _counts(errors: Mapping[str, Errors]) -> list[int]:
    return [sum(map(counted, errors.values())) for counted in COUNTED.values()]


def _worst(one: PeerErrors) -> str:
    counterparts = PEERS[one.check.peer].counterparts
    lines = []
    for name, errors in one.theirs.items():
        note = f"has {counterparts[name].note}: " if counterparts[name].note else ""
        if found := _wrong(errors):
            lines.append(f"{name} ({note}{', '.join(found)})")
    return "; ".join([*lines, *(f"{name} ({reason})" for name, reason in one.failed.items())])


def _at(place: float | tuple[float, ...]) -> str:
    return " and ".join(f"{x:.3g}" for x in place) if isinstance(place, tuple) else f"{place:.3g}"


def _gated_last(module: nn.Module, counterpart: Counterpart) -> Any:
    """With the gate in the second half of the input, as the records have it."""
    import torch

    if not counterpart.gate_first:
        return module
    return lambda x: module(torch.cat(x.chunk(2, -1)[::-1], -1))
