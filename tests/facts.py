"""Facts about an activation in a few words: `flags(activations.properties("relu"))`, `as_written(...)`."""

from __future__ import annotations

from activations import Properties


def flags(found: Properties) -> str:
    """Of: f monotonic (mono), f' (mono'), identity near 0 (id), zero-centred (zc), saturation (L, R)."""
    said = {
        "mono": found.monotonic,
        "mono'": found.monotonic_derivative,
        "id": found.approximates_identity,
        "zc": found.zero_centred,
        "L": found.saturates_left,
        "R": found.saturates_right,
    }
    return " ".join(flag for flag, holds in said.items() if holds)


def as_written(found: Properties) -> str:
    """The range with twelve digits, and brackets for what is attained."""
    span = found.range
    assert span is not None
    low, high = (f"{bound:.12g}" for bound in (span.low, span.high))
    return f"{'(' if span.low_at is None else '['}{low}, {high}{')' if span.high_at is None else ']'}"
