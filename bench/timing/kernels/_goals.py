"""Which goals of speed and memory hold, one line each: `kernels.goals(compared)`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import activations
from bench.timing.kernels._implementations import Compared, geometric_mean
from bench.timing.kernels._peers import PEERS, TORCH, is_native

# Of the issue "Every activation: complete, numerically exact, fused, and proven against its peers".
FASTER_THAN_TORCH_ACTIVATION = 3.0
SLOWER_THAN_TORCH = 1.05
# Forward and backward, in multiples of torch's relu and, where the formula has a transcendental function, of its gelu.
TIMES_RELU = 3.0
TIMES_GELU = 2.0
# In tensors of the input's size; what generated parameters take besides is a thousandth.
KEPT = 1.01
# What mpmath calls those that no fixed number of additions, multiplications and roots makes.
TRANSCENDENTAL = {"cos", "erf", "erfc", "exp", "expm1", "log", "log1p", "ncdf", "sin", "tanh"}


def goals(found: Sequence[Compared]) -> str:
    """One line a goal, with those that miss it; figures are medians, and what is missed by less than two standard
    errors counts as held."""
    both = [compared for compared in found if compared.comparison.mode == "forward_backward"]
    lines = [_against(peer, mode, found) for peer in PEERS if peer != TORCH.name for mode in _modes(found)]
    lines.append(
        _held(
            f"fused at most {SLOWER_THAN_TORCH} x torch's own",
            [compared for compared in found if TORCH.name in compared.seconds],
            lambda compared: (TORCH.name, SLOWER_THAN_TORCH),
        )
    )
    elementwise = [compared for compared in both if _is_elementwise(compared)]
    lines.append(
        _held(
            f"fused, forward and backward, at most {TIMES_RELU:g} x torch's relu, or {TIMES_GELU:g} x its gelu where "
            "a transcendental function is involved",
            elementwise,
            lambda compared: ("gelu", TIMES_GELU) if is_transcendental(compared) else ("relu", TIMES_RELU),
        )
    )
    hungry = [compared for compared in both if compared.kept["fused"] > KEPT]
    names = "; ".join(f"{compared.comparison.activation} {compared.kept['fused']:.2f}" for compared in hungry)
    if both:
        lines.append(f"one tensor kept for backward, fused: {_count(len(both) - len(hungry), len(both), names)}")
    return "\n".join(line for line in lines if line)


def is_transcendental(compared: Compared) -> bool:
    """Whether the record's formula calls such a function; a user's own function is taken to."""
    entry = activations.info(compared.comparison.activation)
    if entry.formula is None:
        return True
    import mpmath

    from activations import reference

    calls = _Calls()
    for x in (-2.5, -0.5, 0.5, 2.5):
        entry.formula(calls, mpmath.mpf(x), **reference.values_of(entry))
    return bool(calls.names & TRANSCENDENTAL)


class _Calls:
    """mpmath that remembers what was asked of it."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        import mpmath

        self.names.add(name)
        return getattr(mpmath, name)


def _against(peer: str, mode: str, found: Sequence[Compared]) -> str:
    shared = [
        compared
        for compared in found
        if compared.comparison.mode == mode
        and peer in compared.seconds
        and not is_native(compared.comparison.activation)
    ]
    if not shared:
        return ""
    text = f"{mode}, geometric mean over the {len(shared)} shared functions that torch lacks:"
    for name in ("fused", "eager"):
        text += f" {name} {geometric_mean(shared, peer, name):.2f} x as fast as {peer},"
    goal = FASTER_THAN_TORCH_ACTIVATION
    if peer != "torch-activation" or mode == "forward":
        return text.rstrip(",")
    return f"{text} the goal being {goal:g}: {'held' if geometric_mean(shared, peer, 'fused') >= goal else 'missed'}"


def _held(goal: str, found: Sequence[Compared], limit_of: Any) -> str:
    if not found:
        return ""
    missed = []
    for compared in found:
        yardstick, limit = limit_of(compared)
        if compared.exceeds("fused", yardstick, limit):
            name = compared.comparison.id if yardstick == TORCH.name else compared.comparison.activation
            missed.append(f"{name} {compared.ratio('fused', yardstick).median:.2f} x {yardstick}")
    return f"{goal}: {_count(len(found) - len(missed), len(found), '; '.join(missed))}"


def _count(held: int, total: int, missed: str) -> str:
    return f"held by {held} of {total}" + (f", missed by {missed}" if missed else "")


def _modes(found: Iterable[Compared]) -> list[str]:
    return list(dict.fromkeys(compared.comparison.mode for compared in found))


def _is_elementwise(compared: Compared) -> bool:
    entry = activations.info(compared.comparison.activation)
    return entry.in_features_multiplier == 1 and (entry.formula is not None or entry.family == "user")
