"""How right torch and the peers are, counted on the grid that ours are held to: `kernels.count(Judged(...))`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

import activations
from bench.timing.kernels._peers import PEERS, Counterpart, is_native

if TYPE_CHECKING:
    import torch
    from torch import nn

    from activations.contract.accuracy import Errors

DTYPES = ("float64", "float32", "bfloat16", "float16")
# The records' bounds are strict, a few units in the last place; nobody would call this much correct.
GENEROUS_ULP = 100.0


@dataclass(frozen=True, order=True)
class Judged:
    """All functions of a peer in one dtype: one pytest item."""

    peer: str
    dtype: str

    @property
    def id(self) -> str:
        """The values joined by `-`."""
        return "-".join(astuple(self))


def judged() -> list[Judged]:
    """All peers in all dtypes, installed or not."""
    return [Judged(peer, dtype) for peer in PEERS for dtype in DTYPES]


@dataclass(frozen=True)
class Count:
    """What was found.

    Attributes:
        judged: whose functions.
        theirs, ours: errors by activation; those of ours on the same functions.
        failed: why a function could not be called.
    """

    judged: Judged
    theirs: Mapping[str, Errors]
    ours: Mapping[str, Errors]
    failed: Mapping[str, str]


def count(asked: Judged) -> Count:
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
        values = {**truth.values_of(entry), **counterpart.arguments}
        own = subject.module(entry, dtype, **counterpart.arguments)
        ours[name] = accuracy.measure(own, entry, dtype, values)
        module = peer.build(name, values).to(dtype).eval()
        try:
            theirs[name] = accuracy.measure(_gated_last(module, counterpart), entry, dtype, values)
        except Exception as error:  # whatever a peer raises is a finding
            failed[name] = f"{type(error).__name__}: {error}"
    return Count(asked, theirs, ours, failed)


def count_table(found: Sequence[Count]) -> str:
    """Markdown: a line for each peer and dtype and one for ours, then the peers' worst; empty without results."""
    if not found:
        return ""
    from tabulate import tabulate

    rows = []
    for one in found:
        compared = len(one.theirs) + len(one.failed)
        rows.append([one.judged.peer, one.judged.dtype, compared, *_figures(one.theirs), len(one.failed)])
        rows.append(["ours", one.judged.dtype, len(one.ours), *_figures(one.ours), 0])
    headers = [
        "whose",
        "dtype",
        "functions",
        "wrong values",
        f"> {GENEROUS_ULP:g} ulp",
        "wrong gradients",
        f"> {GENEROUS_ULP:g} ulp",
        "NaN values",
        "NaN gradients",
        "other dtype",
        "failed",
    ]
    lines = [f"- {one.judged.id}: {text}" for one in found if (text := _worst(one))]
    legend = (
        "Functions, not points: wrong is beyond the bounds of the record at one point or more; NaN is counted at "
        "finite inputs only; other dtype means that the output's is not the input's."
    )
    return "\n\n".join([tabulate(rows, headers, tablefmt="github"), legend, "\n".join(lines)]).rstrip()


def own_mistakes(found: Count) -> dict[str, list[str]]:
    """What nobody would call correct of ours, where the computing is not torch's."""
    mistakes = {name: wrong(errors) for name, errors in found.ours.items() if not is_native(name)}
    return {name: complaints for name, complaints in mistakes.items() if complaints}


def wrong(errors: Errors) -> list[str]:
    """What nobody would call correct."""
    found = []
    if errors.value_ulp > GENEROUS_ULP:
        found.append(f"value {errors.value_ulp:.1e} ulp at {_place(errors.value_at)}")
    if errors.derivative_ulp > GENEROUS_ULP:
        found.append(f"gradient {errors.derivative_ulp:.1e} ulp at {_place(errors.derivative_at)}")
    if errors.nan_values:
        found.append(f"value NaN at {errors.nan_values} points")
    if errors.nan_derivatives:
        found.append(f"gradient NaN at {errors.nan_derivatives} points")
    if errors.dtype_changed:
        found.append("dtype changed")
    return found


def _figures(errors: Mapping[str, Errors]) -> list[int]:
    every = errors.values()
    return [
        sum(one.wrong_values > 0 for one in every),
        sum(one.value_ulp > GENEROUS_ULP for one in every),
        sum(one.wrong_derivatives > 0 for one in every),
        sum(one.derivative_ulp > GENEROUS_ULP for one in every),
        sum(one.nan_values > 0 for one in every),
        sum(one.nan_derivatives > 0 for one in every),
        sum(one.dtype_changed for one in every),
    ]


def _worst(one: Count) -> str:
    counterparts = PEERS[one.judged.peer].counterparts
    lines = []
    for name, errors in one.theirs.items():
        note = f"has {counterparts[name].note}: " if counterparts[name].note else ""
        if found := wrong(errors):
            lines.append(f"{name} ({note}{', '.join(found)})")
    return "; ".join([*lines, *(f"{name} ({reason})" for name, reason in one.failed.items())])


def _place(at: float | tuple[float, ...]) -> str:
    return " and ".join(f"{x:.3g}" for x in at) if isinstance(at, tuple) else f"{at:.3g}"


def _gated_last(module: nn.Module, counterpart: Counterpart) -> Any:
    """With the gate in the second half of the input, as the records have it."""
    import torch

    if not counterpart.gate_first:
        return module
    return lambda x: module(torch.cat(x.chunk(2, -1)[::-1], -1))
